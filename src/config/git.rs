//! The git program, asked about the files of one folder as they were in a revision.
//!
//! Only plumbing is used, which runs no filter and no hook, and never a shell. A revision is resolved to a
//! commit once, so what is read belongs together also if a branch moves meanwhile.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Why git did not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program does not start.
    #[error("git does not start: {0}")]
    Start(#[source] io::Error),
    /// It ended with an error.
    #[error("git says: {0}")]
    Failed(String),
}

/// A folder inside a repository.
#[derive(Clone, Copy, Debug)]
pub(super) struct Git<'a> {
    folder: &'a Path,
}

/// The name of a commit that exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Commit(String);

/// A file or a link, directly in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) blob: String,
    pub(super) size: u64,
    pub(super) link: bool,
}

impl<'a> Git<'a> {
    /// The folder; `None` if it is in no repository, which git itself need not be asked about.
    pub(super) fn of(folder: &'a Path) -> Option<Self> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let whole = folder.canonicalize().ok()?;
        whole.ancestors().any(|folder| folder.join(".git").exists()).then_some(Self { folder })
    }

    /// The commit that a revision names; `None` if there is none.
    pub(super) fn commit(self, revision: &str) -> Result<Option<Commit>, GitError> {
        let wanted = format!("{revision}^{{commit}}");
        let output = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted], None)?;
        match output.status.code() {
            Some(0) => Ok(Some(Commit(text(&output.stdout)))),
            Some(1) => Ok(None),
            _ => Err(failed(&output)),
        }
    }

    /// Whether the history ends early because not all of it was fetched.
    pub(super) fn is_shallow(self) -> bool {
        self.run(&["rev-parse", "--is-shallow-repository"], None).is_ok_and(|output| text(&output.stdout) == "true")
    }

    /// The files and links directly in the folder, sorted by name; none if the commit has no such folder.
    pub(super) fn files(self, Commit(commit): &Commit) -> Result<Vec<Entry>, GitError> {
        let output = succeeded(self.run(&["ls-tree", "-z", "-l", commit], None)?)?;
        Ok(output.stdout.split(|byte| *byte == 0).filter_map(entry).collect())
    }

    /// The bytes of a file; of a link, those of the file that it leads to.
    pub(super) fn read(self, Commit(commit): &Commit, entry: &Entry) -> Result<Vec<u8>, GitError> {
        if !entry.link {
            return Ok(succeeded(self.run(&["cat-file", "blob", &entry.blob], None)?)?.stdout);
        }
        let asked = format!("{commit}:./{}\n", entry.name);
        let output = succeeded(self.run(&["cat-file", "--batch", "--follow-symlinks"], Some(&asked))?)?;
        let answer = output.stdout;
        let broken = || GitError::Failed(format!("{} leads to no file of the repository", entry.name));
        let line = answer.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
        let head = text(answer.get(..line).unwrap_or_default());
        let size = match head.split(' ').collect::<Vec<_>>().as_slice() {
            [_, "blob", size] => size.parse::<usize>().map_err(|_| broken())?,
            _ => return Err(broken()),
        };
        let start = line + 1;
        answer.get(start..start.saturating_add(size)).map(<[u8]>::to_vec).ok_or_else(broken)
    }

    fn run(self, arguments: &[&str], input: Option<&str>) -> Result<Output, GitError> {
        let mut process = Command::new("git")
            .args(arguments)
            .current_dir(self.folder)
            // In a hook they are relative to another folder than this one.
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_PREFIX")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(GitError::Start)?;
        if let (Some(input), Some(mut stdin)) = (input, process.stdin.take()) {
            // One line fits any pipe; a git that ended already says why below.
            let _ = stdin.write_all(input.as_bytes());
        }
        process.wait_with_output().map_err(GitError::Start)
    }
}

/// One line of `ls-tree -l`: mode, type, object, size, a tab, the name.
fn entry(row: &[u8]) -> Option<Entry> {
    // A name that is no UTF-8 cannot end in `.yaml` in a way that anybody typed.
    let (head, name) = std::str::from_utf8(row).ok()?.split_once('\t')?;
    let mut fields = head.split_ascii_whitespace();
    let (mode, kind, blob, size) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let link = mode == "120000";
    let size = size.parse().ok().filter(|_| kind == "blob")?;
    Some(Entry { name: name.to_owned(), blob: blob.to_owned(), size, link })
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
