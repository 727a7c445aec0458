//! One apply at a time for each account of a folder.
//!
//! The system holds the lock and drops it with the process, however that ends; the file itself stays, because
//! removing it would let two processes lock two files of one name. What it says is for messages only. Across
//! machines the preconditions of the writes hold.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::text::sanitized;

use crate::ledger::state_dir;

/// The lock, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the lock was not got.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("{holder} applies to this account at this moment ({} is locked); nothing was read or written", path.display())]
    Held {
        /// The file.
        path: PathBuf,
        /// Who says so in the file. Made safe to show.
        holder: String,
    },
    #[error("cannot lock {}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why. Part of the message, so that no chain of causes says it again.
        why: io::Error,
    },
}

impl Lock {
    /// Takes the lock of an account, whose `stem` is a name safe for files, and notes who has it since when.
    pub fn take(root: &Path, stem: &str, holder: &str) -> Result<Self, LockError> {
        let path = state_dir::path(root).join(format!("{stem}.lock"));
        let failed = |why| LockError::File { path: path.clone(), why };
        state_dir::subfolder(root, None).and_then(std::fs::create_dir_all).map_err(failed)?;
        let options = &mut OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = state_dir::open(options, &path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { holder: said(&mut file), path }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // The lock counts, not the note: a disk that is full is found out by the ledger.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
        Ok(Self { _file: file })
    }
}

/// What the holder wrote, which may be nothing yet.
fn said(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(200).read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => sanitized(&text, 100),
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_says_by_whom_and_is_free_again_with_its_end() {
        let root = tempfile::tempdir().unwrap();
        let lock = Lock::take(root.path(), "a", "process 7, since noon").unwrap();
        let error = Lock::take(root.path(), "a", "process 8").unwrap_err().to_string();
        assert!(error.starts_with("process 7, since noon applies to this account"), "{error}");
        Lock::take(root.path(), "b", "another account").unwrap();
        drop(lock);
        Lock::take(root.path(), "a", "process 9").unwrap();
    }
}
