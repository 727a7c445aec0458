//! Accounts as snapshots have them, in place of the accounts themselves: `plan --snapshot`.
//!
//! For whoever has no token, such as a pull request from a fork. Nothing is asked of the account's provider, and no
//! secret is looked for, so that files which nobody has read yet cannot start a program or send a token anywhere.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::config::Account;
use crate::providers::snapshot::Snapshot;
use crate::render::counted;

/// Where accounts are written down.
pub(super) enum SnapshotSource {
    /// One account, in a file.
    File(PathBuf),
    /// Each account in a file of its own.
    Folder(PathBuf),
}

/// What is at a path; it must do for these accounts.
pub(super) fn of(path: &Path, accounts: &[Account]) -> anyhow::Result<SnapshotSource> {
    if path.is_dir() {
        return Ok(SnapshotSource::Folder(path.to_owned()));
    }
    if accounts.len() > 1 {
        let accounts = counted(accounts.len(), "account");
        bail!("{} is a snapshot of one account, and there are {accounts}: give a folder of snapshots", path.display());
    }
    Ok(SnapshotSource::File(path.to_owned()))
}

impl SnapshotSource {
    /// The account as it was written down.
    pub(super) fn of(&self, account: &Account) -> Snapshot {
        match self {
            Self::File(path) => Snapshot::new(path),
            // What the account is called cannot lead out of the folder.
            Self::Folder(folder) => Snapshot::new(folder.join(format!("{}.yaml", account.settings.file_stem()))),
        }
    }
}
