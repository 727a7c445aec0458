//! All accounts: applies new revisions of the files, starts and ends the loops.
//!
//! Invariants: files with errors never replace valid ones; an account is removed only if its files are gone and no other
//! file has errors. An account that is removed and added again never has two loops at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use crate::config::{Account, Loaded};
use crate::diag::{Diagnostic, Severity, Sources};
use crate::ledger::Approver;
use crate::plan::Digest;
use crate::render::diagnostics;
use crate::text::sanitized;

use super::account::Watcher;
use super::context::Context;
use super::desired_state::DesiredState;
use super::handle::{Handle, Reason};
use super::status::{AccountState, Files};

/// The wait before a loop that panicked is restarted.
const RESTART: Duration = Duration::from_secs(5);

const PANICKED: &str = "the loop of the account panicked, which is a bug in Strowger; it is restarted";

/// At most so many findings of an account are kept.
const MOST_FINDINGS: usize = 20;

/// One version of the files.
#[derive(Debug, Default)]
pub struct LoadedRevision {
    pub loaded: Loaded,
    /// If the source knows it.
    pub commit: Option<String>,
}

pub(super) struct Fleet {
    context: Arc<Context>,
    approved: Vec<(Digest, Approver)>,
    members: HashMap<Box<str>, Member>,
    /// Kept so that an approval is not good for a second run when an account is added again.
    removed: HashMap<Box<str>, Removed>,
    tasks: JoinSet<()>,
    /// The account of each task.
    names: HashMap<Id, Box<str>>,
    /// The errors that were last logged for files of no watched account.
    unowned_errors: Vec<String>,
}

struct Member {
    handle: Handle,
    desired: watch::Sender<DesiredState>,
}

/// An account that is no longer declared.
struct Removed {
    handle: Handle,
    /// Whether its loop is still running, for instance because of a write in flight. Its status is shown until then.
    running: bool,
    /// Set if it was added again meanwhile.
    readded: Option<DesiredState>,
}

impl Fleet {
    pub(super) fn new(context: Arc<Context>, approved: Vec<(Digest, Approver)>) -> Self {
        Self {
            context,
            approved,
            members: HashMap::new(),
            removed: HashMap::new(),
            tasks: JoinSet::new(),
            names: HashMap::new(),
            unowned_errors: Vec::new(),
        }
    }

    pub(super) fn handle(&self, account: &str) -> Option<&Handle> {
        self.members.get(account).map(|member| &member.handle)
    }

    /// [`Handle::resume`] for all accounts.
    pub(super) fn resume(&self, reason: Reason) {
        for member in self.members.values() {
            member.handle.resume(reason);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Applies a new revision of the files. Accounts with errors keep their last valid files.
    pub(super) fn apply(&mut self, revision: LoadedRevision) {
        let LoadedRevision { loaded: Loaded { accounts, sources, diagnostics, .. }, commit } = revision;
        let sources = Arc::new(sources);
        let now = self.context.clock.stamp();
        let errors: Vec<Diagnostic> =
            diagnostics.into_iter().filter(|finding| finding.severity == Severity::Error).collect();
        let is_valid = errors.is_empty();
        let mut seen = std::collections::HashSet::new();
        for account in accounts {
            let name = account.settings.name.clone();
            seen.insert(name.clone());
            let files = Files { valid: true, since: Some(now.clone()), commit: commit.clone(), errors: Vec::new() };
            self.put(name, DesiredState { account: Some(Arc::new(account)), sources: Arc::clone(&sources), files });
        }
        let missing: Vec<Box<str>> = self.members.keys().filter(|name| !seen.contains(*name)).cloned().collect();
        for name in missing {
            if is_valid {
                tracing::info!(account = &*name, "no longer watched: no file declares it");
                if let Some(Member { handle, .. }) = self.members.remove(&name) {
                    self.removed.insert(name, Removed { handle, running: true, readded: None });
                }
            } else {
                self.keep(&name, &errors, &sources);
            }
        }
        if is_valid {
            let removed = self.removed.iter_mut().filter(|(name, _)| !seen.contains(*name));
            removed.for_each(|(_, removed)| removed.readded = None);
        }
        self.log_unowned_errors(&errors, &sources);
        if self.members.is_empty() || !is_valid {
            let lines = lines(&errors, &sources);
            self.context.status_store.update_source(|source| source.errors = lines);
        } else {
            self.context.status_store.update_source(|source| source.errors.clear());
        }
    }

    /// Logs errors in files of no watched account, for instance one that had errors from the start: no loop reports them.
    fn log_unowned_errors(&mut self, errors: &[Diagnostic], sources: &Sources) {
        let known: Vec<Arc<Account>> =
            self.members.values().filter_map(|member| member.desired.borrow().account.clone()).collect();
        let unowned_errors =
            errors.iter().filter(|finding| !known.iter().any(|account| concerns(finding, account, sources)));
        let unowned_errors = lines(&unowned_errors.cloned().collect::<Vec<_>>(), sources);
        if let Some(first) = unowned_errors.first().filter(|_| unowned_errors != self.unowned_errors) {
            tracing::warn!("errors in files of no watched account: {}", sanitized(first, 500));
        }
        self.unowned_errors = unowned_errors;
    }

    /// Gives an account its new desired state, or starts its loop.
    fn put(&mut self, name: Box<str>, desired: DesiredState) {
        if let Some(member) = self.members.get(&name) {
            member.desired.send_if_modified(|before| {
                let same = before.files.valid && same(before, &desired);
                if same {
                    // Comments may have changed, and adopting edits the texts.
                    before.sources = desired.sources;
                } else {
                    *before = desired;
                }
                !same
            });
            return;
        }
        if let Some(removed) = self.removed.get_mut(&name).filter(|removed| removed.running) {
            removed.readded = Some(desired);
            return;
        }
        let handle = match self.removed.remove(&name) {
            Some(removed) => removed.handle,
            None => Handle::new(self.approved.iter().cloned()),
        };
        let (sender, receiver) = watch::channel(desired);
        self.context.status_store.update(&name, |_| {});
        self.spawn(name.clone(), receiver, handle.clone(), Duration::ZERO);
        self.members.insert(name, Member { handle, desired: sender });
    }

    fn spawn(&mut self, name: Box<str>, desired: watch::Receiver<DesiredState>, handle: Handle, after: Duration) {
        let watcher = Watcher::new(name.clone(), Arc::clone(&self.context), desired, handle);
        let task = self.tasks.spawn(async move {
            tokio::time::sleep(after).await;
            watcher.run().await;
        });
        self.names.insert(task.id(), name);
    }

    /// Returns once a loop has ended, and restarts it if it panicked. Cancel-safe.
    pub(super) async fn reap(&mut self) {
        let Some(ended) = self.tasks.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let (id, panicked) = match ended {
            Ok((id, ())) => (id, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        let Some(name) = self.names.remove(&id) else { return };
        if let Some(removed) = self.removed.get_mut(&name) {
            removed.running = false;
            let readded = removed.readded.take();
            self.context.status_store.remove(&name);
            if let Some(desired) = readded {
                self.put(name, desired);
            }
            return;
        }
        let Some(member) = self.members.get(&name).filter(|_| panicked) else { return };
        let (desired, handle) = (member.desired.subscribe(), member.handle.clone());
        tracing::error!(account = &*name, "{PANICKED}");
        self.context.status_store.update(&name, |status| {
            status.state = AccountState::Failing;
            status.message = Some(PANICKED.to_owned());
            status.counts.failures += 1;
        });
        self.spawn(name, desired, handle, RESTART);
    }

    /// Keeps the last valid files of an account in use, and records the errors of the newest.
    fn keep(&self, name: &str, errors: &[Diagnostic], sources: &Arc<Sources>) {
        let Some(member) = self.members.get(name) else { return };
        member.desired.send_if_modified(|desired| {
            let own: Vec<Diagnostic> = match &desired.account {
                Some(account) => errors.iter().filter(|finding| concerns(finding, account, sources)).cloned().collect(),
                None => Vec::new(),
            };
            // If no error is in its own files, all of them may concern it.
            let errors = lines(if own.is_empty() { errors } else { &own }, sources);
            let is_new = desired.files.valid || desired.files.errors != errors;
            desired.files.valid = false;
            desired.files.errors = errors;
            is_new
        });
    }

    /// Ends all loops, each after its write in flight.
    pub(super) async fn end(mut self) {
        self.members.clear();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "the loop of an account panicked");
            }
        }
    }
}

/// Whether two states declare the same, with the same settings and severities.
fn same(before: &DesiredState, after: &DesiredState) -> bool {
    match (&before.account, &after.account) {
        (Some(before), Some(after)) => {
            before.desired == after.desired
                && before.settings == after.settings
                && before.severities == after.severities
                && before.root == after.root
        }
        _ => false,
    }
}

/// Whether a finding is in an account's files.
fn concerns(finding: &Diagnostic, account: &Account, sources: &Sources) -> bool {
    let source = finding.span.and_then(|span| sources.get(span.file));
    source.is_some_and(|source| {
        account.files.iter().any(|file| file == source.path())
            || account.folder && source.path().parent() == Some(account.root.as_path())
    })
}

fn lines(errors: &[Diagnostic], sources: &Sources) -> Vec<String> {
    diagnostics::plain(errors, sources).lines().take(MOST_FINDINGS.min(errors.len())).map(str::to_owned).collect()
}
