//! All accounts: takes up new states of the files, starts and ends the loops.
//!
//! Invariants: what cannot be read never replaces what could; an account leaves only when its folder has left a
//! fleet whose other files are fine. One that leaves and comes back has no second loop beside the first.

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
use super::desired_state::Wanted;
use super::handle::Handle;
use super::status::{Files, State};
use super::wake::Reason;

/// A loop that broke begins anew after this time.
const RESTART: Duration = Duration::from_secs(5);

/// So many findings of an account are kept.
const MOST_FINDINGS: usize = 20;

/// A state of the files, with everything that counts as it is read.
#[derive(Debug, Default)]
pub struct LoadedRevision {
    /// The accounts and findings.
    pub loaded: Loaded,
    /// The commit that it is of.
    pub commit: Option<String>,
}

/// All accounts that are watched.
pub(super) struct Fleet {
    context: Arc<Context>,
    approved: Vec<(Digest, Approver)>,
    members: HashMap<Box<str>, Member>,
    /// Those that have left, so that nothing which was approved for them counts again when they come back.
    gone: HashMap<Box<str>, Gone>,
    tasks: JoinSet<()>,
    /// Which account a task is for.
    names: HashMap<Id, Box<str>>,
    /// What was told last of files that are no watched account's.
    unowned_errors: Vec<String>,
}

struct Member {
    handle: Handle,
    wanted: watch::Sender<Wanted>,
}

/// An account that has left.
struct Gone {
    handle: Handle,
    /// Whether its loop still is at something, such as a write in flight. Until that has ended, it is shown.
    running: bool,
    /// It has come back meanwhile.
    again: Option<Wanted>,
}

impl Fleet {
    pub(super) fn new(context: Arc<Context>, approved: Vec<(Digest, Approver)>) -> Self {
        Self {
            context,
            approved,
            members: HashMap::new(),
            gone: HashMap::new(),
            tasks: JoinSet::new(),
            names: HashMap::new(),
            unowned_errors: Vec::new(),
        }
    }

    /// The way in to an account's loop.
    pub(super) fn handle(&self, account: &str) -> Option<&Handle> {
        self.members.get(account).map(|member| &member.handle)
    }

    /// Has all accounts looked at anew.
    pub(super) fn resume(&self, reason: Reason) {
        for member in self.members.values() {
            member.handle.resume(reason);
        }
    }

    /// How many accounts there are.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Takes up a new state of the files. What has errors leaves the state before in force.
    pub(super) fn take(&mut self, taken: LoadedRevision) {
        let LoadedRevision { loaded: Loaded { accounts, sources, diagnostics, .. }, commit } = taken;
        let sources = Arc::new(sources);
        let now = self.context.clock.stamp();
        let errors: Vec<Diagnostic> =
            diagnostics.into_iter().filter(|finding| finding.severity == Severity::Error).collect();
        let whole = errors.is_empty();
        let mut seen = std::collections::HashSet::new();
        for account in accounts {
            let name = account.settings.name.clone();
            seen.insert(name.clone());
            let files = Files { valid: true, since: Some(now.clone()), commit: commit.clone(), errors: Vec::new() };
            self.put(name, Wanted { account: Some(Arc::new(account)), sources: Arc::clone(&sources), files });
        }
        let missing: Vec<Box<str>> = self.members.keys().filter(|name| !seen.contains(*name)).cloned().collect();
        for name in missing {
            if whole {
                // Its folder is gone, or its name: nothing in the account is touched for that.
                tracing::info!(account = &*name, "not watched any longer: no file declares it");
                if let Some(Member { handle, .. }) = self.members.remove(&name) {
                    self.gone.insert(name, Gone { handle, running: true, again: None });
                }
            } else {
                self.keep(&name, &errors, &sources);
            }
        }
        if whole {
            self.gone.iter_mut().filter(|(name, _)| !seen.contains(*name)).for_each(|(_, gone)| gone.again = None);
        }
        self.tell_strange(&errors, &sources);
        if self.members.is_empty() || !whole {
            let lines = lines(&errors, &sources);
            self.context.board.update_source(|source| source.errors = lines);
        } else {
            self.context.board.update_source(|source| source.errors.clear());
        }
    }

    /// Tells what is wrong with files of nobody who is watched, as of an account that was broken from the start: nobody
    /// else tells it.
    fn tell_strange(&mut self, errors: &[Diagnostic], sources: &Sources) {
        let known: Vec<Arc<Account>> =
            self.members.values().filter_map(|member| member.wanted.borrow().account.clone()).collect();
        let unowned_errors =
            errors.iter().filter(|finding| !known.iter().any(|account| concerns(finding, account, sources)));
        let unowned_errors = lines(&unowned_errors.cloned().collect::<Vec<_>>(), sources);
        if let Some(first) = unowned_errors.first().filter(|_| unowned_errors != self.unowned_errors) {
            tracing::warn!("files of no account that is watched have errors: {}", sanitized(first, 500));
        }
        self.unowned_errors = unowned_errors;
    }

    /// Gives an account its new state, or begins to watch it.
    fn put(&mut self, name: Box<str>, wanted: Wanted) {
        if let Some(member) = self.members.get(&name) {
            member.wanted.send_if_modified(|before| {
                // The same files again, touched or fetched with others, are no news.
                let same = before.files.valid && same(before, &wanted);
                if same {
                    // Comments may be others: whoever edits the files needs their texts of now.
                    before.sources = wanted.sources;
                } else {
                    *before = wanted;
                }
                !same
            });
            return;
        }
        if let Some(gone) = self.gone.get_mut(&name).filter(|gone| gone.running) {
            gone.again = Some(wanted);
            return;
        }
        let handle = match self.gone.remove(&name) {
            Some(gone) => gone.handle,
            None => Handle::with(self.approved.iter().cloned()),
        };
        let (sender, receiver) = watch::channel(wanted);
        self.context.board.update(&name, |_| {});
        self.spawn(name.clone(), receiver, handle.clone(), Duration::ZERO);
        self.members.insert(name, Member { handle, wanted: sender });
    }

    fn spawn(&mut self, name: Box<str>, wanted: watch::Receiver<Wanted>, handle: Handle, after: Duration) {
        let watcher = Watcher::new(name.clone(), Arc::clone(&self.context), wanted, handle);
        let task = self.tasks.spawn(async move {
            tokio::time::sleep(after).await;
            watcher.run().await;
        });
        self.names.insert(task.id(), name);
    }

    /// Returns once a loop has ended. One that broke begins anew after a while: an account that nobody watches any
    /// longer, unnoticed, is the worst that can happen. Nothing is lost if this is not waited for to its end.
    pub(super) async fn reap(&mut self) {
        let Some(ended) = self.tasks.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let (id, broken) = match ended {
            Ok((id, ())) => (id, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        let Some(name) = self.names.remove(&id) else { return };
        if let Some(gone) = self.gone.get_mut(&name) {
            gone.running = false;
            let again = gone.again.take();
            self.context.board.remove(&name);
            if let Some(wanted) = again {
                self.put(name, wanted);
            }
            return;
        }
        let Some(member) = self.members.get(&name).filter(|_| broken) else { return };
        let (wanted, handle) = (member.wanted.subscribe(), member.handle.clone());
        tracing::error!(account = &*name, "its loop broke, which is a bug of Strowger; it begins anew");
        self.context.board.update(&name, |status| {
            status.state = State::Failing;
            status.says = Some("its loop broke, which is a bug of Strowger; it begins anew".to_owned());
            status.counts.failures += 1;
        });
        self.spawn(name, wanted, handle, RESTART);
    }

    /// Leaves the last good state of an account in force, and says what is wrong with the newest.
    fn keep(&self, name: &str, errors: &[Diagnostic], sources: &Arc<Sources>) {
        let Some(member) = self.members.get(name) else { return };
        member.wanted.send_if_modified(|wanted| {
            let own: Vec<Diagnostic> = match &wanted.account {
                Some(account) => errors.iter().filter(|finding| concerns(finding, account, sources)).cloned().collect(),
                None => Vec::new(),
            };
            // If none is about its files, what is wrong is wrong with all of them.
            let errors = lines(if own.is_empty() { errors } else { &own }, sources);
            let news = wanted.files.valid || wanted.files.errors != errors;
            wanted.files.valid = false;
            wanted.files.errors = errors;
            news
        });
    }

    /// Ends all loops, each as soon as its write in flight is done.
    pub(super) async fn end(mut self) {
        self.members.clear();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "the loop of an account broke");
            }
        }
    }
}

/// Whether two states ask for the same, with the same guards, by the same way, in the same places.
fn same(before: &Wanted, after: &Wanted) -> bool {
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

/// Whether a finding is about an account's files.
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
