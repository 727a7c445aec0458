//! Drops repeated events.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::status::{Event, EventKind};

/// How long a repeated event is dropped.
const QUIET: Duration = Duration::from_secs(3600);

/// The last event of each account.
#[derive(Debug, Default)]
pub(super) struct Deduplicator(HashMap<Arc<str>, (EventKind, String, Instant)>);

impl Deduplicator {
    /// Whether a notice is sent for this event.
    pub(super) fn passes(&mut self, account: &Arc<str>, event: &Event, now: Instant) -> bool {
        // Not worth a notice: what the updated files lead to gets its own.
        if event.kind == EventKind::Files {
            return false;
        }
        if let Some((kind, message, at)) = self.0.get(account)
            && *kind == event.kind
            && *message == event.message
            // No two runs are the same event.
            && event.run.is_none()
            && now.saturating_duration_since(*at) < QUIET
        {
            return false;
        }
        self.0.insert(Arc::clone(account), (event.kind, event.message.clone(), now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventKind, message: &str) -> Event {
        Event {
            at: "2026-11-23T18:00:00.000Z".to_owned(),
            kind,
            message: message.to_owned(),
            run: None,
            approval: None,
        }
    }

    #[test]
    fn a_repeated_event_passes_once_an_hour_unless_another_came_between() {
        let (mut deduplicator, start) = (Deduplicator::default(), Instant::now());
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let drift = event(EventKind::Drift, "1 change");
        assert!(deduplicator.passes(&a, &drift, start));
        assert!(!deduplicator.passes(&a, &drift, start + Duration::from_secs(60)));
        assert!(deduplicator.passes(&b, &drift, start), "another account");
        assert!(deduplicator.passes(&a, &event(EventKind::Drift, "2 changes"), start), "another difference");
        assert!(deduplicator.passes(&a, &event(EventKind::Recovered, "in sync again"), start));
        assert!(deduplicator.passes(&a, &drift, start), "another event came between");
        assert!(!deduplicator.passes(&a, &drift, start + Duration::from_secs(3599)));
        assert!(deduplicator.passes(&a, &drift, start + Duration::from_secs(3600)));
        assert!(!deduplicator.passes(&a, &event(EventKind::Files, "its files count"), start));
    }
}
