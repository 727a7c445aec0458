//! Where files are in their repository, for tools that look for them there. Pure: paths are compared as text.

use std::path::Path;

/// The folder that paths are relative to, and the folder of the repository, both absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    here: Vec<String>,
    root: Vec<String>,
}

/// A file as a host looks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// In the repository: its path from there, with `/` between its parts.
    Inside(String),
    /// Elsewhere: its absolute path.
    Outside(String),
}

impl Repository {
    /// Paths are relative to `here`; the repository is `root`, which contains it.
    pub fn new(here: &Path, root: &Path) -> Self {
        let parts = |path: &Path| resolve(&[], &slashed(&path.to_string_lossy()));
        Self { here: parts(here), root: parts(root) }
    }

    /// Finds a file that the operator named so.
    pub fn locate(&self, file: &str) -> Located {
        let file = slashed(file);
        let whole = if is_absolute(&file) { resolve(&[], &file) } else { resolve(&self.here, &file) };
        match whole.strip_prefix(self.root.as_slice()) {
            Some(inside) if !inside.is_empty() => Located::Inside(inside.join("/")),
            _ => Located::Outside(format!("/{}", whole.join("/"))),
        }
    }
}

/// On Windows a path may have either separator; elsewhere `\` is a character like any other.
fn slashed(path: &str) -> String {
    if std::path::MAIN_SEPARATOR == '/' { path.to_owned() } else { path.replace(std::path::MAIN_SEPARATOR, "/") }
}

fn is_absolute(path: &str) -> bool {
    let drive = path.split('/').next().is_some_and(|first| first.len() == 2 && first.ends_with(':'));
    path.starts_with('/') || (drive && std::path::MAIN_SEPARATOR == '\\')
}

/// The parts of a path after a folder's, without `.` and `..`.
fn resolve(from: &[String], path: &str) -> Vec<String> {
    let mut parts = from.to_vec();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part.to_owned()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_from_the_root_of_their_repository() {
        let repository = Repository::new(Path::new("/home/a/repo/phones"), Path::new("/home/a/repo"));
        let inside = |file: &str| Located::Inside(file.to_owned());
        assert_eq!(repository.locate("account.yaml"), inside("phones/account.yaml"));
        assert_eq!(repository.locate("./x/../b c.yaml"), inside("phones/b c.yaml"));
        assert_eq!(repository.locate("../other/a.yaml"), inside("other/a.yaml"));
        assert_eq!(repository.locate("/home/a/repo/a.yaml"), inside("a.yaml"));
        assert_eq!(repository.locate("../../a.yaml"), Located::Outside("/home/a/a.yaml".to_owned()));
        assert_eq!(
            repository.locate("/home/a/repository/a.yaml"),
            Located::Outside("/home/a/repository/a.yaml".to_owned())
        );
        assert_eq!(repository.locate(".."), Located::Outside("/home/a/repo".to_owned()));
    }
}
