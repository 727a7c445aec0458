//! Which files the settings of an account may name.
//!
//! The author of a pull request is not trusted with the machine that plans it. A snapshot, a
//! seed and the state of an embedded account are therefore files of the account's own repository, also where links lead,
//! unless the operator says otherwise.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, bail};

use crate::config;
use crate::text::sanitized;

/// The most symbolic links that are followed for one path.
const MOST_LINKS: usize = 40;

/// Whether settings may name any file.
static ANY: OnceLock<bool> = OnceLock::new();
/// A folder that Strowger created, and links to itself.
static OWN: OnceLock<PathBuf> = OnceLock::new();

/// Decides for this process whether settings may name files outside of their repository.
pub(super) fn allow_outside(allow: bool) {
    // The first one decides.
    let _ = ANY.set(allow);
}

/// Lets settings name what is below a folder that Strowger keeps for itself.
pub(super) fn allow_own(folder: &Path) {
    if let Ok(folder) = resolved(folder) {
        let _ = OWN.set(folder);
    }
}

/// The file that a field of an account names, from the account's folder.
pub(super) fn of_account(root: &Path, path: &Path, field: &str) -> anyhow::Result<PathBuf> {
    let whole = root.join(path);
    if ANY.get().copied().unwrap_or_default() {
        return Ok(whole);
    }
    let real = resolved(&whole).with_context(|| format!("cannot find {}", whole.display()))?;
    let own = OWN.get().is_some_and(|own| real.starts_with(own));
    let folders = repository(root)?;
    let inside =
        |folder: &PathBuf| real.strip_prefix(folder).is_ok_and(|inside| !inside.iter().any(|part| part == ".git"));
    if own || folders.iter().any(inside) {
        if field == "state" && !own && has_link(root, path) {
            bail!(
                "`{field}` names {}, and a link leads there; name the file itself",
                sanitized(&path.to_string_lossy(), 300)
            );
        }
        return Ok(whole);
    }
    bail!(
        "`{field}` names {}, which is not in the account's repository ({}); move it there, or allow it with \
         `--allow-outside-paths`",
        sanitized(&path.to_string_lossy(), 300),
        folders.iter().map(|folder| sanitized(&folder.to_string_lossy(), 300)).collect::<Vec<_>>().join(", "),
    );
}

/// Whether a link is on the way from the account's folder to a file. What is written goes through none.
fn has_link(root: &Path, path: &Path) -> bool {
    path.ancestors().any(|part| !part.as_os_str().is_empty() && root.join(part).is_symlink())
}

/// The repository of an account's files. Without one, the current folder and the folder above the account's.
fn repository(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let root = config::or_here(root);
    let root = fs::canonicalize(root).with_context(|| format!("cannot find {}", root.display()))?;
    if let Some(top) = root.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok()) {
        return Ok(vec![top.to_path_buf()]);
    }
    let here = std::env::current_dir().and_then(fs::canonicalize).ok();
    let above = root.parent().map(Path::to_path_buf);
    // Started in the root of the file system, the current folder would allow every file.
    let mut folders: Vec<_> = here.into_iter().chain(above).filter(|folder| folder.parent().is_some()).collect();
    folders.push(root);
    folders.dedup();
    Ok(folders)
}

/// Where a path leads, through all links, also if nothing is there.
pub(super) fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut whole = PathBuf::new();
    let mut left: Vec<OsString> = Vec::new();
    let push = |left: &mut Vec<OsString>, path: &Path| {
        left.extend(path.components().rev().map(|part| part.as_os_str().to_owned()));
    };
    push(&mut left, &std::path::absolute(path)?);
    let mut links = 0;
    while let Some(part) = left.pop() {
        match Path::new(&part).components().next() {
            Some(Component::ParentDir) => {
                whole.pop();
            }
            Some(Component::Normal(name)) => {
                let next = whole.join(name);
                match fs::read_link(&next) {
                    Err(_) => whole = next,
                    Ok(_) if links == MOST_LINKS => return Err(io::Error::other("too many links lead to each other")),
                    Ok(target) => {
                        links += 1;
                        if target.is_absolute() {
                            whole = PathBuf::new();
                        }
                        push(&mut left, &target);
                    }
                }
            }
            Some(Component::CurDir) | None => {}
            Some(start) => whole.push(start),
        }
    }
    Ok(whole)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn settings_name_files_of_their_repository_and_no_others() {
        let outside = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in [".git/refs", "phones/paris", "live"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        fs::write(outside.path().join("secret"), "").unwrap();
        symlink(outside.path().join("secret"), path("phones/link")).unwrap();
        symlink(outside.path().join("nothing"), path("phones/dangling")).unwrap();
        symlink(outside.path(), path("phones/folder")).unwrap();
        symlink(path("live"), path("phones/inside")).unwrap();
        symlink("loop", path("phones/loop")).unwrap();
        let root = path("phones/paris");
        for right in ["live.yaml", "../../live/new.yaml", "../inside/x.yaml", ".strowger/a.db", "./../../x"] {
            assert!(of_account(&root, Path::new(right), "file").is_ok(), "{right}");
        }
        let absolute = outside.path().join("secret");
        for wrong in [
            "../link",
            "../dangling",
            "../folder/secret",
            "../folder/../x",
            "../../../x",
            "../loop",
            "/etc/shadow",
            "/proc/self/environ",
            "../../.git/config",
            "../../live/../.git/refs/x",
            absolute.to_str().unwrap(),
        ] {
            assert!(of_account(&root, Path::new(wrong), "file").is_err(), "{wrong}");
        }
    }

    #[test]
    fn without_a_repository_the_folder_above_is_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a/b");
        fs::create_dir_all(&root).unwrap();
        assert!(of_account(&root, Path::new("../live.yaml"), "file").is_ok());
        assert!(of_account(&root, Path::new("../../live.yaml"), "file").is_err());
    }
}
