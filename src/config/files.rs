//! Which files a path leads to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Rule};

/// The file names that are looked for in a folder.
const EXTENSIONS: [&str; 2] = ["yaml", "yml"];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct AccountFiles {
    /// The folder that paths in the files are relative to.
    pub(super) root: PathBuf,
    /// The files, sorted by name.
    pub(super) files: Vec<PathBuf>,
    /// Whether all YAML files of the folder are meant, and not one file.
    pub(super) folder: bool,
}

impl AccountFiles {
    /// The same for the same files, however the way to them is written.
    pub(super) fn identity(&self) -> Vec<PathBuf> {
        // What cannot be resolved cannot be read either, which reading will say.
        let resolve = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        self.files.iter().map(resolve).collect()
    }
}

/// What a path leads to.
pub(super) struct Discovered {
    /// The accounts; of a folder that cannot be one, why not.
    pub(super) accounts: Vec<Result<AccountFiles, Box<(PathBuf, Diagnostic)>>>,
    /// The file of the fleet that they are.
    pub(super) fleet: Option<PathBuf>,
}

/// What a path leads to, or why it leads nowhere.
pub(super) fn discover(path: &Path) -> Result<Discovered, Diagnostic> {
    let metadata = std::fs::metadata(path).map_err(|error| {
        let why = reason(path, &error);
        let rule = if is_dangling(path, &error) { Rule::UNREADABLE_FILE } else { Rule::NO_FILES };
        Diagnostic { rule, ..nothing(path, &why) }
    })?;
    if !metadata.is_dir() && is_fleet(path) {
        return Err(misplaced(path));
    }
    if metadata.is_file() && !is_read(path) {
        // Earlier revisions are searched by name, and a guard in a file that is not found would be lost.
        let why = "is not called `.yaml` or `.yml`, or is hidden";
        return Err(
            nothing(path, why).hint("rename it: the guards of earlier revisions are only looked for in such files")
        );
    }
    if !metadata.is_dir() {
        let root = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        let account = AccountFiles { root, files: vec![path.to_path_buf()], folder: false };
        return Ok(Discovered { accounts: vec![Ok(account)], fleet: None });
    }
    let Folder { files, folders, fleets } = list(path)?;
    if !files.is_empty() {
        let account = whole(path.to_path_buf(), files, &fleets).map_err(|why| why.1)?;
        return Ok(Discovered { accounts: vec![Ok(account)], fleet: None });
    }
    let mut accounts = Vec::new();
    for folder in folders {
        match list(&folder) {
            Ok(Folder { files, .. }) if files.is_empty() => {}
            Ok(Folder { files, fleets, .. }) => accounts.push(whole(folder, files, &fleets)),
            // A folder of a fleet that cannot be read would silently shrink the fleet.
            Err(finding) => accounts.push(Err(Box::new((folder, finding)))),
        }
    }
    if accounts.is_empty() {
        return Err(match fleets.first() {
            Some(fleet) => misplaced(fleet),
            None => nothing(path, "has no `.yaml` or `.yml` file, and no folder that has one"),
        });
    }
    match fleets.as_slice() {
        [] => Ok(Discovered { accounts, fleet: None }),
        [fleet] => Ok(Discovered { accounts, fleet: Some(fleet.clone()) }),
        [_, second, ..] => {
            let message = format!("`{}` is a second fleet file in its folder", display(second));
            Err(Diagnostic::new(Rule::MISPLACED_FLEET, None, message).hint("keep `fleet.yaml` alone"))
        }
    }
}

/// A folder that is one account. The file of a fleet says nothing there.
fn whole(root: PathBuf, files: Vec<PathBuf>, fleets: &[PathBuf]) -> Result<AccountFiles, Box<(PathBuf, Diagnostic)>> {
    match fleets.first() {
        Some(fleet) => Err(Box::new((root, misplaced(fleet)))),
        None => Ok(AccountFiles { root, files, folder: true }),
    }
}

/// What is directly in a folder, sorted by name.
struct Folder {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    fleets: Vec<PathBuf>,
}

/// The YAML files and the folders directly in a folder. Hidden ones are not the operator's.
fn list(folder: &Path) -> Result<Folder, Diagnostic> {
    let unreadable = |error: std::io::Error| nothing(folder, &reason(folder, &error));
    let (mut files, mut folders, mut fleets) = (Vec::new(), Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_hidden(&path) {
            continue;
        }
        // Follows links, once: what a link leads to is never listed further than a fleet's folder is.
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => folders.push(path),
            _ if is_fleet(&path) => fleets.push(path),
            _ if is_yaml(&path) => files.push(path),
            _ => {}
        }
    }
    files.sort();
    folders.sort();
    fleets.sort();
    Ok(Folder { files, folders, fleets })
}

/// The folder that a path names: the empty path is the current one, which the system does not know by that name.
pub fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Every folder in which something can happen that changes what the paths lead to.
pub fn folders(paths: &[PathBuf]) -> BTreeSet<PathBuf> {
    let parent = |path: &Path| path.parent().map_or(path, or_here).to_path_buf();
    let mut folders = BTreeSet::new();
    for path in paths {
        folders.insert(parent(path));
        if path.is_dir() {
            folders.insert(path.clone());
            // The accounts of a fleet. A folder that cannot be listed is reported when it is read.
            let inner = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
            folders.extend(inner.filter(|path| path.is_dir() && !is_hidden(path)));
        }
        // Where links lead: the files themselves, and the folders of a mounted configuration.
        let files: Vec<PathBuf> = match discover(path) {
            Ok(Discovered { accounts, fleet }) => {
                accounts.into_iter().flatten().flat_map(|account| account.files).chain(fleet).collect()
            }
            Err(_) => vec![path.clone()],
        };
        folders.extend(files.iter().filter_map(|file| file.canonicalize().ok()).map(|target| parent(&target)));
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

/// Whether a folder's account reads a file of this name.
pub fn is_read(name: &Path) -> bool {
    is_yaml(name) && !is_hidden(name) && !is_fleet(name)
}

/// Whether a file of this name is a fleet's own.
fn is_fleet(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| ["fleet.yaml", "fleet.yml"].iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// A fleet's file where none can be.
fn misplaced(path: &Path) -> Diagnostic {
    let message = format!("`{}` is the file of a fleet, but its folder is not a fleet", display(path));
    Diagnostic::new(Rule::MISPLACED_FLEET, None, message)
        .hint("put it into the folder whose folders are the accounts, and give the path of that folder")
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|own| EXTENSIONS.iter().any(|known| own.eq_ignore_ascii_case(known)))
}

/// Nothing of an account is in there, but what a run leaves behind.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'))
}

fn nothing(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::new(Rule::NO_FILES, None, format!("`{}` {why}", display(path)))
        .hint("give a YAML file, a folder of `.yaml` or `.yml` files, or a folder of such folders")
}

/// Whether the path is that of a link that leads nowhere.
fn is_dangling(path: &Path, error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound && path.is_symlink()
}

/// The reason of an input error, in words that go after a path.
pub(super) fn reason(path: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        _ if is_dangling(path, error) => "is a link that leads nowhere".to_owned(),
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "cannot be read: permission denied".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// The path as the operator gave it, with `/` between its parts.
pub(super) fn display(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}
