//! Reads the members of a request body, collecting everything that is wrong before saying so.
//!
//! One reader serves creates and merge patches (RFC 7396): a patch has no required members, and `null` removes
//! what can be absent. A reference (`{kind, id}`) is one value and is replaced whole, in a patch too.

use serde_json::{Map, Value};

use super::collection::{Target, TargetKind};
use super::problem::{FieldError, Problem};
use super::text::Rule;

/// Whether the body makes an object or changes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Create,
    Patch,
}

/// Whether a create must carry the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// A member of a body that may be `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change<T> {
    /// Nothing.
    Keep,
    Clear,
    Set(T),
}

impl<T> Change<T> {
    pub(super) fn set(self) -> Option<T> {
        if let Self::Set(value) = self { Some(value) } else { None }
    }
}

/// Read-only members of every object.
const READ_ONLY: &[&str] = &["id", "etag"];

/// Reads a body. Read every known member, then call [`Fields::finish`].
#[derive(Debug)]
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    at: String,
    mode: Mode,
    known: Vec<&'a str>,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(map: &'a Map<String, Value>, mode: Mode) -> Self {
        Self { map, at: String::new(), mode, known: Vec::new(), errors: Vec::new() }
    }

    pub(super) const fn mode(&self) -> Mode {
        self.mode
    }

    /// Records that `name` is wrong.
    pub(super) fn reject(&mut self, name: &str, detail: impl Into<String>) {
        let pointer = self.pointer(name);
        self.errors.push(FieldError { pointer, detail: detail.into() });
    }

    /// Fails with everything collected, unknown members included.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        self.reject_unknown();
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(&self.errors)) }
    }

    pub(super) fn value(&mut self, name: &'a str, need: Need) -> Option<&'a Value> {
        self.known.push(name);
        let value = self.map.get(name);
        if value.is_none() && need == Need::Required && self.mode == Mode::Create {
            self.reject(name, "is required");
        }
        value
    }

    pub(super) fn text(&mut self, name: &'a str, need: Need, rule: Rule) -> Option<&'a str> {
        let value = self.value(name, need)?;
        self.checked_text(name, value, rule)
    }

    /// A member that may be `null`.
    fn nullable<T>(
        &mut self,
        name: &'a str,
        need: Need,
        read: impl FnOnce(&mut Self, &'a Value) -> Option<T>,
    ) -> Change<T> {
        match self.value(name, need) {
            None => Change::Keep,
            Some(Value::Null) => Change::Clear,
            Some(value) => read(self, value).map_or(Change::Keep, Change::Set),
        }
    }

    /// A text that may be `null`.
    pub(super) fn nullable_text(&mut self, name: &'a str, rule: Rule) -> Change<&'a str> {
        self.nullable(name, Need::Optional, |fields, value| fields.checked_text(name, value, rule))
    }

    pub(super) fn boolean(&mut self, name: &'a str, need: Need) -> Option<bool> {
        let value = self.value(name, need)?.as_bool();
        if value.is_none() {
            self.reject(name, "must be true or false");
        }
        value
    }

    pub(super) fn integer(&mut self, name: &'a str, need: Need, min: i64, max: i64) -> Option<i64> {
        let value = self.value(name, need)?;
        let number = whole(value).filter(|n| (min..=max).contains(n));
        if number.is_none() {
            self.reject(name, format!("must be a whole number from {min} to {max}"));
        }
        number
    }

    pub(super) fn one_of(&mut self, name: &'a str, need: Need, allowed: &[&'static str]) -> Option<&'static str> {
        let value = self.value(name, need)?;
        let found = value.as_str().and_then(|text| allowed.iter().find(|a| **a == text).copied());
        if found.is_none() {
            self.reject(name, format!("must be one of {}", allowed.join(", ")));
        }
        found
    }

    /// An id of one kind.
    pub(super) fn id(&mut self, name: &'a str, need: Need, prefix: &str) -> Option<i64> {
        let value = self.value(name, need)?;
        self.checked_id(name, value, prefix)
    }

    /// An id that may be `null`.
    pub(super) fn nullable_id(&mut self, name: &'a str, prefix: &str) -> Change<i64> {
        self.nullable(name, Need::Optional, |fields, value| fields.checked_id(name, value, prefix))
    }

    /// A reference that may be `null`.
    pub(super) fn nullable_target(&mut self, name: &'a str, kinds: &[TargetKind]) -> Change<Target> {
        self.nullable(name, Need::Optional, |fields, value| fields.target(name, value, kinds))
    }

    /// A list of references, 1 to `max`, none twice.
    pub(super) fn targets(
        &mut self,
        name: &'a str,
        need: Need,
        kinds: &[TargetKind],
        max: usize,
    ) -> Option<Vec<Target>> {
        let value = self.value(name, need)?;
        let Some(items) = value.as_array().filter(|items| (1..=max).contains(&items.len())) else {
            self.reject(name, format!("must be a list of 1 to {max} references"));
            return None;
        };
        let mut targets = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let at = format!("{name}/{index}");
            let target = self.target(&at, item, kinds)?;
            if targets.contains(&target) {
                self.reject(&at, "is in the list already");
            }
            targets.push(target);
        }
        Some(targets)
    }

    /// A list of up to `max` texts that may be `null`.
    pub(super) fn nullable_texts(&mut self, name: &'a str, rule: Rule, max: usize) -> Change<Vec<&'a str>> {
        self.nullable(name, Need::Required, |fields, value| {
            let Some(items) = value.as_array().filter(|items| items.len() <= max) else {
                fields.reject(name, format!("must be null or a list of up to {max} texts"));
                return None;
            };
            let items = items.iter().enumerate();
            items.map(|(index, item)| fields.checked_text(&format!("{name}/{index}"), item, rule)).collect()
        })
    }

    /// A list of up to `max` ids of one kind; absent is empty.
    pub(super) fn ids(&mut self, name: &'a str, prefix: &str, max: usize) -> Option<Vec<i64>> {
        let value = self.value(name, Need::Optional)?;
        let Some(items) = value.as_array().filter(|items| items.len() <= max) else {
            self.reject(name, format!("must be a list of up to {max} ids"));
            return None;
        };
        let ids =
            items.iter().enumerate().map(|(index, item)| self.checked_id(&format!("{name}/{index}"), item, prefix));
        ids.collect()
    }

    /// Reads a nested object with its own reader, and takes over what it found wrong.
    pub(super) fn object<T>(&mut self, name: &'a str, need: Need, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let value = self.value(name, need)?;
        let Some(map) = value.as_object() else {
            self.reject(name, "must be an object");
            return None;
        };
        let at = format!("{}/{name}", self.at);
        let mut nested = Self { map, at, mode: self.mode, known: Vec::new(), errors: Vec::new() };
        let out = read(&mut nested);
        nested.reject_unknown();
        self.errors.append(&mut nested.errors);
        Some(out)
    }

    /// The members of this object, for maps whose keys are data.
    pub(super) const fn members(&self) -> &'a Map<String, Value> {
        self.map
    }

    /// Checks one reference; `name` may be a path below this object.
    pub(super) fn target(&mut self, name: &str, value: &Value, kinds: &[TargetKind]) -> Option<Target> {
        let names = || kinds.iter().map(|k| k.name()).collect::<Vec<_>>().join(", ");
        let Some(map) = value.as_object().filter(|m| m.len() == 2) else {
            self.reject(name, "must be an object of exactly kind and id");
            return None;
        };
        let kind = map.get("kind").and_then(Value::as_str).and_then(TargetKind::parse).filter(|k| kinds.contains(k));
        let Some(kind) = kind else {
            self.reject(&format!("{name}/kind"), format!("must be one of {}", names()));
            return None;
        };
        let key = self.checked_id(&format!("{name}/id"), map.get("id").unwrap_or(&Value::Null), kind.prefix())?;
        Some(Target { kind, key })
    }

    /// Marks a member as known without reading it.
    pub(super) fn know(&mut self, name: &'a str) {
        self.known.push(name);
    }

    fn checked_id(&mut self, name: &str, value: &Value, prefix: &str) -> Option<i64> {
        let key = value.as_str().and_then(|text| super::collection::key(prefix, text));
        if key.is_none() {
            self.reject(name, format!("must be an id such as {prefix}_1"));
        }
        key
    }

    fn checked_text(&mut self, name: &str, value: &'a Value, rule: Rule) -> Option<&'a str> {
        let Some(text) = value.as_str() else {
            self.reject(name, "must be a text");
            return None;
        };
        if let Err(detail) = rule(text) {
            self.reject(name, detail);
            return None;
        }
        Some(text)
    }

    fn reject_unknown(&mut self) {
        for name in self.map.keys() {
            if self.known.contains(&name.as_str()) {
                continue;
            }
            if READ_ONLY.contains(&name.as_str()) {
                self.reject(name, "is read-only");
            } else if self.known.is_empty() {
                self.reject(name, "is unknown");
            } else {
                let known = self.known.join(", ");
                self.reject(name, format!("is unknown or read-only here; writable are: {known}"));
            }
        }
    }

    fn pointer(&self, name: &str) -> String {
        // The names of members are data here and may contain what a pointer must escape; paths made by
        // `targets` and `target` consist of known names and indexes and keep their slashes.
        let escaped =
            if self.map.contains_key(name) { name.replace('~', "~0").replace('/', "~1") } else { name.to_owned() };
        format!("{}/{escaped}", self.at)
    }
}

/// JSON has one number type: 20.0 is a whole number.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let float = value.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and far inside the range of i64")]
        (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test may panic")]
    use super::*;
    use crate::sandbox::text;

    #[test]
    fn all_errors_are_reported_at_once() {
        let body = serde_json::json!({"name": "", "seconds": 2, "id": "grp_1", "a/b": 1});
        let mut fields = Fields::new(body.as_object().unwrap(), Mode::Create);
        fields.text("name", Need::Required, text::name);
        fields.integer("seconds", Need::Optional, 5, 300);
        fields.text("extension", Need::Required, text::extension);
        fields.reject_unknown();
        let pointers: Vec<_> = fields.errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["/name", "/seconds", "/extension", "/a~1b", "/id"]);
    }

    #[test]
    fn a_float_without_fraction_is_whole() {
        assert_eq!(whole(&serde_json::json!(20.0)), Some(20));
        assert_eq!(whole(&serde_json::json!(20.5)), None);
        assert_eq!(whole(&serde_json::json!("20")), None);
    }
}
