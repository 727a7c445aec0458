//! Ledgers that are not trusted by default: a commit may have forged them.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::config;
use crate::ledger::Found;

/// The ledgers that each account's repository tracks.
#[derive(Default)]
pub(super) struct Doubts(HashMap<PathBuf, Result<config::TrackedNames, String>>);

impl Doubts {
    /// Why a ledger is not trusted, as the end of a sentence that begins with it; `None` if it was written here, as far
    /// as git can tell.
    pub(super) fn of(&mut self, found: &Found) -> Option<String> {
        let folder = found.path.parent()?;
        let names = self
            .0
            .entry(folder.to_path_buf())
            .or_insert_with_key(|folder| config::tracked_names(folder, ".jsonl").map_err(|error| error.to_string()));
        match names {
            Ok(names) if names.has(found.path.file_name()?) => {
                Some("is committed to the repository, so the author of a commit may have forged it".to_owned())
            }
            Ok(_) => None,
            Err(error) => Some(format!("may be committed to the repository, which cannot be determined: {error}")),
        }
    }
}
