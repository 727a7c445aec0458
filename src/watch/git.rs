//! A git repository that is polled for new commits.
//!
//! Only a complete commit of the ref is used, and with `--require-signed` only if its signature is valid. Its guards are
//! those of the last valid commit, even if there are others between the two or the process was restarted, so that neither
//! weakens a guard. If the newest commit cannot be used, the last valid one stays in use, the reason is reported, and the
//! watch tries again. See `docs/watch.md`.

mod branch;
mod mirror;
mod names;
mod program;
mod push;
mod url;
mod working;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::Digest as _;
use tokio::sync::mpsc;

use crate::apply::{ShutdownSignal, Urgency};
use crate::config::owner_of;
use crate::diag::has_errors;
use crate::text::{hex, sanitized};

use super::backoff::{Backoff, Requeue};
use super::environment::Clock;
use super::fleet::LoadedRevision;
use super::source::{RefreshRequests, load};
use super::status::StatusStore;

pub use branch::Branch;
pub use names::{Inside, InsideError, RefName, RefNameError};
pub use url::{Url, UrlError};

use working::{ValidCommit, WorkingFolder};

/// The longest message.
const LONGEST: usize = 500;

#[derive(Clone, Debug)]
pub struct Git {
    pub url: Url,
    /// The branch or tag.
    pub name: RefName,
    /// The path of the files in the repository.
    pub inside: Inside,
    /// The longest time between two checks of the remote.
    pub every: Duration,
    /// Whether commits need a valid signature.
    pub require_signed: bool,
    /// The folder for everything that is stored.
    pub state: PathBuf,
    /// The time limit for one request to the remote.
    pub timeout: Duration,
}

#[derive(Debug)]
pub struct Following {
    git: Git,
    working: WorkingFolder,
    /// The ref's commit in the last successful check.
    seen: Option<String>,
    /// Why that commit is not used.
    refused: Option<String>,
    /// Whether a revision was sent.
    started: bool,
    /// Whether the remote answered the last request.
    reached: bool,
    copy: Copy,
}

/// The state of the local copy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Copy {
    /// Not damaged, also when the last check failed with this error.
    Good(String),
    /// Must be fetched again.
    Damaged,
    /// Was fetched again, and no check has succeeded since: fetching once more would not help.
    Renewed,
}

struct Checkout {
    commit: ValidCommit,
    revision: LoadedRevision,
}

impl Checkout {
    fn is_valid(&self) -> bool {
        !has_errors(&self.revision.loaded.diagnostics)
    }
}

impl Git {
    /// The working folder: one for each repository, ref and path. A change of the password does not change it.
    pub fn folder(&self) -> PathBuf {
        let about = format!("{}\n{}\n{}", self.url, self.name, self.inside.path().display());
        let digest = sha2::Sha256::digest(about.as_bytes());
        self.state.join("git").join(hex(digest.get(..8).unwrap_or_default()))
    }

    /// Opens and locks the working folder.
    pub async fn open(self) -> Result<Following, String> {
        let working = WorkingFolder::open(&self.folder(), self.url.clone(), self.timeout).await?;
        let copy = Copy::Good(String::new());
        Ok(Following { git: self, working, seen: None, refused: None, started: false, reached: false, copy })
    }
}

impl Following {
    /// Sends the files of the ref's commit now, and of each later one, until the process stops.
    pub async fn follow(
        mut self,
        revisions: mpsc::Sender<LoadedRevision>,
        mut refresh: RefreshRequests,
        status_store: StatusStore,
        clock: Clock,
        stop: ShutdownSignal,
    ) {
        let from = format!("{} {}", self.git.url, self.git.name);
        status_store.update_source(|source| source.from = sanitized(&from, LONGEST));
        let mut backoff = Backoff::new(self.git.every);
        loop {
            let check = async {
                let result = self.check(&revisions, &status_store).await;
                if (result.is_err() || self.refused.is_some()) && !self.started {
                    self.resume(&revisions, &status_store).await;
                }
                result
            };
            let result = tokio::select! {
                result = check => result,
                () = stop.until(Urgency::Finish) => return,
            };
            let requeue = if result.is_ok() { Requeue::AtInterval } else { Requeue::WithBackoff };
            let failing = result.err().or_else(|| self.refused.clone()).map(|message| sanitized(&message, LONGEST));
            publish(&status_store, failing, (requeue == Requeue::AtInterval).then(|| clock.stamp()));
            tokio::select! {
                () = stop.until(Urgency::Finish) => return,
                () = tokio::time::sleep(backoff.next(requeue, fastrand::f64())) => {}
                // A requested check reads the commit again even if it has not changed.
                Some(()) = refresh.recv() => self.seen = None,
            }
        }
    }

    /// Checks the remote, and uses its commit if it is a new one. If the local copy is damaged, fetches it again first.
    async fn check(
        &mut self,
        revisions: &mpsc::Sender<LoadedRevision>,
        status_store: &StatusStore,
    ) -> Result<(), String> {
        let mut result = self.check_once(revisions, status_store).await;
        if let Err(message) = &result
            && self.must_renew(message).await
        {
            let (name, _) = self.working.head(&self.git.name).await?;
            self.working.renew(&name).await?;
            tracing::info!("the local copy of {} was fetched again", self.git.url);
            self.copy = Copy::Renewed;
            result = self.check_once(revisions, status_store).await;
        }
        if result.is_ok() {
            self.copy = Copy::Good(String::new());
        }
        result
    }

    /// Whether this error comes from a damaged local copy, and not from the remote or a signature. Logged once.
    async fn must_renew(&mut self, message: &str) -> bool {
        match &self.copy {
            Copy::Damaged => true,
            Copy::Good(known) if self.reached && known != message => {
                if !self.working.is_damaged().await {
                    self.copy = Copy::Good(message.to_owned());
                    return false;
                }
                tracing::warn!("the local copy of {} is damaged and will be fetched again: {message}", self.git.url);
                self.copy = Copy::Damaged;
                true
            }
            Copy::Good(_) | Copy::Renewed => false,
        }
    }

    async fn check_once(
        &mut self,
        revisions: &mpsc::Sender<LoadedRevision>,
        status_store: &StatusStore,
    ) -> Result<(), String> {
        self.reached = false;
        let (name, head) = self.working.head(&self.git.name).await?;
        self.reached = true;
        if self.seen.as_ref() == Some(&head) {
            return Ok(());
        }
        let commit = self.working.fetch(&name).await?;
        let mut read = self.read(&commit).await?;
        // After a restart no version is in use yet, so a commit with errors falls back to the last valid one.
        if !self.started
            && read.as_ref().is_some_and(|read| !read.is_valid())
            && self.working.last_valid().is_some_and(|before| before.commit != commit)
        {
            self.resume(revisions, status_store).await;
            read = self.read(&commit).await?;
        }
        self.send(read, revisions, status_store).await?;
        self.seen = Some(head);
        Ok(())
    }

    /// Uses the last valid commit, as long as no newer one can be used.
    async fn resume(&mut self, revisions: &mpsc::Sender<LoadedRevision>, status_store: &StatusStore) {
        let Some(last) = self.working.last_valid() else { return };
        // Keep the reason that concerns the newest commit.
        let refused = self.refused.take();
        let resumed = async {
            let read = self.read(&last.commit).await?;
            self.send(read, revisions, status_store).await
        };
        if let Err(message) = resumed.await {
            tracing::warn!(commit = last.commit, "the last valid commit cannot be used: {message}");
        }
        self.refused = refused.or_else(|| self.refused.take());
    }

    /// Checks a commit out and reads its files; `None` if it must not be used.
    async fn read(&mut self, commit: &str) -> Result<Option<Checkout>, String> {
        self.refused = None;
        if self.git.require_signed
            && let Err(message) = self.working.verify(commit).await
        {
            self.refused = Some(format!("commit {commit} is not used: its signature is not valid: {message}"));
            return Ok(None);
        }
        let base = self.base(commit).await?;
        let checkout = self.working.check_out(commit).await?;
        let path = inside(&checkout, self.git.inside.path())?;
        let revision = base.as_ref().and_then(|base| base.parse().ok());
        let mut revision = load(vec![path], revision, Some(commit.to_owned())).await?;
        for account in &mut revision.loaded.accounts {
            self.working.keep(&account.root).map_err(|error| format!("cannot keep `.strowger`: {error}"))?;
            // Derived here, because the local copy has no `origin`.
            let owner = account.settings.owner.clone().or_else(|| owner_of(&self.git.url.to_string()));
            account.desired.owner = owner.or(account.desired.owner.take());
            // Plans and ledgers show paths relative to the repository.
            for file in &mut account.desired.files {
                let inside = Path::new(&**file).strip_prefix(&checkout).ok().and_then(Path::to_str);
                if let Some(inside) = inside {
                    *file = inside.into();
                }
            }
        }
        Ok(Some(Checkout { commit: ValidCommit { commit: commit.to_owned(), base }, revision }))
    }

    /// Sends the files of a commit, and stores it as the last valid one if they have no errors.
    async fn send(
        &mut self,
        read: Option<Checkout>,
        revisions: &mpsc::Sender<LoadedRevision>,
        status_store: &StatusStore,
    ) -> Result<(), String> {
        let Some(read) = read else { return Ok(()) };
        let is_valid = read.is_valid();
        let Checkout { commit, revision } = read;
        if is_valid {
            tracing::info!("now using commit {} of {} {}", commit.commit, self.git.url, self.git.name);
            status_store.update_source(|source| source.commit = Some(commit.commit.clone()));
        } else {
            tracing::warn!("commit {} of {} {} has errors", commit.commit, self.git.url, self.git.name);
        }
        if revisions.send(revision).await.is_err() {
            return Ok(());
        }
        self.started = true;
        if is_valid {
            self.working.remember(&commit).await?;
        }
        Ok(())
    }

    /// The commit whose guards apply: the last valid one, if it is known.
    async fn base(&self, commit: &str) -> Result<Option<String>, String> {
        let Some(before) = self.working.last_valid() else { return Ok(None) };
        if before.commit == commit {
            return Ok(before.base);
        }
        if self.working.commit(&before.commit).await?.is_none() {
            if self.copy != Copy::Renewed && self.working.is_damaged().await {
                return Err(format!("the last valid commit {} cannot be read", before.commit));
            }
            self.working.obtain(&before).await;
        }
        if self.working.commit(&before.commit).await?.is_none() {
            tracing::warn!(commit = before.commit, "the last valid commit is gone, so its guards do not apply");
            return Ok(None);
        }
        if !self.working.descends(commit, &before.commit).await {
            let name = &self.git.name;
            tracing::warn!(
                commit,
                before = before.commit,
                "the history of {name} was rewritten; its newest commit is used"
            );
        }
        Ok(Some(before.commit))
    }
}

/// Stores the status of the source, and logs it if it has changed.
fn publish(status_store: &StatusStore, failing: Option<String>, success: Option<String>) {
    let before = status_store.source().failing.clone();
    match (&before, &failing) {
        (before, Some(message)) if before.as_ref() != Some(message) => tracing::warn!("source: {message}"),
        (Some(_), None) => tracing::info!("source: ok again"),
        _ => {}
    }
    status_store.update_source(|source| {
        source.failing = failing;
        source.last_success = success.or_else(|| source.last_success.take());
    });
}

/// A path in a checkout; links must not lead out of it.
fn inside(checkout: &Path, inside: &Path) -> Result<PathBuf, String> {
    if inside.as_os_str().is_empty() {
        return Ok(checkout.to_owned());
    }
    let path = checkout.join(inside);
    if let (Ok(top), Ok(whole)) = (checkout.canonicalize(), path.canonicalize())
        && !whole.starts_with(top)
    {
        return Err(format!("`{}` leads out of the repository", sanitized(&inside.to_string_lossy(), 200)));
    }
    Ok(path)
}
