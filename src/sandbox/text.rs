//! The shapes of text that the API accepts. Each rule is also written, as a pattern, in the `OpenAPI` document;
//! `tests/it/sandbox/openapi.rs` compares the two.
//!
//! Text is never silently changed: a name with a space at its end is refused, not trimmed, because a client
//! that reads back something else than it wrote sees a difference that is none.

use unicode_normalization::UnicodeNormalization;

use crate::model::{emergency_numbers, is_unprintable};

/// A check of one text; the error describes valid texts.
pub(super) type Rule = fn(&str) -> Result<(), String>;

/// The most characters of a name.
pub(super) const NAME_MOST: usize = 64;
/// The most characters of a label.
pub(super) const LABEL_MOST: usize = 200;

/// The form in which names are compared: composed, trimmed, lower case.
pub(super) fn name_key(name: &str) -> String {
    name.trim().nfc().collect::<String>().to_lowercase()
}

/// Names of objects: 1 to 64 characters, printable, no space at either end.
pub(super) fn name(text: &str) -> Result<(), String> {
    length(text, 1, NAME_MOST)?;
    printable(text)?;
    let edge = |c: Option<char>| c.is_some_and(|c| matches!(c, ' ' | '\u{a0}'));
    if edge(text.chars().next()) || edge(text.chars().next_back()) {
        return Err("must not start or end with a space".to_owned());
    }
    Ok(())
}

/// Free text of up to 200 characters; may be empty.
pub(super) fn label(text: &str) -> Result<(), String> {
    length(text, 0, LABEL_MOST)?;
    printable(text)
}

/// The name of an owner: 1 to 200 visible ASCII characters, so that no two names look the same.
pub(super) fn owner(text: &str) -> Result<(), String> {
    let valid = (1..=200).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if valid { Ok(()) } else { Err("must be 1 to 200 visible ASCII characters".to_owned()) }
}

/// Numbers of a scope: one, a range, or all that begin with some digits.
pub(super) fn number_pattern(text: &str) -> Result<(), String> {
    let beginning = |digits: &str| {
        (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
    };
    let valid = match text.split_once("..") {
        Some((from, to)) => e164(from).is_ok() && e164(to).is_ok(),
        None => {
            e164(text).is_ok() || text.strip_prefix('+').and_then(|rest| rest.strip_suffix('*')).is_some_and(beginning)
        }
    };
    if valid {
        Ok(())
    } else {
        Err("must be a number, a range such as +33142685300..+33142685399, or +331426853*".to_owned())
    }
}

/// Names of a scope: one, or all that begin so, as in `fr-*`.
pub(super) fn name_pattern(text: &str) -> Result<(), String> {
    let name = text.strip_suffix('*').unwrap_or(text);
    length(name, 1, 128)?;
    printable(name)?;
    if name.contains('*') || name.starts_with([' ', '\u{a0}']) {
        return Err("must be a name or the beginning of one and a *".to_owned());
    }
    Ok(())
}

/// An e-mail address of the everyday ASCII kind.
pub(super) fn email(text: &str) -> Result<(), String> {
    length(text, 3, 254)?;
    let local_ok = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let label_ok = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let valid = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && local.chars().all(local_ok) && domain.contains('.') && domain.split('.').all(label_ok)
    });
    if valid { Ok(()) } else { Err("must be an e-mail address such as amelie@example.org".to_owned()) }
}

/// A phone number in E.164: `+`, then 7 to 15 digits, the first not zero.
pub(super) fn e164(text: &str) -> Result<(), String> {
    let valid = text
        .strip_prefix('+')
        .is_some_and(|d| (7..=15).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_digit()) && !d.starts_with('0'));
    if valid { Ok(()) } else { Err("must be an E.164 number such as +33142685300".to_owned()) }
}

/// An extension number: 3 or 4 digits, none that is an emergency number everywhere. The account's country has more:
/// [`is_reserved`].
pub(super) fn extension(text: &str) -> Result<(), String> {
    digits(text, 3, 4)?;
    if EVERYWHERE.contains(&text) {
        return Err(RESERVED.to_owned());
    }
    Ok(())
}

/// Emergency numbers in any country.
const EVERYWHERE: [&str; 2] = ["112", "911"];
/// Reserved extension numbers.
pub(super) const RESERVED: &str = "must not be a reserved or emergency number";

/// Whether an extension number must reach help or a public service in the account's country.
pub(super) fn is_reserved(extension: &str, country: &str) -> bool {
    emergency_numbers(Some(country)).contains(extension)
}

/// A conference room's number.
pub(super) fn room(text: &str) -> Result<(), String> {
    digits(text, 3, 8)
}

/// A conference room's PIN.
pub(super) fn pin(text: &str) -> Result<(), String> {
    digits(text, 4, 10)
}

/// The name of a time zone, by its form only: `Europe/Paris`, `UTC`.
pub(super) fn timezone(text: &str) -> Result<(), String> {
    length(text, 1, 64)?;
    let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c));
    let valid = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.split('/').count() <= 3
        && text.split('/').all(part);
    if valid { Ok(()) } else { Err("must be a time zone such as Europe/Paris".to_owned()) }
}

/// A country: two capital letters.
pub(super) fn country(text: &str) -> Result<(), String> {
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    Err("must be a country code of two capital letters, such as FR".to_owned())
}

fn digits(text: &str, min: usize, max: usize) -> Result<(), String> {
    if (min..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(format!("must be {min} to {max} digits"))
}

fn length(text: &str, min: usize, max: usize) -> Result<(), String> {
    let count = text.chars().count();
    if count < min {
        return Err(if min == 1 {
            "must not be empty".to_owned()
        } else {
            format!("must have at least {min} characters")
        });
    }
    if count > max {
        return Err(format!("must have at most {max} characters"));
    }
    Ok(())
}

fn printable(text: &str) -> Result<(), String> {
    if text.chars().any(is_unprintable) {
        return Err("must not contain control characters or line breaks".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emergency_number_is_never_an_extension() {
        for reserved in EVERYWHERE {
            assert!(extension(reserved).is_err() && is_reserved(reserved, "FR"), "{reserved}");
        }
        assert!(is_reserved("190", "BR") && !is_reserved("190", "FR") && is_reserved("190", "AQ"));
        assert!(extension("201").is_ok());
        assert!(extension("9110").is_ok());
        assert!(extension("20").is_err());
    }

    #[test]
    fn names_compare_without_case_and_composition() {
        assert_eq!(name_key("E\u{301}quipe"), name_key("équipe"));
    }

    #[test]
    fn a_number_is_e164_or_refused() {
        assert!(e164("+33142685300").is_ok());
        for wrong in ["33142685300", "+0142685300", "+33 1", "+1234567890123456", "+", ""] {
            assert!(e164(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn control_characters_are_refused() {
        for wrong in ["a\0b", "a\nb", "a\u{85}b", "a\u{2028}b", " a", "a\u{a0}", ""] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
    }
}
