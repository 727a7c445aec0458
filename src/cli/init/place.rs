//! Where the files go, and how they name other files from there. Nothing that exists is ever overwritten.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::allowed_paths::resolved;
use crate::cli::export::SCHEMA;
use crate::cli::write_file;
use crate::config;

/// A folder for the files of one account.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// As it was written.
    pub(super) folder: PathBuf,
    /// From the root of the file system, without links as far as it exists.
    whole: PathBuf,
}

impl Place {
    /// The place, if no file that exists is in the way.
    pub(super) fn at(folder: &Path) -> anyhow::Result<Self> {
        if folder.as_os_str().is_empty() {
            bail!("the folder has no name");
        }
        write_file::without_links(folder)?;
        if let Some(why) = occupied(folder)? {
            bail!("{why}; choose another folder");
        }
        Ok(Self { folder: folder.to_path_buf(), whole: whole(folder)? })
    }

    /// A path as a file in this folder writes it: relative where both have a folder in common, so that the
    /// repository may lie anywhere.
    pub(super) fn path_to(&self, path: &Path) -> PathBuf {
        whole(path).map_or_else(|_| path.to_path_buf(), |to| relative(&self.whole, &to))
    }

    /// A path that leads from this folder to somewhere in it, if it does.
    pub(super) fn inside(&self, path: &Path) -> Option<PathBuf> {
        whole(path).ok()?.strip_prefix(&self.whole).ok().map(Path::to_path_buf)
    }

    /// Where the git repository of this folder begins, or else the current folder.
    pub(super) fn repository(&self) -> anyhow::Result<Repository> {
        let git = self.whole.ancestors().find(|folder| folder.join(".git").exists());
        let here = whole(Path::new("."))?;
        let root = git.map_or(here, Path::to_path_buf);
        let Ok(folder) = self.whole.strip_prefix(&root) else {
            bail!("{} is neither in a git repository nor below the current folder", self.folder.display());
        };
        Ok(Repository { folder: folder.to_path_buf(), is_git: git.is_some(), root })
    }

    /// The folder's name.
    pub(super) fn name(&self) -> Option<String> {
        self.whole.file_name().map(|name| name.to_string_lossy().into_owned())
    }
}

/// The repository that the files are part of.
#[derive(Clone, Debug)]
pub(super) struct Repository {
    /// Its root.
    pub(super) root: PathBuf,
    /// The way from there to the account's folder.
    pub(super) folder: PathBuf,
    /// Whether there is a repository at all.
    pub(super) is_git: bool,
}

impl Repository {
    /// Whether a path leads into the repository.
    pub(super) fn holds(&self, path: &Path) -> bool {
        self.is_git && whole(path).is_ok_and(|path| path.starts_with(&self.root))
    }
}

/// A path to show: from the current folder, if it is below.
pub(super) fn near(path: &Path) -> String {
    let Ok(here) = whole(Path::new(".")) else { return crate::text::sanitized(&path.to_string_lossy(), 300) };
    crate::text::sanitized(&path.strip_prefix(here).unwrap_or(path).to_string_lossy(), 300)
}

/// Why the folder cannot hold another account.
fn occupied(folder: &Path) -> anyhow::Result<Option<String>> {
    let shown = folder.display();
    match std::fs::metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !folder.is_symlink() => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot look at {shown}")),
        Ok(about) if !about.is_dir() => return Ok(Some(format!("{shown} exists already, and is no folder"))),
        Ok(_) => {}
    }
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot look into {shown}"))?;
    let mut names: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.file_name())).collect();
    names.sort();
    let names = || names.iter().map(Path::new);
    // A folder of that name is none of the account's files.
    if let Some(name) = names().find(|name| config::is_read(name) && !folder.join(name).is_dir()) {
        let path = folder.join(name);
        let why = "and every YAML file of a folder is part of its account";
        return Ok(Some(format!("{} exists already, {why}", path.display())));
    }
    let schema = names().find(|name| *name == Path::new(SCHEMA));
    Ok(schema.map(|name| format!("{} exists already", folder.join(name).display())))
}

fn whole(path: &Path) -> anyhow::Result<PathBuf> {
    resolved(path).with_context(|| format!("cannot find {}", path.display()))
}

/// The way from a folder to a file; the file's whole path if only the root is common to both.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let named = |path: &Path| path.components().filter(|part| matches!(part, Component::Normal(_))).count();
    let common: PathBuf = from
        .components()
        .zip(to.components())
        .take_while(|(left, right)| left == right)
        .map(|(part, _)| part)
        .collect();
    if named(&common) == 0 {
        return to.to_path_buf();
    }
    let up = named(from) - named(&common);
    let down = to.strip_prefix(&common).unwrap_or(to);
    std::iter::repeat_n(Path::new(".."), up).collect::<PathBuf>().join(down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_neighbours_by_relative_paths() {
        let relative = |from: &str, to: &str| relative(Path::new(from), Path::new(to)).to_string_lossy().into_owned();
        assert_eq!(relative("/work/repo/phones", "/work/repo/phones/token"), "token");
        assert_eq!(relative("/work/repo/phones", "/work/repo/live.yaml"), "../live.yaml");
        assert_eq!(relative("/work/repo/a/b", "/work/secrets/token"), "../../../secrets/token");
        assert_eq!(relative("/work/repo", "/etc/strowger/token"), "/etc/strowger/token");
    }

    #[test]
    fn what_does_not_exist_yet_has_a_whole_path() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        assert_eq!(whole(&folder.path().join("a/../b/./c")).unwrap(), root.join("b/c"));
        let place = Place::at(&folder.path().join("new/phones")).unwrap();
        assert_eq!(place.path_to(&folder.path().join("live.yaml")), Path::new("../../live.yaml"));
        assert_eq!(place.inside(&folder.path().join("new/phones/token")), Some("token".into()));
        assert_eq!(place.inside(&folder.path().join("token")), None);
    }
}
