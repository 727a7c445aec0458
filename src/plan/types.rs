//! The plan as a value that can be stored, shown and applied.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diff::Unmanaged;
use crate::model::{Change, Claim, Kind, ObjectId};

use super::digest::Digest;
use super::skipped::Skipped;
use super::violation::GuardViolation;

/// What to write to one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The version of this format: 1.
    pub version: u32,
    /// The account's name in the file.
    pub account: String,
    /// The vendor's id of the account, so that a plan for one account is never applied to another.
    pub account_id: String,
    /// The writes, in an order that is safe at every step. Each depends only on earlier ones.
    pub changes: Vec<Change>,
    /// How many managed objects already are as they should be.
    pub in_sync: usize,
    /// What the account has and the files do not mention.
    pub unmanaged: Unmanaged,
    /// Of these, what has a value that this version does not know, and why it cannot be managed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<UnreadableObject>,
    /// What it costs to read the account and to carry the plan out.
    pub estimate: CallEstimate,
    /// What the guards hold back; empty if the plan may be applied as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<GuardViolation>,
    /// The declared objects that the plan leaves as they are; empty if it covers all that is planned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// The selectors that the plan is limited to; empty if it is about everything that the files declare.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// The name of exactly these changes, for `--approve`.
    pub digest: Digest,
    /// What is claimed before the first change; `None` if there is nothing to claim. Found out anew for a saved plan.
    #[serde(skip)]
    pub claim: Option<Claim>,
}

/// A number or a ring group of the account that no file can manage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnreadableObject {
    /// The kind.
    pub kind: Kind,
    /// The vendor's id.
    pub id: ObjectId,
    /// The number or the name as the account has it: untrusted text.
    pub name: String,
    /// Why, as the end of a sentence without a full stop: untrusted text.
    pub reason: String,
}

/// API calls, and the least time that they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallEstimate {
    /// The calls that reading the account took.
    pub reads: u64,
    /// The calls that the changes take.
    pub writes: u64,
    /// The calls of the longest chain of changes of which each must wait for the one before.
    pub longest_chain: u64,
    /// The least time in milliseconds that the provider's stated rate limit leaves for the writes; absent
    /// where the provider states none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_milliseconds: Option<u64>,
}

impl Plan {
    /// The version of the format that this code writes and reads.
    pub const VERSION: u32 = 1;

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether everything that was planned for is covered: nothing is left out.
    pub fn is_whole(&self) -> bool {
        self.skipped.is_empty()
    }

    /// Whether a guard holds something back that an approval of the plan does not pass.
    pub fn is_refused(&self) -> bool {
        self.blocked.iter().any(|block| !block.guard.is_approvable())
    }

    /// Whether a guard holds something back.
    pub fn is_blocked(&self) -> bool {
        !self.blocked.is_empty()
    }
}
