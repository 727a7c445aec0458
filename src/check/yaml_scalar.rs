//! How YAML readers parse text without quotes.
//!
//! Readers disagree: YAML 1.1, which most editors and tools still speak, knows more numbers, truth values and
//! dates than YAML 1.2 does. Text that *any* of them parses as another type is a trap, so this module
//! errs on that side. Sources: yaml.org/type (1.1) and chapter 10 of YAML 1.2.2.

/// The type as which some YAML reader parses unquoted text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarKind {
    Text,
    /// Nothing: empty, `~`, `null`.
    Null,
    /// `yes`, `no`, `on`, `off`, `true`, `false`.
    Truth,
    /// A whole number.
    Integer,
    /// Digits after a zero: octal for some readers, decimal for others.
    Octal,
    /// A number with a fraction or an exponent, an infinity, or none.
    Float,
    /// Digits and colons: minutes and seconds in base 60.
    Base60,
    /// A date, perhaps with a time.
    Date,
}

impl ScalarKind {
    /// For a message: "… is parsed as …".
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Null => "null",
            Self::Truth => "a boolean",
            Self::Integer => "an integer",
            Self::Octal => "a number, octal or decimal depending on the reader",
            Self::Float => "a floating-point number",
            Self::Base60 => "a base-60 number",
            Self::Date => "a date",
        }
    }
}

/// What some YAML reader takes this text for if it has no quotes.
pub(super) fn kind(text: &str) -> ScalarKind {
    match text.as_bytes().first() {
        None => ScalarKind::Null,
        Some(b'~' | b'n' | b'N' | b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O') => word(text),
        Some(b'+' | b'-' | b'.' | b'0'..=b'9') => number(text),
        Some(_) => ScalarKind::Text,
    }
}

fn word(text: &str) -> ScalarKind {
    // The readers know three spellings of each word: `no`, `No` and `NO`, not `nO`.
    let rest = text.get(1..).unwrap_or_default();
    let same_case =
        rest.bytes().all(|byte| byte.is_ascii_lowercase()) || text.bytes().all(|byte| byte.is_ascii_uppercase());
    if text != "~" && !same_case {
        return ScalarKind::Text;
    }
    match text.to_ascii_lowercase().as_str() {
        "~" | "null" => ScalarKind::Null,
        "yes" | "no" | "on" | "off" | "true" | "false" => ScalarKind::Truth,
        _ => ScalarKind::Text,
    }
}

fn number(text: &str) -> ScalarKind {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return ScalarKind::Float;
    }
    let digit = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    let has_digit = unsigned.bytes().any(|byte| byte.is_ascii_digit());
    if has_digit && unsigned.bytes().all(digit) {
        let octal = unsigned.len() > 1 && unsigned.starts_with('0');
        return if octal { ScalarKind::Octal } else { ScalarKind::Integer };
    }
    if let Some(rest) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        return when(
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'_'),
            ScalarKind::Integer,
        );
    }
    if let Some(rest) = unsigned.strip_prefix("0o").or_else(|| unsigned.strip_prefix("0b")) {
        return when(!rest.is_empty() && rest.bytes().all(digit), ScalarKind::Octal);
    }
    if is_date(text) {
        return ScalarKind::Date;
    }
    if unsigned.contains(':') {
        let base60 = unsigned.split(':').all(|part| part.bytes().any(|byte| byte.is_ascii_digit()))
            && unsigned.bytes().all(|byte| digit(byte) || byte == b':' || byte == b'.');
        return when(base60, ScalarKind::Base60);
    }
    let float = has_digit
        && unsigned.starts_with(|character: char| character.is_ascii_digit() || character == '.')
        && unsigned.bytes().all(|byte| digit(byte) || b".eE+-".contains(&byte))
        && unsigned.replace('_', "").parse::<f64>().is_ok();
    when(float, ScalarKind::Float)
}

fn when(condition: bool, reading: ScalarKind) -> ScalarKind {
    if condition { reading } else { ScalarKind::Text }
}

/// `2024-01-31`, and whatever begins like it and goes on with a time.
fn is_date(text: &str) -> bool {
    let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let mut parts = date.split('-');
    let mut digits = |least: usize, most: usize| {
        parts
            .next()
            .is_some_and(|part| (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let date = digits(4, 4) && digits(1, 2) && digits(1, 2) && parts.next().is_none();
    let rest = text.split_once(['T', 't', ' ']).map_or("", |(_, rest)| rest);
    date && rest.bytes().all(|byte| byte.is_ascii_digit() || b":.+-Zz \t".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_any_reader_takes_for_something_else_is_recognised() {
        for (text, expected) in [
            ("", ScalarKind::Null),
            ("~", ScalarKind::Null),
            ("NULL", ScalarKind::Null),
            ("no", ScalarKind::Truth),
            ("Off", ScalarKind::Truth),
            ("NO", ScalarKind::Truth),
            ("+33142685300", ScalarKind::Integer),
            ("1_000", ScalarKind::Integer),
            ("0x1F", ScalarKind::Integer),
            ("0300", ScalarKind::Octal),
            ("0o17", ScalarKind::Octal),
            ("1e3", ScalarKind::Float),
            ("1.5", ScalarKind::Float),
            (".5", ScalarKind::Float),
            ("-.inf", ScalarKind::Float),
            (".NaN", ScalarKind::Float),
            ("12:30", ScalarKind::Base60),
            ("2024-01-31", ScalarKind::Date),
            ("2024-01-31T10:00:00Z", ScalarKind::Date),
        ] {
            assert_eq!(kind(text), expected, "{text:?}");
        }
    }

    #[test]
    fn text_is_left_alone() {
        for text in [
            "none",
            "nO",
            "offices",
            "ventes",
            "20s",
            "+33 1 42 68 53 00",
            "01 42 68 53 00",
            "1-2",
            "-",
            "+",
            ".",
            "salle-1",
            "2024-01",
            "user/202",
            "12:ab",
            "1.2.3.4",
            "e3",
            "é",
            "no no",
        ] {
            assert_eq!(kind(text), ScalarKind::Text, "{text:?}");
        }
    }
}
