//! A freeze: closed windows and suspensions, which hold back every change of a plan.
//!
//! Like all guards they count as the policy of the files has them and as the revisions before had them, so that a
//! change that lifts a freeze is not written by that. They alone depend on the time, which is an argument, so a plan
//! is judged for a moment, and judged again when a saved one is applied.

use jiff::Timestamp;

use crate::model::{Base, Desired, Freeze, Place, Span};

use super::types::Plan;
use super::violation::{Guard, GuardViolation};

/// Why nothing is written at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// [`Guard::Window`] or [`Guard::Suspended`].
    pub guard: Guard,
    /// One sentence without a full stop, with when it ends if that is known. It holds the operator's words.
    pub message: String,
    /// Where the policy of the files says so.
    pub place: Option<Place>,
}

/// Why nothing is written now: at most one reason for each of both guards.
pub fn frozen(desired: &Desired, now: Timestamp) -> Vec<Frozen> {
    closed(desired, now).into_iter().chain(suspended(desired, now)).collect()
}

/// When [`frozen`] may give another answer.
pub fn thaws(desired: &Desired, now: Timestamp) -> Option<Timestamp> {
    policies(desired).filter_map(|(freeze, _)| freeze.next_change(now)).min()
}

impl Plan {
    /// The plan with what a freeze holds back now, in place of what one held back when it was made.
    #[must_use]
    pub fn frozen_at(self, desired: &Desired, now: Timestamp) -> Self {
        let frozen = frozen(desired, now);
        self.frozen_by(&frozen)
    }

    /// The plan with these reasons, in place of those that it has.
    #[must_use]
    pub fn frozen_by(mut self, frozen: &[Frozen]) -> Self {
        self.blocked.retain(|block| !block.guard.is_freeze());
        if !self.is_empty() {
            let all: Vec<_> = self.changes.iter().map(|change| change.id).collect();
            self.blocked.extend(frozen.iter().cloned().map(|Frozen { guard, message, place }| GuardViolation {
                guard,
                message,
                changes: all.clone(),
                place,
            }));
        }
        self
    }
}

/// The policy of the files first, then those before, each with its revision.
fn policies(desired: &Desired) -> impl Iterator<Item = (&Freeze, Option<&str>)> {
    let base = desired.base.iter().filter_map(|base| match base {
        Base::Read(base) => Some((&base.guards.freeze, Some(&*base.revision))),
        Base::Unread(_) => None,
    });
    std::iter::once((&desired.policy.guards.freeze, None)).chain(base)
}

fn closed(desired: &Desired, now: Timestamp) -> Option<Frozen> {
    let (freeze, revision) = policies(desired).find(|(freeze, _)| !freeze.windows.is_open(now))?;
    let all: Vec<&Freeze> = policies(desired).map(|(freeze, _)| freeze).collect();
    let opens = Freeze::opens(&all, now);
    let next = opens.map(|opens| format!("; the next opens at {opens}")).unwrap_or_default();
    let message = format!("no window for changes is open{next}");
    Some(because(desired, Guard::Window, message, revision, freeze.windows_span))
}

fn suspended(desired: &Desired, now: Timestamp) -> Option<Frozen> {
    let active = policies(desired).filter_map(|(freeze, revision)| Some((freeze.suspended(now)?, revision)));
    // The one that lasts longest; of equal ones that of the files, which the others only repeat.
    let mut longest = active.collect::<Vec<_>>();
    longest.sort_by_key(|(suspend, _)| std::cmp::Reverse(suspend.value.until.unwrap_or(Timestamp::MAX)));
    let (suspend, revision) = longest.first()?;
    let until = suspend.value.until.map(|until| format!(" until {until}")).unwrap_or_default();
    let message = format!("suspended{until}: {}", suspend.value.reason);
    Some(because(desired, Guard::Suspended, message, *revision, Some(suspend.span)))
}

/// With the place in the files, or with the revision whose policy it is.
fn because(desired: &Desired, guard: Guard, message: String, revision: Option<&str>, span: Option<Span>) -> Frozen {
    match revision {
        None => Frozen { guard, message, place: span.map(|span| desired.place(span)) },
        Some(revision) => {
            Frozen { guard, message: format!("{message}; so the policy at `{revision}` says"), place: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BasePolicy, Days, Spanned, Suspend, Window, Zone};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn window(from: &str, to: &str) -> Window {
        Window::new(Days::ALL, from.parse().unwrap(), to.parse().unwrap(), Zone::named("Europe/Paris").unwrap())
            .unwrap()
    }

    fn suspend(until: Option<&str>, reason: &str) -> Spanned<Suspend> {
        let value = Suspend { until: until.map(at), reason: reason.into() };
        Spanned { value, span: Span::default() }
    }

    fn said(desired: &Desired, now: &str) -> Vec<(Guard, String)> {
        frozen(desired, at(now)).into_iter().map(|frozen| (frozen.guard, frozen.message)).collect()
    }

    fn desired(files: Freeze, base: Option<Freeze>) -> Desired {
        let mut desired = Desired { files: vec!["account.yaml".into()], ..Desired::default() };
        desired.policy.guards.freeze = files;
        desired.base.extend(base.map(|freeze| {
            let guards = crate::model::GuardPolicy { freeze, ..Default::default() };
            Base::Read(Box::new(BasePolicy { revision: "HEAD^1".into(), account: None, guards }))
        }));
        desired
    }

    #[test]
    fn a_closed_window_says_when_the_next_opens_also_past_midnight_and_when_clocks_change() {
        let mut night = Freeze::default();
        night.windows.extend([window("23:00", "02:30")]);
        let night = desired(night, None);
        let next = |at: &str| vec![(Guard::Window, format!("no window for changes is open; the next opens at {at}"))];
        assert_eq!(said(&night, "2026-11-27T12:00:00Z"), next("2026-11-27T22:00:00Z"));
        assert_eq!(said(&night, "2026-11-28T01:29:59Z"), vec![]);
        // 02:30 is skipped on this night, and comes twice on the other one.
        assert_eq!(said(&night, "2026-03-29T00:59:59Z"), vec![]);
        assert_eq!(said(&night, "2026-03-29T01:00:00Z"), next("2026-03-29T21:00:00Z"));
        assert_eq!(said(&night, "2026-10-25T00:30:00Z"), next("2026-10-25T22:00:00Z"));
        let place = frozen(&night, at("2026-11-27T12:00:00Z")).remove(0).place;
        assert_eq!(place, None, "no span, no place");
    }

    #[test]
    fn a_change_that_lifts_a_freeze_is_still_frozen_by_the_revision_before() {
        let mut narrow = Freeze::default();
        narrow.windows.extend([window("08:00", "09:00")]);
        narrow.suspend = Some(suspend(None, "porting"));
        let lifted = desired(Freeze::default(), Some(narrow.clone()));
        let so = "; so the policy at `HEAD^1` says";
        let expected = vec![
            (Guard::Window, format!("no window for changes is open; the next opens at 2026-11-28T07:00:00Z{so}")),
            (Guard::Suspended, format!("suspended: porting{so}")),
        ];
        assert_eq!(said(&lifted, "2026-11-27T12:00:00Z"), expected);
        // A wider window opens with the narrow one; what tightens counts at once.
        let mut wide = Freeze::default();
        wide.windows.extend([window("06:00", "22:00")]);
        narrow.suspend = None;
        let widened = desired(wide.clone(), Some(narrow.clone()));
        assert_eq!(said(&widened, "2026-11-27T12:00:00Z"), expected[..1]);
        assert_eq!(said(&widened, "2026-11-28T07:30:00Z"), vec![]);
        assert_eq!(said(&desired(narrow, Some(wide)), "2026-11-27T12:00:00Z").len(), 1);
        assert_eq!(thaws(&widened, at("2026-11-27T12:00:00Z")), Some(at("2026-11-27T21:00:00Z")));
    }

    #[test]
    fn of_two_suspensions_the_longer_one_is_named_and_one_that_is_over_holds_nothing() {
        let short = Freeze { suspend: Some(suspend(Some("2026-11-27T13:00:00Z"), "short")), ..Freeze::default() };
        let long = Freeze { suspend: Some(suspend(Some("2026-12-01T00:00:00Z"), "long")), ..Freeze::default() };
        let both = desired(short.clone(), Some(long));
        let message = "suspended until 2026-12-01T00:00:00Z: long; so the policy at `HEAD^1` says";
        assert_eq!(said(&both, "2026-11-27T12:00:00Z"), [(Guard::Suspended, message.to_owned())]);
        assert_eq!(said(&desired(short, None), "2026-11-27T13:00:00Z"), vec![]);
    }
}
