//! What is wrong in a snapshot: a rule, a message and a remedy, before the place is known.
//!
//! serde carries nothing but text from a visitor to the error of its format. A problem is written into that text
//! ([`fmt::Display`]) and read from it again ([`Problem::of`]).

use std::fmt;

use serde::de::{Expected, Unexpected};

use crate::diag::{Rule, list, nearest};
use crate::text::sanitized;

/// Separates the parts of a problem in the text of an error. Neither messages nor hints have control characters.
const SEPARATOR: char = '\u{1f}';
/// The longest text of the file that a message repeats.
const LONGEST: usize = 80;

#[derive(Clone, Debug)]
pub(in crate::providers) struct Problem {
    pub(super) rule: &'static Rule,
    pub(super) message: String,
    pub(super) hint: String,
}

impl Problem {
    pub(super) fn new(rule: &'static Rule, message: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        Self { rule, message: sanitized(message.as_ref(), 400), hint: sanitized(hint.as_ref(), 400) }
    }

    /// The problem that the text of an error carries.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut parts = text.split(SEPARATOR).skip(1);
        let rule = Rule::find(parts.next()?)?;
        Some(Self { rule, message: parts.next()?.to_owned(), hint: parts.next()?.to_owned() })
    }

    /// A key that is given twice in a mapping.
    pub(super) fn twice(key: &str) -> Self {
        Self::new(Rule::DUPLICATE_KEY, format!("`{}` is given twice", sanitized(key, LONGEST)), "keep one of the two")
    }

    /// A field that the format does not have.
    pub(super) fn unknown_field(name: &str, known: &[&str]) -> Self {
        let hint = match nearest(name, known.iter().copied()) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("known fields are {}", list(known)),
        };
        Self::new(Rule::UNKNOWN_FIELD, format!("there is no field `{}` here", sanitized(name, LONGEST)), hint)
    }

    pub(super) fn missing_field(name: &str) -> Self {
        Self::new(Rule::MISSING_FIELD, format!("`{name}` is missing"), format!("add `{name}:` and its value"))
    }

    /// A word that is not one of those that a field can have.
    pub(super) fn unknown_word(word: &str, known: &[&str]) -> Self {
        let hint = match nearest(word, known.iter().copied()) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("write one of {}", list(known)),
        };
        Self::new(Rule::WRONG_VALUE, format!("`{}` is not a known value", sanitized(word, LONGEST)), hint)
    }

    /// A value of another type than the field has.
    pub(super) fn wrong_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = wanted(expected);
        Self::new(Rule::WRONG_TYPE, format!("found {}, not {expected}", shown(found)), format!("write {expected}"))
    }

    pub(super) fn wrong_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = wanted(expected);
        Self::new(Rule::WRONG_VALUE, format!("found {}, not {expected}", shown(found)), format!("write {expected}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, message, hint } = self;
        write!(f, "{SEPARATOR}{}{SEPARATOR}{message}{SEPARATOR}{hint}", rule.id)
    }
}

/// What a file has, in the words of the format.
fn shown(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        Unexpected::Unit | Unexpected::Option => "no value".to_owned(),
        Unexpected::Str(text) => format!("the text `{}`", sanitized(text, LONGEST)),
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        other => other.to_string(),
    }
}

/// What a field needs, where serde says it in the words of Rust.
fn wanted(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "a string" => "text".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list, such as `[a, b]`".to_owned(),
        "u64" => "a number".to_owned(),
        other if other.starts_with("enum ") => "a word".to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_survives_the_text_of_an_error() {
        let problem = Problem::unknown_field("lable\u{1f}x", &["to", "label"]);
        let text = format!("{problem} at line 3");
        let same = Problem::of(text.strip_suffix(" at line 3").unwrap()).unwrap();
        assert_eq!((same.rule.id, &same.message, &same.hint), ("unknown-field", &problem.message, &problem.hint));
        assert!(Problem::of("a message of another library").is_none());
    }
}
