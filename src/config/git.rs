//! The git program, asked about files as they were in a revision.
//!
//! Only plumbing is used, which runs no filter and no hook, and never a shell. The repository is found here and
//! given to git (`folder`), and every process has an environment of our own (`command`). A fleet asks once for each
//! revision of its repository, not once for each account: a revision is resolved to a commit once, so what is
//! read belongs together also if a branch moves meanwhile; a commit's files are listed once; one process
//! reads them all.

mod ambiguity;
mod blobs;
mod command;
mod folder;
mod head;
mod owner;
mod timeout;
mod tracked;
mod tree;

use std::borrow::Cow;
use std::collections::{HashMap, hash_map};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::sync::Arc;

use super::files::or_here;
use blobs::Blobs;
use tree::Tree;

pub use command::{Access, command};
pub use folder::{Place, above as repository_above};
pub(super) use folder::{above, all_above};
pub use head::head;
pub use owner::owner_of;
pub use tracked::{TrackedNames, tracked_names};
pub(super) use tree::Entry;

/// Why git did not answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GitError {
    /// The program does not start, or cannot be spoken to.
    #[error("git does not answer: {0}")]
    Start(Arc<io::Error>),
    #[error("git: {0}")]
    Failed(String),
    /// The repository is not one whose answers can be believed, or has no answer.
    #[error("{0}")]
    Unclear(String),
}

/// The message has the system's words already, so no chain of causes repeats them.
impl From<io::Error> for GitError {
    fn from(error: io::Error) -> Self {
        Self::Start(Arc::new(error))
    }
}

/// A repository with files.
#[derive(Debug)]
pub(super) struct Repository {
    at: Place,
    commits: HashMap<String, Option<Commit>>,
    trees: HashMap<Commit, Tree>,
    blobs: Option<Blobs>,
}

/// The name of a commit that exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Commit(String);

impl Repository {
    /// The repository at a folder that [`above`] found, if it is the operator's and its files are there.
    pub(super) fn open(folder: &Path) -> Result<Self, GitError> {
        Ok(Self { at: locate(folder)?, commits: HashMap::new(), trees: HashMap::new(), blobs: None })
    }

    /// The commit that a revision names; `None` if there is none.
    pub(super) fn commit(&mut self, revision: &str) -> Result<Option<Commit>, GitError> {
        if let Some(known) = self.commits.get(revision) {
            return Ok(known.clone());
        }
        let commit = format!("{revision}^{{commit}}");
        let output = run(&self.at, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
        let commit = match output.status.code() {
            Some(0) => Some(Commit(text(&output.stdout))),
            Some(1) => None,
            _ => return Err(failed(&output)),
        };
        self.commits.insert(revision.to_owned(), commit.clone());
        Ok(commit)
    }

    /// Whether a commit that is not here should be: HEAD names one, unless there is none yet; and it names its
    /// parent, unless it is the first, whatever was fetched of the history.
    pub(super) fn lacks(&mut self, revision: &str) -> Result<bool, GitError> {
        match self.commit("HEAD")? {
            Some(head) if revision != "HEAD" => {
                let raw = succeeded(run(&self.at, &["cat-file", "commit", &head.0])?)?;
                let mut header = raw.stdout.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
                Ok(header.any(|line| line.starts_with(b"parent ")))
            }
            Some(_) => Ok(false),
            // A branch that has no commit yet, while others have some, says nothing of what was before.
            None => {
                let named = run(&self.at, &["rev-parse", "--verify", "--quiet", "HEAD"])?.status.success();
                let some = succeeded(run(&self.at, &["for-each-ref", "--count=1", "--format=%(refname)"])?)?;
                Ok(named || !some.stdout.is_empty())
            }
        }
    }

    /// Whether a file is on the disk as it was in a commit.
    pub(super) fn has_still(&mut self, commit: &Commit, place: &Path, file: &Entry) -> bool {
        let path = self.at.top.join(place).join(&file.name);
        match self.read(commit, place, file) {
            Ok(bytes) => {
                // A special file is not opened, because that may wait for ever.
                let size = path.metadata().ok().filter(std::fs::Metadata::is_file).map(|about| about.len());
                size == Some(bytes.len() as u64) && std::fs::read(path).is_ok_and(|now| now == bytes)
            }
            // A link that leads nowhere.
            Err(_) => std::fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink()),
        }
    }

    /// The YAML files directly in a folder, sorted by name; none if the commit has no such folder. An error if the
    /// folder was a link or a submodule, whose files are not known.
    pub(super) fn files(&mut self, commit: &Commit, place: &Path) -> Result<Rc<[Entry]>, GitError> {
        self.tree(commit)?.files(place).map_err(GitError::Unclear)
    }

    /// The folders, sorted, in which the commit has a YAML file.
    pub(super) fn places(&mut self, commit: &Commit) -> Result<Rc<[PathBuf]>, GitError> {
        Ok(Rc::clone(&self.tree(commit)?.places))
    }

    fn tree(&mut self, commit: &Commit) -> Result<&Tree, GitError> {
        match self.trees.entry(commit.clone()) {
            hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            hash_map::Entry::Vacant(free) => {
                let listed = run(&self.at, &["ls-tree", "-r", "-z", "-l", "--full-tree", &commit.0])?;
                Ok(free.insert(Tree::new(&succeeded(listed)?.stdout)))
            }
        }
    }

    /// The bytes of a file in a folder; of a link, those of the file that it leads to.
    pub(super) fn read(&mut self, commit: &Commit, place: &Path, entry: &Entry) -> Result<Vec<u8>, GitError> {
        let mut object = entry.blob.clone().into_bytes();
        if entry.link {
            object = [commit.0.as_bytes(), b":", &git_path(&place.join(&entry.name))].concat();
        }
        if self.blobs.is_none() {
            self.blobs = Some(Blobs::start(git(&self.at, &Blobs::ARGUMENTS)?)?);
        }
        let broken = || {
            let name = crate::text::sanitized(&entry.name.to_string_lossy(), 200);
            GitError::Failed(format!("{name} leads to no file of the repository"))
        };
        let read = self.blobs.as_mut().map_or(Ok(None), |blobs| blobs.read(&object));
        if read.is_err() {
            self.blobs = None;
        }
        read?.ok_or_else(broken)
    }

    /// A folder's path inside the repository, empty for the top; `None` outside of it.
    pub(super) fn place(&self, folder: &Path) -> Option<PathBuf> {
        let folder = folder::resolved(or_here(folder)).ok()?;
        folder.strip_prefix(&self.at.top).ok().map(Path::to_path_buf)
    }
}

fn git(at: &Place, arguments: &[&str]) -> Result<Command, GitError> {
    let mut command = command(&at.repository, Access::Local, &[])?;
    // Whatever its configuration says.
    command.env("GIT_WORK_TREE", &at.top).args(arguments).stdin(Stdio::null());
    Ok(command)
}

fn run(at: &Place, arguments: &[&str]) -> Result<Output, GitError> {
    timeout::output(git(at, arguments)?, timeout::LIMIT)
}

/// The repository at a folder that [`above`] found, if git, too, takes it for that and for the operator's.
pub fn locate(folder: &Path) -> Result<Place, GitError> {
    let at = Place::of(folder)?;
    let query = ["rev-parse", "--absolute-git-dir", "--show-toplevel"];
    let mut command = command::discover(&at.top)?;
    command.args(query).stdin(Stdio::null());
    let output = succeeded(timeout::output(command, timeout::LIMIT)?)?;
    // A path may have line breaks.
    let both = [git_path(&at.repository), b"\n".into(), git_path(&at.top)].concat();
    let answer = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
    let lines = || answer.split(|byte| *byte == b'\n').map(|line| folder::resolved(&os_path(line)).ok());
    if answer != both && !lines().eq([Some(at.repository.clone()), Some(at.top.clone())]) {
        return Err(GitError::Unclear("its configuration leads to other files or another repository".to_owned()));
    }
    Ok(at)
}

/// A path as git writes it.
#[cfg(unix)]
fn git_path(path: &Path) -> Cow<'_, [u8]> {
    use std::os::unix::ffi::OsStrExt as _;

    path.as_os_str().as_bytes().into()
}

#[cfg(not(unix))]
fn git_path(path: &Path) -> Cow<'_, [u8]> {
    path.to_string_lossy().replace('\\', "/").into_bytes().into()
}

/// A path that git wrote.
#[cfg(unix)]
fn os_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;

    std::ffi::OsStr::from_bytes(bytes).into()
}

#[cfg(not(unix))]
fn os_path(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn succeeded(output: Output) -> Result<Output, GitError> {
    if output.status.success() { Ok(output) } else { Err(failed(&output)) }
}

fn failed(output: &Output) -> GitError {
    let stderr = text(&output.stderr);
    let first = stderr.lines().find(|line| !line.trim().is_empty()).unwrap_or("nothing").to_owned();
    GitError::Failed(first)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
