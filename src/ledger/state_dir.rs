//! Strowger's state folder, `.strowger`, beside an account's files.
//!
//! The folder comes with a checkout, so a commit can put anything under its names. Nothing in it is a link or
//! a device: a link would have its target overwritten, and a pipe would keep its reader waiting for ever.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The name of the state folder.
pub const NAME: &str = ".strowger";

/// The state folder of an account, whether or not it exists.
pub fn path(root: &Path) -> PathBuf {
    root.join(NAME)
}

/// The state folder or a subfolder of it. Neither may be a link; a missing one is not an error.
pub fn subfolder(root: &Path, inside: Option<&str>) -> io::Result<PathBuf> {
    let mut below = PathBuf::new();
    for name in std::iter::once(NAME).chain(inside) {
        below.push(name);
        match std::fs::symlink_metadata(root.join(&below)) {
            Ok(about) if about.is_dir() => {}
            Ok(_) => return Err(wrong(&below.to_string_lossy(), "a folder")),
            // What is not there is made, or looked for in vain.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(root.join(below))
}

/// Opens a file of the folder, which is a regular one or an error.
pub fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Opening a pipe would wait for its other end.
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let link = || std::fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    // Systems without `O_NOFOLLOW` only allow this check.
    if cfg!(not(unix)) && link() {
        return Err(wrong("it", "a regular file"));
    }
    let file = options.open(path).map_err(|error| if link() { wrong("it", "a regular file") } else { error })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(wrong("it", "a regular file")) }
}

fn wrong(what: &str, wanted: &str) -> io::Error {
    io::Error::other(format!("{what} is not {wanted}; remove it, because Strowger follows no link there"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_like_the_folder_and_is_none_is_refused() {
        let root = tempfile::tempdir().unwrap();
        assert!(subfolder(root.path(), Some("ledger")).is_ok(), "nothing there yet");
        std::os::unix::fs::symlink("/", root.path().join(NAME)).unwrap();
        let error = subfolder(root.path(), Some("ledger")).unwrap_err().to_string();
        assert!(error.contains(".strowger is not a folder"), "{error}");
    }
}
