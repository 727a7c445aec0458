//! Reading references: `kind/selector`, or `none` where that is allowed.

use crate::diag::{Rule, list, nearest};
use crate::model::{Kind, Reference, ReferenceError, Selector};

use super::reader::{Advice, Field, Reader};

/// The only word for "nothing".
pub(super) const NONE: &str = "none";

/// A reference or `none`, of a field that takes these kinds; `None` if it is wrong, which has been reported.
#[expect(clippy::option_option, reason = "wrong, `none` and a reference are three things")]
pub(super) fn optional(reader: &mut Reader, field: Field<'_>, kinds: &[Kind]) -> Option<Option<Reference>> {
    let name = field.name();
    let advice = format!("write `{name}: none` if it leads nowhere");
    let text = reader.text(field, Advice { empty: Some(&advice), instead: Some(&advice) })?;
    if text == NONE {
        return Some(None);
    }
    required(reader, field, text, kinds).map(Some)
}

/// A reference that must name something: the text of a field.
pub(super) fn required(reader: &mut Reader, field: Field<'_>, text: &str, kinds: &[Kind]) -> Option<Reference> {
    let (name, span) = (field.name(), field.value.span());
    match parse(text) {
        Ok(reference) if kinds.contains(&reference.kind) => Some(reference),
        Ok(reference) => {
            let taken: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            let message = format!("`{name}` does not accept a `{}`", reference.kind);
            reader.refuse(Rule::WRONG_KIND, span, message, format!("`{name}` accepts {}", list(&taken)))
        }
        Err((message, hint)) => reader.refuse(Rule::BAD_REFERENCE, span, message, hint.unwrap_or_else(|| form(kinds))),
    }
}

/// The reference, or what is wrong with the text and what to write instead.
fn parse(text: &str) -> Result<Reference, (String, Option<String>)> {
    if text.trim() != text {
        return Err((format!("`{text}` has white space around it"), Some(format!("write `{}`", text.trim()))));
    }
    // Unicode line breaks: not control characters, and not matched by the schema's `.`.
    if text.contains(['\u{2028}', '\u{2029}']) {
        return Err(("the reference has a line break in it".to_owned(), None));
    }
    let (word, selector) = text.split_once('/').unwrap_or_default();
    // White space beside the `/` would be dropped in silence.
    if word.trim() != word || selector.trim_start() != selector {
        let hint = format!("write `{}/{}`", word.trim(), selector.trim_start());
        return Err((format!("`{text}` has white space beside the `/`"), Some(hint)));
    }
    let parsed = text.parse::<Reference>();
    if let Ok(Reference { kind, selector: Selector::Name(name) }) = &parsed
        && name.as_str().bytes().all(|byte| byte.is_ascii_digit())
    {
        let hint = format!("write `{kind}/` and an extension number of 2 to 8 digits, a name or an e-mail address");
        return Err((format!("`{text}` is not an extension number"), Some(hint)));
    }
    parsed.map_err(|error| match error {
        ReferenceError::NoSlash => (format!("`{text}` is not a reference"), without_kind(text)),
        ReferenceError::UnknownKind(word) => {
            let hint = known_kind(&word).map(|kind| format!("did you mean `{kind}/{selector}`?"));
            (format!("`{word}` is not a kind of object"), hint)
        }
        ReferenceError::Number(error) => {
            let hint = "write `external/+`, the country code and the number, such as `external/+33612345678`";
            (format!("`{selector}` is not an E.164 number: {error}"), Some(hint.to_owned()))
        }
        ReferenceError::Selector(error) => (format!("`{text}` is not a valid reference: {error}"), None),
    })
}

fn form(kinds: &[Kind]) -> String {
    let forms: Vec<String> = kinds.iter().map(|kind| format!("{kind}/…")).collect();
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    format!("write {}", list(&forms).replace(" and ", " or "))
}

fn without_kind(text: &str) -> Option<String> {
    if text.eq_ignore_ascii_case(NONE) {
        return Some(format!("write `{NONE}`"));
    }
    let user = text.contains('@') || text.bytes().all(|byte| byte.is_ascii_digit());
    user.then(|| format!("write `user/{text}`"))
}

/// The kind that a word most likely means: a typo, or another system's word for it.
fn known_kind(word: &str) -> Option<&'static str> {
    let other_words = [
        ("group", Kind::RingGroup),
        ("hunt_group", Kind::RingGroup),
        ("extension", Kind::User),
        ("vr", Kind::Receptionist),
        ("ivr", Kind::Receptionist),
        ("attendant", Kind::Receptionist),
        ("auto_attendant", Kind::Receptionist),
        ("bridge", Kind::Conference),
        ("mailbox", Kind::Voicemail),
        ("phone", Kind::Device),
    ];
    let folded = word.to_lowercase().replace(['-', ' '], "_");
    let other = other_words.into_iter().find(|(other, _)| *other == folded).map(|(_, kind)| kind.as_str());
    other.or_else(|| nearest(&folded, Kind::REFERABLE.map(Kind::as_str)))
}
