//! One line of a ledger or of an event stream.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Change, ChangeId, ObjectId, Revision};
use crate::plan::Digest;

use super::approval::Approval;
use super::run_id::RunId;

/// One line: what happened, when, in which run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// The version of this format: 1.
    pub version: u32,
    /// When, in UTC (RFC 3339, with milliseconds).
    pub at: String,
    /// The run: one plan that is carried out for one account.
    #[schemars(with = "String")]
    pub run: RunId,
    /// What happened.
    #[serde(flatten)]
    pub record: Record,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The plan is made: the first line of a run.
    Planned(Box<Planned>),
    /// Guards held the plan back, and somebody approved exactly it.
    Approved(Box<Approval>),
    /// The plan is being carried out.
    Started,
    /// The request of a change is about to leave. In a ledger, this line is on the disk before the request is
    /// on the wire.
    Attempt {
        /// The change.
        change: ChangeId,
    },
    /// A change was carried out.
    Applied {
        /// The change.
        change: ChangeId,
        /// The object; of a creation, the id that the account gave it.
        id: ObjectId,
        /// The version that the write made, if the account tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<Revision>,
        /// How many requests it took.
        requests: u64,
    },
    /// A change certainly was not carried out.
    Failed {
        /// The change.
        change: ChangeId,
        /// Why, as one sentence. It may quote the account, so it is untrusted text.
        error: String,
    },
    /// The account had changed since it was read, so a change was not carried out.
    Stale {
        /// The change.
        change: ChangeId,
        /// What changed. Untrusted text.
        what: String,
    },
    /// A change may have been carried out, and the account did not tell; a plan shows whether it was.
    Unknown {
        /// The change.
        change: ChangeId,
        /// Why. Untrusted text.
        why: String,
    },
    /// A change was not started, because another was not carried out.
    Skipped {
        /// The change.
        change: ChangeId,
        /// The first cause, not the last link of the chain.
        because: ChangeId,
    },
    /// A change was not started, because the run was stopped or never began.
    NotAttempted {
        /// The change.
        change: ChangeId,
    },
    /// The run is over: the last line.
    Summary(Summary),
}

/// What a run set out to do, and who did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// The version of Strowger.
    pub strowger: String,
    /// The account's name in the file.
    pub account: String,
    /// The vendor's id of the account.
    pub account_id: String,
    /// The name of exactly this plan.
    pub digest: Digest,
    /// The Git commit of the account's files, if they are in a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// Who ran it, if the environment tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The run that this one undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub undoes: Option<RunId>,
    /// What is claimed before the first change; absent if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claimed>,
    /// The writes, with every field's value before and after.
    pub changes: Vec<Change>,
}

/// A claim: who says to manage the account, or a part of it, from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claimed {
    /// The owner.
    pub owner: String,
    /// The owners whose claims end with it. Untrusted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub took_over_from: Vec<String>,
}

/// A Git commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Its name, in hexadecimal.
    pub id: String,
    /// Whether the account's files differed from it.
    pub dirty: bool,
}

/// The sum of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// How many changes were carried out.
    pub applied: u64,
    /// How many certainly were not.
    pub failed: u64,
    /// How many found another account than the plan saw.
    pub stale: u64,
    /// How many may have been carried out.
    pub unknown: u64,
    /// How many waited for one that was not carried out.
    pub skipped: u64,
    /// How many were not started, because the run was stopped or never began.
    pub not_attempted: u64,
    /// What ended the run early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halt: Option<Halt>,
    /// Whether the account was read again and a fresh plan was empty; absent if it was not read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_sync: Option<bool>,
    /// The exit code of this run; with several accounts, the command may end with another one's.
    pub exit: u8,
}

/// What ended a run early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Halt {
    /// A signal: what was under way was finished.
    Stopped,
    /// A second signal: what was under way was left alone.
    StoppedAtOnce,
    /// The ledger could not be written any longer, for this reason.
    Unrecorded(String),
    /// The account does not answer any longer, or does not accept the token any longer; the last failure.
    Unreachable(String),
    /// Another owner claimed the account first; what it says. Nothing was written.
    Owned(String),
    /// The account could not be claimed, for this reason. Nothing was written.
    Unclaimed(String),
}

impl Line {
    /// The version of the format that this code writes and reads.
    pub const VERSION: u32 = 1;

    /// The line as JSON, with its end.
    pub fn text(&self) -> String {
        // Nothing in a line can fail to be written: keys are text and there are no fractions.
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl Record {
    /// The change that it is about.
    pub fn change(&self) -> Option<ChangeId> {
        match self {
            Self::Planned(_) | Self::Approved(_) | Self::Started | Self::Summary(_) => None,
            Self::Attempt { change }
            | Self::Applied { change, .. }
            | Self::Failed { change, .. }
            | Self::Stale { change, .. }
            | Self::Unknown { change, .. }
            | Self::Skipped { change, .. }
            | Self::NotAttempted { change } => Some(*change),
        }
    }
}

/// The JSON Schema of [`Line`].
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Line);
    schema.insert("title".to_owned(), "Strowger event, version 1".into());
    schema.insert("$id".to_owned(), "https://strowger.example/schemas/event.v1.schema.json".into());
    schema.to_value()
}
