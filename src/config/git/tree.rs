//! The files of a commit, as `ls-tree` lists them.
//!
//! Paths are what the system calls them, whatever their bytes: a name that is not UTF-8 can be that of a policy.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::super::files::is_read;
use super::os_path;

/// The YAML files of a commit.
#[derive(Debug)]
pub(super) struct Tree {
    /// By the path of their folder.
    files: HashMap<PathBuf, Rc<[Entry]>>,
    /// Their folders, sorted.
    pub(super) places: Rc<[PathBuf]>,
    /// What may stand in the place of a folder: the links, and the other repositories inside.
    others: HashMap<PathBuf, &'static str>,
}

/// A YAML file, or a link that is called like one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Entry {
    pub(in crate::config) name: OsString,
    /// Bytes; 0 if the object is missing, which reading it reports.
    pub(in crate::config) size: u64,
    pub(in crate::config) link: bool,
    pub(in crate::config) blob: String,
}

/// One line of `ls-tree -l`: mode, type, object, size, a tab, the path.
struct Row<'a> {
    mode: &'a str,
    kind: &'a str,
    object: &'a str,
    size: &'a str,
    path: PathBuf,
}

impl<'a> Row<'a> {
    fn read(row: &'a [u8]) -> Option<Self> {
        let tab = row.iter().position(|byte| *byte == b'\t')?;
        let (head, path) = (row.get(..tab)?, row.get(tab + 1..)?);
        let mut fields = std::str::from_utf8(head).ok()?.split_ascii_whitespace();
        let (mode, kind, object, size) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        Some(Self { mode, kind, object, size, path: os_path(path) })
    }
}

impl Tree {
    /// Reads what `ls-tree -r -z -l` printed.
    pub(super) fn new(listed: &[u8]) -> Self {
        let mut files: HashMap<PathBuf, Vec<Entry>> = HashMap::new();
        let mut others = HashMap::new();
        for row in listed.split(|byte| *byte == 0).filter_map(Row::read) {
            let link = row.mode == "120000";
            if row.kind == "commit" {
                others.insert(row.path, "a submodule");
                continue;
            }
            if link {
                others.insert(row.path.clone(), "a link");
            }
            let (Some(folder), Some(name)) = (row.path.parent(), row.path.file_name()) else { continue };
            if row.kind == "blob" && is_read(Path::new(name)) {
                // Of an object that is missing, the size is `BAD`.
                let (size, blob) = (row.size.parse().unwrap_or(0), row.object.to_owned());
                files.entry(folder.to_owned()).or_default().push(Entry { name: name.to_owned(), size, link, blob });
            }
        }
        let mut places: Vec<PathBuf> = files.keys().cloned().collect();
        places.sort_unstable();
        Self {
            places: places.into(),
            files: files.into_iter().map(|(folder, entries)| (folder, entries.into())).collect(),
            others,
        }
    }

    /// The YAML files directly in a folder, sorted by name; why they are not known, if the commit has something else
    /// in its place.
    pub(super) fn files(&self, place: &Path) -> Result<Rc<[Entry]>, String> {
        if let Some(files) = self.files.get(place) {
            return Ok(Rc::clone(files));
        }
        match place.ancestors().find_map(|way| Some((way, self.others.get(way)?))) {
            Some((way, what)) => {
                Err(format!("`{}` was {what} then", crate::text::sanitized(&way.to_string_lossy(), 200)))
            }
            None => Ok(Rc::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(tree: &Tree, place: &str) -> Vec<String> {
        tree.files(Path::new(place)).unwrap().iter().map(|file| file.name.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn every_name_that_is_read_from_the_disk_is_found_in_a_commit_too() {
        let mut rows: Vec<u8> = Vec::new();
        for (mode, kind, size, path) in [
            ("100644", "blob", "12", b"a/strat\xe9gie.yaml".as_slice()),
            ("100644", "blob", "12", b"a/two\nlines.yml"),
            ("100755", "blob", "BAD", b"a/\"quoted\\\".YAML"),
            ("120000", "blob", "3", b"a/tab\there.yaml"),
            ("100644", "blob", "3", b"a/.hidden.yaml"),
            ("100644", "blob", "3", b"\xe9tage/account.yaml"),
            ("120000", "blob", "3", b"link"),
            ("160000", "commit", "-", b"sub/module"),
        ] {
            rows.extend(format!("{mode} {kind} {:040x} {size:>7}\t", 1).bytes().chain(path.iter().copied()).chain([0]));
        }
        let tree = Tree::new(&rows);
        #[cfg(unix)]
        assert_eq!(tree.files(&os_path(b"\xe9tage")).unwrap().len(), 1);
        assert_eq!(
            list(&tree, "a"),
            ["strat\u{fffd}gie.yaml", "two\nlines.yml", "\"quoted\\\".YAML", "tab\there.yaml"]
        );
        assert_eq!(list(&tree, "b"), [""; 0]);
        assert_eq!(list(&tree, ""), [""; 0]);
        for (place, says) in [
            ("link", "`link` was a link then"),
            ("link/inner", "`link` was a link then"),
            ("sub/module/phones", "`sub/module` was a submodule then"),
        ] {
            assert_eq!(tree.files(Path::new(place)).unwrap_err(), says);
        }
        assert_eq!(tree.files(Path::new("a")).unwrap().iter().map(|file| file.size).sum::<u64>(), 27);
        assert_eq!(tree.others.get(Path::new("sub/module")), Some(&"a submodule"));
    }
}
