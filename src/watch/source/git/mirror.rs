//! The local copy of a repository. It is laid out here and not by git, so that nothing that was found in its place
//! configures anything; and it is only a copy: one that is damaged is fetched again.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::program::{Output, Program};

/// All that the copy is configured with.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlogAllRefUpdates = false\n";
/// What was pushed to a branch last is kept below this.
pub(super) const PUSHED: &str = "refs/strowger/pushed/";
/// Leads to no commit; git wants a file of this form.
const HEAD: &str = "ref: refs/heads/main\n";
/// What could lead git elsewhere, or give it something to run.
const FOREIGN: [&str; 7] = [
    "hooks",
    "info",
    "modules",
    "commondir",
    "config.worktree",
    "objects/info/alternates",
    "objects/info/http-alternates",
];

/// Lays the copy out, around the objects and refs that are there.
pub(super) fn lay_out(repository: &Path) -> io::Result<()> {
    for folder in [repository.to_path_buf(), repository.join("objects"), repository.join("refs")] {
        // A link could have git write elsewhere.
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

/// A git that was killed leaves locks behind, and nobody else uses the copy.
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
                // Those of two characters have the objects, and no locks.
                folders.push(path);
            }
        }
    }
}

/// Whether git finds fault with the copy. No, if that cannot be found out.
pub(super) async fn is_damaged(git: &Program) -> bool {
    let looked = git.look(&["fsck", "--no-dangling", "--no-reflogs", "--no-progress"]).await;
    looked.is_ok_and(|output| output.code().is_some_and(|code| code != 0))
}

/// Fetches a ref, or a commit by its name, and keeps it by a ref here.
pub(super) async fn fetch(git: &Program, how: &[&str], what: &str, keep: &str) -> Result<(), String> {
    let target = format!("+{what}:{keep}");
    let common = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force"];
    let arguments = [&common[..], how, &["origin", target.as_str()]].concat();
    git.ask(&arguments).await?.succeeded().map(drop)
}

/// Gives a new copy the branches that were pushed from the one before, as far as nobody else has pushed to them since.
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
        if let Err(says) = git.run(&arguments).await.and_then(Output::succeeded) {
            tracing::debug!(branch, "cannot be kept: {says}");
        }
    }
}

/// Writes a file that is there as a whole, or as it was, also after a power failure.
pub(super) fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let next = folder.join(format!("{name}.next"));
    remove(&next)?;
    let mut file = File::create_new(&next)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&next, folder.join(name))
}

/// Removes a file, a link or a folder, if there is one.
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
    fn what_lies_in_place_of_the_copy_configures_nothing_and_locks_nothing() {
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
