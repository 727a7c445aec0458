//! Names of refs, and paths in a repository.

use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// A branch or a tag, by its short name or as `refs/…`. Git cannot mistake it for an option or a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefName(Box<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a ref is the name of a branch or a tag, such as `main` or `refs/heads/main`")]
pub struct RefNameError;

impl FromStr for RefName {
    type Err = RefNameError;

    /// Accepts what `git check-ref-format` accepts.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |part: &str| {
            !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.as_bytes().ends_with(b".lock")
        };
        let valid = !text.starts_with('-')
            && text != "@"
            && text.split('/').all(part)
            && !["..", "@{"].iter().any(|wrong| text.contains(wrong))
            && !text.chars().any(|c| c.is_control() || " ~^:?*[\\".contains(c));
        valid.then(|| Self(text.into())).ok_or(RefNameError)
    }
}

impl RefName {
    /// The full names that it may have, by precedence.
    pub(super) fn full(&self) -> Vec<String> {
        if self.0.starts_with("refs/") {
            return vec![self.0.to_string()];
        }
        ["heads", "tags"].iter().map(|kind| format!("refs/{kind}/{}", self.0)).collect()
    }
}

impl std::fmt::Display for RefName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file or a folder in a repository; empty for its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside(PathBuf);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path in the repository, such as `phones/paris`, is relative and has no `..`")]
pub struct InsideError;

impl FromStr for Inside {
    type Err = InsideError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(InsideError);
        }
        let mut path = PathBuf::new();
        for part in Path::new(text).components() {
            match part {
                Component::CurDir => {}
                Component::Normal(name) if !name.eq_ignore_ascii_case(".git") => path.push(name),
                _ => return Err(InsideError),
            }
        }
        Ok(Self(path))
    }
}

impl Inside {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ref_is_a_name_and_not_an_expression() {
        for good in ["main", "release/1.2", "refs/heads/main", "v1", "é"] {
            assert!(good.parse::<RefName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-x",
            "--upload-pack=x",
            "a b",
            "a..b",
            "main^",
            "main~1",
            "a:b",
            "*",
            "a//b",
            "/a",
            "a.lock",
            "@",
            "a\n",
        ] {
            assert_eq!(bad.parse::<RefName>(), Err(RefNameError), "{bad:?}");
        }
        assert_eq!("main".parse::<RefName>().unwrap().full(), ["refs/heads/main", "refs/tags/main"]);
    }

    #[test]
    fn a_path_stays_inside() {
        for (text, path) in [("", ""), (".", ""), ("phones", "phones"), ("./a/b/", "a/b")] {
            assert_eq!(text.parse::<Inside>().unwrap().path(), Path::new(path));
        }
        for bad in ["..", "a/../..", "/etc", "-x", ".git", "a/.GIT/b", "a\nb"] {
            assert_eq!(bad.parse::<Inside>(), Err(InsideError), "{bad:?}");
        }
    }
}
