//! A run, put together from its lines: what became of each change.

use std::collections::HashMap;

use crate::model::{Change, ChangeId, ObjectId};

use super::approval::Approval;
use super::line::{Planned, Record, Summary};
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
    pub fates: Vec<Fate>,
    /// The last line; absent if the process died before.
    pub summary: Option<Summary>,
    /// Whether the ledger's last line is torn, and so left out.
    pub torn: bool,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was carried out.
    Applied {
        /// The object; of a creation, the id that the account gave it.
        id: ObjectId,
    },
    /// It certainly was not carried out; why.
    Failed(String),
    /// The account had changed since it was read, so nothing was written; what changed.
    Stale(String),
    /// It may have been carried out; why that is not known.
    Unknown(String),
    /// It waited for this one, which was not carried out.
    Skipped(ChangeId),
    /// It was not started.
    NotAttempted,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything was applied.
    Complete,
    /// Not everything was applied.
    Incomplete,
    /// A signal, or a ledger that could not be written, ended it.
    Stopped,
    /// The process died: there is no last line.
    Interrupted,
}

impl Run {
    /// Puts a run together. Later records on a change replace earlier ones.
    pub(super) fn new(id: RunId, at: String, planned: Planned, records: Vec<Record>, torn: bool) -> Self {
        let mut fates = vec![Fate::NotAttempted; planned.changes.len()];
        let positions: HashMap<ChangeId, usize> =
            planned.changes.iter().enumerate().map(|(position, change)| (change.id, position)).collect();
        let (mut summary, mut approval) = (None, None);
        for record in records {
            let slot = record.change().and_then(|change| positions.get(&change)).and_then(|at| fates.get_mut(*at));
            match (record, slot) {
                (Record::Summary(last), _) => summary = Some(last),
                (Record::Approved(given), _) => approval = Some(*given),
                (record, Some(slot)) => {
                    if let Some(fate) = fate(record) {
                        *slot = fate;
                    }
                }
                (_, None) => {}
            }
        }
        Self { id, at, planned, approval, fates, summary, torn }
    }

    /// Each change with what became of it.
    pub fn changes(&self) -> impl Iterator<Item = (&Change, &Fate)> {
        self.planned.changes.iter().zip(&self.fates)
    }

    /// The run without its changes, which may be many; what became of them stays.
    #[must_use]
    pub fn without_changes(mut self) -> Self {
        self.planned.changes = Vec::new();
        self
    }

    /// How many changes have a fate of this kind.
    pub fn count(&self, wanted: impl Fn(&Fate) -> bool) -> usize {
        self.fates.iter().filter(|fate| wanted(fate)).count()
    }

    /// How it ended.
    pub fn ending(&self) -> Ending {
        match &self.summary {
            None => Ending::Interrupted,
            Some(Summary { halt: Some(_), .. }) => Ending::Stopped,
            Some(_) if self.fates.iter().all(|fate| matches!(fate, Fate::Applied { .. })) => Ending::Complete,
            Some(_) => Ending::Incomplete,
        }
    }
}

impl Ending {
    /// The word for it, in lists and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
        }
    }
}

impl Fate {
    /// The word for it, in lists and in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Failed(_) => "failed",
            Self::Stale(_) => "stale",
            Self::Unknown(_) => "unknown",
            Self::Skipped(_) => "skipped",
            Self::NotAttempted => "not_attempted",
        }
    }
}

fn fate(record: Record) -> Option<Fate> {
    Some(match record {
        Record::Planned(_) | Record::Approved(_) | Record::Started | Record::Summary(_) => return None,
        Record::Attempt { .. } => Fate::Unknown("the run ended before its answer was written down".to_owned()),
        Record::Applied { id, .. } => Fate::Applied { id },
        Record::Failed { error, .. } => Fate::Failed(error),
        Record::Stale { what, .. } => Fate::Stale(what),
        Record::Unknown { why, .. } => Fate::Unknown(why),
        Record::Skipped { because, .. } => Fate::Skipped(because),
        Record::NotAttempted { .. } => Fate::NotAttempted,
    })
}
