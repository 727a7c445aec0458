//! Phone numbers in E.164 form.
//!
//! E.164 (ITU-T) allows a country code that never starts with zero and at most 15 digits in all. So the
//! digits fit a `u64` without loss, which keeps an account of a million numbers small and makes comparing
//! two of them one instruction. No numbering plan has public numbers of fewer than 7 digits.

use std::fmt;
use std::str::FromStr;

/// A phone number: `+`, then 7 to 15 digits, the first not zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct E164(u64);

/// Why a text is not an E.164 number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum E164Error {
    #[error("an E.164 number starts with `+` and the country code")]
    NoPlus,
    #[error("only digits may follow the `+`")]
    NotDigits,
    #[error("a country code does not start with 0")]
    LeadingZero,
    #[error("an E.164 number has 7 to 15 digits")]
    Length,
}

impl E164 {
    /// The fewest and the most digits that a number may have.
    pub const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

    /// The digits without the `+`, as an integer.
    pub fn digits(self) -> u64 {
        self.0
    }
}

impl FromStr for E164 {
    type Err = E164Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('+').ok_or(E164Error::NoPlus)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(E164Error::NotDigits);
        }
        if digits.starts_with('0') {
            return Err(E164Error::LeadingZero);
        }
        if !Self::DIGITS.contains(&digits.len()) {
            return Err(E164Error::Length);
        }
        digits.parse().map(Self).map_err(|_| E164Error::Length)
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

super::text::written_as_text!(E164);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_survives_the_round_trip_through_text() {
        for text in ["+33142685300", "+1234567", "+999999999999999"] {
            assert_eq!(text.parse::<E164>().map(|number| number.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for (text, error) in [
            ("33142685300", E164Error::NoPlus),
            ("", E164Error::NoPlus),
            ("+33 142685300", E164Error::NotDigits),
            ("+\u{0661}234567", E164Error::NotDigits),
            ("+0142685300", E164Error::LeadingZero),
            ("+123456", E164Error::Length),
            ("+1234567890123456", E164Error::Length),
            ("+", E164Error::Length),
        ] {
            assert_eq!(text.parse::<E164>(), Err(error), "{text:?}");
        }
    }
}
