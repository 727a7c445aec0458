//! Strong entity tags and the two preconditions that compare them.
//!
//! An object's tag is a digest of its representation and of a random revision that every change of the object gives it.
//! So it changes exactly when the representation changes, embedded parts included; a write that changes nothing leaves it
//! alone; and a representation that comes back does not bring its tag back.

use axum::http::{HeaderMap, HeaderName};
use rusqlite::{Connection, params};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::text::hex;

use super::collection::{Collection, Row};
use super::page::join;
use super::problem::{Code, Problem};

/// The tag of a representation, quotes included.
pub(super) fn of(text: &str) -> String {
    format!("\"{}\"", digest(text.as_bytes(), 16))
}

/// The first `bytes` bytes of a SHA-256 digest, in hexadecimal.
pub(super) fn digest(data: &[u8], bytes: usize) -> String {
    let digest = Sha256::digest(data);
    hex(digest.get(..bytes).unwrap_or(&digest))
}

/// Adds its tag to an object, as the member `etag`.
pub(super) fn seal(object: &mut Value) {
    set(object, of(&object.to_string()));
}

/// Takes the revisions of objects into their tags. Objects that never changed have none.
pub(super) fn revise(db: &Connection, collection: Collection, rows: &mut [Row]) -> Result<(), Problem> {
    let collection = collection.name();
    let sql = format!(
        "SELECT key, revision FROM revisions WHERE collection = '{collection}' AND key BETWEEN ?1 AND ?2 ORDER BY key"
    );
    join(db, rows, &sql, |object, row| {
        let tag = of(&format!("{} {}", inside(object), row.get::<_, i64>(1)?));
        set(object, tag);
        Ok(())
    })
}

fn set(object: &mut Value, tag: String) {
    if let Value::Object(map) = object {
        map.insert("etag".to_owned(), Value::String(tag));
    }
}

/// An object has changed: its next tag is one that it never had.
pub(super) fn renew(db: &Connection, collection: Collection, key: i64) -> Result<(), Problem> {
    let sql = "INSERT INTO revisions (collection, key, revision) VALUES (?1, ?2, random()) \
               ON CONFLICT (collection, key) DO UPDATE SET revision = excluded.revision";
    db.prepare_cached(sql)?.execute(params![collection.name(), key])?;
    Ok(())
}

/// The tag inside a sealed object.
pub(super) fn inside(object: &Value) -> &str {
    object.get("etag").and_then(Value::as_str).unwrap_or_default()
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Any,
    /// Tags as sent; a weak one keeps its `W/`.
    Tags(Vec<String>),
}

impl Condition {
    /// Reads a condition header; several headers of the same name are one list.
    pub(super) fn from(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, Problem> {
        let mut tags = Vec::new();
        for value in headers.get_all(name) {
            let wrong =
                || Problem::new(Code::InvalidParameter, format!("{name} must be * or a list of quoted entity tags"));
            let text = value.to_str().map_err(|_| wrong())?.trim();
            if text == "*" {
                return Ok(Some(Self::Any));
            }
            tags.extend(parse_tags(text).ok_or_else(wrong)?);
        }
        Ok(if tags.is_empty() { None } else { Some(Self::Tags(tags)) })
    }

    /// `If-Match`: strong comparison, a weak tag never matches.
    pub(super) fn matches_strongly(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|t| t == etag),
        }
    }

    /// `If-None-Match`: weak comparison, as RFC 9110 asks.
    pub(super) fn matches_weakly(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|t| t.strip_prefix("W/").unwrap_or(t) == etag),
        }
    }
}

/// `"a", W/"b"` → the tags; a tag may contain a comma, so the text cannot be split at commas.
fn parse_tags(text: &str) -> Option<Vec<String>> {
    let mut rest = text;
    let mut tags = Vec::new();
    loop {
        let (weak, quoted) = rest.strip_prefix("W/").map_or(("", rest), |r| ("W/", r));
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        if tag.contains(' ') {
            return None;
        }
        tags.push(format!("{weak}\"{tag}\""));
        let after = after.trim_start();
        if after.is_empty() {
            return Some(tags);
        }
        rest = after.strip_prefix(',')?.trim_start();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;

    #[test]
    fn tags_are_read_as_rfc_9110_writes_them() {
        assert_eq!(parse_tags("\"a,b\", W/\"c\"").unwrap(), ["\"a,b\"", "W/\"c\""]);
        assert_eq!(parse_tags("a"), None);
        assert_eq!(parse_tags("\"a\" \"b\""), None);
    }

    #[test]
    fn a_weak_tag_never_allows_a_write() {
        let weak = Condition::Tags(vec!["W/\"a\"".to_owned()]);
        assert!(!weak.matches_strongly("\"a\""));
        assert!(weak.matches_weakly("\"a\""));
    }
}
