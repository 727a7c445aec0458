//! When the policy lets nothing be written: outside of its windows, and while it is suspended.

use jiff::Timestamp;

use super::{Span, Spanned, Windows};

/// How often the next common window of several policies is looked for before it is given up.
const TRIES: usize = 64;

/// When nothing is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freeze {
    /// When changes may be written.
    pub windows: Windows,
    /// Where the first windows are declared.
    pub windows_span: Option<Span>,
    /// Whether nothing is written for the time being.
    pub suspend: Option<Spanned<Suspend>>,
}

/// Nothing is written for the time being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspend {
    /// Until when; without it, until the line is removed.
    pub until: Option<Timestamp>,
    /// Why, in the operator's words: untrusted text on one line.
    pub reason: Box<str>,
}

impl Suspend {
    /// Whether it holds.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Freeze {
    /// The suspension, if it holds.
    pub fn suspended(&self, now: Timestamp) -> Option<&Spanned<Suspend>> {
        self.suspend.as_ref().filter(|suspend| suspend.value.is_active(now))
    }

    /// When the answer may change next: a window opens or closes, or a suspension ends.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let suspended = self.suspended(now).and_then(|suspend| suspend.value.until);
        suspended.into_iter().chain(self.windows.next_change(now)).min()
    }

    /// The first moment from now on at which the windows of all these policies are open; `None` if there is none, or
    /// none that is found in reasonable time.
    pub fn opens(policies: &[&Self], now: Timestamp) -> Option<Timestamp> {
        let mut at = now;
        for _ in 0..TRIES {
            let Some(closed) = policies.iter().find(|policy| !policy.windows.is_open(at)) else { return Some(at) };
            at = closed.windows.next_change(at)?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Days, Window, Zone};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn freeze(from: &str, to: &str) -> Freeze {
        let zone = Zone::named("UTC").unwrap();
        let window = Window::new(Days::ALL, from.parse().unwrap(), to.parse().unwrap(), zone).unwrap();
        let mut freeze = Freeze::default();
        freeze.windows.extend([window]);
        freeze
    }

    #[test]
    fn a_suspension_ends_at_its_time_or_not_at_all() {
        let (before, end) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let suspend = Suspend { until: Some(end), reason: "porting".into() };
        assert!(suspend.is_active(before) && !suspend.is_active(end));
        assert!(Suspend { until: None, ..suspend }.is_active(end));
    }

    #[test]
    fn the_next_opening_of_several_policies_is_one_of_all_of_them() {
        let (early, late, never) = (freeze("08:00", "12:00"), freeze("10:00", "14:00"), freeze("20:00", "21:00"));
        let now = at("2026-11-27T06:00:00Z");
        assert_eq!(Freeze::opens(&[&early], now), Some(at("2026-11-27T08:00:00Z")));
        assert_eq!(Freeze::opens(&[&early, &late], now), Some(at("2026-11-27T10:00:00Z")));
        assert_eq!(Freeze::opens(&[&early, &never], now), None);
        assert_eq!(Freeze::opens(&[&Freeze::default()], now), Some(now));
    }
}
