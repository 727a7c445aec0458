//! Where ledgers are, and reading them.

use std::fs::OpenOptions;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use super::{ReadError, Reader, Run, RunId, state_dir};

/// The part of a ledger's name behind the run's.
const SUFFIX: &str = ".jsonl";

/// A ledger in a folder; it may be unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub run: RunId,
    /// The account's folder.
    pub root: PathBuf,
    /// The file.
    pub path: PathBuf,
}

/// A ledger that was opened: its run, or why there is none.
pub type Opened = Result<Run, LedgerError>;

/// Why a ledger cannot be read, with its file.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file or its folder.
    #[error("cannot read {}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why. Part of the message, so that no chain of causes says it again.
        why: io::Error,
    },
    /// What is in the file.
    #[error("{}: {why}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// Why. Part of the message as well.
        why: ReadError,
    },
}

/// The folder of an account's ledgers.
pub(super) fn of(root: &Path) -> io::Result<PathBuf> {
    state_dir::subfolder(root, Some("ledger"))
}

pub(super) fn file_name(run: &RunId) -> String {
    format!("{run}{SUFFIX}")
}

impl Found {
    /// The ledgers of an account's folder, the newest first; none if there is no such folder.
    pub fn all(root: &Path) -> Result<Vec<Self>, LedgerError> {
        let folder = of(root).map_err(|why| LedgerError::File { path: state_dir::path(root).join("ledger"), why })?;
        let failed = |why| LedgerError::File { path: folder.clone(), why };
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(SUFFIX));
            if let Some(run) = name.and_then(|name| name.parse().ok()) {
                found.push(Self { run, root: root.to_owned(), path });
            }
        }
        found.sort_by(|left, right| right.run.cmp(&left.run));
        Ok(found)
    }

    /// Reads it.
    pub fn open(&self) -> Opened {
        let failed = |why| LedgerError::File { path: self.path.clone(), why };
        let wrong = |why| LedgerError::Content { path: self.path.clone(), why };
        let file = state_dir::open(OpenOptions::new().read(true), &self.path).map_err(failed)?;
        let mut file = BufReader::new(file);
        let mut reader = Reader::default();
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            reader.line(&line).map_err(wrong)?;
            line.clear();
        }
        let run = reader.finish().map_err(wrong)?;
        if run.id == self.run { Ok(run) } else { Err(wrong(ReadError::Renamed)) }
    }
}
