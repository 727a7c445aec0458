//! YAML, read as the parser's events come: the common documents, fast, and in hardly any memory.
//!
//! `serde_yaml` keeps every event of a document before it hands over the first, which takes fifteen times the
//! file's size. This reads one event at a time, and gives up ([`Unsure`]) at whatever is rare (an alias, a tag, a
//! number where no text is expected) or wrong. Then the whole text is read again through `serde_yaml`, which knows
//! what to make of it, and whose messages have places.

use std::borrow::Cow;
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use serde::de::value::StringDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// This reader does not say what the document is.
#[derive(Debug)]
pub(super) struct Unsure;

impl fmt::Display for Unsure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not read in this way")
    }
}

impl std::error::Error for Unsure {}

impl Error for Unsure {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// What a text is, if this reader can tell.
pub(super) fn read<'s, S: DeserializeSeed<'s>>(text: &'s str, seed: S) -> Result<S::Value, Unsure> {
    if !text.chars().all(is_plain) {
        return Err(Unsure);
    }
    let mut events = Events { parser: Parser::new_from_str(text), peeked: None };
    let Event::StreamStart = events.take()? else { return Err(Unsure) };
    let Event::DocumentStart(_) = events.take()? else { return Err(Unsure) };
    let value = seed.deserialize(&mut events)?;
    let Event::DocumentEnd = events.take()? else { return Err(Unsure) };
    let Event::StreamEnd = events.take()? else { return Err(Unsure) };
    Ok(value)
}

/// What every version of YAML allows and takes for one character of text, or for the end of a line.
fn is_plain(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}')
        || matches!(c, '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

struct Events<'s> {
    parser: Parser<'s, StrInput<'s>>,
    peeked: Option<Event<'s>>,
}

impl<'s> Events<'s> {
    /// The next event, without anchor and tag.
    fn take(&mut self) -> Result<Event<'s>, Unsure> {
        if let Some(event) = self.peeked.take() {
            return Ok(event);
        }
        let (event, _) = self.parser.next_event().ok_or(Unsure)?.map_err(|_| Unsure)?;
        match event {
            // Zero is the parser's number for no anchor.
            Event::Scalar(_, _, 0, None)
            | Event::MappingStart(0, None)
            | Event::SequenceStart(0, None)
            | Event::MappingEnd
            | Event::SequenceEnd
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(event),
            _ => Err(Unsure),
        }
    }

    fn peek(&mut self) -> Result<&Event<'s>, Unsure> {
        let event = self.take()?;
        Ok(self.peeked.insert(event))
    }

    fn scalar(&mut self) -> Result<(Cow<'s, str>, ScalarStyle), Unsure> {
        match self.take()? {
            Event::Scalar(text, style, ..) => Ok((text, style)),
            _ => Err(Unsure),
        }
    }

    /// Passes over a value. No recursion: it may be nested as deeply as the parser lets it.
    fn skip(&mut self) -> Result<(), Unsure> {
        let mut depth = 0u32;
        loop {
            match self.take()? {
                Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
                Event::MappingEnd | Event::SequenceEnd => depth = depth.checked_sub(1).ok_or(Unsure)?,
                Event::Scalar(..) => {}
                _ => return Err(Unsure),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

/// Without quotes, these are nothing.
fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Whether every reader takes it for text, though it has no quotes.
fn is_certain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !is_null(text)
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "nan" | "inf")
}

impl<'s> Deserializer<'s> for &mut Events<'s> {
    type Error = Unsure;

    fn deserialize_any<V: Visitor<'s>>(self, visitor: V) -> Result<V::Value, Unsure> {
        match self.peek()? {
            Event::MappingStart(..) => self.deserialize_map(visitor),
            Event::SequenceStart(..) => self.deserialize_seq(visitor),
            Event::Scalar(text, ScalarStyle::Plain, ..) if is_null(text) => {
                self.take()?;
                visitor.visit_unit()
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) if !is_certain(text) => Err(Unsure),
            _ => self.deserialize_str(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'s>>(self, visitor: V) -> Result<V::Value, Unsure> {
        match self.scalar()?.0 {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_string<V: Visitor<'s>>(self, visitor: V) -> Result<V::Value, Unsure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'s>>(self, visitor: V) -> Result<V::Value, Unsure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'s>>(self, visitor: V) -> Result<V::Value, Unsure> {
        match self.peek()? {
            Event::Scalar(text, ScalarStyle::Plain, ..) if is_null(text) => {
                self.take()?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'s>>(self, visitor: V) -> Result<V::Value, Unsure> {
        match self.scalar()? {
            (text, ScalarStyle::Plain) if text == "true" => visitor.visit_bool(true),
            (text, ScalarStyle::Plain) if text == "false" => visitor.visit_bool(false),
            _ => Err(Unsure),
        }
    }

    fn deserialize_u64<V: Visitor<'s>>(self, visitor: V) -> Result<V::Value, Unsure> {
        match self.scalar()? {
            // The version of the format, and no octal number.
            (text, ScalarStyle::Plain) if text.len() == 1 => visitor.visit_u64(text.parse().map_err(|_| Unsure)?),
            _ => Err(Unsure),
        }
    }

    fn deserialize_enum<V: Visitor<'s>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unsure> {
        let text: StringDeserializer<Unsure> = self.scalar()?.0.into_owned().into_deserializer();
        visitor.visit_enum(text)
    }

    fn deserialize_map<V: Visitor<'s>>(self, visitor: V) -> Result<V::Value, Unsure> {
        let Event::MappingStart(..) = self.take()? else { return Err(Unsure) };
        let value = visitor.visit_map(Inside(&mut *self))?;
        let Event::MappingEnd = self.take()? else { return Err(Unsure) };
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'s>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unsure> {
        self.deserialize_map(visitor)
    }

    fn deserialize_seq<V: Visitor<'s>>(self, visitor: V) -> Result<V::Value, Unsure> {
        let Event::SequenceStart(..) = self.take()? else { return Err(Unsure) };
        let value = visitor.visit_seq(Inside(&mut *self))?;
        let Event::SequenceEnd = self.take()? else { return Err(Unsure) };
        Ok(value)
    }

    fn deserialize_newtype_struct<V: Visitor<'s>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unsure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'s>>(self, visitor: V) -> Result<V::Value, Unsure> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'s>>
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

/// The entries of an open mapping, or the items of an open list.
struct Inside<'e, 's>(&'e mut Events<'s>);

impl<'s> MapAccess<'s> for Inside<'_, 's> {
    type Error = Unsure;

    fn next_key_seed<K: DeserializeSeed<'s>>(&mut self, seed: K) -> Result<Option<K::Value>, Unsure> {
        match self.0.peek()? {
            Event::MappingEnd => Ok(None),
            _ => seed.deserialize(&mut *self.0).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'s>>(&mut self, seed: V) -> Result<V::Value, Unsure> {
        seed.deserialize(&mut *self.0)
    }
}

impl<'s> SeqAccess<'s> for Inside<'_, 's> {
    type Error = Unsure;

    fn next_element_seed<T: DeserializeSeed<'s>>(&mut self, seed: T) -> Result<Option<T::Value>, Unsure> {
        match self.0.peek()? {
            Event::SequenceEnd => Ok(None),
            _ => seed.deserialize(&mut *self.0).map(Some),
        }
    }
}
