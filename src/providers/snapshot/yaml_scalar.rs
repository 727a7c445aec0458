//! What the scalars of YAML are.

use std::borrow::Cow;

use serde::de::Visitor;

use super::yaml::Error;

pub(super) fn text<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value, Error> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// Whether a scalar without quotes is nothing.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// A scalar without quotes, where its form decides what it is.
pub(super) fn plain<'de, V: Visitor<'de>>(scalar: Cow<'de, str>, visitor: V) -> Result<V::Value, Error> {
    match &*scalar {
        null if is_null(null) => return visitor.visit_unit(),
        "true" | "True" | "TRUE" => return visitor.visit_bool(true),
        "false" | "False" | "FALSE" => return visitor.visit_bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return visitor.visit_f64(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return visitor.visit_f64(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return visitor.visit_f64(f64::NAN),
        _ => {}
    }
    let radix = |prefix, radix| {
        let digits =
            scalar.strip_prefix(prefix).filter(|digits| digits.starts_with(|c: char| c.is_ascii_hexdigit()))?;
        u64::from_str_radix(digits, radix).ok()
    };
    if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return visitor.visit_u64(number);
    }
    let digits = scalar.strip_prefix(['+', '-']).unwrap_or(&scalar);
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let numeric = |byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    if !scalar.bytes().all(numeric) || (all_digits && digits.len() > 1 && digits.starts_with('0')) {
        return text(scalar, visitor);
    }
    if let Ok(number) = scalar.parse::<u64>() {
        visitor.visit_u64(number)
    } else if let Ok(number) = scalar.parse::<i64>() {
        visitor.visit_i64(number)
    } else if let Some(number) = scalar.parse::<f64>().ok().filter(|number| number.is_finite()) {
        visitor.visit_f64(number)
    } else {
        text(scalar, visitor)
    }
}
