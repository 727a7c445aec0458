//! What became of a plan.

use crate::ledger::{Halt, Record, Summary};
use crate::model::{Change, ChangeId};
use crate::providers::{WriteError, WriteReceipt};

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was carried out.
    Applied(WriteReceipt),
    /// It certainly was not carried out.
    Failed(WriteError),
    /// The account had changed since it was read, so nothing was written; what changed.
    Stale(String),
    /// It may have been carried out; why that is not known.
    Unknown(String),
    /// It was not started, because this change was not applied.
    Skipped {
        /// The first cause, not the last link of the chain.
        because: ChangeId,
    },
    /// It was not started, because the run ended early.
    NotAttempted,
}

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What became of each change, in the order of the plan.
    pub changes: Vec<(ChangeId, Status)>,
    /// What ended the run early.
    pub halt: Option<Halt>,
}

impl Outcome {
    /// Nothing of this plan was attempted.
    pub fn not_attempted(changes: &[Change]) -> Self {
        Self { changes: changes.iter().map(|change| (change.id, Status::NotAttempted)).collect(), halt: None }
    }

    /// Whether every change was carried out.
    pub fn is_complete(&self) -> bool {
        self.changes.iter().all(|(_, status)| matches!(status, Status::Applied(_)))
    }

    /// How many changes came to such an end.
    pub fn count(&self, wanted: impl Fn(&Status) -> bool) -> usize {
        self.changes.iter().filter(|(_, status)| wanted(status)).count()
    }

    /// How many changes were carried out.
    pub fn applied(&self) -> usize {
        self.count(|status| matches!(status, Status::Applied(_)))
    }

    /// Whether the account has, or may have, something of the plan.
    pub fn touched(&self) -> bool {
        self.changes.iter().any(|(_, status)| matches!(status, Status::Applied(_) | Status::Unknown(_)))
    }

    /// How many requests the applied changes took.
    pub fn requests(&self) -> u64 {
        let applied = self.changes.iter().map(|(_, status)| match status {
            Status::Applied(written) => written.requests,
            _ => 0,
        });
        applied.sum()
    }

    /// The sum of it, for a run that ends with this code.
    pub fn summary(&self, in_sync: Option<bool>, exit: u8) -> Summary {
        let mut sum = Summary { halt: self.halt.clone(), in_sync, exit, ..Summary::default() };
        for (_, status) in &self.changes {
            *match status {
                Status::Applied(_) => &mut sum.applied,
                Status::Failed(_) => &mut sum.failed,
                Status::Stale(_) => &mut sum.stale,
                Status::Unknown(_) => &mut sum.unknown,
                Status::Skipped { .. } => &mut sum.skipped,
                Status::NotAttempted => &mut sum.not_attempted,
            } += 1;
        }
        sum
    }
}

impl Status {
    /// The record of it.
    pub(super) fn record(&self, change: ChangeId) -> Record {
        match self {
            Self::Applied(WriteReceipt { id, revision, requests }) => {
                Record::Applied { change, id: id.clone(), revision: revision.clone(), requests: *requests }
            }
            Self::Failed(error) => Record::Failed { change, error: error.to_string() },
            Self::Stale(what) => Record::Stale { change, what: what.clone() },
            Self::Unknown(why) => Record::Unknown { change, why: why.clone() },
            Self::Skipped { because } => Record::Skipped { change, because: *because },
            Self::NotAttempted => Record::NotAttempted { change },
        }
    }
}

impl From<Result<WriteReceipt, WriteError>> for Status {
    fn from(result: Result<WriteReceipt, WriteError>) -> Self {
        match result {
            Ok(written) => Self::Applied(written),
            Err(WriteError::Stale(what)) => Self::Stale(what),
            Err(WriteError::Unknown(why) | WriteError::Unattributed(why)) => Self::Unknown(why),
            Err(error) => Self::Failed(error),
        }
    }
}
