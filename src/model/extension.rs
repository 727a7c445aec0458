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
    /// Something other than ASCII digits.
    #[error("an extension number has only digits")]
    NotDigits,
    /// Fewer than 2 or more than 8 digits.
    #[error("an extension number has 2 to 8 digits")]
    Length,
}

/// Numbers that must reach help, or a service line, wherever they are dialled (domain reference, I13), of the
/// countries in which the embedded account can be: one list for what a file may ask for and what that account
/// gives out. `100` is not in it, although it is a service line of some countries: an office's receptionist is
/// there by custom. Nor are the information lines 211, 311, 511 and 811, which are in the midst of the numbers
/// that offices give their people.
pub const EMERGENCY: &[&str] = &[
    // France; 112 is the European Union's.
    "15", "17", "18", "112", "114", "115", "116", "119", "191", "196", "197",
    // The United Kingdom and Ireland.
    "101", "105", "111", "999", // North America: help, crisis, relay service, operator and test lines.
    "411", "611", "711", "911", "933", "988",
    // Germany, Belgium, Switzerland, Italy, Spain, the Netherlands, Portugal.
    "016", "061", "062", "080", "091", "092", "102", "103", "110", "113", "117", "118", "143", "144", "147",
    // Australia.
    "000", "106",
];

/// Whether dialling this number inside the account must reach an emergency or a public service.
pub fn is_emergency(extension: &ExtensionNumber) -> bool {
    EMERGENCY.contains(&extension.as_str())
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

    #[test]
    fn help_lines_are_known() {
        for text in ["911", "112", "999", "000", "933", "15", "18", "101", "196"] {
            assert!(text.parse().is_ok_and(|number: ExtensionNumber| is_emergency(&number)), "{text}");
        }
        for text in ["100", "201", "300", "311"] {
            assert!(text.parse().is_ok_and(|number: ExtensionNumber| !is_emergency(&number)), "{text}");
        }
    }
}
