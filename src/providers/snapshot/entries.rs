//! A section of the document: keys and entries, handed over one by one.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::fields::Text;
use super::problem::Problem;

/// Reads a mapping without keeping it: each entry goes to `take`, which may refuse it.
pub(super) struct Entries<T, F> {
    take: F,
    entry: PhantomData<T>,
}

impl<T, F> Entries<T, F> {
    pub(super) fn new(take: F) -> Self
    where
        F: FnMut(&str, T) -> Result<(), Problem>,
    {
        Self { take, entry: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(&str, T) -> Result<(), Problem>> DeserializeSeed<'de> for Entries<T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // Any, not map: a section with nothing below its name is empty.
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(&str, T) -> Result<(), Problem>> Visitor<'de> for Entries<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let entry = map.next_value()?;
            (self.take)(key.as_str(), entry).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}
