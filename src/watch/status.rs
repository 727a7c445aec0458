//! What is known of every watched account, as a value that anybody may look at.
//!
//! The [`StatusStore`] is the only thing that the loop shares with whoever shows it: the loop writes, the status
//! server reads and is woken by every change. Times are RFC 3339 in UTC. Sentences are made safe to show
//! when they are put here; plans and names are untrusted text, as everywhere.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::{broadcast, watch};

use crate::ledger::{Approval, RunId};
use crate::plan::Plan;

/// So many events of an account are remembered.
const MOST_EVENTS: usize = 50;

/// A moment, as RFC 3339 in UTC with milliseconds.
pub type Stamp = String;

/// How an account stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was not looked at yet.
    #[default]
    Starting,
    /// It is as the files ask.
    InSync,
    /// It differs, and that is only reported.
    Drifted,
    /// It differs, and a guard holds the plan back.
    Blocked,
    /// It differs, and somebody undoes every correction, so that no more are made.
    Fighting,
    /// It differs or not: its files ask that nothing is written for now.
    Suspended,
    /// It is as the files ask, but for invalid declarations and what depends on them.
    Degraded,
    /// The files cannot be planned with: they have errors, or do not fit the account.
    Invalid,
    /// It cannot be read or written at the moment.
    Failing,
}

/// What is known of one account.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct AccountStatus {
    /// Its name.
    pub account: Box<str>,
    /// The word of its provider in the file.
    pub provider: &'static str,
    /// How it stands.
    pub state: State,
    /// Since when.
    pub since: Stamp,
    /// What there is to say about the state, as one sentence without a full stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// Its files.
    pub files: Files,
    /// When it was last looked at, with an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_look: Option<Stamp>,
    /// When it was last known to be in sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_in_sync: Option<Stamp>,
    /// When something was last written to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_change: Option<Stamp>,
    /// When it is looked at next, unless something happens before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_look: Option<Stamp>,
    /// How many of its objects differ now.
    pub drift: Drift,
    /// What is left out because its declaration is invalid; absent if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degraded: Option<Degraded>,
    /// What keeps the files from being planned with, as far as only the account tells: at most 20 lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// What would be, or is about to be, written; absent if nothing differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Arc<Plan>>,
    /// Whether the plan waits for an approval of its digest, which would let it be written.
    pub approvable: bool,
    /// What has happened since the start.
    pub counts: Counts,
    /// What has happened, the latest first.
    pub history: VecDeque<Event>,
}

/// What an account does not get of what its files declare.
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
    /// Whether the newest state of them is the one that counts.
    pub valid: bool,
    /// When the state that counts was taken up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Stamp>,
    /// The commit of the state that counts, if a git source gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What is wrong with the newest state: `file:line:column: error[rule]: message`, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// Objects that differ, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Drift {
    /// Numbers.
    pub numbers: usize,
    /// Ring groups.
    pub ring_groups: usize,
}

/// What has happened since the start. All only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Looks at the account that came to an end, failed ones included.
    pub looks: u64,
    /// Looks that found everything unchanged by conditional requests alone.
    pub unchanged: u64,
    /// Looks or corrections that failed.
    pub failures: u64,
    /// Requests that were sent to the account.
    pub requests: u64,
    /// Runs that wrote, or tried to.
    pub runs: u64,
    /// Objects that were created.
    pub created: u64,
    /// Objects that were updated.
    pub updated: u64,
    /// Objects that were deleted.
    pub deleted: u64,
    /// Changes that were not carried out.
    pub not_applied: u64,
    /// Milliseconds that all looks and runs took.
    pub busy_milliseconds: u64,
}

/// Where the files come from, and how that goes.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct SourceStatus {
    /// The paths, or the repository's URL without a password.
    pub from: String,
    /// When the files were last looked at or fetched with success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Stamp>,
    /// The commit that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why the newest state could not be got, as one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
    /// What is wrong with files, of accounts that are known and of others; at most 20 lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// Something that happened to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Event {
    /// When.
    pub at: Stamp,
    /// What.
    pub what: EventKind,
    /// As one sentence without a full stop.
    pub says: String,
    /// The run that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub run: Option<RunId>,
    /// Who let the run through, if guards held its plan back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

/// What can happen to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Other files count from now on.
    Files,
    /// Files with errors were refused; those before still count.
    Invalid,
    /// A difference was found that is only reported.
    Drift,
    /// A plan was carried out.
    Applied,
    /// A guard held a plan back.
    Blocked,
    /// Invalid declarations, and what depends on them, are left out.
    Degraded,
    /// Somebody undoes every correction.
    Fight,
    /// It failed.
    Failed,
    /// Nothing is written for now.
    Suspended,
    /// All is well again.
    Recovered,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Starting,
        Self::InSync,
        Self::Drifted,
        Self::Blocked,
        Self::Fighting,
        Self::Suspended,
        Self::Degraded,
        Self::Invalid,
        Self::Failing,
    ];

    /// The word for it in machine-readable output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::InSync => "in_sync",
            Self::Drifted => "drifted",
            Self::Blocked => "blocked",
            Self::Fighting => "fighting",
            Self::Suspended => "suspended",
            Self::Degraded => "degraded",
            Self::Invalid => "invalid",
            Self::Failing => "failing",
        }
    }
}

impl EventKind {
    /// The word for it in machine-readable output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Invalid => "invalid",
            Self::Drift => "drift",
            Self::Applied => "applied",
            Self::Blocked => "blocked",
            Self::Degraded => "degraded",
            Self::Fight => "fight",
            Self::Failed => "failed",
            Self::Suspended => "suspended",
            Self::Recovered => "recovered",
        }
    }
}

impl AccountStatus {
    /// Remembers an event, and forgets the oldest of too many.
    pub fn remember(&mut self, event: Event) {
        self.history.push_front(event);
        self.history.truncate(MOST_EVENTS);
    }
}

/// Where the state of all accounts hangs out for everybody to see.
#[derive(Clone, Debug)]
pub struct StatusStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    accounts: RwLock<BTreeMap<Box<str>, Arc<AccountStatus>>>,
    source: RwLock<Arc<SourceStatus>>,
    /// Grows with every change.
    version: watch::Sender<u64>,
    /// Every event, for whoever listens when it happens.
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
    /// Every account, by name.
    pub fn all(&self) -> Vec<Arc<AccountStatus>> {
        let accounts = self.0.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.values().cloned().collect()
    }

    /// One account.
    pub fn get(&self, account: &str) -> Option<Arc<AccountStatus>> {
        self.0.accounts.read().unwrap_or_else(PoisonError::into_inner).get(account).cloned()
    }

    /// Whoever wants to be woken by changes. The value grows with every one.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// Changes what is known of an account; one that is not known yet begins empty.
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

    /// Where the files come from.
    pub fn source(&self) -> Arc<SourceStatus> {
        Arc::clone(&self.0.source.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is known of where the files come from.
    pub fn update_source(&self, change: impl FnOnce(&mut SourceStatus)) {
        change(Arc::make_mut(&mut self.0.source.write().unwrap_or_else(PoisonError::into_inner)));
        self.0.version.send_modify(|version| *version += 1);
    }

    /// Remembers an event of an account, and tells everybody who listens.
    pub fn happened(&self, account: &str, event: Event) {
        self.update(account, |status| status.remember(event.clone()));
        // Nobody needs to listen.
        let _ = self.0.events.send((account.into(), event));
    }

    /// Every event from now on, with its account. Who is a thousand behind misses some.
    pub fn events(&self) -> broadcast::Receiver<(Arc<str>, Event)> {
        self.0.events.subscribe()
    }

    /// Takes an account down that is not watched any longer.
    pub fn remove(&self, account: &str) {
        self.0.accounts.write().unwrap_or_else(PoisonError::into_inner).remove(account);
        self.0.version.send_modify(|version| *version += 1);
    }
}
