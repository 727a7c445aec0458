//! The git program, asked about files as they were in a revision.
//!
//! Only plumbing is used, which runs no filter and no hook, and never a shell. A fleet asks once for each
//! revision of its repository, not once for each account: a revision is resolved to a commit once, so what is
//! read belongs together also if a branch moves meanwhile; a commit's files are listed once; one process
//! reads them all.

mod blobs;

use std::collections::{HashMap, hash_map};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::sync::Arc;

use super::files::{is_read, or_here};
use blobs::Blobs;

/// Why git did not answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GitError {
    /// The program does not start, or cannot be spoken to.
    #[error("git does not answer: {0}")]
    Start(Arc<io::Error>),
    /// It ended with an error.
    #[error("git says: {0}")]
    Failed(String),
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
    /// The folder that the paths in a commit are relative to.
    top: PathBuf,
    commits: HashMap<String, Option<Commit>>,
    trees: HashMap<Commit, Tree>,
    blobs: Option<Blobs>,
}

/// The YAML files of a commit.
#[derive(Debug)]
struct Tree {
    /// By the path of their folder.
    files: HashMap<String, Rc<[Entry]>>,
    /// Their folders, sorted.
    places: Rc<[String]>,
}

/// The name of a commit that exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Commit(String);

/// A YAML file, or a link that is called like one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) link: bool,
    pub(super) blob: String,
}

/// The nearest folder above that looks like a repository, which git itself need not be asked about.
pub(super) fn above(folder: &Path) -> Option<PathBuf> {
    let folder = or_here(folder);
    // A link may lead out of the repository that it is part of.
    let ways = [folder.canonicalize().ok(), std::path::absolute(folder).ok()];
    // What cannot be looked at is there, so that git is asked and says why.
    let is_repository = |folder: &&Path| folder.join(".git").try_exists().unwrap_or(true);
    ways.iter().flatten().find_map(|way| way.ancestors().find(is_repository)).map(Path::to_path_buf)
}

impl Repository {
    /// The repository at a folder that [`above`] found.
    pub(super) fn open(folder: &Path) -> Result<Self, GitError> {
        let top = succeeded(run(folder, &["rev-parse", "--show-toplevel"])?)?;
        let top = Path::new(&text(&top.stdout)).canonicalize()?;
        Ok(Self { top, commits: HashMap::new(), trees: HashMap::new(), blobs: None })
    }

    /// The commit that a revision names; `None` if there is none.
    pub(super) fn commit(&mut self, revision: &str) -> Result<Option<Commit>, GitError> {
        if let Some(known) = self.commits.get(revision) {
            return Ok(known.clone());
        }
        let wanted = format!("{revision}^{{commit}}");
        let output = run(&self.top, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
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
                let raw = succeeded(run(&self.top, &["cat-file", "commit", &head.0])?)?;
                let raw = String::from_utf8_lossy(&raw.stdout);
                let mut header = raw.lines().take_while(|line| !line.is_empty());
                Ok(header.any(|line| line.starts_with("parent ")))
            }
            Some(_) => Ok(false),
            None => Ok(run(&self.top, &["rev-parse", "--verify", "--quiet", "HEAD"])?.status.success()),
        }
    }

    /// Whether a file is on the disk as it was in a commit.
    pub(super) fn has_still(&mut self, commit: &Commit, place: &str, file: &Entry) -> bool {
        let path = self.top.join(place).join(&file.name);
        match self.read(commit, place, file) {
            Ok(bytes) => std::fs::read(path).is_ok_and(|now| now == bytes),
            // A link that leads nowhere.
            Err(_) => std::fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink()),
        }
    }

    /// The YAML files directly in a folder, sorted by name; none if the commit has no such folder.
    pub(super) fn files(&mut self, commit: &Commit, place: &str) -> Result<Rc<[Entry]>, GitError> {
        Ok(self.tree(commit)?.files.get(place).cloned().unwrap_or_default())
    }

    /// The folders, sorted, in which the commit has a YAML file.
    pub(super) fn places(&mut self, commit: &Commit) -> Result<Rc<[String]>, GitError> {
        Ok(Rc::clone(&self.tree(commit)?.places))
    }

    fn tree(&mut self, commit: &Commit) -> Result<&Tree, GitError> {
        match self.trees.entry(commit.clone()) {
            hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            hash_map::Entry::Vacant(free) => {
                let listed = run(&self.top, &["ls-tree", "-r", "-z", "-l", "--full-tree", &commit.0])?;
                Ok(free.insert(Tree::new(&succeeded(listed)?.stdout)))
            }
        }
    }

    /// The bytes of a file in a folder; of a link, those of the file that it leads to.
    pub(super) fn read(&mut self, commit: &Commit, place: &str, entry: &Entry) -> Result<Vec<u8>, GitError> {
        let asked = match (entry.link, place) {
            (false, _) => entry.blob.clone(),
            (true, "") => format!("{}:{}", commit.0, entry.name),
            (true, _) => format!("{}:{place}/{}", commit.0, entry.name),
        };
        if self.blobs.is_none() {
            self.blobs = Some(Blobs::start(command(&self.top, &Blobs::ARGUMENTS))?);
        }
        let broken = || GitError::Failed(format!("{} leads to no file of the repository", entry.name));
        let read = self.blobs.as_mut().map_or(Ok(None), |blobs| blobs.read(&asked));
        if read.is_err() {
            self.blobs = None;
        }
        read?.ok_or_else(broken)
    }

    /// A folder's path inside the repository: `/` between its parts, empty for the top.
    pub(super) fn place(&self, folder: &Path) -> Option<String> {
        let folder = or_here(folder).canonicalize().ok()?;
        let parts = folder.strip_prefix(&self.top).ok()?.iter().map(|part| part.to_str());
        Some(parts.collect::<Option<Vec<&str>>>()?.join("/"))
    }
}

/// Git in a folder, of which empty is the current one: it asks nobody, waits for no lock, and starts no monitor that
/// the repository names.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(["-c", "core.fsmonitor=false"]).args(arguments).current_dir(or_here(folder));
    // What it says is looked at, so it says it in English.
    command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    // In a hook they are relative to another folder than this one.
    command.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_PREFIX");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Result<Output, GitError> {
    Ok(command(folder, arguments).stdin(Stdio::null()).output()?)
}

impl Tree {
    fn new(listed: &[u8]) -> Self {
        let mut files: HashMap<String, Vec<Entry>> = HashMap::new();
        for (folder, entry) in listed.split(|byte| *byte == 0).filter_map(entry) {
            files.entry(folder).or_default().push(entry);
        }
        let mut places: Vec<String> = files.keys().cloned().collect();
        places.sort_unstable();
        Self {
            places: places.into(),
            files: files.into_iter().map(|(folder, entries)| (folder, entries.into())).collect(),
        }
    }
}

/// One line of `ls-tree -l`: mode, type, object, size, a tab, the path.
fn entry(row: &[u8]) -> Option<(String, Entry)> {
    // Nobody can give a path that is no UTF-8 and reads one that is.
    let (head, path) = std::str::from_utf8(row).ok()?.split_once('\t')?;
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut fields = head.split_ascii_whitespace();
    let (mode, kind, blob, size) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let size = size.parse().ok().filter(|_| kind == "blob" && is_read(Path::new(name)))?;
    let (name, blob) = (name.to_owned(), blob.to_owned());
    Some((folder.to_owned(), Entry { name, size, link: mode == "120000", blob }))
}

fn succeeded(output: Output) -> Result<Output, GitError> {
    if output.status.success() { Ok(output) } else { Err(failed(&output)) }
}

fn failed(output: &Output) -> GitError {
    let said = text(&output.stderr);
    let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("nothing").to_owned();
    GitError::Failed(first)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
