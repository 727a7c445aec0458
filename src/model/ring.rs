//! How a ring group rings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

super::words! {
    /// Whether the members of a ring group ring together or one after the other.
    #[derive(
        Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
    )]
    #[serde(rename_all = "snake_case")]
    pub enum RingMode {
        /// All members ring at once. Their order means nothing.
        #[default]
        Simultaneous = "simultaneous",
        /// Members ring in turn, each for the whole duration. Their order means everything.
        Sequential = "sequential",
    }
}

impl RingMode {
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

impl fmt::Display for RingMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long a group rings, or each member of a sequential one: 1 second to 1 hour, in whole seconds.
///
/// Written `20s` or `2m`. The provider's own range is narrower and is one of its capabilities.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RingFor(u16);

/// Why a text is not a ring duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingForError {
    #[error("a duration is a whole number and a unit, such as `20s` or `1m`")]
    Form,
    #[error("a group rings for 1s to 1h")]
    Range,
}

impl RingFor {
    /// One second.
    pub const SHORTEST: Self = Self(1);

    /// A duration of so many seconds, if it is between one second and one hour.
    pub fn from_seconds(seconds: u64) -> Result<Self, RingForError> {
        match u16::try_from(seconds) {
            Ok(seconds @ 1..=3600) => Ok(Self(seconds)),
            _ => Err(RingForError::Range),
        }
    }

    /// The duration in seconds, 1 to 3600.
    pub fn seconds(self) -> u16 {
        self.0
    }
}

impl FromStr for RingFor {
    type Err = RingForError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (digits, factor) = match (text.strip_suffix('s'), text.strip_suffix('m')) {
            (Some(digits), _) => (digits, 1),
            (_, Some(digits)) => (digits, 60),
            _ => return Err(RingForError::Form),
        };
        let digits = digits.trim_end();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(RingForError::Form);
        }
        let count: u64 = digits.parse().map_err(|_| RingForError::Range)?;
        Self::from_seconds(count.saturating_mul(factor))
    }
}

impl fmt::Display for RingFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0)
    }
}

impl fmt::Debug for RingFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

super::text::written_as_text!(RingFor);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_minutes_are_understood_and_shown_in_seconds() {
        for (text, shown) in [("20s", "20s"), ("2m", "120s"), (" 5 s ", "5s"), ("60m", "3600s")] {
            assert_eq!(text.parse::<RingFor>().map(|duration| duration.to_string()), Ok(shown.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn nothing_else_is_a_ring_duration() {
        for (text, error) in [
            ("20", RingForError::Form),
            ("1h", RingForError::Form),
            ("-5s", RingForError::Form),
            ("1.5s", RingForError::Form),
            ("s", RingForError::Form),
            ("0s", RingForError::Range),
            ("3601s", RingForError::Range),
            ("99999999999999999999s", RingForError::Range),
        ] {
            assert_eq!(text.parse::<RingFor>(), Err(error), "{text:?}");
        }
    }
}
