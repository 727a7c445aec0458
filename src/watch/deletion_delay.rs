//! Delays deletions until files and account have not changed for a while.
//!
//! Half a file can be valid, and a file of a folder can be missing for a moment. The next version of the files reverts
//! what such a state changes; but a deleted group comes back with another id and without its extension number. So a
//! deletion is made once two checks have found it, with the same files and the same object, and the delay has passed in
//! between. Pure: the time comes in as an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Change, ObjectId, PreImage, Verb};
use crate::plan::Plan;

/// The shortest wait for the second check.
const SHORTEST: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct DeletionDelay {
    pending: BTreeMap<ObjectId, Pending>,
    /// When the current check began.
    check: Option<Instant>,
    /// Whether the current check has delayed a deletion.
    any_delayed: bool,
}

#[derive(Debug)]
struct Pending {
    /// When the first check that found it began.
    since: Instant,
    /// The object in that check.
    expects: Option<PreImage>,
}

impl DeletionDelay {
    /// Begins a check. With other files, or files with errors, all deletions are new.
    pub(super) fn begin(&mut self, now: Instant, same_files: bool) {
        self.check = Some(now);
        self.any_delayed = false;
        if !same_files {
            self.pending.clear();
        }
    }

    /// Records the deletions of the whole plan, and forgets those that it no longer has.
    pub(super) fn record(&mut self, plan: &Plan) {
        let Some(since) = self.check else { return };
        let deletions: BTreeMap<&ObjectId, &Change> =
            deletions(plan).filter_map(|change| Some((change.object.id.as_ref()?, change))).collect();
        self.pending.retain(|id, pending| deletions.get(id).is_some_and(|change| change.expects == pending.expects));
        for (id, change) in deletions {
            self.pending.entry(id.clone()).or_insert_with(|| Pending { since, expects: change.expects.clone() });
        }
    }

    /// The deletions of a plan that must wait for another check.
    pub(super) fn delayed<'p>(&mut self, plan: &'p Plan, delay: Duration) -> Vec<&'p Change> {
        let ready: BTreeSet<&ObjectId> = match self.check {
            Some(check) => {
                let ready = self.pending.iter().filter(|(_, pending)| pending.is_ready(check, delay));
                ready.map(|(id, _)| id).collect()
            }
            None => BTreeSet::new(),
        };
        let delayed: Vec<_> =
            deletions(plan).filter(|change| change.object.id.as_ref().is_none_or(|id| !ready.contains(id))).collect();
        self.any_delayed |= !delayed.is_empty();
        delayed
    }

    pub(super) fn any_delayed(&self) -> bool {
        self.any_delayed
    }

    /// How long until all delayed deletions may be made; `None` if there are none.
    pub(super) fn due(&self, now: Instant, delay: Duration) -> Option<Duration> {
        let last = self.pending.values().map(|pending| pending.since).max().filter(|_| self.any_delayed)?;
        Some((last + delay).saturating_duration_since(now).max(SHORTEST))
    }
}

impl Pending {
    fn is_ready(&self, check: Instant, delay: Duration) -> bool {
        check > self.since && check.duration_since(self.since) >= delay
    }
}

fn deletions(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|change| change.verb == Verb::Delete)
}
