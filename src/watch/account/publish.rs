//! Telling how the account stands: the board, its history, the log.
//!
//! A state is told when it begins, and again only if what it is about has changed, so that nobody is told the
//! same thing every minute.

use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{Approval, RunId};
use crate::model::Kind;
use crate::plan::{Digest, Plan};
use crate::render::counted;
use crate::text::sanitized;

use super::super::desired_state::Wanted;
use super::super::flapping::FlappingField;
use super::super::status::{Counts, Degraded, Drift, Event, EventKind, State};
use super::Watcher;
use super::decide::{Decision, Held};

/// No sentence is longer.
const LONGEST: usize = 1000;
/// How often it is told again that nothing is written for now.
const REMINDER: Duration = Duration::from_secs(24 * 3600);

/// What was told last.
#[derive(Default)]
pub(super) struct LastPublished {
    files: Option<(bool, Option<String>, Vec<String>)>,
    /// The plan that was told, with the state that it was told in.
    plan: Option<Topic>,
    /// What was told last of files that follow the account.
    pub(super) adoption: Option<String>,
    /// What was told last of what is left out.
    degraded: Option<Degraded>,
    /// When it was told that nothing is written for now.
    suspended: Option<Duration>,
}

/// What a state is about: told anew when it changes.
#[derive(Clone, PartialEq, Eq)]
enum Topic {
    Plan(State, Digest),
    /// Of a fight: the fields, not the values, which change with every blow.
    Fight(Vec<FlappingField>),
}

impl Topic {
    fn of(held: &Held) -> Self {
        match held.state {
            State::Fighting => Self::Fight(held.contested.clone()),
            state => Self::Plan(state, held.plan.digest.clone()),
        }
    }
}

/// How the account stands after a look.
struct StatusUpdate {
    state: State,
    says: Option<String>,
    plan: Option<Arc<Plan>>,
    about: Option<Topic>,
    approvable: bool,
}

impl StatusUpdate {
    fn new(state: State, says: Option<String>) -> Self {
        Self { state, says, plan: None, about: None, approvable: false }
    }
}

impl Watcher {
    /// Tells how the files stand, if that has changed.
    pub(super) fn tell_files(&mut self, wanted: &Wanted) {
        let files = &wanted.files;
        let now = (files.valid, files.since.clone(), files.errors.clone());
        if self.told.files.as_ref() == Some(&now) {
            return;
        }
        let first = self.told.files.replace(now).is_none();
        let provider = wanted.account.as_ref().map_or("", |account| account.settings.provider.spec().word);
        self.context.board.update(&self.name, |status| {
            status.files = files.clone();
            status.provider = provider;
        });
        if files.valid {
            if !first {
                let commit = files.commit.as_ref().map(|commit| format!(" of commit {commit}"));
                self.tell_event(
                    EventKind::Files,
                    &format!("its files{} count from now on", commit.unwrap_or_default()),
                    None,
                );
            }
        } else {
            let first = files.errors.first().map_or("", String::as_str);
            let then = if wanted.account.is_some() { "; the state before still counts" } else { "" };
            self.tell_event(EventKind::Invalid, &format!("its files have errors{then}: {first}"), None);
        }
    }

    /// Tells that there is nothing to hold the account against.
    pub(super) fn tell_nothing_wanted(&mut self) {
        let says = "its files have errors, and no state before them is known".to_owned();
        self.show(StatusUpdate::new(State::Invalid, Some(says)));
    }

    /// Tells what a look came to.
    pub(super) fn tell(&mut self, verdict: Decision, took: Duration) {
        let failed = matches!(verdict, Decision::Failing(_) | Decision::Refused { .. });
        let unchanged = matches!(verdict, Decision::Unchanged);
        self.count(|counts| {
            counts.looks += 1;
            counts.unchanged += u64::from(unchanged);
            counts.failures += u64::from(failed);
            counts.busy_milliseconds += u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        });
        let before = self.state();
        let now = self.context.clock.stamp();
        if !failed && !matches!(verdict, Decision::Unaccepted(_)) {
            let in_sync = match &verdict {
                Decision::InSync => self.degraded.is_none(),
                // A suspended account may be in sync by chance.
                Decision::Held(held) => held.plan.is_empty() && held.plan.is_whole(),
                _ => false,
            };
            self.context.board.update(&self.name, |status| {
                status.last_look = Some(now.clone());
                let whole = status.plan.is_none() && status.degraded.is_none();
                let still = matches!(status.state, State::InSync | State::Suspended) && whole;
                if in_sync || unchanged && still {
                    status.last_in_sync = Some(now);
                }
            });
        }
        if !failed && !unchanged {
            self.tell_degraded();
        }
        let standing = match verdict {
            Decision::Unchanged => return self.remind(before),
            Decision::InSync if self.degraded.is_some() => {
                let says = self.degraded.as_ref().map(sentence);
                StatusUpdate::new(State::Degraded, says)
            }
            Decision::InSync => StatusUpdate::new(State::InSync, None),
            Decision::Held(held) => {
                let about = Some(Topic::of(&held));
                let plan = Some(held.plan).filter(|plan| !plan.is_empty());
                let approvable = held.approvable;
                StatusUpdate { plan, about, approvable, ..StatusUpdate::new(held.state, Some(held.says)) }
            }
            Decision::Invalid { says, findings } => {
                self.context.board.update(&self.name, |status| status.findings = findings);
                StatusUpdate::new(State::Invalid, Some(says))
            }
            Decision::Unaccepted(says) => StatusUpdate::new(State::Blocked, Some(says)),
            Decision::Failing(says) => StatusUpdate::new(State::Failing, Some(says)),
            Decision::Refused { says, plan } => {
                StatusUpdate { plan: Some(plan), ..StatusUpdate::new(State::Failing, Some(says)) }
            }
            // It becomes one of the others before it is told.
            Decision::Act(_) => return,
        };
        self.tell_standing(before, standing);
    }

    fn tell_standing(&mut self, before: State, mut standing: StatusUpdate) {
        standing.says = standing.says.map(|says| sanitized(&says, LONGEST));
        let about = standing.about.take();
        let news = before != standing.state || about.is_some() && about != self.told.plan;
        let says = standing.says.clone().unwrap_or_default();
        let happening = match standing.state {
            _ if !news => None,
            State::InSync if before == State::Starting => {
                tracing::info!(account = &*self.name, "in sync");
                None
            }
            State::InSync if before == State::InSync => None,
            State::InSync => Some((EventKind::Recovered, "in sync again".to_owned())),
            State::Drifted => Some((EventKind::Drift, says)),
            State::Blocked => Some((EventKind::Blocked, says)),
            State::Fighting => Some((EventKind::Fight, says)),
            State::Suspended => {
                self.told.suspended = Some(self.now());
                Some((EventKind::Suspended, says))
            }
            State::Invalid => Some((EventKind::Invalid, says)),
            State::Failing => Some((EventKind::Failed, says)),
            // What is left out was reported when that changed.
            State::Degraded | State::Starting => None,
        };
        if standing.state != State::Failing {
            self.told.plan = about;
        }
        self.show(standing);
        if let Some((what, says)) = happening {
            self.tell_event(what, &says, None);
        }
        self.remind(self.state());
    }

    /// Puts what is left out on the board, and reports it when it changes.
    fn tell_degraded(&mut self) {
        if self.told.degraded == self.degraded {
            return;
        }
        self.told.degraded.clone_from(&self.degraded);
        let degraded = self.degraded.clone();
        self.context.board.update(&self.name, |status| status.degraded.clone_from(&degraded));
        if let Some(degraded) = degraded {
            self.tell_event(EventKind::Degraded, &sentence(&degraded), None);
        }
    }

    /// Whether this was not told yet.
    pub(super) fn is_news(&self, held: &Held) -> bool {
        self.state() != held.state || self.told.plan.as_ref() != Some(&Topic::of(held))
    }

    /// Tells once a day that nothing is written for now.
    fn remind(&mut self, state: State) {
        if state != State::Suspended {
            self.told.suspended = None;
            return;
        }
        let (now, last) = (self.now(), self.told.suspended);
        if last.is_some_and(|last| now.saturating_sub(last) >= REMINDER) {
            self.told.suspended = Some(now);
            let says = self.context.board.get(&self.name).and_then(|status| status.says.clone()).unwrap_or_default();
            self.tell_event(EventKind::Suspended, &format!("still {says}"), None);
        }
    }

    /// Puts the standing on the board.
    fn show(&self, standing: StatusUpdate) {
        let now = self.context.clock.stamp();
        let drift = standing.plan.as_ref().map(|plan| differing(plan));
        self.context.board.update(&self.name, |status| {
            if status.state != standing.state || status.since.is_empty() {
                status.state = standing.state;
                status.since = now;
            }
            if standing.state != State::Invalid {
                status.findings.clear();
            }
            status.says = standing.says;
            status.approvable = standing.approvable;
            // A failure says nothing of what differs; what was known last is the best there is.
            if standing.state != State::Failing || drift.is_some() {
                status.drift = drift.unwrap_or_default();
                status.plan = standing.plan;
            }
        });
    }

    /// Puts on the board what differs, before anything is written and also if that fails.
    pub(super) fn show_difference(&self, plan: &Arc<Plan>) {
        let drift = differing(plan);
        self.context.board.update(&self.name, |status| {
            status.drift = drift;
            status.plan = Some(Arc::clone(plan));
        });
    }

    /// Remembers an event and logs it.
    pub(super) fn tell_event(&self, what: EventKind, says: &str, run: Option<RunId>) {
        self.tell_run_event(what, says, run, None);
    }

    /// The same of a run that somebody let through.
    pub(super) fn tell_run_event(&self, what: EventKind, says: &str, run: Option<RunId>, approval: Option<Approval>) {
        let says = sanitized(says, LONGEST);
        let account = &*self.name;
        match what {
            EventKind::Failed | EventKind::Invalid | EventKind::Blocked | EventKind::Degraded | EventKind::Fight => {
                tracing::warn!(account, what = what.as_str(), "{says}");
            }
            _ => tracing::info!(account, what = what.as_str(), "{says}"),
        }
        let event = Event { at: self.context.clock.stamp(), what, says, run, approval };
        self.context.board.happened(account, event);
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.context.board.update(&self.name, |status| change(&mut status.counts));
    }

    fn state(&self) -> State {
        self.context.board.get(&self.name).map(|status| status.state).unwrap_or_default()
    }
}

/// How many objects are left out, and the first reason.
fn sentence(degraded: &Degraded) -> String {
    let verb = if degraded.objects == 1 { "is" } else { "are" };
    let first = degraded.reasons.first().map_or("", String::as_str);
    format!("{} {verb} left out: {first}", counted(degraded.objects, "declared object"))
}

/// How many objects a plan writes, by kind.
fn differing(plan: &Plan) -> Drift {
    let of = |kind: Kind| {
        let objects = plan.changes.iter().filter(|change| change.object.kind == kind);
        objects
            .map(|change| (change.object.id.as_ref(), &*change.object.name))
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    Drift { numbers: of(Kind::Number), ring_groups: of(Kind::RingGroup) }
}
