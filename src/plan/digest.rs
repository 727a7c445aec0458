//! The name of exactly one plan: what a reviewer approves.
//!
//! Two plans have the same digest if they write the same fields of the same objects of the same account, in
//! the same order, over the same pre-images. What a plan has beside that (estimates, counts, places in
//! files, the vendor's revisions, guards) is not part of it: the same plan, made on another machine or with stricter
//! guards, is still the plan that was approved.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::{Change, ChangeId, FieldChange, FieldValue, PlannedRef};
use crate::text::hex;

/// The SHA-256 of what a plan does, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    /// The digest of these changes to the account with this id.
    pub fn of(account_id: &str, changes: &[Change]) -> Self {
        let mut hash = Hash(Sha256::new());
        // Nothing in a change can fail to be written: keys are text and there are no fractions.
        let _ = serde_json::to_writer(&mut hash, &("strowger plan", super::Plan::VERSION, account_id));
        for change in changes {
            let bare = Change { place: None, revision: None, calls: 1, steps: Vec::new(), ..change.clone() };
            let _ = serde_json::to_writer(&mut hash, &bare);
        }
        Self(hex(&hash.0.finalize()))
    }

    /// The digest of what one change does to the account with this id, whatever plan it stands in: without its position, what it
    /// waits for, and what the vendor counts.
    pub(super) fn of_change(account_id: &str, change: &Change) -> Self {
        let bare = |value: &FieldValue| value.map(|target| PlannedRef { created_by: None, ..target.clone() });
        let fields = change.fields.iter();
        let fields =
            fields.map(|one| FieldChange { field: one.field, before: bare(&one.before), after: bare(&one.after) });
        let change = Change {
            id: ChangeId(0),
            fields: fields.collect(),
            place: None,
            depends_on: Vec::new(),
            revision: None,
            calls: 0,
            steps: Vec::new(),
            ..change.clone()
        };
        let mut hash = Hash(Sha256::new());
        let _ = serde_json::to_writer(&mut hash, &("strowger change", super::Plan::VERSION, account_id, &change));
        Self(hex(&hash.0.finalize()))
    }

    /// What stands for the account with this id beside the digests of its changes.
    pub(super) fn of_account(account_id: &str) -> Self {
        let mut hash = Hash(Sha256::new());
        let _ = serde_json::to_writer(&mut hash, &("strowger account", account_id));
        Self(hex(&hash.0.finalize()))
    }
}

/// Why a text is not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 64 hexadecimal digits, as the plan prints it")]
pub struct DigestError;

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sound = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        sound.then(|| Self(text.to_ascii_lowercase())).ok_or(DigestError)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Hashes what is written to it.
struct Hash(Sha256);

impl std::io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
