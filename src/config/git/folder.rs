//! Which repository a folder is part of, found without git.
//!
//! Only a `.git` above the files counts, as git has it in a clone: it cannot be committed. A folder that merely looks
//! like a repository, which can, is never one. A `.git` that is a file or a link (a linked worktree, a submodule) is
//! followed to a folder that is not part of a checkout's files itself.

use std::io;
use std::path::{Path, PathBuf};

use super::super::files::or_here;
use super::{GitError, os_path};

/// What `.git` is called.
const NAME: &str = ".git";
/// The most bytes of a `.git` file.
const LONGEST: u64 = 8 * 1024;

/// A repository and its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder that the paths in a commit are relative to, links resolved.
    pub top: PathBuf,
    /// The repository itself, links resolved.
    pub repository: PathBuf,
}

/// The nearest folder above, or this one, that has a `.git`.
pub fn above(folder: &Path) -> Option<PathBuf> {
    all_above(folder).into_iter().next()
}

/// Every folder above, and this one, that has a `.git`: the nearest first; of a link, those above the folder that it
/// leads to before those above the link itself.
pub(in crate::config) fn all_above(folder: &Path) -> Vec<PathBuf> {
    let folder = or_here(folder);
    // A link may lead out of the repository that it is part of.
    let ways = [resolved(folder).ok(), std::path::absolute(folder).ok()];
    let mut found: Vec<PathBuf> = Vec::new();
    for way in ways.iter().flatten().flat_map(|way| way.ancestors()) {
        let whole = resolved(way).unwrap_or_else(|_| way.to_path_buf());
        if is_top(way) && !found.contains(&whole) {
            found.push(whole);
        }
    }
    found
}

/// A path with its links resolved, as git takes it.
pub(super) fn resolved(path: &Path) -> io::Result<PathBuf> {
    let whole = path.canonicalize()?;
    // Of another form of path on Windows, git knows nothing.
    let plain = whole.to_str().and_then(|text| text.strip_prefix(r"\\?\")).filter(|text| !text.starts_with("UNC"));
    Ok(plain.map_or(whole.clone(), PathBuf::from))
}

/// Whether there is a `.git` in a folder. What cannot be looked at is there, so that it is asked about.
fn is_top(folder: &Path) -> bool {
    let about = folder.join(NAME).symlink_metadata();
    !about.is_err_and(|error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}

impl Place {
    /// The repository at a folder that [`above`] found.
    pub fn of(top: &Path) -> Result<Self, GitError> {
        let top = resolved(top)?;
        let direct = top.join(NAME);
        let repository = target(&direct)?;
        if repository != direct {
            trusted(&top, &repository)?;
        }
        Ok(Self { top, repository })
    }
}

/// The folder that a `.git` stands for, links resolved.
fn target(path: &Path) -> Result<PathBuf, GitError> {
    let whole = resolved(path)?;
    let about = whole.metadata()?;
    if about.is_dir() {
        return Ok(whole);
    }
    let wrong = || GitError::Unclear("its `.git` is neither a folder nor a file that names one".to_owned());
    if !about.is_file() || about.len() > LONGEST {
        return Err(wrong());
    }
    let bytes = std::fs::read(&whole)?;
    let named = bytes.strip_prefix(b"gitdir: ").ok_or_else(wrong)?;
    let named = os_path(named.trim_ascii_end());
    let folder = whole.parent().map(|parent| parent.join(named)).ok_or_else(wrong)?;
    Ok(resolved(&folder)?)
}

/// A `.git` that is a file or a link is believed if it leads to a repository that belongs to these files, or at least
/// to one outside of any checkout, where a commit could have created it.
fn trusted(top: &Path, repository: &Path) -> Result<(), GitError> {
    let refused = |why: &str| Err(GitError::Unclear(format!("its `.git` leads to {why}")));
    if repository.starts_with(top) {
        return refused("a folder among its own files");
    }
    if leads_back(top, repository) {
        return Ok(());
    }
    // That of a submodule is in the `.git` of the repository around it, as is that of a worktree.
    let around = repository.ancestors().skip(1).find(|folder| is_top(folder));
    match around.map(|folder| target(&folder.join(NAME))) {
        Some(Ok(whole)) if !repository.starts_with(&whole) => refused("a folder among another repository's files"),
        Some(Err(_)) => refused("a folder of a repository that cannot be read"),
        _ => Ok(()),
    }
}

/// Whether a repository says, as that of a linked worktree does, that it is of these files.
fn leads_back(top: &Path, repository: &Path) -> bool {
    let path = repository.join("gitdir");
    let short = path.metadata().is_ok_and(|about| about.is_file() && about.len() <= LONGEST);
    let bytes = if short { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
    let named = repository.join(os_path(bytes.trim_ascii_end()));
    named.file_name().is_some_and(|name| name == NAME)
        && named.parent().and_then(|parent| resolved(parent).ok()).is_some_and(|parent| parent == top)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_in_place_of_the_repository_leads_only_to_one_that_a_commit_cannot_have_made() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for made in ["outer/.git/modules/sub", "outer/sub", "outer/evil", "outer/sub/evil", "apart/real.git", "alone"] {
            fs::create_dir_all(root.join(made)).unwrap();
        }
        let worktree = root.join("outer/state/repository/worktrees/x");
        fs::create_dir_all(&worktree).unwrap();
        fs::write(worktree.join("gitdir"), format!("{}\n", root.join("alone/.git").display())).unwrap();
        for (top, named, good) in [
            ("outer/sub", "../.git/modules/sub", true),
            ("outer/sub", "../../apart/real.git", true),
            ("outer/sub", "evil", false),
            ("outer/sub", "./evil/../evil", false),
            ("outer/sub", "../evil", false),
            ("outer/sub", "../state/repository/worktrees/x", false),
            ("outer/sub", "../nowhere", false),
            ("alone", "../outer/evil", false),
            ("alone", "../outer/state/repository/worktrees/x", true),
        ] {
            let file = root.join(top).join(".git");
            fs::write(&file, format!("gitdir: {named}\n")).unwrap();
            assert_eq!(above(&root.join(top)), Some(root.join(top)));
            assert_eq!(Place::of(&root.join(top)).is_ok(), good, "{top} {named}");
            fs::remove_file(file).unwrap();
        }
        fs::write(root.join("alone/.git"), "something else\n").unwrap();
        assert!(Place::of(&root.join("alone")).is_err());
        let own = Place::of(&root.join("outer")).unwrap();
        assert_eq!(own, Place { top: root.join("outer"), repository: root.join("outer/.git") });
        assert_eq!(all_above(&root.join("outer/sub")), [root.join("outer")]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_a_repository_that_cannot_be_read_and_not_none() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::os::unix::fs::symlink("nowhere", root.join(".git")).unwrap();
        assert_eq!(above(&root), Some(root.clone()));
        assert!(Place::of(&root).is_err());
    }
}
