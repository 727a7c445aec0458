//! What became of a change: one type for the engine, the ledger, `history` and `rollback`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Change, ChangeId, FieldName, ObjectId, Revision};

/// What became of a change. Texts may quote the account, so they are untrusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum ChangeOutcome {
    /// A change was carried out.
    Applied {
        /// The object; of a creation, the id that the account gave it.
        id: ObjectId,
        /// The version that the write made, if the account reports it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<Revision>,
        /// How many requests it took.
        requests: u64,
    },
    /// A change certainly was not carried out.
    Failed {
        /// Why, as one sentence.
        error: String,
        /// Whether the account would refuse it again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        permanent: bool,
    },
    /// The account had changed since it was read, so a change was not carried out.
    Stale {
        /// What changed.
        what: String,
    },
    /// Some steps of a change were carried out, and the rest was not or may not have been. A fresh plan has the rest.
    PartlyDone {
        /// The object; of a creation, the id that the account gave it, if that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<ObjectId>,
        /// The steps that are not known to be done, in order.
        left: Vec<String>,
        /// Why it went no further.
        why: String,
    },
    /// A change may have been carried out, and the account did not show whether it was; a plan does.
    Unknown {
        /// Why that is not known.
        why: String,
    },
    /// A change was not started, because another was not carried out.
    Skipped {
        /// The first cause, not the last link of the chain.
        because: ChangeId,
    },
    /// A change was not started, because the run was stopped or never began.
    NotAttempted,
}

/// How many changes came to each end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// How many changes were carried out.
    pub applied: u64,
    /// How many certainly were not.
    pub failed: u64,
    /// How many found another account than the plan saw.
    pub stale: u64,
    /// How many were carried out in part.
    #[serde(default)]
    pub partly_done: u64,
    /// How many may have been carried out.
    pub unknown: u64,
    /// How many waited for one that was not carried out.
    pub skipped: u64,
    /// How many were not started, because the run was stopped or never began.
    pub not_attempted: u64,
}

impl ChangeOutcome {
    const WORDS: [&str; 7] = ["applied", "failed", "stale", "partly_done", "unknown", "skipped", "not_attempted"];

    /// The word for it, in lists and in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Failed { .. } => "failed",
            Self::Stale { .. } => "stale",
            Self::PartlyDone { .. } => "partly_done",
            Self::Unknown { .. } => "unknown",
            Self::Skipped { .. } => "skipped",
            Self::NotAttempted => "not_attempted",
        }
    }

    pub(super) fn is_word(text: &str) -> bool {
        Self::WORDS.contains(&text)
    }

    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Applied { .. })
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// The fields of a change whose steps are not known to be done, if others may be.
    pub fn unwritten(&self, change: &Change) -> Vec<FieldName> {
        let steps = change.steps.iter().enumerate().filter(|(position, step)| match self {
            Self::PartlyDone { left, .. } => left.iter().any(|name| **name == *step.name),
            // Only the first request can have left.
            Self::Unknown { .. } => *position > 0,
            _ => false,
        });
        steps.flat_map(|(_, step)| step.fields.iter().copied()).collect()
    }

    /// The outcome of a change of which the steps at these positions are not known to be done.
    pub fn interrupted(
        change: &Change,
        left: impl IntoIterator<Item = usize>,
        id: Option<ObjectId>,
        why: String,
    ) -> Self {
        let names = left.into_iter().filter_map(|step| change.steps.get(step)).map(|step| step.name.to_string());
        let left: Vec<String> = names.collect();
        if left.is_empty() || left.len() == change.steps.len() {
            return Self::Unknown { why };
        }
        Self::PartlyDone { id: id.or_else(|| change.object.id.clone()), left, why }
    }
}

impl<'o> FromIterator<&'o ChangeOutcome> for Counts {
    fn from_iter<I: IntoIterator<Item = &'o ChangeOutcome>>(outcomes: I) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            *match outcome {
                ChangeOutcome::Applied { .. } => &mut counts.applied,
                ChangeOutcome::Failed { .. } => &mut counts.failed,
                ChangeOutcome::Stale { .. } => &mut counts.stale,
                ChangeOutcome::PartlyDone { .. } => &mut counts.partly_done,
                ChangeOutcome::Unknown { .. } => &mut counts.unknown,
                ChangeOutcome::Skipped { .. } => &mut counts.skipped,
                ChangeOutcome::NotAttempted => &mut counts.not_attempted,
            } += 1;
        }
        counts
    }
}

impl Counts {
    pub fn not_applied(&self) -> u64 {
        self.failed + self.stale + self.partly_done + self.unknown + self.skipped + self.not_attempted
    }

    /// Whether the account has, or may have, something of the changes.
    pub fn touched(&self) -> bool {
        self.applied + self.partly_done + self.unknown > 0
    }

    /// The changes that were not carried out, each with the word for it.
    pub fn others(&self) -> [(u64, &'static str); 6] {
        [
            (self.failed, "failed"),
            (self.stale, "stale"),
            (self.partly_done, "partly done"),
            (self.unknown, "unknown"),
            (self.skipped, "skipped"),
            (self.not_attempted, "not attempted"),
        ]
    }
}
