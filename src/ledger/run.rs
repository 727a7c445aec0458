//! A run, put together from its lines: what became of each change.

use std::collections::HashMap;

use crate::model::{Change, ChangeId};

use super::approval::Approval;
use super::line::{Planned, Record, RunRecord, Summary};
use super::outcome::{ChangeOutcome, Counts};
use super::run_id::RunId;

/// A run, as far as its ledger tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// When it was planned (RFC 3339, UTC). Untrusted text.
    pub at: String,
    /// What it set out to do.
    pub planned: Planned,
    /// Who let it through, if guards held it back.
    pub approval: Option<Approval>,
    /// What became of each change, in the order of the plan.
    pub outcomes: Vec<ChangeOutcome>,
    /// The last line; absent if the process died before.
    pub summary: Option<Summary>,
    /// Whether the ledger's last line is torn, and so left out.
    pub torn: bool,
}

crate::model::words! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Ending {
        /// Everything was applied.
        Complete = "complete",
        /// Not everything was applied.
        Incomplete = "incomplete",
        /// A signal, or a ledger that could not be written, ended it.
        Stopped = "stopped",
        /// The process died: there is no last line.
        Interrupted = "interrupted",
    }
}

impl Run {
    /// Puts a run together. Later records on a change replace earlier ones.
    pub(super) fn new(id: RunId, at: String, planned: Planned, records: Vec<Record>, torn: bool) -> Self {
        let mut outcomes = vec![ChangeOutcome::NotAttempted; planned.changes.len()];
        let positions: HashMap<ChangeId, usize> =
            planned.changes.iter().enumerate().map(|(position, change)| (change.id, position)).collect();
        let (mut summary, mut approval) = (None, None);
        for record in records {
            let position = record.change().and_then(|change| positions.get(&change)).copied().unwrap_or(usize::MAX);
            let outcome = match record {
                Record::Run(RunRecord::Summary(last)) => {
                    summary = Some(last);
                    continue;
                }
                Record::Run(RunRecord::Approved(given)) => {
                    approval = Some(*given);
                    continue;
                }
                Record::Run(RunRecord::Attempt { step, id, .. }) => planned.changes.get(position).map(|change| {
                    let why = "the run ended before its answer was written down".to_owned();
                    let left = (step as usize).saturating_sub(1)..change.steps.len();
                    ChangeOutcome::interrupted(change, left, id, why)
                }),
                Record::Run(RunRecord::Planned(_) | RunRecord::Started) => None,
                Record::Change(ended) => Some(ended.outcome),
            };
            if let (Some(outcome), Some(slot)) = (outcome, outcomes.get_mut(position)) {
                *slot = outcome;
            }
        }
        Self { id, at, planned, approval, outcomes, summary, torn }
    }

    /// Each change with what became of it.
    pub fn changes(&self) -> impl Iterator<Item = (&Change, &ChangeOutcome)> {
        self.planned.changes.iter().zip(&self.outcomes)
    }

    /// The run without its changes, which may be many; what became of them stays.
    #[must_use]
    pub fn without_changes(mut self) -> Self {
        self.planned.changes = Vec::new();
        self
    }

    pub fn counts(&self) -> Counts {
        self.outcomes.iter().collect()
    }

    pub fn ending(&self) -> Ending {
        match &self.summary {
            None => Ending::Interrupted,
            Some(Summary { halt: Some(_), .. }) => Ending::Stopped,
            Some(_) if self.outcomes.iter().all(ChangeOutcome::is_applied) => Ending::Complete,
            Some(_) => Ending::Incomplete,
        }
    }
}
