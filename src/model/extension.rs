//! Internal extension numbers.

use std::fmt;
use std::str::FromStr;

/// An internal number that a phone of the account can dial: 2 to 8 digits, leading zeros kept.
///
/// The account's own range is narrower and is one of its [`Capabilities`](super::Capabilities).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionNumber(Box<str>);

/// Why a text is not an extension number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionError {
    #[error("an extension number has only digits")]
    NotDigits,
    #[error("an extension number has 2 to 8 digits")]
    Length,
}

impl ExtensionNumber {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ExtensionNumber {
    type Err = ExtensionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ExtensionError::NotDigits);
        }
        if !(2..=8).contains(&text.len()) {
            return Err(ExtensionError::Length);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for ExtensionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ExtensionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ext {}", self.0)
    }
}

super::text::written_as_text!(ExtensionNumber);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_are_part_of_the_number() {
        assert_eq!("007".parse::<ExtensionNumber>().map(|number| number.to_string()), Ok("007".to_owned()));
    }

    #[test]
    fn anything_but_two_to_eight_digits_is_refused() {
        for (text, error) in [
            ("", ExtensionError::NotDigits),
            ("3a0", ExtensionError::NotDigits),
            ("-30", ExtensionError::NotDigits),
            ("3", ExtensionError::Length),
            ("123456789", ExtensionError::Length),
        ] {
            assert_eq!(text.parse::<ExtensionNumber>(), Err(error), "{text:?}");
        }
    }
}
