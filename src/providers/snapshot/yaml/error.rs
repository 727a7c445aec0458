//! What is wrong, and where.

use std::fmt::{self, Display};

/// A line and a column, both from 1.
pub(super) type Place = (usize, usize);

/// What is wrong with a document, and where.
#[derive(Debug)]
pub(in super::super) struct Error {
    pub(in super::super) place: Option<Place>,
    pub(in super::super) why: String,
}

impl Error {
    pub(super) fn at(place: Place, why: impl Into<String>) -> Self {
        Self { place: Some(place), why: why.into() }
    }

    /// The parser's message. For a tab in the indentation it only names the position before it.
    pub(super) fn syntax(text: &str, (line, column): Place, why: &str) -> Self {
        let mut lines = text.split('\n').enumerate().skip(line - 1).take(if why.contains("tab") { 2 } else { 0 });
        let tab = lines.find_map(|(index, line)| {
            let indentation = line.len() - line.trim_start_matches(' ').len();
            line.get(indentation..)?.starts_with('\t').then_some((index + 1, indentation + 1))
        });
        Self::at(tab.unwrap_or((line, column)), why)
    }

    /// The innermost place is reported.
    pub(super) fn within(self, place: Place) -> Self {
        Self { place: self.place.or(Some(place)), ..self }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: Display>(why: T) -> Self {
        Self { place: None, why: why.to_string() }
    }
}
