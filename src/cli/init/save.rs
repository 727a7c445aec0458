//! Writing files: all of them or none, and nothing that is there already.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Writes the files, with the folders that they need. If one cannot be written, nothing stays; nor does it if what is
/// returned is not kept.
pub(super) fn save(files: &[(PathBuf, String)]) -> anyhow::Result<Made> {
    let mut made = Made::default();
    for (path, text) in files {
        made.file(path, text)?;
    }
    Ok(made)
}

/// What was made so far; it is removed again unless it is kept.
#[derive(Default)]
#[must_use]
pub(super) struct Made {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Made {
    fn file(&mut self, path: &Path, text: &str) -> anyhow::Result<()> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            self.folder(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let failed = || format!("cannot write {}", path.display());
        let mut file = OpenOptions::new().write(true).create_new(true).open(path).with_context(failed)?;
        self.files.push(path.to_path_buf());
        file.write_all(text.as_bytes()).with_context(failed)
    }

    fn folder(&mut self, folder: &Path) -> std::io::Result<()> {
        let missing: Vec<_> = folder
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(Path::to_path_buf)
            .collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(&folder)?;
            self.folders.push(folder);
        }
        Ok(())
    }

    pub(super) fn keep(&mut self) {
        self.folders.clear();
        self.files.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // What cannot be removed stays; the error that led here is the one to tell.
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_and_nothing_stays_of_what_failed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("there"), "before").unwrap();
        let files = ["new/a/one", "two", "there"].map(|name| (path(name), name.to_owned()));
        assert!(save(&files).is_err());
        assert_eq!(fs::read_to_string(path("there")).unwrap(), "before");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(save(&files[..2]).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        save(&files[..2]).unwrap().keep();
        assert_eq!(fs::read_to_string(path("new/a/one")).unwrap(), "new/a/one");
    }
}
