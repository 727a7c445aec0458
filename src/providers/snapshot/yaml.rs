//! YAML to serde, event by event.
//!
//! `yaml_serde` keeps the events of the whole document, fifteen times the size of the text. This reader keeps
//! one event, so a document costs what is made of it. What a snapshot has no use for is refused with its
//! place: anchors and aliases, tags, merge keys, several documents, deep nesting. Without aliases nothing can
//! be larger than the file.
//!
//! A scalar without quotes is text where text is asked for (`extension: 202`); only elsewhere does it have the
//! meaning of YAML 1.2's core schema, but that digits after a leading zero stay text.

use std::borrow::Cow;
use std::fmt::{self, Display};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput};
use serde::de::value::{CowStrDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, Expected, MapAccess, SeqAccess, Unexpected, Visitor};

use crate::diag::Rule;
use crate::text::forbidden_plain_start;

use super::problem::Problem;
use super::yaml_scalar::{is_null, plain, text};

/// Deeper than any snapshot.
const DEEPEST: usize = 64;

/// A line and a column, both from 1.
type Place = (usize, usize);

/// What is wrong with a document, and where.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) place: Option<Place>,
    pub(super) problem: Problem,
}

/// Reads the one document of a text. An empty text is an empty document.
pub(super) fn read<'de, S: DeserializeSeed<'de>>(text: &'de str, seed: S) -> Result<S::Value, Error> {
    // The parser takes a NUL for the end of the text.
    let control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r');
    if let Some(at) = text.as_bytes().iter().position(control) {
        let before = text.get(..at).unwrap_or_default();
        let (line, start) = (before.matches('\n').count() + 1, before.rfind('\n').map_or(0, |end| end + 1));
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        let hint = "remove it, or write it as an escape in double quotes";
        return Err(Error::at((line, column), Rule::CONTROL_CHARACTER, "control characters are not allowed", hint));
    }
    let mut reader = Reader { text, parser: Parser::new_from_str(text), kept: None, depth: 0, begun: false };
    let value = seed.deserialize(&mut reader)?;
    // Fails if another document begins.
    reader.next()?;
    Ok(value)
}

/// What an event means here.
enum Node<'de> {
    Text { text: Cow<'de, str>, plain: bool },
    Sequence,
    Mapping,
    End,
}

struct Reader<'de> {
    text: &'de str,
    parser: Parser<'de, StrInput<'de>>,
    /// What was looked at and not taken yet.
    kept: Option<(Node<'de>, Place)>,
    depth: usize,
    /// Whether there was a document.
    begun: bool,
}

impl<'de> Reader<'de> {
    /// The next node; after the document, an empty text.
    fn next(&mut self) -> Result<(Node<'de>, Place), Error> {
        if let Some(kept) = self.kept.take() {
            return Ok(kept);
        }
        loop {
            let (event, stretch) = match self.parser.next_event() {
                Some(Ok((event, stretch))) => (event, place(&stretch.start)),
                Some(Err(error)) => return Err(Error::syntax(self.text, place(error.marker()), error.info())),
                None => (Event::StreamEnd, (1, 1)),
            };
            let (node, anchor, tagged) = match event {
                Event::Nothing | Event::StreamStart | Event::DocumentEnd => continue,
                Event::DocumentStart(_) if self.begun => {
                    let hint = "remove the line `---` and what follows it";
                    return Err(Error::at(stretch, Rule::SEVERAL_DOCUMENTS, "a snapshot has one document", hint));
                }
                Event::DocumentStart(_) => {
                    self.begun = true;
                    continue;
                }
                Event::StreamEnd => (Node::Text { text: Cow::Borrowed(""), plain: true }, 0, false),
                Event::Alias(anchor) => (Node::End, anchor, false),
                Event::Scalar(text, style, anchor, tag) => {
                    (Node::Text { text, plain: style == ScalarStyle::Plain }, anchor, tag.is_some())
                }
                Event::SequenceStart(anchor, tag) => (Node::Sequence, anchor, tag.is_some()),
                Event::MappingStart(anchor, tag) => (Node::Mapping, anchor, tag.is_some()),
                Event::SequenceEnd | Event::MappingEnd => (Node::End, 0, false),
            };
            if anchor != 0 {
                let message = "a snapshot has no anchors and aliases";
                return Err(Error::at(stretch, Rule::ALIAS_LIMIT, message, "write the values out"));
            }
            if tagged {
                let hint = "remove the word that begins with `!`";
                return Err(Error::at(stretch, Rule::YAML_TAG, "a snapshot has no tags", hint));
            }
            if let Node::Text { text, plain: true } = &node
                && let Some(first) = forbidden_plain_start(text)
            {
                let message = format!("text without quotes cannot begin with `{first}` here");
                return Err(Error::at(stretch, Rule::YAML_SYNTAX, &message, "put it in quotes"));
            }
            match node {
                Node::Sequence | Node::Mapping if self.depth == DEEPEST => {
                    let hint = "a snapshot has at most 64 levels";
                    return Err(Error::at(stretch, Rule::TOO_DEEP, "values nest too deep", hint));
                }
                Node::Sequence | Node::Mapping => self.depth += 1,
                Node::End => self.depth = self.depth.saturating_sub(1),
                Node::Text { .. } => {}
            }
            return Ok((node, stretch));
        }
    }

    fn skip(&mut self) -> Result<(), Error> {
        let mut open = 0_usize;
        loop {
            match self.next()?.0 {
                Node::Text { .. } => {}
                Node::Sequence | Node::Mapping => open += 1,
                Node::End => open = open.saturating_sub(1),
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// Hands over the entries of a collection whose beginning was taken, and takes its end.
    fn entries<T>(
        &mut self,
        place: Place,
        visit: impl FnOnce(&mut Entries<'_, 'de>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut entries = Entries { reader: self, start: place, place };
        let value = visit(&mut entries).map_err(|error| error.within(entries.place))?;
        match self.next()? {
            (Node::End, _) => Ok(value),
            (_, place) => Err(Error::at(place, Rule::WRONG_VALUE, "there is one value too many here", "remove it")),
        }
    }
}

fn place(marker: &Marker) -> Place {
    (marker.line().max(1), marker.col() + 1)
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let (node, place) = self.next()?;
        match node {
            Node::Text { text, plain: true } => plain(text, visitor),
            Node::Text { text: quoted, .. } => text(quoted, visitor),
            Node::Sequence => self.entries(place, |entries| visitor.visit_seq(entries)),
            Node::Mapping => self.entries(place, |entries| visitor.visit_map(entries)),
            // The parser does not do that.
            Node::End => Err(Error::custom("a value is missing")),
        }
        .map_err(|error| error.within(place))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.next()? {
            (Node::Text { text: any, .. }, place) => text(any, visitor).map_err(|error| error.within(place)),
            other => {
                self.kept = Some(other);
                self.deserialize_any(visitor)
            }
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.next()? {
            (Node::Text { text, plain: true }, _) if is_null(&text) => visitor.visit_none(),
            other => {
                self.kept = Some(other);
                visitor.visit_some(self)
            }
        }
    }

    /// A key with nothing behind it is an empty list.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.next()? {
            (Node::Text { text, plain: true }, place) if text.is_empty() => visitor
                .visit_seq(SeqDeserializer::<_, Error>::new(std::iter::empty::<()>()))
                .map_err(|error| error.within(place)),
            other => {
                self.kept = Some(other);
                self.deserialize_any(visitor)
            }
        }
    }

    /// A key with nothing behind it is an empty mapping.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.next()? {
            (Node::Text { text, plain: true }, place) if text.is_empty() => visitor
                .visit_map(MapDeserializer::<_, Error>::new(std::iter::empty::<((), ())>()))
                .map_err(|error| error.within(place)),
            other => {
                self.kept = Some(other);
                self.deserialize_any(visitor)
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// Only variants without content, written as their names.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (node, place) = self.next()?;
        match node {
            Node::Text { text, .. } => visitor.visit_enum(CowStrDeserializer::new(text)),
            Node::Sequence => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            Node::Mapping | Node::End => Err(Error::invalid_type(Unexpected::Map, &visitor)),
        }
        .map_err(|error| error.within(place))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.skip()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

/// The entries of a collection, from one place in the text to the next.
struct Entries<'r, 'de> {
    reader: &'r mut Reader<'de>,
    /// Where the collection begins.
    start: Place,
    /// Where the last key is, and before the first and after the last one where the collection begins.
    place: Place,
}

impl<'de> SeqAccess<'de> for &mut Entries<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let next = self.reader.next()?;
        let follows = !matches!(next.0, Node::End);
        self.reader.kept = Some(next);
        if follows { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for &mut Entries<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let (node, place) = self.reader.next()?;
        let follows = !matches!(node, Node::End);
        if matches!(&node, Node::Text { text, plain: true } if text == "<<") {
            return Err(Error::at(place, Rule::MERGE_KEY, "a snapshot has no merge keys", "write the fields out"));
        }
        self.reader.kept = Some((node, place));
        if follows {
            self.place = place;
            seed.deserialize(&mut *self.reader).map(Some)
        } else {
            self.place = self.start;
            Ok(None)
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.reader)
    }
}

impl Error {
    fn at(place: Place, rule: &'static Rule, message: &str, hint: &str) -> Self {
        Self { place: Some(place), problem: Problem::new(rule, message, hint) }
    }

    /// The parser's message. For a tab in the indentation it only names the position before it.
    fn syntax(text: &str, (line, column): Place, why: &str) -> Self {
        let mut lines = text.split('\n').enumerate().skip(line - 1).take(if why.contains("tab") { 2 } else { 0 });
        let tab = lines.find_map(|(index, line)| {
            let indentation = line.len() - line.trim_start_matches(' ').len();
            line.get(indentation..)?.starts_with('\t').then_some((index + 1, indentation + 1))
        });
        match tab {
            Some(tab) => Self::at(tab, Rule::TAB_INDENTATION, "a tab indents the line", "indent with spaces"),
            None => Self::at((line, column), Rule::YAML_SYNTAX, why, "correct the YAML at this place"),
        }
    }

    /// The innermost place is reported.
    fn within(self, place: Place) -> Self {
        Self { place: self.place.or(Some(place)), ..self }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self { place: None, problem }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: Display>(why: T) -> Self {
        let text = why.to_string();
        let other = || Problem::new(Rule::WRONG_VALUE, &text, "docs/snapshot.md describes every field");
        Problem::of(&text).unwrap_or_else(other).into()
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Problem::wrong_type(found, expected).into()
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Problem::wrong_value(found, expected).into()
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Problem::unknown_word(word, known).into()
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Problem::unknown_field(field, known).into()
    }

    fn missing_field(field: &'static str) -> Self {
        Problem::missing_field(field).into()
    }

    fn duplicate_field(field: &'static str) -> Self {
        Problem::twice(field).into()
    }
}
