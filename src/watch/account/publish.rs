//! Publishing the account's status: the status store, its history, the log.
//!
//! An event is published when a state begins, and again only if its topic changes, so that a state that lasts is not
//! reported at each check.

use std::sync::Arc;
use std::time::Duration;

use crate::ledger::{Approval, RunId};
use crate::model::WritableKind;
use crate::plan::{Digest, Plan};
use crate::render::counted;
use crate::text::sanitized;

use super::super::decide::{Decision, Uncorrected};
use super::super::desired_state::DesiredState;
use super::super::flapping::FlappingField;
use super::super::status::{AccountState, Counts, Degraded, Drift, Event, EventKind};
use super::Watcher;

/// The longest message.
const LONGEST: usize = 1000;
/// How often a suspension is published again.
const REMINDER: Duration = Duration::from_secs(24 * 3600);

/// What was published last.
#[derive(Default)]
pub(super) struct LastPublished {
    files: Option<(bool, Option<String>, Vec<String>)>,
    topic: Option<Topic>,
    pub(super) adoption: Option<String>,
    degraded: Option<Degraded>,
    suspended_at: Option<Duration>,
}

/// What a state is about. A new topic is a new event.
#[derive(Clone, PartialEq, Eq)]
enum Topic {
    Plan(AccountState, Digest),
    /// The fields of a fight, without their values, which change with every correction.
    Fight(Vec<FlappingField>),
}

impl Topic {
    fn of(difference: &Uncorrected) -> Self {
        match difference.state {
            AccountState::Fighting => Self::Fight(difference.flapping_fields.clone()),
            state => Self::Plan(state, difference.plan.digest.clone()),
        }
    }
}

/// The status after a check.
struct StatusUpdate {
    state: AccountState,
    message: Option<String>,
    plan: Option<Arc<Plan>>,
    topic: Option<Topic>,
    approvable: bool,
}

impl StatusUpdate {
    fn new(state: AccountState, message: Option<String>) -> Self {
        Self { state, message, plan: None, topic: None, approvable: false }
    }
}

impl Watcher {
    /// Publishes the state of the files, if it has changed.
    pub(super) fn publish_files(&mut self, desired: &DesiredState) {
        let files = &desired.files;
        let now = (files.valid, files.since.clone(), files.errors.clone());
        if self.last_published.files.as_ref() == Some(&now) {
            return;
        }
        let is_first = self.last_published.files.replace(now).is_none();
        let provider = desired.account.as_ref().map_or("", |account| account.settings.provider.spec().word);
        self.context.status_store.update(&self.name, |status| {
            status.files = files.clone();
            status.provider = provider;
        });
        if !files.valid {
            let error = files.errors.first().map_or("", String::as_str);
            let then = if desired.account.is_some() { "; the last valid files stay in use" } else { "" };
            self.publish_event(EventKind::Invalid, &format!("the files have errors{then}: {error}"));
        } else if !is_first {
            let commit = files.commit.as_ref().map(|commit| format!(" of commit {commit}")).unwrap_or_default();
            self.publish_event(EventKind::Files, &format!("now using the updated files{commit}"));
        }
    }

    pub(super) fn publish_no_valid_files(&mut self) {
        let message = "the files have errors, and no valid version of them is known".to_owned();
        self.store(StatusUpdate::new(AccountState::Invalid, Some(message)));
    }

    /// Publishes the result of a check.
    pub(super) fn publish(&mut self, decision: Decision, took: Duration) {
        let failed = matches!(decision, Decision::Failing(_) | Decision::Rejected { .. });
        let unchanged = matches!(decision, Decision::Unchanged);
        self.count(|counts| {
            counts.checks += 1;
            counts.unchanged += u64::from(unchanged);
            counts.failures += u64::from(failed);
            counts.busy_milliseconds += u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        });
        let before = self.state();
        let now = self.context.clock.stamp();
        if !failed && !matches!(decision, Decision::AddressRefused(_)) {
            let in_sync = match &decision {
                Decision::InSync => self.memory.degraded.is_none(),
                // An account may be in sync while it is suspended or another owner's.
                Decision::Uncorrected(difference) => difference.plan.is_empty() && difference.plan.is_whole(),
                _ => false,
            };
            self.context.status_store.update(&self.name, |status| {
                status.last_check = Some(now.clone());
                let whole = status.plan.is_none() && status.degraded.is_none();
                let was_in_sync = !matches!(status.state, AccountState::Failing | AccountState::Invalid) && whole;
                if in_sync || unchanged && was_in_sync {
                    status.last_in_sync = Some(now);
                }
            });
        }
        if !failed && !unchanged {
            self.publish_degraded();
        }
        let update = match decision {
            Decision::Unchanged => return self.remind(before),
            Decision::InSync if self.memory.degraded.is_some() => {
                let message = self.memory.degraded.as_ref().map(sentence);
                StatusUpdate::new(AccountState::Degraded, message)
            }
            Decision::InSync => StatusUpdate::new(AccountState::InSync, None),
            Decision::Uncorrected(difference) => {
                let topic = Some(Topic::of(&difference));
                let plan = Some(difference.plan).filter(|plan| !plan.is_empty());
                let approvable = difference.approvable;
                StatusUpdate {
                    plan,
                    topic,
                    approvable,
                    ..StatusUpdate::new(difference.state, Some(difference.message))
                }
            }
            Decision::Invalid { message, findings } => {
                self.context.status_store.update(&self.name, |status| status.findings = findings);
                StatusUpdate::new(AccountState::Invalid, Some(message))
            }
            Decision::AddressRefused(message) => StatusUpdate::new(AccountState::Blocked, Some(message)),
            Decision::Failing(message) => StatusUpdate::new(AccountState::Failing, Some(message)),
            Decision::Rejected { message, plan } => {
                StatusUpdate { plan: Some(plan), ..StatusUpdate::new(AccountState::Failing, Some(message)) }
            }
            // Replaced by the decision after the run.
            Decision::Correct(_) => return,
        };
        self.publish_status(before, update);
    }

    fn publish_status(&mut self, before: AccountState, mut update: StatusUpdate) {
        update.message = update.message.map(|message| sanitized(&message, LONGEST));
        let topic = update.topic.take();
        let is_new = before != update.state || topic.is_some() && topic != self.last_published.topic;
        let message = update.message.clone().unwrap_or_default();
        let event = match update.state {
            _ if !is_new => None,
            AccountState::InSync if before == AccountState::Starting => {
                tracing::info!(account = &*self.name, "in sync");
                None
            }
            AccountState::InSync if before == AccountState::InSync => None,
            AccountState::InSync => Some((EventKind::Recovered, "in sync again".to_owned())),
            AccountState::Drifted => Some((EventKind::Drift, message)),
            AccountState::Blocked => Some((EventKind::Blocked, message)),
            AccountState::Fighting => Some((EventKind::Fight, message)),
            AccountState::Suspended => {
                self.last_published.suspended_at = Some(self.now());
                Some((EventKind::Suspended, message))
            }
            AccountState::Invalid => Some((EventKind::Invalid, message)),
            AccountState::Failing => Some((EventKind::Failed, message)),
            // `publish_degraded` has published it.
            AccountState::Degraded | AccountState::Starting => None,
        };
        if update.state != AccountState::Failing {
            self.last_published.topic = topic;
        }
        self.store(update);
        if let Some((kind, message)) = event {
            self.publish_event(kind, &message);
        }
        self.remind(self.state());
    }

    /// Publishes what is left out, if that has changed.
    fn publish_degraded(&mut self) {
        if self.last_published.degraded == self.memory.degraded {
            return;
        }
        let degraded = self.memory.degraded.clone();
        self.last_published.degraded.clone_from(&degraded);
        self.context.status_store.update(&self.name, |status| status.degraded.clone_from(&degraded));
        if let Some(degraded) = degraded {
            self.publish_event(EventKind::Degraded, &sentence(&degraded));
        }
    }

    pub(super) fn is_new(&self, difference: &Uncorrected) -> bool {
        self.state() != difference.state || self.last_published.topic.as_ref() != Some(&Topic::of(difference))
    }

    /// Publishes a suspension again once a day.
    fn remind(&mut self, state: AccountState) {
        if state != AccountState::Suspended {
            self.last_published.suspended_at = None;
            return;
        }
        let (now, last) = (self.now(), self.last_published.suspended_at);
        if last.is_some_and(|last| now.saturating_sub(last) >= REMINDER) {
            self.last_published.suspended_at = Some(now);
            let status = self.context.status_store.get(&self.name);
            let message = status.and_then(|status| status.message.clone()).unwrap_or_default();
            self.publish_event(EventKind::Suspended, &format!("still {message}"));
        }
    }

    fn store(&self, update: StatusUpdate) {
        let now = self.context.clock.stamp();
        let drift = update.plan.as_ref().map(|plan| count_objects(plan));
        self.context.status_store.update(&self.name, |status| {
            if status.state != update.state || status.since.is_empty() {
                status.state = update.state;
                status.since = now;
            }
            if update.state != AccountState::Invalid {
                status.findings.clear();
            }
            status.message = update.message;
            status.approvable = update.approvable;
            // A failed check learns nothing about the difference, so the last known one stays.
            if update.state != AccountState::Failing || drift.is_some() {
                status.drift = drift.unwrap_or_default();
                status.plan = update.plan;
            }
        });
    }

    /// Stores the difference before anything is written, so that it is known even if the run fails.
    pub(super) fn store_difference(&self, plan: &Arc<Plan>) {
        let drift = count_objects(plan);
        self.context.status_store.update(&self.name, |status| {
            status.drift = drift;
            status.plan = Some(Arc::clone(plan));
        });
    }

    pub(super) fn publish_event(&self, kind: EventKind, message: &str) {
        self.publish_run_event(kind, message, None, None);
    }

    pub(super) fn publish_run_event(
        &self,
        kind: EventKind,
        message: &str,
        run: Option<RunId>,
        approval: Option<Approval>,
    ) {
        let message = sanitized(message, LONGEST);
        let account = &*self.name;
        match kind {
            EventKind::Failed | EventKind::Invalid | EventKind::Blocked | EventKind::Degraded | EventKind::Fight => {
                tracing::warn!(account, event = kind.as_str(), "{message}");
            }
            _ => tracing::info!(account, event = kind.as_str(), "{message}"),
        }
        let event = Event { at: self.context.clock.stamp(), kind, message, run, approval };
        self.context.status_store.publish(account, event);
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.context.status_store.update(&self.name, |status| change(&mut status.counts));
    }

    fn state(&self) -> AccountState {
        self.context.status_store.get(&self.name).map(|status| status.state).unwrap_or_default()
    }
}

/// How many objects are left out, and the first reason.
fn sentence(degraded: &Degraded) -> String {
    let verb = if degraded.objects == 1 { "is" } else { "are" };
    let reason = degraded.reasons.first().map_or("", String::as_str);
    format!("{} {verb} left out: {reason}", counted(degraded.objects, "declared object"))
}

/// How many objects a plan changes, by kind.
fn count_objects(plan: &Plan) -> Drift {
    let of = |kind: WritableKind| {
        let objects = plan.changes.iter().filter(|change| change.object.kind == kind);
        objects
            .map(|change| (change.object.id.as_ref(), &*change.object.name))
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    Drift { numbers: of(WritableKind::Number), ring_groups: of(WritableKind::RingGroup) }
}
