//! The entries of the document's sections. This is the snapshot format; unknown fields are errors.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::{ExtensionNumber, RingMode};

/// A text, borrowed from the file if it has no escapes.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(Borrowing)
    }
}

/// A list of texts.
#[derive(Default)]
pub(super) struct List<'a>(pub(super) Vec<Text<'a>>);

/// Keys that are compared one by one.
const FEW: usize = 8;

/// A mapping in the order of the file, every key once.
pub(super) struct Pairs<'a, T>(pub(super) Vec<(Text<'a>, T)>);

impl<T> Default for Pairs<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for List<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collecting;
        impl<'de> Visitor<'de> for Collecting {
            type Value = List<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of references")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<'de>, A::Error> {
                let mut list = Vec::new();
                while let Some(text) = items.next_element::<Text<'de>>()? {
                    list.push(text);
                }
                Ok(List(list))
            }
        }
        deserializer.deserialize_seq(Collecting)
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
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de, T>, A::Error> {
                let mut pairs: Vec<(Text<'de>, T)> = Vec::new();
                // Nearly all have a phone or two, which need no table.
                let mut seen = HashSet::new();
                while let Some((key, value)) = map.next_entry::<Text<'de>, T>()? {
                    if pairs.len() == FEW {
                        seen.extend(pairs.iter().map(|(key, _)| key.0.clone()));
                    }
                    let twice = match pairs.len() {
                        0..FEW => pairs.iter().any(|(other, _)| other.0 == key.0),
                        _ => !seen.insert(key.0.clone()),
                    };
                    if twice {
                        return Err(A::Error::custom(format_args!("`{}` stands there twice", key.0)));
                    }
                    pairs.push((key, value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Collecting(PhantomData))
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    /// The vendor's id, if the snapshot was taken from an account that has one.
    #[serde(default, borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(default, rename = "country")]
    _country: IgnoredAny,
    #[serde(default, borrow)]
    pub(super) default_number: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User<'a> {
    /// Absent: the key is the name.
    #[serde(default, borrow)]
    pub(super) name: Option<Text<'a>>,
    /// Absent: the key is the e-mail address if it has an `@`.
    #[serde(default, borrow)]
    pub(super) email: Option<Text<'a>>,
    #[serde(default)]
    pub(super) extension: Option<ExtensionNumber>,
    #[serde(default, rename = "location")]
    _location: IgnoredAny,
    #[serde(default)]
    pub(super) voicemail: Option<bool>,
    #[serde(default, borrow)]
    pub(super) forwarding: Option<Forwarding<'a>>,
    #[serde(default, borrow)]
    pub(super) devices: Pairs<'a, Device<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forwarding<'a> {
    #[serde(borrow)]
    pub(super) mode: Text<'a>,
    #[serde(default, rename = "to")]
    _to: IgnoredAny,
}

/// A phone: its kind as a word, or its kind and its name.
pub(super) struct Device<'a> {
    /// Absent: the key is the name.
    pub(super) name: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct LongDevice<'a> {
    #[serde(default, rename = "kind")]
    _kind: IgnoredAny,
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Device<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Device<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a phone's kind, or its `kind` and `name`")
            }
            fn visit_str<E>(self, _: &str) -> Result<Device<'de>, E> {
                Ok(Device { name: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Device<'de>, A::Error> {
                let long = LongDevice::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Device { name: long.name })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Receptionist<'a> {
    #[serde(default, borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(default)]
    pub(super) extension: Option<ExtensionNumber>,
    #[serde(default, rename = "timezone")]
    _timezone: IgnoredAny,
    #[serde(default, borrow)]
    pub(super) keys: Pairs<'a, Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Conference<'a> {
    #[serde(default, borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(default)]
    pub(super) extension: Option<ExtensionNumber>,
    /// Bridges have PINs, which are none of our business.
    #[serde(default, rename = "bridges")]
    _bridges: IgnoredAny,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RingGroup<'a> {
    #[serde(default, borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(default)]
    pub(super) extension: Option<ExtensionNumber>,
    #[serde(default)]
    pub(super) ring: Option<RingMode>,
    #[serde(default, borrow)]
    pub(super) members: List<'a>,
    /// Absent: the default; `none`: for ever.
    #[serde(default, borrow)]
    pub(super) ring_for: Option<Text<'a>>,
    /// Absent or `none`: the call ends.
    #[serde(default, borrow)]
    pub(super) no_answer: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Number<'a> {
    /// Absent or `none`: unassigned.
    #[serde(default, borrow)]
    pub(super) to: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) label: Option<Text<'a>>,
    #[serde(default, rename = "kind")]
    _kind: IgnoredAny,
    #[serde(default)]
    pub(super) emergency_callback: bool,
    #[serde(default, rename = "owner")]
    _owner: IgnoredAny,
}
