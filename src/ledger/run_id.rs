//! The name of a run: sortable by time, unique by chance, and safe as a file name.

use std::fmt;
use std::str::FromStr;

/// A run of `apply` or `rollback` on one account, such as `20261123T142500123Z-1a2b3c4d`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(Box<str>);

/// Why a text names no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run is called like 20261123T142500123Z-1a2b3c4d; `strowger history` lists them")]
pub struct RunIdError;

/// Digits, `T`, digits, `Z`, `-`, eight hexadecimal digits: `#` stands for a digit, `x` for a hexadecimal one.
const FORM: &[u8] = b"########T#########Z-xxxxxxxx";

impl RunId {
    /// The run that began at this time (RFC 3339, UTC, with milliseconds, such as `2026-11-23T14:25:00.123Z`).
    pub fn new(at: &str, chance: u32) -> Result<Self, RunIdError> {
        let stamp: String = at.chars().filter(|c| !matches!(c, '-' | ':' | '.')).collect();
        format!("{stamp}-{chance:08x}").parse()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an operator may mean this run: its beginning, or the part behind the `-`, of four characters or
    /// more.
    pub fn is_meant_by(&self, text: &str) -> bool {
        let chance = self.0.split_once('-').map_or("", |(_, chance)| chance);
        text.len() >= 4 && (self.0.starts_with(text) || chance.starts_with(text))
    }
}

impl FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |(byte, form): (u8, &u8)| match form {
            b'#' => byte.is_ascii_digit(),
            b'x' => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
            exact => byte == *exact,
        };
        let right = text.len() == FORM.len() && text.bytes().zip(FORM).all(fits);
        if right { Ok(Self(text.into())) } else { Err(RunIdError) }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for RunId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for RunId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_called_after_its_second_and_by_chance() {
        let run = RunId::new("2026-11-23T14:25:00.123Z", 0x1a2b).unwrap();
        assert_eq!(run.as_str(), "20261123T142500123Z-00001a2b");
        assert_eq!(run.as_str().parse(), Ok(run.clone()));
        assert!(run.is_meant_by("20261123T14") && run.is_meant_by("00001a"));
        assert!(!run.is_meant_by("000") && !run.is_meant_by("") && !run.is_meant_by("1a2b"));
    }

    #[test]
    fn what_is_no_run_is_no_file_name_either() {
        for text in ["", "../../etc/passwd", "20261123T142500123Z-1A2B3C4D", "20261123T142500123Z-1a2b3c4d.jsonl"] {
            assert_eq!(text.parse::<RunId>(), Err(RunIdError), "{text}");
        }
    }
}
