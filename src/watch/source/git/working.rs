//! The working folder: a bare repository, and a checkout of the commit that counts.
//!
//! ```text
//! lock         held as long as the process uses the folder
//! repository/  what was fetched
//! checkouts/   one folder for each commit, of which at most two are there, and one stays
//! current      a link to the newest of them: files are read through it only
//! kept/        what Strowger keeps beside an account's files, for all checkouts
//! taken        the last commit without errors, and the one that it was judged by
//! ```
//!
//! A checkout is complete before the link leads to it, and nobody writes to it afterwards; so nobody ever sees half of
//! a commit, and the path of a file stays the same from commit to commit.

use crate::ledger::state_dir;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::mirror::{self, remove};
use super::names::RefName;
use super::program::Program;
use super::url::Url;

/// Where a fetched commit is kept.
const FETCHED: &str = "refs/strowger/fetched";
/// Where the last commit without errors is kept, whatever becomes of the branch.
const TAKEN: &str = "refs/strowger/taken";
/// Where the commit is kept that it was judged by, if that had to be fetched by its name.
const BASE: &str = "refs/strowger/base";

/// The working folder, for this process alone.
#[derive(Debug)]
pub(super) struct Working {
    folder: PathBuf,
    git: Program,
    checkouts: u32,
    _lock: File,
}

/// The last commit without errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoadedRevision {
    pub(super) commit: String,
    /// The commit whose guards it was judged by, if not by the default rule.
    pub(super) base: Option<String>,
}

impl Working {
    /// Makes the folder, or goes on with one that is there.
    pub(super) async fn open(folder: &Path, url: Url, patience: Duration) -> Result<Self, String> {
        let failed = |error: io::Error| format!("cannot use {}: {error}", folder.display());
        std::fs::create_dir_all(folder).map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        let lock = lock(&folder)?;
        let repository = folder.join("repository");
        let git = Program::new(repository.clone(), Some(url), patience);
        let mut working = Self { folder, git, checkouts: 0, _lock: lock };
        mirror::lay_out(&repository).map_err(|error| working.failed(&error))?;
        working.git.prepare().await?;
        // A power failure may have emptied the file.
        if working.taken().is_none()
            && let Some(commit) = working.commit(TAKEN).await?
        {
            working.note(&LoadedRevision { commit, base: None })?;
        }
        Ok(working)
    }

    /// The ref that the remote has by this name, and what it leads to now.
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
        // At first, a commit and what was before it; then everything that was added.
        if known {
            mirror::fetch(&self.git, &[], name, FETCHED).await?;
        } else if let Err(says) = mirror::fetch(&self.git, &["--depth=2"], name, FETCHED).await {
            if !says.contains("shallow") {
                return Err(says);
            }
            mirror::fetch(&self.git, &[], name, FETCHED).await?;
        }
        self.commit(FETCHED).await?.ok_or_else(|| format!("`{name}` leads to no commit"))
    }

    /// Whether git finds fault with what was fetched.
    pub(super) async fn is_damaged(&self) -> bool {
        mirror::is_damaged(&self.git).await
    }

    /// Fetches everything again, and only then replaces what was there.
    pub(super) async fn renew(&mut self, name: &str) -> Result<(), String> {
        let (next, own) = (self.folder.join("repository.next"), self.folder.join("repository"));
        remove(&next).and_then(|()| mirror::lay_out(&next)).map_err(|error| self.failed(&error))?;
        let git = self.git.of(next.clone());
        mirror::fetch(&git, &[], name, FETCHED).await?;
        if let Some(taken) = self.taken() {
            obtain(&git, &taken).await;
        }
        mirror::keep_pushed(&self.git, &git).await;
        remove(&own).and_then(|()| std::fs::rename(&next, &own)).map_err(|error| self.failed(&error))
    }

    /// Fetches the commits that were taken up before, if they are not here; not an error, if the remote has them no longer.
    pub(super) async fn obtain(&self, taken: &LoadedRevision) {
        obtain(&self.git, taken).await;
    }

    /// The commit that something leads to, if it is here.
    pub(super) async fn commit(&self, what: &str) -> Result<Option<String>, String> {
        let what = format!("{what}^{{commit}}");
        let output = self.git.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &what]).await?;
        if output.code() != Some(0) {
            return Ok(None);
        }
        Ok(Some(output.succeeded()?.trim().to_owned()).filter(|id| is_id(id)))
    }

    /// Whether a commit has another one in its history, as far as that was fetched.
    pub(super) async fn descends(&self, commit: &str, from: &str) -> bool {
        let asked = self.git.run(&["merge-base", "--is-ancestor", from, commit]).await;
        asked.is_ok_and(|output| output.code() == Some(0))
    }

    /// Whether git takes the commit's signature for good.
    pub(super) async fn verify(&self, commit: &str) -> Result<(), String> {
        self.git.run_configured(&["verify-commit", commit]).await?.succeeded().map(drop)
    }

    /// Checks a commit out, and has the link lead to it; returns the folder to read.
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

    /// Has `current` lead to a checkout, at once.
    #[cfg(unix)]
    fn switch(&self, name: &str) -> io::Result<PathBuf> {
        let (next, current) = (self.folder.join("next"), self.folder.join("current"));
        remove(&next)?;
        std::os::unix::fs::symlink(Path::new("checkouts").join(name), &next)?;
        std::fs::rename(&next, &current)?;
        Ok(current)
    }

    /// Links need a privilege here, so that every commit has a path of its own.
    #[cfg(not(unix))]
    fn switch(&self, name: &str) -> io::Result<PathBuf> {
        Ok(self.folder.join("checkouts").join(name))
    }

    /// Removes what is left of other commits. What cannot be removed now is removed later.
    async fn clean(&self, checkouts: &Path, stays: &str) {
        for entry in std::fs::read_dir(checkouts).into_iter().flatten().flatten() {
            if entry.file_name() != stays
                && let Err(error) = remove(&entry.path())
            {
                tracing::warn!(%error, "an old checkout cannot be removed: {}", entry.path().display());
            }
        }
        let _ = self.git.run(&["worktree", "prune", "--expire=now"]).await;
    }

    /// Gives an account's folder the `.strowger` that it had in the checkout before.
    #[cfg(unix)]
    pub(super) fn keep(&self, root: &Path) -> io::Result<()> {
        let own = state_dir::path(root);
        let Ok(inside) = root.strip_prefix(self.folder.join("current")) else { return Ok(()) };
        // What the commit has is the operator's.
        if own.symlink_metadata().is_ok() {
            return Ok(());
        }
        let kept = self.folder.join("kept").join(inside);
        std::fs::create_dir_all(&kept)?;
        std::os::unix::fs::symlink(kept, own)
    }

    /// There is no link to one of another checkout.
    #[cfg(not(unix))]
    pub(super) fn keep(&self, _root: &Path) -> io::Result<()> {
        Ok(())
    }

    /// The last commit without errors, of this process or one before.
    pub(super) fn taken(&self) -> Option<LoadedRevision> {
        let text = std::fs::read_to_string(self.folder.join("taken")).ok()?;
        let mut words = text.split_whitespace().map(str::to_owned);
        let taken = LoadedRevision { commit: words.next()?, base: words.next() };
        (is_id(&taken.commit) && taken.base.as_deref().is_none_or(is_id)).then_some(taken)
    }

    /// Remembers it, and keeps its files in the repository.
    pub(super) async fn remember(&self, taken: &LoadedRevision) -> Result<(), String> {
        self.git.run(&["update-ref", TAKEN, &taken.commit]).await?.succeeded()?;
        self.note(taken)
    }

    fn note(&self, taken: &LoadedRevision) -> Result<(), String> {
        let text = format!("{} {}\n", taken.commit, taken.base.as_deref().unwrap_or_default());
        mirror::write(&self.folder, "taken", &text).map_err(|error| self.failed(&error))
    }

    fn unlock(&self) {
        mirror::unlock(self.git.repository());
    }

    fn failed(&self, error: &io::Error) -> String {
        format!("cannot use {}: {error}", self.folder.display())
    }
}

/// The folder for this process alone.
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

/// Fetches the commits that were taken up before, if they are not there.
async fn obtain(git: &Program, taken: &LoadedRevision) {
    for (commit, keep) in [(Some(&taken.commit), TAKEN), (taken.base.as_ref(), BASE)] {
        let Some(commit) = commit else { continue };
        let whole = format!("{commit}^{{commit}}");
        let here = git.run(&["rev-parse", "--verify", "--quiet", &whole]).await;
        if here.is_ok_and(|output| output.code() == Some(0)) {
            continue;
        }
        // Some servers give only what a branch leads to.
        if let Err(says) = mirror::fetch(git, &[], commit, keep).await {
            tracing::debug!(commit, "cannot be fetched by its name: {says}");
        }
    }
}

/// The name of an object: nothing that git could take for something else.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
