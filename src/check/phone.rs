//! The E.164 form of a number that is written in another way.

use phonenumber::Mode;

use crate::model::E164;

use super::settings::Country;

impl Country {
    /// The country with this ISO 3166-1 alpha-2 code, in capitals.
    pub(crate) fn parse(code: &str) -> Option<Self> {
        let form = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        form.then(|| code.parse().ok().map(Self)).flatten()
    }
}

/// The number that a text is, or that it most likely stands for.
pub(crate) fn meant(text: &str, country: Option<Country>) -> Option<E164> {
    text.parse().ok().or_else(|| normalize(text, country))
}

/// The valid number that a text in another form most likely stands for.
///
/// Understands spaces, dots, dashes, slashes and brackets, `tel:`, the prefix `00`, a missing `+`, and the
/// national form of the account's country.
pub(super) fn normalize(text: &str, country: Option<Country>) -> Option<E164> {
    // Longer than any number with all its decoration; the library reads nothing longer either.
    const LONGEST: usize = 64;
    if text.len() > LONGEST {
        return None;
    }
    let bare = text.trim();
    let bare = bare.strip_prefix("tel:").or_else(|| bare.strip_prefix("TEL:")).unwrap_or(bare);
    let mut digits = String::new();
    for character in bare.chars() {
        match character {
            '0'..='9' => digits.push(character),
            '+' if digits.is_empty() => digits.push('+'),
            ' ' | '.' | '-' | '(' | ')' | '/' | '\u{a0}' | '\u{202f}' | '\u{2010}'..='\u{2015}' => {}
            _ => return None,
        }
    }
    // `+33 (0)1 42…`: the national prefix in brackets is for callers from within.
    let digits = if bare.contains("(0)") && digits.starts_with('+') { without_trunk_zero(bare) } else { digits };
    if let Some(international) = digits.strip_prefix("00") {
        return valid(None, &format!("+{international}"));
    }
    if digits.starts_with('+') {
        return valid(None, &digits);
    }
    country.and_then(|country| valid(Some(country), &digits)).or_else(|| valid(None, &format!("+{digits}")))
}

fn without_trunk_zero(text: &str) -> String {
    text.replacen("(0)", "", 1).chars().filter(|character| character.is_ascii_digit() || *character == '+').collect()
}

fn valid(country: Option<Country>, digits: &str) -> Option<E164> {
    let number = phonenumber::parse(country.map(|Country(id)| id), digits).ok()?;
    number.is_valid().then(|| number.format().mode(Mode::E164).to_string().parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalize_in(country: &str, text: &str) -> Option<String> {
        normalize(text, Country::parse(country)).map(|number| number.to_string())
    }

    #[test]
    fn the_usual_spellings_of_a_number_are_understood() {
        for text in [
            "01 42 68 53 00",
            "01.42.68.53.00",
            "0142685300",
            "+33 1 42 68 53 00",
            "+33 (0)1 42 68 53 00",
            "0033142685300",
            "tel:+33142685300",
            "tel:+33-1-42-68-53-00",
            "33142685300",
            "+33\u{a0}142685300",
        ] {
            assert_eq!(normalize_in("FR", text).as_deref(), Some("+33142685300"), "{text:?}");
        }
        assert_eq!(normalize_in("US", "(212) 555-0100").as_deref(), Some("+12125550100"));
    }

    #[test]
    fn what_is_no_number_is_left_alone() {
        for text in ["", "+", "ventes", "12", "01 42 68 53 00 poste 3", "+33142685300;ext=3"] {
            assert_eq!(normalize_in("FR", text), None, "{text:?}");
        }
        assert_eq!(normalize("0142685300", None), None);
        assert_eq!(normalize(&"1".repeat(1000), None), None);
    }
}
