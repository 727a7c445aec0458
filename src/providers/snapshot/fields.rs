//! The snapshot format: the entries of the document's sections. Unknown fields are errors.
//!
//! A snapshot is also the seed of an embedded account, which has fields that no plan needs. Their type is the parameter
//! `E` of the entries: a text in a seed, and elsewhere `IgnoredAny`, which takes any value and keeps nothing. Extension
//! numbers are `X`, since those of an embedded account have rules of their own.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer as _, MapAccess, Unexpected, Visitor};

use crate::model::RingMode;

use super::problem::Problem;
use super::schema::{Ring, Target, TargetOrNone};

/// The keys of a snapshot's document.
pub(super) const KEYS: [&str; 10] = [
    "snapshot",
    "account",
    "locations",
    "users",
    "devices",
    "receptionists",
    "conferences",
    "mailboxes",
    "ring_groups",
    "numbers",
];

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
                        return Err(A::Error::custom(Problem::twice(key.as_str())));
                    }
                    pairs.push((key, map.next_value()?));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Collecting(PhantomData))
    }
}

/// The account itself.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Account")]
pub(crate) struct Account<'a, E> {
    /// What the account is called.
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    /// The vendor's id, if the snapshot was taken from an account that has one. Without it, the name.
    #[serde(borrow)]
    pub(crate) id: Option<Text<'a>>,
    /// The country, of two capitals. Only an embedded account that starts from the snapshot uses it.
    pub(crate) country: Option<E>,
    /// The main number. It keeps a destination.
    #[serde(borrow)]
    #[schemars(regex(pattern = r"^\+[1-9][0-9]{6,14}$"))]
    pub(crate) default_number: Option<Text<'a>>,
}

/// A place of the account. Only an embedded account that starts from the snapshot uses it.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Location")]
pub(crate) struct Location<'a> {
    /// The postal address.
    #[serde(default, borrow)]
    pub(crate) address: Text<'a>,
}

/// A person with an extension.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "User")]
pub(crate) struct User<'a, E, X> {
    /// The person's name. Without it, the key.
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    /// The e-mail address. Without it, the key if that has an `@`.
    #[serde(borrow)]
    pub(crate) email: Option<Text<'a>>,
    /// The extension number, in quotes.
    pub(crate) extension: Option<X>,
    /// The key of a location. Only an embedded account that starts from the snapshot uses it.
    pub(crate) location: Option<E>,
    /// The mailbox. Without it, the person has one.
    pub(crate) voicemail: Option<UserMailbox>,
    /// Where the person's calls are forwarded.
    #[serde(borrow)]
    pub(crate) forwarding: Option<Forwarding<'a, E>>,
    /// The person's phones, by name.
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
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Mailbox")]
pub(crate) struct Mailbox<'a, X> {
    /// The mailbox's name. Without it, the key.
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    /// The mailbox's number, in quotes.
    pub(crate) extension: Option<X>,
}

/// Where a person's calls go instead of their phones.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Forwarding")]
pub(crate) struct Forwarding<'a, E> {
    /// `enabled` if every call is forwarded, so that none of the phones ring.
    #[serde(borrow)]
    pub(crate) mode: Text<'a>,
    /// The number that calls are forwarded to. Only an embedded account that starts from the snapshot uses it.
    pub(crate) to: Option<E>,
}

/// A phone: its kind as a word, or its kind and its name.
pub(crate) struct Device<'a, E> {
    /// Absent: not known.
    pub(crate) kind: Option<E>,
    /// Absent: the key is the name.
    pub(crate) name: Option<Text<'a>>,
}

/// A phone.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "LongDevice")]
pub(super) struct LongDevice<'a, E> {
    /// What kind of phone it is, such as `ip_phone` or `mobile_app`.
    kind: Option<E>,
    /// The phone's name. Without it, the key.
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
            fn visit_unit<R>(self) -> Result<Self::Value, R> {
                Ok(Device { kind: None, name: None })
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

/// A menu that answers calls: an auto-attendant.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Receptionist")]
pub(crate) struct Receptionist<'a, E, X> {
    /// The menu's name. Without it, the key.
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    /// The extension number, in quotes.
    pub(crate) extension: Option<X>,
    /// The time zone. Only an embedded account that starts from the snapshot uses it.
    pub(crate) timezone: Option<E>,
    /// Where each key of the telephone leads.
    #[serde(default, borrow)]
    #[schemars(with = "BTreeMap<String, Target>")]
    pub(crate) keys: Pairs<'a, Text<'a>>,
}

/// A conference line. Its bridges are `B`.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Conference", description = "A conference line.")]
pub(crate) struct Conference<'a, B, X> {
    /// The line's name. Without it, the key.
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    /// The extension number, in quotes.
    pub(crate) extension: Option<X>,
    /// The rooms of the line, by name. Only an embedded account that starts from the snapshot uses them.
    pub(crate) bridges: Option<B>,
}

/// A bridge of a conference. It has a secret, so there is no `Debug`.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Bridge", description = "A room of a conference line.")]
pub(crate) struct Bridge<'a> {
    /// What callers dial in the line.
    #[serde(borrow)]
    pub(crate) number: Text<'a>,
    /// What callers type to be let in.
    #[serde(borrow)]
    pub(crate) pin: Option<Text<'a>>,
    /// The user that the room belongs to.
    #[serde(borrow)]
    pub(crate) assigned_to: Option<Text<'a>>,
}

/// Phones that ring for one call.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "RingGroup")]
pub(crate) struct RingGroup<'a, X> {
    /// The group's name. Without it, the key.
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    /// The extension number, in quotes.
    pub(crate) extension: Option<X>,
    /// Whether the members ring together or one after the other. Without it, together.
    #[schemars(with = "Option<Ring>")]
    pub(crate) ring: Option<RingMode>,
    /// The users and phones that ring, in order.
    #[serde(default, borrow)]
    #[schemars(with = "Vec<Target>")]
    pub(crate) members: Vec<Text<'a>>,
    /// How long each member rings, such as `20s`; `none` is without end. Without it, 20 seconds.
    #[serde(borrow)]
    pub(crate) ring_for: Option<Text<'a>>,
    /// What takes the calls that are not answered. Without it, or with `none`, such a call ends.
    #[serde(borrow)]
    #[schemars(with = "Option<TargetOrNone>")]
    pub(crate) no_answer: Option<Text<'a>>,
}

/// A phone number of the account.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping")]
#[schemars(rename = "Number")]
pub(crate) struct Number<'a, E> {
    /// Where the calls go. Without it, or with `none`, the number is unassigned.
    #[serde(borrow)]
    #[schemars(with = "Option<TargetOrNone>")]
    pub(crate) to: Option<Text<'a>>,
    /// The text beside the number.
    #[serde(borrow)]
    pub(crate) label: Option<Text<'a>>,
    /// The kind of number, such as `local`. Only an embedded account that starts from the snapshot uses it.
    pub(crate) kind: Option<E>,
    /// Whether emergency services call this number back.
    #[serde(default)]
    pub(crate) emergency_callback: bool,
    /// The user that the number belongs to. Only an embedded account that starts from the snapshot uses it.
    pub(crate) owner: Option<E>,
}
