//! What became of a plan.

use crate::ledger::{ChangeOutcome, Counts, Halt, Summary};
use crate::model::{Change, ChangeId};
use crate::providers::WriteError;

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What became of each change, in the order of the plan.
    pub changes: Vec<(ChangeId, ChangeOutcome)>,
    /// What ended the run early.
    pub halt: Option<Halt>,
}

impl Outcome {
    /// Nothing of this plan was attempted.
    pub fn not_attempted(changes: &[Change]) -> Self {
        Self { changes: changes.iter().map(|change| (change.id, ChangeOutcome::NotAttempted)).collect(), halt: None }
    }

    pub fn counts(&self) -> Counts {
        self.changes.iter().map(|(_, outcome)| outcome).collect()
    }

    /// How many changes were carried out.
    pub fn applied(&self) -> usize {
        self.changes.iter().filter(|(_, outcome)| outcome.is_applied()).count()
    }

    /// Whether every change was carried out.
    pub fn is_complete(&self) -> bool {
        self.applied() == self.changes.len()
    }

    /// How many requests the applied changes took.
    pub fn requests(&self) -> u64 {
        let applied = self.changes.iter().map(|(_, outcome)| match outcome {
            ChangeOutcome::Applied { requests, .. } => *requests,
            _ => 0,
        });
        applied.sum()
    }

    /// The sum of it, for a run that ends with this code.
    pub fn summary(&self, in_sync: Option<bool>, exit: u8) -> Summary {
        Summary { counts: self.counts(), halt: self.halt.clone(), in_sync, exit }
    }
}

impl From<WriteError> for ChangeOutcome {
    fn from(error: WriteError) -> Self {
        let permanent = matches!(error, WriteError::Refused { .. } | WriteError::Unsupported(_) | WriteError::ReadOnly);
        match error {
            WriteError::Stale(what) => Self::Stale { what },
            WriteError::Unknown(why) | WriteError::Unattributed(why) => Self::Unknown { why },
            error => Self::Failed { error: error.to_string(), permanent },
        }
    }
}
