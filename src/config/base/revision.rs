//! A revision that is named, and why it cannot be looked at.

use std::path::Path;
use std::str::FromStr;

use super::super::files::or_here;
use super::super::git::GitError;

/// A revision as git spells it; it cannot be mistaken for an option of git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision(pub(super) Box<str>);

/// Why a text cannot be a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a revision is a commit, a tag or a branch, such as `origin/main`, and does not begin with `-`")]
pub struct RevisionError;

/// Why a revision that was named cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    #[error("cannot look at `{revision}`: {folder} is in no git repository; leave `--base` out")]
    NoRepository { revision: Box<str>, folder: String },
    #[error(
        "cannot look at `{revision}`: the repository has no such commit; fetch it (in CI with `fetch-depth: 0`), or name another"
    )]
    Unknown { revision: Box<str> },
    /// A tag and a branch have the name, or two branches.
    #[error("cannot look at `{revision}`: {refs} are different commits; write one of them whole")]
    Ambiguous { revision: Box<str>, refs: String },
    #[error("cannot look at `{revision}`")]
    Git {
        revision: Box<str>,
        /// What git says.
        #[source]
        source: GitError,
    },
}

impl FromStr for Revision {
    type Err = RevisionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sound = !text.is_empty() && !text.starts_with('-') && !text.chars().any(char::is_control);
        sound.then(|| Self(text.into())).ok_or(RevisionError)
    }
}

impl Revision {
    pub(super) fn outside(&self, folder: &Path) -> BaseError {
        BaseError::NoRepository { revision: self.0.clone(), folder: super::super::files::display(or_here(folder)) }
    }
}
