//! The working folder: a bare repository, and a checkout of the commit in use.
//!
//! ```text
//! lock         locked while a process uses the folder
//! repository/  what was fetched
//! checkouts/   a folder for each commit; old ones are removed
//! current      a link to the newest checkout; files are read only through it
//! kept/        the `.strowger` folders of the accounts, shared by all checkouts
//! taken        the last commit without errors, and the commit whose guards it was checked with
//! ```
//!
//! A checkout is complete before the link leads to it, and is not written to afterwards. So a reader never sees half of a
//! commit, and the path of a file is the same for each commit.

use crate::ledger::state_dir;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::mirror::{self, remove};
use super::names::RefName;
use super::program::Program;
use super::url::Url;

/// The last fetched commit.
const FETCHED: &str = "refs/strowger/fetched";
/// Keeps the last commit without errors, even if the branch is rewritten.
const VALID: &str = "refs/strowger/taken";
/// Keeps the commit whose guards it was checked with, if that was fetched by its id.
const BASE: &str = "refs/strowger/base";

/// The working folder, locked by this process.
#[derive(Debug)]
pub(super) struct WorkingFolder {
    folder: PathBuf,
    git: Program,
    checkouts: u32,
    _lock: File,
}

/// The last commit without errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ValidCommit {
    pub(super) commit: String,
    /// The commit whose guards it was checked with; `None` for the default guards.
    pub(super) base: Option<String>,
}

impl WorkingFolder {
    /// Creates the folder, or opens an existing one.
    pub(super) async fn open(folder: &Path, url: Url, timeout: Duration) -> Result<Self, String> {
        let failed = |error: io::Error| format!("cannot use {}: {error}", folder.display());
        std::fs::create_dir_all(folder).map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        let lock = lock(&folder)?;
        let repository = folder.join("repository");
        let git = Program::new(repository.clone(), Some(url), timeout);
        let mut working = Self { folder, git, checkouts: 0, _lock: lock };
        mirror::lay_out(&repository).map_err(|error| working.failed(&error))?;
        working.git.prepare().await?;
        // A power failure may have emptied the file.
        if working.last_valid().is_none()
            && let Some(commit) = working.commit(VALID).await?
        {
            working.store(&ValidCommit { commit, base: None })?;
        }
        Ok(working)
    }

    /// The full name of a ref of the remote, and its commit.
    pub(super) async fn head(&self, name: &RefName) -> Result<(String, String), String> {
        let names = name.full();
        let mut arguments = vec!["ls-remote", "--quiet", "origin"];
        arguments.extend(names.iter().map(String::as_str));
        let listed = self.git.ask_remote(&arguments).await?.succeeded()?;
        let find = |wanted: &String| {
            let rows = listed.lines().filter_map(|line| line.split_once('\t'));
            rows.filter(|(id, _)| is_id(id)).find(|(_, name)| name == wanted).map(|(id, _)| id.to_owned())
        };
        let found = names.into_iter().find_map(|name| find(&name).map(|id| (name, id)));
        found.ok_or_else(|| format!("the repository has no branch and no tag `{name}`"))
    }

    /// Fetches a ref; returns its commit.
    pub(super) async fn fetch(&mut self, name: &str) -> Result<String, String> {
        self.unlock();
        let known = self.commit(FETCHED).await?.is_some();
        // First only a commit and its parents; later everything since.
        if known {
            mirror::fetch(&self.git, &[], name, FETCHED).await?;
        } else if let Err(error) = mirror::fetch(&self.git, &["--depth=2"], name, FETCHED).await {
            if !error.contains("shallow") {
                return Err(error);
            }
            mirror::fetch(&self.git, &[], name, FETCHED).await?;
        }
        self.commit(FETCHED).await?.ok_or_else(|| format!("`{name}` does not lead to a commit"))
    }

    /// Whether `git fsck` reports errors.
    pub(super) async fn is_damaged(&self) -> bool {
        mirror::is_damaged(&self.git).await
    }

    /// Fetches everything again, then replaces the old copy.
    pub(super) async fn renew(&mut self, name: &str) -> Result<(), String> {
        let (next, own) = (self.folder.join("repository.next"), self.folder.join("repository"));
        remove(&next).and_then(|()| mirror::lay_out(&next)).map_err(|error| self.failed(&error))?;
        let git = self.git.of(next.clone());
        mirror::fetch(&git, &[], name, FETCHED).await?;
        if let Some(last_valid) = self.last_valid() {
            obtain(&git, &last_valid).await;
        }
        mirror::keep_pushed(&self.git, &git).await;
        remove(&own).and_then(|()| std::fs::rename(&next, &own)).map_err(|error| self.failed(&error))
    }

    /// Fetches the last valid commit and its base if they are missing. Not an error if the remote no longer has them.
    pub(super) async fn obtain(&self, last_valid: &ValidCommit) {
        obtain(&self.git, last_valid).await;
    }

    /// The commit of a revision, if it was fetched.
    pub(super) async fn commit(&self, what: &str) -> Result<Option<String>, String> {
        let what = format!("{what}^{{commit}}");
        let output = self.git.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &what]).await?;
        if output.code() != Some(0) {
            return Ok(None);
        }
        Ok(Some(output.succeeded()?.trim().to_owned()).filter(|id| is_id(id)))
    }

    /// Whether `from` is an ancestor of the commit, as far as the history was fetched.
    pub(super) async fn descends(&self, commit: &str, from: &str) -> bool {
        let asked = self.git.run(&["merge-base", "--is-ancestor", from, commit]).await;
        asked.is_ok_and(|output| output.code() == Some(0))
    }

    /// Checks the signature of a commit.
    pub(super) async fn verify(&self, commit: &str) -> Result<(), String> {
        self.git.run_configured(&["verify-commit", commit]).await?.succeeded().map(drop)
    }

    /// Checks a commit out and switches the link to it; returns the folder to read.
    pub(super) async fn check_out(&mut self, commit: &str) -> Result<PathBuf, String> {
        self.unlock();
        let checkouts = self.folder.join("checkouts");
        std::fs::create_dir_all(&checkouts).map_err(|error| self.failed(&error))?;
        self.checkouts += 1;
        let name = format!("{}-{}-{}", commit.get(..12).unwrap_or(commit), std::process::id(), self.checkouts);
        let folder = checkouts.join(&name);
        remove(&folder).map_err(|error| self.failed(&error))?;
        let add = [Path::new("worktree"), "add".as_ref(), "--quiet".as_ref(), "--detach".as_ref(), "--force".as_ref()];
        let arguments = [&add[..], &[folder.as_path(), commit.as_ref()]].concat();
        self.git.run(&arguments).await?.succeeded()?;
        let read = self.switch(&name).map_err(|error| self.failed(&error))?;
        self.clean(&checkouts, &name).await;
        Ok(read)
    }

    /// Switches `current` to a checkout atomically.
    #[cfg(unix)]
    fn switch(&self, name: &str) -> io::Result<PathBuf> {
        let (next, current) = (self.folder.join("next"), self.folder.join("current"));
        remove(&next)?;
        std::os::unix::fs::symlink(Path::new("checkouts").join(name), &next)?;
        std::fs::rename(&next, &current)?;
        Ok(current)
    }

    /// Links need a privilege on this system, so each commit has its own path.
    #[cfg(not(unix))]
    fn switch(&self, name: &str) -> io::Result<PathBuf> {
        Ok(self.folder.join("checkouts").join(name))
    }

    /// Removes the checkouts of other commits. Failures are retried with the next commit.
    async fn clean(&self, checkouts: &Path, keep: &str) {
        for entry in std::fs::read_dir(checkouts).into_iter().flatten().flatten() {
            if entry.file_name() != keep
                && let Err(error) = remove(&entry.path())
            {
                tracing::warn!(%error, "an old checkout cannot be removed: {}", entry.path().display());
            }
        }
        let _ = self.git.run(&["worktree", "prune", "--expire=now"]).await;
    }

    /// Links the account's shared `.strowger` folder into the checkout.
    #[cfg(unix)]
    pub(super) fn keep(&self, root: &Path) -> io::Result<()> {
        let own = state_dir::path(root);
        let Ok(inside) = root.strip_prefix(self.folder.join("current")) else { return Ok(()) };
        // The commit itself has one.
        if own.symlink_metadata().is_ok() {
            return Ok(());
        }
        let kept = self.folder.join("kept").join(inside);
        std::fs::create_dir_all(&kept)?;
        std::os::unix::fs::symlink(kept, own)
    }

    #[cfg(not(unix))]
    pub(super) fn keep(&self, _root: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Also after a restart.
    pub(super) fn last_valid(&self) -> Option<ValidCommit> {
        let text = std::fs::read_to_string(self.folder.join("taken")).ok()?;
        let mut words = text.split_whitespace().map(str::to_owned);
        let last_valid = ValidCommit { commit: words.next()?, base: words.next() };
        (is_id(&last_valid.commit) && last_valid.base.as_deref().is_none_or(is_id)).then_some(last_valid)
    }

    /// Stores the last valid commit, and keeps its objects in the repository.
    pub(super) async fn remember(&self, last_valid: &ValidCommit) -> Result<(), String> {
        self.git.run(&["update-ref", VALID, &last_valid.commit]).await?.succeeded()?;
        self.store(last_valid)
    }

    fn store(&self, last_valid: &ValidCommit) -> Result<(), String> {
        let text = format!("{} {}\n", last_valid.commit, last_valid.base.as_deref().unwrap_or_default());
        mirror::write(&self.folder, "taken", &text).map_err(|error| self.failed(&error))
    }

    fn unlock(&self) {
        mirror::unlock(self.git.repository());
    }

    fn failed(&self, error: &io::Error) -> String {
        format!("cannot use {}: {error}", self.folder.display())
    }
}

fn lock(folder: &Path) -> Result<File, String> {
    let path = folder.join("lock");
    let failed = |error: &io::Error| format!("cannot lock {}: {error}", path.display());
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(format!("another process uses {}; give this one another `--state`", folder.display()))
        }
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}

async fn obtain(git: &Program, last_valid: &ValidCommit) {
    for (commit, keep) in [(Some(&last_valid.commit), VALID), (last_valid.base.as_ref(), BASE)] {
        let Some(commit) = commit else { continue };
        let whole = format!("{commit}^{{commit}}");
        let here = git.run(&["rev-parse", "--verify", "--quiet", &whole]).await;
        if here.is_ok_and(|output| output.code() == Some(0)) {
            continue;
        }
        // Some servers only allow fetching refs.
        if let Err(error) = mirror::fetch(git, &[], commit, keep).await {
            tracing::debug!(commit, "cannot be fetched by its id: {error}");
        }
    }
}

/// Whether this is an object id, which git cannot mistake for an option or a ref.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
