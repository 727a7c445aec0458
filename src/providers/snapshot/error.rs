//! Why a file is not a snapshot: the place, the rule and the remedy, as for the files of an account.

use std::fmt;
use std::path::Path;

use crate::diag::Rule;
use crate::text::sanitized;

use super::locate::{Step, locate};
use super::problem::Problem;

/// Why a text is not a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be read.
    #[error("{path}: {why}")]
    File {
        /// The file, as the operator gave it.
        path: String,
        /// Why not.
        why: String,
    },
    /// The text breaks a rule of the format.
    #[error(transparent)]
    Document(Box<DocumentError>),
}

/// A breach of the snapshot format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct DocumentError {
    /// The file, as the operator gave it; `None` for a text that is not from a file.
    pub path: Option<String>,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub rule: &'static Rule,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The remedy.
    pub hint: String,
}

/// The line that a finding on an account's file has where nothing else fits.
impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, column, rule, message, hint } = self;
        if let Some(path) = path {
            write!(f, "{path}:")?;
        }
        write!(f, "{line}:{column}: error[{}]: {message} ({hint})", rule.id)
    }
}

/// A problem that shows once all objects are known, with the keys that lead to its place.
#[derive(Debug)]
pub(super) struct LateProblem {
    pub(super) path: Vec<Step>,
    pub(super) problem: Problem,
}

impl LateProblem {
    /// The error, with its place in the text if that is still there.
    pub(super) fn located(self, text: Option<&str>) -> SnapshotError {
        let place = text.and_then(|text| locate(text, &self.path)).unwrap_or((1, 1));
        SnapshotError::at(place, self.problem)
    }
}

impl SnapshotError {
    pub(super) fn file(path: &Path, why: String) -> Self {
        Self::File { path: shown(path), why }
    }

    pub(super) fn at((line, column): (usize, usize), problem: Problem) -> Self {
        let Problem { rule, message, hint } = problem;
        Self::Document(Box::new(DocumentError { path: None, line, column, rule, message, hint }))
    }

    /// The same, of a file.
    pub(super) fn of(self, path: &Path) -> Self {
        match self {
            Self::Document(error) => Self::Document(Box::new(DocumentError { path: Some(shown(path)), ..*error })),
            error @ Self::File { .. } => error,
        }
    }

    /// The same without a word of the text.
    pub(super) fn silent(self) -> Self {
        match self {
            Self::Document(error) => {
                let message = "this is not a snapshot of an account: `snapshot: 1` is missing";
                let hint = "begin a snapshot with `snapshot: 1`; docs/snapshot.md describes the format";
                Self::at((error.line, error.column), Problem::new(Rule::MISSING_FIELD, message, hint))
            }
            error @ Self::File { .. } => error,
        }
    }
}

fn shown(path: &Path) -> String {
    sanitized(&path.to_string_lossy(), 200)
}
