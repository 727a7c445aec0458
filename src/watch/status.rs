//! The status of all watched accounts.
//!
//! The loops write to the [`StatusStore`]; the status server and the notices read from it and are woken by every change.
//! Times are RFC 3339 in UTC. Messages are sanitized before they are stored; plans and names are untrusted text.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::{broadcast, watch};

use crate::ledger::{Approval, RunId};
use crate::plan::Plan;

/// At most so many events of an account are kept.
const MOST_EVENTS: usize = 50;

/// A time, as RFC 3339 in UTC with milliseconds.
pub type Stamp = String;

crate::model::words! {
    /// The state of an account.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum AccountState {
        /// It was not checked yet.
        #[default]
        Starting = "starting",
        /// It matches the files.
        InSync = "in_sync",
        /// It differs from the files, and the difference is only reported.
        Drifted = "drifted",
        /// A guard blocks the plan, or nothing may be sent to the account.
        Blocked = "blocked",
        /// Every correction was undone by someone else, so that no more are made.
        Fighting = "fighting",
        /// The files suspend all changes for now, whether it differs or not.
        Suspended = "suspended",
        /// It matches the files, except for invalid declarations and what depends on them.
        Degraded = "degraded",
        /// The files have errors or do not fit the account.
        Invalid = "invalid",
        /// It cannot be read or written now.
        Failing = "failing",
    }
}

/// The status of one account.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct AccountStatus {
    /// The name of the account.
    pub account: Box<str>,
    /// The provider, as in the files.
    pub provider: &'static str,
    /// The current state.
    pub state: AccountState,
    /// When the account entered the state.
    pub since: Stamp,
    /// Details of the state, as one sentence without a full stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The files of the account.
    pub files: Files,
    /// When the account was last checked successfully.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_check: Option<Stamp>,
    /// When the account was last known to be in sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_in_sync: Option<Stamp>,
    /// When the account was last written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_change: Option<Stamp>,
    /// When the next check is due, unless something triggers one earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_check: Option<Stamp>,
    /// How many objects differ now.
    pub drift: Drift,
    /// What is left out because its declaration is invalid; absent if nothing is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degraded: Option<Degraded>,
    /// Why the files do not fit the account: at most 20 lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// The changes that would bring the account in line with the files; absent if nothing differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Arc<Plan>>,
    /// Whether the plan would be applied if its digest were approved.
    pub approvable: bool,
    /// Counters since the start.
    pub counts: Counts,
    /// The latest events, newest first.
    pub history: VecDeque<Event>,
}

/// What is left out of the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub struct Degraded {
    /// How many objects are left out.
    pub objects: usize,
    /// Which, and why: at most 20 lines.
    pub reasons: Vec<String>,
}

/// The files of an account.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Files {
    /// Whether the newest version has no errors, so that it is in use.
    pub valid: bool,
    /// When the version in use was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Stamp>,
    /// The commit of the version in use, if the files come from git.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Errors of the newest version: `file:line:column: error[rule]: message`, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// Numbers of objects that differ, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Drift {
    /// Numbers.
    pub numbers: usize,
    /// Ring groups.
    pub ring_groups: usize,
}

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Checks of the account, including failed ones.
    pub checks: u64,
    /// Checks that found everything unchanged with conditional requests alone.
    pub unchanged: u64,
    /// Checks and corrections that failed.
    pub failures: u64,
    /// Requests that were sent to the account.
    pub requests: u64,
    /// Runs that wrote or tried to write.
    pub runs: u64,
    /// Objects that were created.
    pub created: u64,
    /// Objects that were updated.
    pub updated: u64,
    /// Objects that were deleted.
    pub deleted: u64,
    /// Changes that were not applied.
    pub not_applied: u64,
    /// Milliseconds spent on checks and runs.
    pub busy_milliseconds: u64,
}

/// The status of the source of the files.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct SourceStatus {
    /// The paths, or the repository's URL without a password.
    pub from: String,
    /// When the files were last read or fetched successfully.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Stamp>,
    /// The commit in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why the newest version could not be read or fetched, as one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
    /// Errors of the newest version, also in files of no watched account; at most 20 lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// An event of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Event {
    /// When it happened.
    pub at: Stamp,
    /// What happened.
    pub kind: EventKind,
    /// Details, as one sentence without a full stop.
    pub message: String,
    /// The run that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub run: Option<RunId>,
    /// Who approved the plan of the run, if guards blocked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

crate::model::words! {
    /// The kinds of events.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum EventKind {
        /// Updated files are in use.
        Files = "files",
        /// The files have errors or do not fit the account.
        Invalid = "invalid",
        /// A difference was found that is not corrected.
        Drift = "drift",
        /// A plan was applied.
        Applied = "applied",
        /// A guard blocks the plan, or nothing may be sent to the account.
        Blocked = "blocked",
        /// Invalid declarations and what depends on them are left out.
        Degraded = "degraded",
        /// Every correction was undone by someone else, so that no more are made.
        Fight = "fight",
        /// A check or a run failed.
        Failed = "failed",
        /// The files suspend all changes for now.
        Suspended = "suspended",
        /// The account is in sync again.
        Recovered = "recovered",
    }
}

impl AccountStatus {
    /// Adds an event to the history, and drops the oldest of too many.
    pub fn add_event(&mut self, event: Event) {
        self.history.push_front(event);
        self.history.truncate(MOST_EVENTS);
    }
}

/// The status of all accounts, shared between tasks.
#[derive(Clone, Debug)]
pub struct StatusStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    accounts: RwLock<BTreeMap<Box<str>, Arc<AccountStatus>>>,
    source: RwLock<Arc<SourceStatus>>,
    /// Incremented with every change.
    version: watch::Sender<u64>,
    events: broadcast::Sender<(Arc<str>, Event)>,
}

impl Default for StatusStore {
    fn default() -> Self {
        Self(Arc::new(Shared {
            accounts: RwLock::default(),
            source: RwLock::default(),
            version: watch::Sender::new(0),
            events: broadcast::Sender::new(1000),
        }))
    }
}

impl StatusStore {
    /// Sorted by name.
    pub fn all(&self) -> Vec<Arc<AccountStatus>> {
        let accounts = self.0.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.values().cloned().collect()
    }

    pub fn get(&self, account: &str) -> Option<Arc<AccountStatus>> {
        self.0.accounts.read().unwrap_or_else(PoisonError::into_inner).get(account).cloned()
    }

    /// A receiver that is woken by every change.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// Changes the status of an account, which is added if it is new.
    pub fn update(&self, account: &str, change: impl FnOnce(&mut AccountStatus)) {
        {
            let mut accounts = self.0.accounts.write().unwrap_or_else(PoisonError::into_inner);
            let slot = accounts
                .entry(account.into())
                .or_insert_with(|| Arc::new(AccountStatus { account: account.into(), ..AccountStatus::default() }));
            change(Arc::make_mut(slot));
        }
        self.0.version.send_modify(|version| *version += 1);
    }

    pub fn source(&self) -> Arc<SourceStatus> {
        Arc::clone(&self.0.source.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn update_source(&self, change: impl FnOnce(&mut SourceStatus)) {
        change(Arc::make_mut(&mut self.0.source.write().unwrap_or_else(PoisonError::into_inner)));
        self.0.version.send_modify(|version| *version += 1);
    }

    /// Adds an event to the history of an account, and sends it to all subscribers.
    pub fn publish(&self, account: &str, event: Event) {
        self.update(account, |status| status.add_event(event.clone()));
        // An error means that there are no subscribers.
        let _ = self.0.events.send((account.into(), event));
    }

    /// Events from now on, with the account. A receiver that lags a thousand events behind misses some.
    pub fn events(&self) -> broadcast::Receiver<(Arc<str>, Event)> {
        self.0.events.subscribe()
    }

    /// Removes an account that is no longer watched.
    pub fn remove(&self, account: &str) {
        self.0.accounts.write().unwrap_or_else(PoisonError::into_inner).remove(account);
        self.0.version.send_modify(|version| *version += 1);
    }
}
