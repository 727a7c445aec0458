//! Settings of accounts whose dialplan is in a database: its address, and names in the dialplan.

use url::Url;

use crate::diag::Rule;
use crate::model::{Name, Span};

use super::reader::{Advice, Field, Reader};

/// The address of a database that no password is part of.
pub(super) fn database(reader: &mut Reader, field: Field<'_>) -> Option<Box<str>> {
    const FORM: &str = "write `postgresql://USER@HOST/DATABASE`, with `:PORT` after the host if it is not 5432";
    let text = reader.text(field, Advice { empty: Some(FORM), instead: Some(FORM) })?;
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "postgresql");
    let message = match &url {
        Some(url) if url.password().is_some() => {
            // What is written is the password itself.
            reader.secrets.push(field.span());
            let hint = "leave it out, treat it as stolen, and write `password: { env: STROWGER_TOKEN }`";
            return reader.refuse(Rule::LITERAL_SECRET, field.span(), "the address holds a password", hint);
        }
        Some(url) if url.query().is_some() || url.fragment().is_some() => "the address has a query or a fragment",
        Some(url) if url.username().is_empty() => "the address names no user",
        Some(url) if url.host_str().is_none_or(str::is_empty) => "the address names no server",
        Some(url) if url.path().trim_matches('/').is_empty() || url.path().matches('/').count() > 1 => {
            "the address names no database"
        }
        Some(_) => return Some(text.into()),
        None => "the address is not one of a PostgreSQL database",
    };
    reader.refuse(Rule::WRONG_VALUE, field.span(), message, FORM)
}

/// A word that dialplans use as a name.
fn is_word(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte))
}

pub(super) fn word(reader: &mut Reader, field: Field<'_>) -> Option<Box<str>> {
    let text = reader.text(field, Advice::default())?;
    if is_word(text) {
        return Some(text.into());
    }
    let message = format!("`{}` is not a name that a dialplan can have", field.name());
    let hint = "write 1 to 40 letters, digits, `_`, `.`, `+` or `-`";
    reader.refuse(Rule::WRONG_VALUE, field.span(), message, hint)
}

/// Names of objects, each with its place in the dialplan.
pub(super) fn entries(reader: &mut Reader, field: Field<'_>) -> Option<Vec<(Name, Box<str>)>> {
    const FORM: &str = "write a context and an extension in quotes, such as `\"ivr-main,s\"`";
    let before = reader.findings.total();
    let mut entries: Vec<(Name, Span, Box<str>)> = Vec::new();
    for (key, value) in reader.mapping(field)?.entries() {
        let entry = Field { key, value };
        let name: Result<Name, _> = entry.name().parse();
        let Some(place) = reader.text(entry, Advice { empty: Some(FORM), instead: Some(FORM) }) else { continue };
        let (first, rest) = place.split_once(',').unwrap_or_default();
        match name {
            Err(error) => reader.note(Rule::BAD_NAME, key.span(), error.to_string(), "write a short name"),
            Ok(_) if !is_word(first) || !is_word(rest) => {
                reader.note(Rule::WRONG_VALUE, entry.span(), format!("`{place}` is not a place in a dialplan"), FORM);
            }
            Ok(name) => match entries.iter().find(|(known, ..)| known.key() == name.key()) {
                Some((_, first, _)) => reader.repeated(key, *first),
                None => entries.push((name, key.span(), place.into())),
            },
        }
    }
    let entries = entries.into_iter().map(|(name, _, place)| (name, place));
    (reader.findings.total() == before).then(|| entries.collect())
}
