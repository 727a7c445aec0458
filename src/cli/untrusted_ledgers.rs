//! Ledgers that are not to be believed without saying so: those that a commit can have brought.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::config;
use crate::ledger::Found;

/// What each account's repository knows of ledgers.
#[derive(Default)]
pub(super) struct Doubts(HashMap<PathBuf, Result<config::TrackedNames, String>>);

impl Doubts {
    /// Why a ledger is not believed, as the end of a sentence that begins with it; nothing if it was written here, as far
    /// as git can tell.
    pub(super) fn of(&mut self, found: &Found) -> Option<String> {
        let folder = found.path.parent()?;
        let names = self
            .0
            .entry(folder.to_path_buf())
            .or_insert_with_key(|folder| config::tracked_names(folder, ".jsonl").map_err(|error| error.to_string()));
        match names {
            Ok(names) if names.has(found.path.file_name()?) => {
                Some("is part of the repository, so whoever wrote a commit can have written it".to_owned())
            }
            Ok(_) => None,
            Err(error) => Some(format!("may be part of the repository, which is not known: {error}")),
        }
    }
}
