//! The snapshot as it is written: shapes only, nothing checked against anything.

use serde::de::IgnoredAny;

use crate::providers::snapshot::fields::{self, Location, Pairs, Text};
use crate::text::nests_deeper;

use super::SeedError;

/// The format version that this release reads.
const VERSION: u64 = 1;

/// Deeper than any seed.
const DEEPEST: usize = 64;

pub(super) type User<'a> = fields::User<'a, Text<'a>, Text<'a>>;
pub(super) type Receptionist<'a> = fields::Receptionist<'a, Text<'a>, Text<'a>>;
pub(super) type Conference<'a> = fields::Conference<'a, Pairs<'a, fields::Bridge<'a>>, Text<'a>>;
pub(super) type RingGroup<'a> = fields::RingGroup<'a, Text<'a>>;
pub(super) type Number<'a> = fields::Number<'a, Text<'a>>;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document<'a> {
    /// Checked by [`parse`] before everything else.
    #[serde(rename = "snapshot")]
    _version: IgnoredAny,
    #[serde(borrow)]
    pub(super) account: fields::Account<'a, Text<'a>>,
    #[serde(default, borrow)]
    pub(super) locations: Pairs<'a, Location<'a>>,
    #[serde(default, borrow)]
    pub(super) users: Pairs<'a, User<'a>>,
    #[serde(default, borrow)]
    pub(super) receptionists: Pairs<'a, Receptionist<'a>>,
    #[serde(default, borrow)]
    pub(super) conferences: Pairs<'a, Conference<'a>>,
    #[serde(default, borrow)]
    pub(super) ring_groups: Pairs<'a, RingGroup<'a>>,
    #[serde(borrow)]
    pub(super) numbers: Pairs<'a, Number<'a>>,
}

/// Reads the document, its version before all else: a newer format would only produce confusing errors.
pub(super) fn parse(yaml: &str) -> Result<Document<'_>, SeedError> {
    #[derive(serde::Deserialize)]
    struct Version {
        snapshot: Option<u64>,
    }
    let error = |line, path: &str, message: String, remedy: String| SeedError {
        line,
        column: None,
        path: path.to_owned(),
        message,
        remedy,
    };
    // The parser takes time in the square of the nesting.
    if let Some(line) = nests_deeper(yaml, DEEPEST) {
        let remedy = format!("a seed has at most {DEEPEST} levels");
        return Err(error(Some(line), "", "brackets nest too deep".to_owned(), remedy));
    }
    let version: Version = serde_yaml::from_str(yaml).map_err(|error| seed_error(&error))?;
    if version.snapshot != Some(VERSION) {
        let found = version.snapshot.map_or("no version".to_owned(), |version| format!("version {version}"));
        let remedy = format!("write `snapshot: {VERSION}` at its top");
        return Err(error(None, "snapshot", format!("the file has {found}"), remedy));
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
        () if message.contains("unknown variant") => "use one of the words listed",
        () if message.contains("missing field") => "add it",
        () if message.contains("is given twice") => "keep one of the two",
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
