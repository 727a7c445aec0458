//! The snapshot format: the entries of the document's sections. Unknown fields are errors.
//!
//! A snapshot is also the seed of an embedded account, which has fields that no plan needs. Their type is the parameter
//! `E` of the entries: a text in a seed, and elsewhere `IgnoredAny`, which takes any value and keeps nothing. Extension
//! numbers are `X`, since those of an embedded account have rules of their own.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer as _, MapAccess, Unexpected, Visitor};

use crate::model::RingMode;

/// A text, borrowed from the file if it has no escapes.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Keys that are compared one by one.
const FEW: usize = 8;

/// A mapping in the order of the file, every key once.
pub(crate) struct Pairs<'a, T>(pub(crate) Vec<(Text<'a>, T)>);

impl<T> Default for Pairs<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Pairs<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collecting<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Collecting<T> {
            type Value = Pairs<'de, T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Pairs::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de, T>, A::Error> {
                let mut pairs: Vec<(Text<'de>, T)> = Vec::new();
                // Nearly all have a phone or two, which need no table.
                let mut seen = HashSet::new();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    if pairs.len() == FEW {
                        seen.extend(pairs.iter().map(|(key, _)| key.0.clone()));
                    }
                    let twice = match pairs.len() {
                        0..FEW => pairs.iter().any(|(other, _)| other.0 == key.0),
                        _ => !seen.insert(key.0.clone()),
                    };
                    if twice {
                        return Err(A::Error::custom(format_args!("`{}` is given twice", key.0)));
                    }
                    pairs.push((key, map.next_value()?));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Collecting(PhantomData))
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account<'a, E> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    /// The vendor's id, if the snapshot was taken from an account that has one.
    #[serde(borrow)]
    pub(crate) id: Option<Text<'a>>,
    pub(crate) country: Option<E>,
    #[serde(borrow)]
    pub(crate) default_number: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Location<'a> {
    #[serde(default, borrow)]
    pub(crate) address: Text<'a>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct User<'a, E, X> {
    /// Absent: the key is the name.
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    /// Absent: the key is the e-mail address if it has an `@`.
    #[serde(borrow)]
    pub(crate) email: Option<Text<'a>>,
    pub(crate) extension: Option<X>,
    pub(crate) location: Option<E>,
    /// Absent: they have one of their own.
    pub(crate) voicemail: Option<UserMailbox>,
    #[serde(borrow)]
    pub(crate) forwarding: Option<Forwarding<'a, E>>,
    #[serde(default, borrow)]
    pub(crate) devices: Pairs<'a, Device<'a, E>>,
}

/// Whether a user has a mailbox of their own, or else the key of the user whose mailbox they share.
pub(crate) enum UserMailbox {
    Own(bool),
    Shared(Box<str>),
}

impl<'de> Deserialize<'de> for UserMailbox {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = UserMailbox;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false`, or `voicemail/` and the key of another user")
            }
            fn visit_bool<R: Error>(self, own: bool) -> Result<Self::Value, R> {
                Ok(UserMailbox::Own(own))
            }
            fn visit_str<R: Error>(self, text: &str) -> Result<Self::Value, R> {
                let owner = text.strip_prefix("voicemail/");
                let owner = owner.ok_or_else(|| R::invalid_value(Unexpected::Str(text), &self))?;
                Ok(UserMailbox::Shared(owner.into()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A mailbox that is not a user's.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mailbox<'a, X> {
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    pub(crate) extension: Option<X>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forwarding<'a, E> {
    #[serde(borrow)]
    pub(crate) mode: Text<'a>,
    pub(crate) to: Option<E>,
}

/// A phone: its kind as a word, or its kind and its name.
pub(crate) struct Device<'a, E> {
    /// Absent: not known.
    pub(crate) kind: Option<E>,
    /// Absent: the key is the name.
    pub(crate) name: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct LongDevice<'a, E> {
    kind: Option<E>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

impl<'de: 'a, 'a, E: Deserialize<'de>> Deserialize<'de> for Device<'a, E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<E>(PhantomData<E>);
        impl<'de, E: Deserialize<'de>> Visitor<'de> for Either<E> {
            type Value = Device<'de, E>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a phone's kind, or its `kind` and `name`")
            }
            fn visit_str<R: Error>(self, kind: &str) -> Result<Self::Value, R> {
                E::deserialize(kind.into_deserializer()).map(|kind| Device { kind: Some(kind), name: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let LongDevice { kind, name } =
                    LongDevice::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Device { kind, name })
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receptionist<'a, E, X> {
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    pub(crate) extension: Option<X>,
    pub(crate) timezone: Option<E>,
    #[serde(default, borrow)]
    pub(crate) keys: Pairs<'a, Text<'a>>,
}

/// A conference; its bridges are `B`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conference<'a, B, X> {
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    pub(crate) extension: Option<X>,
    pub(crate) bridges: Option<B>,
}

/// A bridge of a conference. It has a secret, so there is no `Debug`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bridge<'a> {
    #[serde(borrow)]
    pub(crate) number: Text<'a>,
    #[serde(borrow)]
    pub(crate) pin: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) assigned_to: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RingGroup<'a, X> {
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    pub(crate) extension: Option<X>,
    pub(crate) ring: Option<RingMode>,
    #[serde(default, borrow)]
    pub(crate) members: Vec<Text<'a>>,
    /// Absent: the default; `none`: for ever.
    #[serde(borrow)]
    pub(crate) ring_for: Option<Text<'a>>,
    /// Absent or `none`: the call ends.
    #[serde(borrow)]
    pub(crate) no_answer: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Number<'a, E> {
    /// Absent or `none`: unassigned.
    #[serde(borrow)]
    pub(crate) to: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) label: Option<Text<'a>>,
    pub(crate) kind: Option<E>,
    #[serde(default)]
    pub(crate) emergency_callback: bool,
    pub(crate) owner: Option<E>,
}
