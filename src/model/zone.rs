//! Time zones by their names, from the tables that are part of this program: whatever the machine has or lacks, a file
//! means the same everywhere.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone of the IANA database, such as `Europe/Paris`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of this name, in the database's own spelling.
    pub fn named(name: &str) -> Option<Self> {
        let zone = ZONES.get(name).ok()?;
        (zone.iana_name() == Some(name)).then_some(Self(zone))
    }

    /// The names of all zones.
    pub fn names() -> impl Iterator<Item = String> {
        ZONES.available().map(|name| name.as_str().to_owned())
    }

    /// What the clocks of this zone show.
    pub(super) fn clock(&self, at: Timestamp) -> DateTime {
        self.0.to_datetime(at)
    }

    /// When the clocks of this zone first show a time, or skip it. A time that they show twice counts at the first.
    pub(super) fn first(&self, clock: DateTime) -> Option<Timestamp> {
        let ambiguous = self.0.to_ambiguous_timestamp(clock);
        let is_skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        let earlier = ambiguous.earlier().ok()?;
        if is_skipped {
            // What the clock would have shown by its new offset is before the change, so the change comes next.
            return self.0.following(earlier).next().map(|change| change.timestamp());
        }
        Some(earlier)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;

    #[test]
    fn a_zone_is_known_by_one_spelling() {
        for name in ["Europe/Paris", "America/New_York", "UTC", "Etc/UTC", "Asia/Kolkata"] {
            assert_eq!(Zone::named(name).unwrap().0.iana_name(), Some(name));
            assert!(Zone::names().any(|known| known == name), "{name}");
        }
        for name in ["europe/paris", "Paris", "", "+01:00", "../Europe/Paris"] {
            assert_eq!(Zone::named(name), None, "{name}");
        }
        for name in Zone::names() {
            assert_eq!(Zone::named(&name).unwrap().0.iana_name(), Some(&*name));
        }
    }

    #[test]
    fn a_time_that_comes_twice_is_the_first_and_one_that_is_skipped_is_the_change() {
        let first =
            |clock: &str| Zone::named("Europe/Paris").unwrap().first(clock.parse().unwrap()).unwrap().to_string();
        assert_eq!(first("2026-03-29T01:59"), "2026-03-29T00:59:00Z");
        assert_eq!(first("2026-03-29T02:00"), "2026-03-29T01:00:00Z");
        assert_eq!(first("2026-03-29T02:30"), "2026-03-29T01:00:00Z");
        assert_eq!(first("2026-03-29T03:00"), "2026-03-29T01:00:00Z");
        assert_eq!(first("2026-10-25T02:30"), "2026-10-25T00:30:00Z");
        assert_eq!(first("2026-10-25T03:00"), "2026-10-25T02:00:00Z");
        let apia = Zone::named("Pacific/Apia").unwrap();
        assert_eq!(apia.first("2011-12-30T12:00".parse().unwrap()).unwrap().to_string(), "2011-12-30T10:00:00Z");
    }
}
