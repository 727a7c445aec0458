//! `plan --snapshot`: snapshots in place of the live accounts.
//!
//! For plans without a token, such as for a pull request from a fork. The provider is not contacted, and no
//! secret is read, so that unreviewed files cannot start a program or send a token anywhere.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::config::Account;
use crate::providers::snapshot::Snapshot;
use crate::render::counted;

/// Where the snapshots are.
pub(super) enum SnapshotSource {
    /// One account, in a file.
    File(PathBuf),
    /// One file per account.
    Folder(PathBuf),
}

/// The snapshots at a path; there must be one for each account.
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
    /// The snapshot of an account.
    pub(super) fn of(&self, account: &Account) -> Snapshot {
        match self {
            Self::File(path) => Snapshot::new(path),
            // `file_stem` cannot lead out of the folder.
            Self::Folder(folder) => Snapshot::new(folder.join(format!("{}.yaml", account.settings.file_stem()))),
        }
    }
}
