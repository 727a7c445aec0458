//! The Account API's documents as they come: every field optional that we can do without, unknown ones ignored.

use std::fmt;
use std::num::NonZeroU16;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use crate::model::{ExtensionChoice, RingForScope, Unassigned};

/// One page of a list.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    #[serde(default)]
    pub(super) next: Option<String>,
    #[serde(default)]
    pub(super) cursors: Option<Vec<String>>,
}

/// An id: text, or a number as some servers write it.
#[derive(Clone, Debug)]
pub(super) struct Id(pub(super) Box<str>);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
                if text.is_empty() { Err(E::custom("an id is empty")) } else { Ok(Id(text.into())) }
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Id, E> {
                Ok(Id(number.to_string().into()))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

#[derive(Deserialize)]
pub(super) struct Ref {
    pub(super) kind: Box<str>,
    pub(super) id: Id,
}

#[derive(Deserialize)]
pub(super) struct Number {
    pub(super) id: Id,
    #[serde(rename = "number")]
    pub(super) e164: Box<str>,
    pub(super) label: Option<Box<str>>,
    pub(super) destination: Option<Ref>,
    pub(super) emergency_callback: Option<bool>,
    pub(super) etag: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(super) struct RingGroup {
    pub(super) id: Id,
    pub(super) name: Box<str>,
    pub(super) extension: Option<Box<str>>,
    pub(super) ring: Box<str>,
    pub(super) members: Vec<Ref>,
    pub(super) ring_for: Option<serde_json::Number>,
    pub(super) no_answer: Option<Ref>,
    pub(super) etag: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: Id,
    pub(super) name: Option<Box<str>>,
    pub(super) email: Option<Box<str>>,
    pub(super) extension: Option<Box<str>>,
    pub(super) voicemail: Option<Voicemail>,
    pub(super) forwarding: Option<Forwarding>,
    pub(super) devices: Option<Vec<Device>>,
}

#[derive(Deserialize)]
pub(super) struct Voicemail {
    pub(super) id: Id,
    pub(super) enabled: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Forwarding {
    pub(super) mode: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(super) struct Device {
    pub(super) id: Id,
    pub(super) name: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(super) struct Receptionist {
    pub(super) id: Id,
    pub(super) name: Option<Box<str>>,
    pub(super) extension: Option<Box<str>>,
    pub(super) keys: Option<std::collections::BTreeMap<Box<str>, Ref>>,
}

#[derive(Deserialize)]
pub(super) struct Conference {
    pub(super) id: Id,
    pub(super) name: Option<Box<str>>,
    pub(super) extension: Option<Box<str>>,
}

#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) id: Id,
    pub(super) name: Option<Box<str>>,
    pub(super) default_number: Option<Box<str>>,
    #[serde(default)]
    pub(super) capabilities: Limits,
    pub(super) owners: Option<Vec<Owner>>,
}

#[derive(Deserialize)]
pub(super) struct Owner {
    pub(super) id: Id,
    #[serde(rename = "owner")]
    pub(super) name: Box<str>,
    pub(super) account: Option<Box<str>>,
    pub(super) scope: Option<OwnerScope>,
    pub(super) since: Option<Box<str>>,
}

#[derive(Default, Deserialize, Serialize)]
pub(super) struct OwnerScope {
    pub(super) numbers: Option<Vec<Box<str>>>,
    pub(super) ring_groups: Option<Vec<Box<str>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Limits {
    pub(super) page_limit: Option<u32>,
    pub(super) extension_digits: Option<Digits>,
    pub(super) reserved_extensions: Option<Vec<Box<str>>>,
    pub(super) name_length: Option<usize>,
    pub(super) label_length: Option<usize>,
    pub(super) ring_modes: Option<Vec<Box<str>>>,
    pub(super) ring_for: Option<Seconds>,
    pub(super) members: Option<Members>,
    pub(super) no_answer_kinds: Option<Vec<Box<str>>>,
    pub(super) destination_kinds: Option<Vec<Box<str>>>,
    pub(super) unassigned: Option<Unassigned>,
    pub(super) atomic_destination: Option<bool>,
    pub(super) extension_choice: Option<ExtensionChoice>,
    pub(super) requests: Option<Requests>,
}

#[derive(Deserialize)]
pub(super) struct Digits {
    pub(super) min: usize,
    pub(super) max: usize,
}

#[derive(Deserialize)]
pub(super) struct Seconds {
    pub(super) min: u64,
    pub(super) max: u64,
    pub(super) default: Option<u64>,
    pub(super) step: Option<NonZeroU16>,
    pub(super) scope: Option<RingForScope>,
}

#[derive(Deserialize)]
pub(super) struct Members {
    pub(super) kinds: Option<Vec<Box<str>>>,
    pub(super) max: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct Requests {
    pub(super) per_second: Option<f64>,
    pub(super) concurrent: Option<usize>,
}

/// What a write answers, as far as it is needed.
#[derive(Deserialize)]
pub(super) struct WriteReceipt {
    pub(super) id: Id,
    pub(super) etag: Option<Box<str>>,
}
