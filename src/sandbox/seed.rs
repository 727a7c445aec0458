//! A seed: the snapshot of an account, as YAML, from which a new sandbox begins.
//!
//! [`Seed::from_yaml`] checks everything (shapes, uniqueness, references), so that loading cannot fail but for
//! the disk. Since the state is empty when a seed is loaded, the keys of all objects are known while parsing:
//! extensions are numbered users first, then receptionists, conferences, ring groups.

mod document;
mod index;
mod load;
mod place;
mod resolve;

use std::fmt;

use crate::model::RingMode;
use crate::providers::snapshot::is_marked;
use crate::text::sanitized;

use super::collection::{Target, TargetKind};
use super::text;

/// A checked snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    name: String,
    country: Option<String>,
    default_number: String,
    /// In the order of their keys, which count from 1.
    extensions: Vec<Extension>,
    locations: Vec<Location>,
    users: Vec<User>,
    devices: Vec<Device>,
    receptionists: Vec<Receptionist>,
    bridges: Vec<Bridge>,
    ring_groups: Vec<RingGroup>,
    numbers: Vec<Number>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Location {
    label: String,
    address: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Extension {
    kind: TargetKind,
    name: String,
    digits: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct User {
    key: i64,
    email: String,
    location: i64,
    voicemail: bool,
    forwarding_mode: String,
    forwarding_to: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Device {
    user: i64,
    name: String,
    kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Receptionist {
    key: i64,
    timezone: String,
    keys: Vec<(String, Target)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Bridge {
    conference: i64,
    name: String,
    number: String,
    pin: Option<PinDigest>,
    assigned_to: Option<i64>,
}

/// A PIN on its way to the state: never kept in clear, so that nothing here can print one.
type PinDigest = String;

#[derive(Debug, Clone, PartialEq, Eq)]
struct RingGroup {
    key: i64,
    ring: RingMode,
    seconds: i64,
    members: Vec<Target>,
    no_answer: Option<Target>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Number {
    e164: String,
    kind: String,
    label: String,
    destination: Option<i64>,
    emergency_callback: bool,
    owner: Option<i64>,
}

impl Seed {
    /// Whether no extension number is one that must reach help in the seed's country; a seed that names none is in this.
    pub(super) fn suits(&self, country: &str) -> Result<(), SeedError> {
        let country = self.country.as_deref().unwrap_or(country);
        let reserved = self.extensions.iter().find(|extension| text::is_reserved(&extension.digits, country));
        reserved.map_or(Ok(()), |Extension { digits, name, .. }| {
            let message = format!("extension {digits} of {name:?} hides an emergency or a public service of {country}");
            let remedy = "give it another one".to_owned();
            Err(SeedError { line: None, column: None, path: String::new(), message, remedy }.short())
        })
    }

    /// Reads and checks a snapshot; the first thing wrong ends it.
    pub fn from_yaml(yaml: &str) -> Result<Self, SeedError> {
        let silent = |error: SeedError| if is_marked(yaml) { error } else { error.silent() };
        let document = document::parse(yaml).map_err(|error| silent(error.short()))?;
        resolve::resolve(document).map_err(|fault| {
            let (line, column) = place::find(yaml, &fault.path).unzip();
            let path = fault.path.join(".");
            silent(SeedError { line, column, path, message: fault.message, remedy: fault.remedy }.short())
        })
    }
}

/// An error in a seed, with its location and a remedy. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedError {
    pub line: Option<usize>,
    pub column: Option<usize>,
    /// The keys that lead there, joined by dots; empty when the file could not be read that far.
    pub path: String,
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

impl SeedError {
    /// The same without a word of the text.
    fn silent(self) -> Self {
        let message = "this is not a snapshot of an account".to_owned();
        Self { path: String::new(), message, remedy: "begin it with `snapshot: 1`".to_owned(), ..self }
    }

    /// The same, however long the keys and values are that it quotes.
    fn short(self) -> Self {
        let short = |text: String| sanitized(&text, 300);
        Self { path: short(self.path), message: short(self.message), remedy: short(self.remedy), ..self }
    }
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: ")?,
            (Some(line), None) => write!(f, "line {line}: ")?,
            (None, _) => {}
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.message, self.remedy)
    }
}

impl std::error::Error for SeedError {}

/// Fails with what a check says of `what`.
fn checked(check: Result<(), String>, path: &[&str], what: impl fmt::Display, remedy: &str) -> Result<(), Fault> {
    check.map_err(|detail| Fault::new(path, format!("{what} {detail}"), remedy))
}

/// A [`SeedError`] before its place is looked up.
#[derive(Debug)]
struct Fault {
    path: Vec<String>,
    message: String,
    remedy: String,
}

impl Fault {
    fn new(path: &[&str], message: impl Into<String>, remedy: impl Into<String>) -> Self {
        let path = path.iter().map(|&segment| segment.to_owned()).collect();
        Self { path, message: message.into(), remedy: remedy.into() }
    }
}
