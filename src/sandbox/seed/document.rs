//! The snapshot as it is written: shapes only, nothing checked against anything.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use crate::text::nests_deeper;

use super::SeedError;

/// The format version that this release reads.
const VERSION: u64 = 1;

/// Deeper than any seed.
const DEEPEST: usize = 64;

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[allow(dead_code, reason = "checked by `parse` before everything else")]
    snapshot: u64,
    pub(super) account: Account,
    #[serde(default)]
    pub(super) locations: Entries<Location>,
    #[serde(default)]
    pub(super) users: Entries<User>,
    #[serde(default)]
    pub(super) receptionists: Entries<Receptionist>,
    #[serde(default)]
    pub(super) conferences: Entries<Conference>,
    #[serde(default)]
    pub(super) ring_groups: Entries<RingGroup>,
    pub(super) numbers: Entries<Number>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) name: String,
    /// An exported snapshot has the id of its account; a new account gets its own.
    #[serde(default, rename = "id")]
    _id: serde::de::IgnoredAny,
    pub(super) country: Option<String>,
    pub(super) default_number: String,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Location {
    #[serde(default)]
    pub(super) address: String,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    /// The e-mail address, if absent.
    #[serde(default)]
    pub(super) name: Option<String>,
    pub(super) extension: String,
    #[serde(default)]
    pub(super) location: Option<String>,
    #[serde(default = "yes")]
    pub(super) voicemail: bool,
    #[serde(default)]
    pub(super) forwarding: Forwarding,
    #[serde(default)]
    pub(super) devices: Entries<Device>,
}

/// A phone: its kind, or its kind and its name, of which an exported snapshot leaves out what it does not know.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LongDevice {
    #[serde(default)]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// A phone in either form.
#[derive(Debug)]
pub(super) struct Device(pub(super) LongDevice);

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Device;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a phone's kind, or its `kind` and `name`")
            }

            fn visit_str<E>(self, kind: &str) -> Result<Device, E> {
                Ok(Device(LongDevice { kind: Some(kind.to_owned()), name: None }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Device, A::Error> {
                LongDevice::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Device)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forwarding {
    pub(super) mode: String,
    #[serde(default)]
    pub(super) to: Option<String>,
}

impl Default for Forwarding {
    fn default() -> Self {
        Self { mode: "disabled".to_owned(), to: None }
    }
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Receptionist {
    #[serde(default)]
    pub(super) name: Option<String>,
    pub(super) extension: String,
    #[serde(default = "utc")]
    pub(super) timezone: String,
    #[serde(default)]
    pub(super) keys: Entries<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Conference {
    #[serde(default)]
    pub(super) name: Option<String>,
    pub(super) extension: String,
    #[serde(default)]
    pub(super) bridges: Entries<Bridge>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bridge {
    pub(super) number: String,
    #[serde(default)]
    pub(super) pin: Option<Pin>,
    #[serde(default)]
    pub(super) assigned_to: Option<String>,
}

/// A secret: no `Debug` that shows it.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Pin(pub(super) String);

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RingGroup {
    #[serde(default)]
    pub(super) name: Option<String>,
    pub(super) extension: String,
    #[serde(default = "simultaneous")]
    pub(super) ring: String,
    pub(super) members: Vec<String>,
    #[serde(default = "twenty_seconds")]
    pub(super) ring_for: String,
    #[serde(default)]
    pub(super) no_answer: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Number {
    pub(super) to: String,
    #[serde(default)]
    pub(super) label: String,
    #[serde(default = "local")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) emergency_callback: bool,
    #[serde(default)]
    pub(super) owner: Option<String>,
}

const fn yes() -> bool {
    true
}

fn utc() -> String {
    "UTC".to_owned()
}

fn local() -> String {
    "local".to_owned()
}

fn simultaneous() -> String {
    "simultaneous".to_owned()
}

fn twenty_seconds() -> String {
    "20s".to_owned()
}

/// A map in the order of the file. A key that comes twice is an error, not a silent loss.
#[derive(Debug)]
pub(super) struct Entries<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Entries::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                let mut seen = std::collections::HashSet::new();
                while let Some(key) = map.next_key::<String>()? {
                    if !seen.insert(key.clone()) {
                        return Err(A::Error::custom(format!("the key {key:?} comes twice")));
                    }
                    entries.push((key, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

/// Reads the document, its version before all else: a newer format would only produce confusing errors.
pub(super) fn parse(yaml: &str) -> Result<Document, SeedError> {
    #[derive(serde::Deserialize)]
    struct Version {
        snapshot: Option<u64>,
    }
    // The parser takes time in the square of the nesting.
    if let Some(line) = nests_deeper(yaml, DEEPEST) {
        return Err(SeedError {
            line: Some(line),
            column: None,
            path: String::new(),
            message: "brackets nest too deep".to_owned(),
            remedy: format!("a seed has at most {DEEPEST} levels"),
        });
    }
    let version: Version = serde_yaml::from_str(yaml).map_err(|error| seed_error(&error))?;
    if version.snapshot != Some(VERSION) {
        let found = version.snapshot.map_or("no version".to_owned(), |version| format!("version {version}"));
        return Err(SeedError {
            line: None,
            column: None,
            path: "snapshot".to_owned(),
            message: format!("the file has {found}"),
            remedy: format!("write `snapshot: {VERSION}` at its top"),
        });
    }
    serde_yaml::from_str(yaml).map_err(|error| seed_error(&error))
}

fn seed_error(error: &serde_yaml::Error) -> SeedError {
    let place = error.location();
    let message = error.to_string();
    // The location is reported separately.
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    let remedy = match () {
        () if message.contains("unknown field") => "remove it, or use one of the names listed",
        () if message.contains("missing field") => "add it",
        () if message.contains("comes twice") => "keep one of the two",
        () if message.contains("expected a string") => "put the value in quotes",
        () => "correct the YAML; docs show a complete snapshot",
    };
    SeedError {
        line: place.as_ref().map(serde_yaml::Location::line),
        column: place.as_ref().map(serde_yaml::Location::column),
        path: String::new(),
        message,
        remedy: remedy.to_owned(),
    }
}
