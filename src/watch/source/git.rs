//! A repository: fetched again and again, its ref's commits taken up one after the other.
//!
//! Only a commit that the ref leads to is taken up, never half of one, and with `--require-signed` only if git takes
//! its signature for good. It is judged by the guards of the commit that was taken up before it, whatever lies between
//! the two; this process or one before it, so that neither several commits at once nor a restart weakens a guard. What
//! cannot be had leaves the last good state in force, is told, and is tried again. See `docs/watch.md`.

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

use super::super::backoff::{Backoff, Ended};
use super::super::environment::Clock;
use super::super::fleet::LoadedRevision;
use super::super::status::StatusStore;
use super::{Nudge, load};

pub use branch::Branch;
pub use names::{Inside, InsideError, RefName, RefNameError};
pub use url::{Url, UrlError};

use working::{LoadedRevision as Remembered, Working};

/// No sentence is longer.
const LONGEST: usize = 500;

/// A repository, and what is wanted of it.
#[derive(Clone, Debug)]
pub struct Git {
    /// Where it is.
    pub url: Url,
    /// The branch or the tag whose commits are taken up.
    pub name: RefName,
    /// Where the files are inside.
    pub inside: Inside,
    /// How long at most between two looks at the remote.
    pub every: Duration,
    /// Whether only commits with a good signature are taken up.
    pub require_signed: bool,
    /// The folder for everything that has to be kept.
    pub state: PathBuf,
    /// The most time for one request to the remote.
    pub patience: Duration,
}

/// A repository that is followed.
#[derive(Debug)]
pub struct Following {
    git: Git,
    working: Working,
    /// What the ref led to when it was last dealt with.
    seen: Option<String>,
    /// Why that was not taken up.
    refused: Option<String>,
    /// Whether a state was handed over.
    started: bool,
    /// Whether the remote answered the last time.
    reached: bool,
    copy: Copy,
}

/// What is known of the local copy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Copy {
    /// Nothing is wrong with it, also when this failed.
    Good(String),
    /// It has to be fetched again.
    Damaged,
    /// It was fetched again, and nothing has succeeded since: doing that once more would not help.
    Renewed,
}

/// The files of a commit.
struct Checkout {
    of: Remembered,
    taken: LoadedRevision,
}

impl Checkout {
    fn is_good(&self) -> bool {
        !has_errors(&self.taken.loaded.diagnostics)
    }
}

impl Git {
    /// The folder that it works in: one for each repository, ref and path, whatever the password is.
    pub fn folder(&self) -> PathBuf {
        let about = format!("{}\n{}\n{}", self.url, self.name, self.inside.path().display());
        let digest = sha2::Sha256::digest(about.as_bytes());
        self.state.join("git").join(hex(digest.get(..8).unwrap_or_default()))
    }

    /// Makes the folder ready, for this process alone.
    pub async fn open(self) -> Result<Following, String> {
        let working = Working::open(&self.folder(), self.url.clone(), self.patience).await?;
        let copy = Copy::Good(String::new());
        Ok(Following { git: self, working, seen: None, refused: None, started: false, reached: false, copy })
    }
}

impl Following {
    /// Hands over the files of the ref's commit now, and of each one that follows, until the process stops.
    pub async fn follow(
        mut self,
        states: mpsc::Sender<LoadedRevision>,
        mut nudge: Nudge,
        board: StatusStore,
        clock: Clock,
        stop: ShutdownSignal,
    ) {
        let from = format!("{} {}", self.git.url, self.git.name);
        board.update_source(|source| source.from = sanitized(&from, LONGEST));
        let mut pace = Backoff::new(self.git.every);
        loop {
            let turn = async {
                let looked = self.turn(&states, &board).await;
                if (looked.is_err() || self.refused.is_some()) && !self.started {
                    self.resume(&states, &board).await;
                }
                looked
            };
            let looked = tokio::select! {
                looked = turn => looked,
                () = stop.until(Urgency::Finish) => return,
            };
            let ended = if looked.is_ok() { Ended::Settled } else { Ended::Transient };
            let failing = looked.err().or_else(|| self.refused.clone()).map(|says| sanitized(&says, LONGEST));
            tell(&board, failing, (ended == Ended::Settled).then(|| clock.stamp()));
            tokio::select! {
                () = stop.until(Urgency::Finish) => return,
                () = tokio::time::sleep(pace.next(ended, fastrand::f64())) => {}
                // Somebody looks at it: nothing is taken for known.
                Some(()) = nudge.recv() => self.seen = None,
            }
        }
    }

    /// Looks at the remote, and takes its commit up if it is another one; if the local copy is what fails, with another.
    async fn turn(&mut self, states: &mpsc::Sender<LoadedRevision>, board: &StatusStore) -> Result<(), String> {
        let mut looked = self.look(states, board).await;
        if let Err(says) = &looked
            && self.must_renew(says).await
        {
            let (name, _) = self.working.head(&self.git.name).await?;
            self.working.renew(&name).await?;
            tracing::info!("the local copy of {} was fetched again", self.git.url);
            self.copy = Copy::Renewed;
            looked = self.look(states, board).await;
        }
        if looked.is_ok() {
            self.copy = Copy::Good(String::new());
        }
        looked
    }

    /// Whether the local copy is why this failed, and not what the remote or a signature says. Reported once.
    async fn must_renew(&mut self, says: &str) -> bool {
        match &self.copy {
            Copy::Damaged => true,
            Copy::Good(known) if self.reached && known != says => {
                if !self.working.is_damaged().await {
                    self.copy = Copy::Good(says.to_owned());
                    return false;
                }
                tracing::warn!("the local copy of {} is damaged and will be fetched again: {says}", self.git.url);
                self.copy = Copy::Damaged;
                true
            }
            Copy::Good(_) | Copy::Renewed => false,
        }
    }

    async fn look(&mut self, states: &mpsc::Sender<LoadedRevision>, board: &StatusStore) -> Result<(), String> {
        self.reached = false;
        let (name, head) = self.working.head(&self.git.name).await?;
        self.reached = true;
        if self.seen.as_ref() == Some(&head) {
            return Ok(());
        }
        let commit = self.working.fetch(&name).await?;
        let mut read = self.read(&commit).await?;
        // After a restart nothing is in force that a commit with errors could leave there.
        if !self.started
            && read.as_ref().is_some_and(|read| !read.is_good())
            && self.working.taken().is_some_and(|before| before.commit != commit)
        {
            self.resume(states, board).await;
            read = self.read(&commit).await?;
        }
        self.hand_over(read, states, board).await?;
        self.seen = Some(head);
        Ok(())
    }

    /// Goes on with the commit of the last time, as long as there is no newer one to go on with.
    async fn resume(&mut self, states: &mpsc::Sender<LoadedRevision>, board: &StatusStore) {
        let Some(taken) = self.working.taken() else { return };
        // What is told is what is wrong with the newest commit.
        let refused = self.refused.take();
        let resumed = async {
            let read = self.read(&taken.commit).await?;
            self.hand_over(read, states, board).await
        };
        if let Err(says) = resumed.await {
            tracing::warn!(commit = taken.commit, "the commit of the last time cannot be used: {says}");
        }
        self.refused = refused.or_else(|| self.refused.take());
    }

    /// Checks a commit out and reads its files; nothing if it may not be taken up.
    async fn read(&mut self, commit: &str) -> Result<Option<Checkout>, String> {
        self.refused = None;
        if self.git.require_signed
            && let Err(says) = self.working.verify(commit).await
        {
            self.refused = Some(format!("commit {commit} is not taken up: its signature is not good: {says}"));
            return Ok(None);
        }
        let base = self.base(commit).await?;
        let checkout = self.working.check_out(commit).await?;
        let path = inside(&checkout, self.git.inside.path())?;
        // A commit that was taken up is kept, so that its guards can be read.
        let revision = base.as_ref().and_then(|base| base.parse().ok());
        let mut taken = load(vec![path], revision, Some(commit.to_owned())).await?;
        for account in &mut taken.loaded.accounts {
            self.working.keep(&account.root).map_err(|error| format!("cannot keep `.strowger`: {error}"))?;
            // The local copy has no `origin`.
            let owner = account.settings.owner.clone().or_else(|| owner_of(&self.git.url.to_string()));
            account.desired.owner = owner.or(account.desired.owner.take());
            // In plans and ledgers, files are called as they are in the repository.
            for file in &mut account.desired.files {
                let inside = Path::new(&**file).strip_prefix(&checkout).ok().and_then(Path::to_str);
                if let Some(inside) = inside {
                    *file = inside.into();
                }
            }
        }
        Ok(Some(Checkout { of: Remembered { commit: commit.to_owned(), base }, taken }))
    }

    /// Has the files of a commit count from now on, as far as they have no errors.
    async fn hand_over(
        &mut self,
        read: Option<Checkout>,
        states: &mpsc::Sender<LoadedRevision>,
        board: &StatusStore,
    ) -> Result<(), String> {
        let Some(read) = read else { return Ok(()) };
        let good = read.is_good();
        let Checkout { of, taken } = read;
        tracing::info!(commit = of.commit, good, "a commit of {} {}", self.git.url, self.git.name);
        if good {
            board.update_source(|source| source.commit = Some(of.commit.clone()));
        }
        if states.send(taken).await.is_err() {
            return Ok(());
        }
        self.started = true;
        if good {
            self.working.remember(&of).await?;
        }
        Ok(())
    }

    /// The commit whose guards a commit is judged by: the one that was taken up before, if that is known.
    async fn base(&self, commit: &str) -> Result<Option<String>, String> {
        let Some(before) = self.working.taken() else { return Ok(None) };
        if before.commit == commit {
            return Ok(before.base);
        }
        if self.working.commit(&before.commit).await?.is_none() {
            if self.copy != Copy::Renewed && self.working.is_damaged().await {
                return Err(format!("commit {}, which was taken up before, cannot be read", before.commit));
            }
            self.working.obtain(&before).await;
        }
        if self.working.commit(&before.commit).await?.is_none() {
            tracing::warn!(commit = before.commit, "the commit that was taken up before is not there any more");
            return Ok(None);
        }
        if !self.working.descends(commit, &before.commit).await {
            let name = &self.git.name;
            tracing::warn!(commit, before = before.commit, "history of {name} was rewritten; its commit is taken up");
        }
        Ok(Some(before.commit))
    }
}

/// Puts on the board how it goes, and logs it if that is news.
fn tell(board: &StatusStore, failing: Option<String>, success: Option<String>) {
    let before = board.source().failing.clone();
    match (&before, &failing) {
        (before, Some(says)) if before.as_ref() != Some(says) => tracing::warn!("source: {says}"),
        (Some(_), None) => tracing::info!("source: all is well again"),
        _ => {}
    }
    board.update_source(|source| {
        source.failing = failing;
        source.last_success = success.or_else(|| source.last_success.take());
    });
}

/// The path inside of a checkout, which leads out of it in no way.
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
