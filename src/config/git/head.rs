//! The commit that an account's files come from, for the record of a run.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use super::super::account::Account;
use super::{Repository, above};

/// The commit that is checked out around an account's files, and whether they differ from it in any byte; nothing
/// outside of a repository, or in one that cannot be read.
pub fn head(account: &Account) -> Option<(String, bool)> {
    let mut repository = Repository::open(&above(&account.root)?).ok()?;
    let commit = repository.commit("HEAD").ok()??;
    let same = is_same(account, &mut repository, &commit);
    Some((commit.0, !same))
}

/// Whether an account has these files in a commit, and no others.
fn is_same(account: &Account, repository: &mut Repository, commit: &super::Commit) -> bool {
    let Some(place) = repository.place(&account.root) else { return false };
    let Ok(files) = repository.files(commit, &place) else { return false };
    let then: Vec<_> = files.iter().filter(|file| account.reads(&file.name)).collect();
    let names: BTreeSet<&OsStr> = then.iter().map(|file| file.name.as_os_str()).collect();
    let now: BTreeSet<&OsStr> = account.files.iter().filter_map(|path| path.file_name()).collect();
    // Of a link that leads out of the repository, the commit does not know the content.
    let is_same = |file| repository.read(commit, &place, file).is_ok() && repository.has_still(commit, &place, file);
    names == now && then.into_iter().all(is_same)
}
