//! Documents as the JSON Schema validator sees them.
//!
//! The validator walks the tree itself, so validating 100,000 numbers copies none of them. Keys are text,
//! as JSON's are; unquoted scalars are what YAML 1.2 makes of them, with numbers and truth values of 1.1
//! left as the text that they are in 1.2 (the rules on quotes find them).

use std::borrow::Cow;
use std::iter;

use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};
use jsonschema::types::JsonType;
use serde_json::{Number, Value};

use super::document::{Entries, Mapping, NodeRef, Sequence, Siblings, View};
use super::yaml_scalar::{ScalarKind, kind};

/// The representation: a document's values, or a text such as a key.
pub(super) struct Tree;

/// A value as JSON.
#[derive(Clone, Copy)]
pub(super) enum Item<'d> {
    /// A value of the document.
    Node(NodeRef<'d>),
    /// A key on its own.
    Text(&'d str),
}

/// What JSON makes of a scalar.
enum Scalar<'d> {
    Null,
    Truth(bool),
    Number(Number),
    Text(&'d str),
}

impl Json for Tree {
    type Node<'a> = Item<'a>;
    type PreparedKey = Box<str>;
    type StringBuffer = ();

    // A lookup walks the keys, of which the format's own mappings have ten at most.
    const KEYS_PER_LOOKUP: usize = 4;
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> Box<str> {
        key.into()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(Item<'_>) -> T) -> T {
        f(Item::Text(string))
    }
}

fn plain(text: &str) -> Scalar<'_> {
    match (kind(text), text) {
        (ScalarKind::Null, _) => Scalar::Null,
        (ScalarKind::Truth, "true" | "True" | "TRUE") => Scalar::Truth(true),
        (ScalarKind::Truth, "false" | "False" | "FALSE") => Scalar::Truth(false),
        (ScalarKind::Integer | ScalarKind::Octal, _) => {
            let digits = text.strip_prefix('+').unwrap_or(text);
            digits.parse::<i64>().map_or(Scalar::Text(text), |number| Scalar::Number(number.into()))
        }
        (ScalarKind::Float, _) => {
            let number = text.parse::<f64>().ok().and_then(Number::from_f64);
            number.map_or(Scalar::Text(text), Scalar::Number)
        }
        _ => Scalar::Text(text),
    }
}

impl<'d> Item<'d> {
    fn view(self) -> View<'d> {
        match self {
            Self::Node(node) => node.view(),
            Self::Text(text) => View::Quoted(text),
        }
    }

    fn scalar(self) -> Option<Scalar<'d>> {
        match self.view() {
            View::Plain(text) => Some(plain(text)),
            View::Quoted(text) => Some(Scalar::Text(text)),
            View::Mapping(_) | View::Sequence(_) => None,
        }
    }

    fn text(self) -> Option<&'d str> {
        match self.scalar() {
            Some(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }
}

impl<'d> Node<'d, Tree> for Item<'d> {
    type Object = Mapping<'d>;
    type Array = Sequence<'d>;
    type Number = Written;

    fn as_object(&self) -> Option<Mapping<'d>> {
        match self.view() {
            View::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<Sequence<'d>> {
        match self.view() {
            View::Sequence(sequence) => Some(sequence),
            _ => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'d, str>> {
        self.text().map(Cow::Borrowed)
    }

    fn as_number(&self) -> Option<Written> {
        match self.scalar() {
            Some(Scalar::Number(number)) => Some(Written(number)),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self.scalar() {
            Some(Scalar::Truth(truth)) => Some(truth),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self.scalar(), Some(Scalar::Null))
    }

    fn json_type(&self) -> JsonType {
        match self.scalar() {
            Some(Scalar::Null) => JsonType::Null,
            Some(Scalar::Truth(_)) => JsonType::Boolean,
            Some(Scalar::Number(_)) => JsonType::Number,
            Some(Scalar::Text(_)) => JsonType::String,
            None if self.as_array().is_some() => JsonType::Array,
            None => JsonType::Object,
        }
    }

    fn string_length_within(&self, min: u64, max: u64) -> Option<bool> {
        let text = self.text()?;
        let bytes = text.len() as u64;
        // A character has one to four bytes, so most texts need no counting.
        if min <= bytes.div_ceil(4) && bytes <= max {
            return Some(true);
        }
        Some((min..=max).contains(&(text.chars().count() as u64)))
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (self.text(), expected) {
            (Some(text), Value::String(expected)) => text == expected,
            _ => jsonschema::json::cmp::equal(&self.to_value(), expected),
        }
    }

    fn to_value(&self) -> Cow<'d, Value> {
        // The validator copies the value into every error, and 100,000 bad keys would be 100,000 copies of
        // the mapping. The copy is not used, and no `const` or `enum` of the schema is a collection.
        let value = match self.scalar() {
            Some(Scalar::Null) => Value::Null,
            Some(Scalar::Truth(truth)) => Value::Bool(truth),
            Some(Scalar::Number(number)) => Value::Number(number),
            Some(Scalar::Text(text)) => Value::String(text.to_owned()),
            None if self.as_array().is_some() => Value::Array(Vec::new()),
            None => Value::Object(serde_json::Map::new()),
        };
        Cow::Owned(value)
    }

    fn identity(&self) -> Option<NodeIdentity> {
        match self {
            Self::Node(node) => Some(NodeIdentity::tagged(std::ptr::from_ref(node.document()) as usize, node.index())),
            Self::Text(_) => None,
        }
    }
}

/// A number as the validator reads it.
pub(super) struct Written(Number);

impl JsonNumber for Written {
    fn as_u64(&self) -> Option<u64> {
        self.0.as_u64()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.as_i64()
    }

    fn as_f64(&self) -> Option<f64> {
        self.0.as_f64()
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(self.0.to_string())
    }

    fn to_number(&self) -> Cow<'_, Number> {
        Cow::Borrowed(&self.0)
    }
}

impl<'d> Object<'d, Tree> for Mapping<'d> {
    type Node = Item<'d>;
    type MemberName = &'d str;
    type MembersIter = iter::Map<Entries<'d>, fn((NodeRef<'d>, NodeRef<'d>)) -> (&'d str, Item<'d>)>;

    fn len(&self) -> usize {
        Mapping::len(*self)
    }

    fn get(&self, key: &Box<str>) -> Option<Item<'d>> {
        self.members().find(|(name, _)| *name == &**key).map(|(_, item)| item)
    }

    fn members(&self) -> Self::MembersIter {
        self.entries().map(|(key, value)| (key.scalar().unwrap_or_default(), Item::Node(value)))
    }
}

impl<'d> Array<'d, Tree> for Sequence<'d> {
    type Node = Item<'d>;
    type ElementsIter = iter::Map<Siblings<'d>, fn(NodeRef<'d>) -> Item<'d>>;

    fn len(&self) -> usize {
        Sequence::len(*self)
    }

    fn elements(&self) -> Self::ElementsIter {
        self.items().map(Item::Node)
    }
}
