//! The names of files that a checkout brings along.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;

use super::{GitError, Place, Repository, above, git, os_path, succeeded, timeout};

/// Names of files, wherever in the repository they are, whatever case they are written in.
///
/// Not paths: a link, or a file system that takes two spellings for one, can put a file somewhere else than its commit
/// says.
#[derive(Debug, Default)]
pub struct TrackedNames(HashSet<String>);

impl TrackedNames {
    /// Whether a file of this name is tracked.
    pub fn has(&self, name: &OsStr) -> bool {
        self.0.contains(&key(name))
    }
}

fn key(name: &OsStr) -> String {
    name.to_string_lossy().to_lowercase()
}

/// The names with this ending that are in the commit that is checked out, or in the index, of the repository that a
/// folder is part of; none outside of a repository.
pub fn tracked_names(folder: &Path, ending: &str) -> Result<TrackedNames, GitError> {
    let Some(top) = above(folder) else { return Ok(TrackedNames::default()) };
    let mut repository = Repository::open(&top)?;
    let mut listed = list(&repository.at, &["ls-files", "-z", "--cached"])?;
    if repository.commit("HEAD")?.is_some() {
        listed.extend(list(&repository.at, &["ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD"])?);
    }
    let paths = listed.split(|byte| *byte == 0).map(os_path);
    let names = paths.filter_map(|path| path.file_name().map(key)).filter(|name| name.ends_with(ending));
    Ok(TrackedNames(names.collect()))
}

fn list(at: &Place, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
    // What is listed is below the folder that git is started in.
    let mut command = git(at, arguments)?;
    command.current_dir(&at.top);
    Ok(succeeded(timeout::output(command, timeout::LIMIT)?)?.stdout)
}
