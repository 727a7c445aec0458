//! Deletions that wait until the state that asks for them is no longer new.
//!
//! Half a file can be valid, and a file of a folder can be gone for a moment. What such a state would change is
//! changed back by the next one; what it would delete comes back with another id and without its extension number. So
//! a deletion is carried out once two looks have found it, with the same files and the same object, and the rest time
//! has passed in between. Pure, but for the clock that the loop goes by.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Change, ObjectId, PreImage, Verb};
use crate::plan::Plan;

/// The second look comes no sooner than this.
const SOON: Duration = Duration::from_secs(1);

/// The deletions of an account's plans, since when each has been in them.
#[derive(Debug, Default)]
pub(super) struct Deletions {
    seen: BTreeMap<ObjectId, Seen>,
    /// When the present look began.
    look: Option<Instant>,
    /// Whether some were held back by [`Self::waiting`] in this look.
    waits: bool,
}

#[derive(Debug)]
struct Seen {
    /// The look that found it first.
    since: Instant,
    /// The object as it was then.
    expects: Option<PreImage>,
}

impl Deletions {
    /// A look begins. With other files, or with files that are being changed, all that was seen is forgotten.
    pub(super) fn begin(&mut self, now: Instant, same_files: bool) {
        self.look = Some(now);
        self.waits = false;
        if !same_files {
            self.seen.clear();
        }
    }

    /// Takes note of the deletions of the whole plan; what it no longer deletes is forgotten.
    pub(super) fn note(&mut self, plan: &Plan) {
        let Some(since) = self.look else { return };
        let deletions: BTreeMap<&ObjectId, &Change> =
            deletions(plan).filter_map(|change| Some((change.object.id.as_ref()?, change))).collect();
        self.seen.retain(|id, seen| deletions.get(id).is_some_and(|change| change.expects == seen.expects));
        for (id, change) in deletions {
            self.seen.entry(id.clone()).or_insert_with(|| Seen { since, expects: change.expects.clone() });
        }
    }

    /// The deletions of a plan that must wait for another look, after this time of rest.
    pub(super) fn waiting<'p>(&mut self, plan: &'p Plan, rest: Duration) -> Vec<&'p Change> {
        let ready: BTreeSet<&ObjectId> = match self.look {
            Some(look) => self.seen.iter().filter(|(_, seen)| seen.is_ready(look, rest)).map(|(id, _)| id).collect(),
            None => BTreeSet::new(),
        };
        let waiting: Vec<_> =
            deletions(plan).filter(|change| change.object.id.as_ref().is_none_or(|id| !ready.contains(id))).collect();
        self.waits |= !waiting.is_empty();
        waiting
    }

    /// Whether some were held back in this look.
    pub(super) fn wait(&self) -> bool {
        self.waits
    }

    /// How long from now on until all that waits may be deleted; `None` if nothing waits.
    pub(super) fn due(&self, now: Instant, rest: Duration) -> Option<Duration> {
        let last = self.seen.values().map(|seen| seen.since).max().filter(|_| self.waits)?;
        Some((last + rest).saturating_duration_since(now).max(SOON))
    }
}

impl Seen {
    fn is_ready(&self, look: Instant, rest: Duration) -> bool {
        look > self.since && look.duration_since(self.since) >= rest
    }
}

fn deletions(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|change| change.verb == Verb::Delete)
}
