//! The local copy of a repository. Its configuration is written here and not by `git init`, so that files that were
//! already in its folder configure nothing. A damaged copy is fetched again.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::program::{Output, Program};

/// The whole configuration of the copy.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlogAllRefUpdates = false\n";
/// Refs below this have the commits that were last pushed.
pub(super) const PUSHED: &str = "refs/strowger/pushed/";
/// Git requires the file; the ref does not exist.
const HEAD: &str = "ref: refs/heads/main\n";
/// Files that could make git use other folders or run programs.
const FOREIGN: [&str; 7] = [
    "hooks",
    "info",
    "modules",
    "commondir",
    "config.worktree",
    "objects/info/alternates",
    "objects/info/http-alternates",
];

/// Writes the configuration; objects and refs stay.
pub(super) fn lay_out(repository: &Path) -> io::Result<()> {
    for folder in [repository.to_path_buf(), repository.join("objects"), repository.join("refs")] {
        // A link could make git write elsewhere.
        if !folder.symlink_metadata().is_ok_and(|about| about.is_dir()) {
            remove(&folder)?;
            std::fs::create_dir_all(&folder)?;
        }
    }
    for name in FOREIGN {
        remove(&repository.join(name))?;
    }
    unlock(repository);
    for (name, text) in [("config", CONFIG), ("HEAD", HEAD)] {
        remove(&repository.join(name))?;
        write(repository, name, text)?;
    }
    Ok(())
}

/// Removes the locks of a git that was killed. Safe, because only this process uses the copy.
pub(super) fn unlock(repository: &Path) {
    let _ = remove(&repository.join("gc.pid"));
    let objects = repository.join("objects");
    let mut folders = vec![repository.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if path.extension().is_some_and(|end| end == "lock") {
                let _ = remove(&path);
            } else if is_folder && (folder != objects || entry.file_name().len() != 2) {
                // Folders of two characters have objects and no locks.
                folders.push(path);
            }
        }
    }
}

/// Whether `git fsck` reports errors; false if it cannot be run.
pub(super) async fn is_damaged(git: &Program) -> bool {
    let output = git.run_long(&["fsck", "--no-dangling", "--no-reflogs", "--no-progress"]).await;
    output.is_ok_and(|output| output.code().is_some_and(|code| code != 0))
}

/// Fetches a ref or a commit id, and stores it under a local ref.
pub(super) async fn fetch(git: &Program, how: &[&str], what: &str, keep: &str) -> Result<(), String> {
    let target = format!("+{what}:{keep}");
    let common = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force"];
    let arguments = [&common[..], how, &["origin", target.as_str()]].concat();
    git.ask(&arguments).await?.succeeded().map(drop)
}

/// Copies the refs of pushed branches to a new copy, unless someone else has pushed to them since.
pub(super) async fn keep_pushed(before: &Program, git: &Program) {
    let asked = ["for-each-ref", "--format=%(objectname) %(refname)", PUSHED];
    let Ok(listed) = before.run(&asked).await.and_then(Output::succeeded) else { return };
    for (id, name) in listed.lines().filter_map(|line| line.split_once(' ')) {
        let branch = name.replacen(PUSHED, "refs/heads/", 1);
        if fetch(git, &[], &branch, &branch).await.is_err() {
            continue;
        }
        let is_own = git.run(&["rev-parse", "--verify", "--quiet", &branch]).await;
        let is_own = is_own.and_then(Output::succeeded).is_ok_and(|own| own.trim() == id);
        let arguments = if is_own { ["update-ref", name, id] } else { ["update-ref", "-d", &branch] };
        if let Err(message) = git.run(&arguments).await.and_then(Output::succeeded) {
            tracing::debug!(branch, "cannot be kept: {message}");
        }
    }
}

/// Writes a file atomically, also in case of a power failure.
pub(super) fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let next = folder.join(format!("{name}.next"));
    remove(&next)?;
    let mut file = File::create_new(&next)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&next, folder.join(name))
}

/// Removes a file, a link or a folder, if it exists.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(about) if about.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_found_in_place_of_the_copy_configure_nothing_and_lock_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("repository");
        for made in ["hooks", "info", "objects/info", "objects/ab", "refs/strowger", "worktrees/a"] {
            std::fs::create_dir_all(copy.join(made)).unwrap();
        }
        let foreign = ["hooks/post-checkout", "info/attributes", "info/grafts", "config.worktree", "commondir"];
        let locks = ["HEAD.lock", "shallow.lock", "refs/strowger/taken.lock", "worktrees/a/index.lock"];
        for made in foreign.iter().chain(&locks).chain(&["objects/info/alternates", "HEAD", "config", "objects/ab/cd"])
        {
            std::fs::write(copy.join(made), "[core]\nfsmonitor = evil\n").unwrap();
        }
        lay_out(&copy).unwrap();
        for gone in foreign.iter().chain(&locks).chain(&["objects/info/alternates"]) {
            assert!(!copy.join(gone).exists(), "{gone}");
        }
        assert_eq!(std::fs::read_to_string(copy.join("config")).unwrap(), CONFIG);
        assert_eq!(std::fs::read_to_string(copy.join("HEAD")).unwrap(), HEAD);
        assert!(copy.join("objects/ab/cd").exists());
    }
}
