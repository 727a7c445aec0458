//! What a scope lists: numbers and names, each alone or by how it begins, and numbers by range.

use std::fmt;
use std::str::FromStr;

use super::{E164, Name, NameKey};

/// One entry of a list of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberPattern {
    /// From one number to another, both of them included; one number is a range of its own.
    Range(E164, E164),
    /// Every number that begins with these digits.
    Prefix(u64),
}

/// One entry of a list of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamePattern {
    Whole(NameKey),
    /// Every name that begins so.
    Beginning(NameKey),
}

/// Why a text is not an entry of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("it is no number, no range of numbers and no prefix")]
    Number,
    #[error("the range ends before it begins")]
    Backwards,
    #[error("the two numbers of the range have different lengths")]
    Lengths,
    #[error("it is no name and no beginning of a name")]
    Name,
    #[error("only the last character can be a `*`")]
    Star,
}

impl fmt::Display for NumberPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(from, to) if from == to => write!(f, "{from}"),
            Self::Range(from, to) => write!(f, "{from}..{to}"),
            Self::Prefix(digits) => write!(f, "+{digits}*"),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(key) => f.write_str(key.as_str()),
            Self::Beginning(key) => write!(f, "{}*", key.as_str()),
        }
    }
}

impl FromStr for NumberPattern {
    type Err = PatternError;

    /// `+33142685300`, `+33142685300..+33142685399` or `+331426853*`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse::<E164>().map_err(|_| PatternError::Number);
        if let Some((from, to)) = text.split_once("..") {
            let (from, to) = (number(from)?, number(to)?);
            return match (from.digits(), to.digits()) {
                (first, last) if first.checked_ilog10() != last.checked_ilog10() => Err(PatternError::Lengths),
                (first, last) if first > last => Err(PatternError::Backwards),
                _ => Ok(Self::Range(from, to)),
            };
        }
        let Some(beginning) = text.strip_suffix('*') else {
            return number(text).map(|number| Self::Range(number, number));
        };
        let digits = beginning.strip_prefix('+').ok_or(PatternError::Number)?;
        let sound = (1..=*E164::DIGITS.end()).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        let prefix = sound.then(|| digits.parse().ok()).flatten();
        prefix.map(Self::Prefix).ok_or(PatternError::Number)
    }
}

impl FromStr for NamePattern {
    type Err = PatternError;

    /// `ventes`, or `fr-*` for every name that begins with `fr-`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (beginning, whole) = match text.strip_suffix('*') {
            Some(beginning) => (beginning, false),
            None => (text, true),
        };
        // White space around a name does not count, but a file does not have lines of it.
        if text.chars().count() > Name::MOST + 1 {
            return Err(PatternError::Name);
        }
        if beginning.contains('*') {
            return Err(PatternError::Star);
        }
        let name: Name = beginning.parse().map_err(|_| PatternError::Name)?;
        if whole {
            return Ok(Self::Whole(name.key()));
        }
        // `fr *` is about names whose first word is `fr`; a key alone would lose the blank.
        let blank = if beginning.ends_with(char::is_whitespace) { " " } else { "" };
        Ok(Self::Beginning(NameKey::beginning(&format!("{}{blank}", name.key().as_str()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pattern_is_refused_with_its_reason() {
        for (text, error) in [
            ("33142685300", PatternError::Number),
            ("+33142685300..", PatternError::Number),
            ("*", PatternError::Number),
            ("+*", PatternError::Number),
            ("+0*", PatternError::Number),
            ("+1234567890123456*", PatternError::Number),
            ("+33*1", PatternError::Number),
            ("+33142685399..+33142685300", PatternError::Backwards),
            ("+3314268530..+33142685300", PatternError::Lengths),
        ] {
            assert_eq!(text.parse::<NumberPattern>(), Err(error), "{text:?}");
        }
        for (text, error) in [("*", PatternError::Name), ("a*b", PatternError::Star), ("", PatternError::Name)] {
            assert_eq!(text.parse::<NamePattern>(), Err(error), "{text:?}");
        }
    }
}
