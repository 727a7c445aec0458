//! What is worth a notice: not the same thing again and again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::status::{Event, EventKind};

/// For so long the same thing is not told again.
const QUIET: Duration = Duration::from_secs(3600);

/// What was told last of each account.
#[derive(Debug, Default)]
pub(super) struct Deduplicator(HashMap<Arc<str>, (EventKind, String, Instant)>);

impl Deduplicator {
    /// Whether this event is told.
    pub(super) fn passes(&mut self, account: &Arc<str>, event: &Event, now: Instant) -> bool {
        // Other files are no news to whoever changed them; what they lead to is.
        if event.what == EventKind::Files {
            return false;
        }
        if let Some((what, says, at)) = self.0.get(account)
            && *what == event.what
            && *says == event.says
            // Each run is a thing of its own.
            && event.run.is_none()
            && now.saturating_duration_since(*at) < QUIET
        {
            return false;
        }
        self.0.insert(Arc::clone(account), (event.what, event.says.clone(), now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(what: EventKind, says: &str) -> Event {
        Event { at: "2026-11-23T18:00:00.000Z".to_owned(), what, says: says.to_owned(), run: None, approval: None }
    }

    #[test]
    fn the_same_thing_is_told_once_an_hour_unless_another_came_between() {
        let (mut sieve, start) = (Deduplicator::default(), Instant::now());
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let drift = event(EventKind::Drift, "1 change");
        assert!(sieve.passes(&a, &drift, start));
        assert!(!sieve.passes(&a, &drift, start + Duration::from_secs(60)));
        assert!(sieve.passes(&b, &drift, start), "accounts are told apart");
        assert!(sieve.passes(&a, &event(EventKind::Drift, "2 changes"), start), "another difference");
        assert!(sieve.passes(&a, &event(EventKind::Recovered, "in sync again"), start));
        assert!(sieve.passes(&a, &drift, start), "it was well between");
        assert!(!sieve.passes(&a, &drift, start + Duration::from_secs(3599)));
        assert!(sieve.passes(&a, &drift, start + Duration::from_secs(3600)));
        assert!(!sieve.passes(&a, &event(EventKind::Files, "its files count"), start));
    }
}
