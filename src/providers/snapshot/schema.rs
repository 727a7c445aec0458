//! The published JSON Schema of snapshots, version 1, from the types that the reader reads into.
//!
//! The reader takes what the schema takes, and in YAML some more: text without quotes that looks like a number.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::fields::{
    Account, Bridge, Conference, Device, Location, LongDevice, Mailbox, Number, Pairs, Receptionist, RingGroup, Text,
    User, UserMailbox,
};

/// Where the schema is published; also its `$id`.
const ID: &str = "https://strowger.example/schemas/snapshot.v1.schema.json";

/// The schema of a snapshot, draft 2020-12.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document<'static>>();
    schema.insert("$id".to_owned(), ID.into());
    schema.insert("title".to_owned(), "Strowger snapshot, version 1".into());
    schema.to_value()
}

/// A phone account as it is, written down. Strowger reads it and never writes to it: it plans against it, and an embedded
/// account starts from it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "for the schema: the reader builds an account as the text comes")]
struct Document<'a> {
    /// The version of the format. Every snapshot states it.
    #[schemars(extend("const" = 1))]
    snapshot: u32,
    /// Which account it is.
    account: Option<Account<'a, Word>>,
    /// Places, by name. Only an embedded account that starts from the snapshot uses them.
    #[schemars(default)]
    locations: Pairs<'a, Location<'a>>,
    /// People with an extension. The key is the e-mail address or the name.
    #[schemars(default, example = json!({"amelie@example.org": {"name": "Amélie Durand", "extension": "201"}}))]
    users: Pairs<'a, User<'a, Word, Digits>>,
    /// Phones without a user, by name.
    #[schemars(default)]
    devices: Pairs<'a, Device<'a, Word>>,
    /// Menus that answer calls, by name.
    #[schemars(default, example = json!({"main": {"extension": "100", "keys": {"1": "ring_group/sales"}}}))]
    receptionists: Pairs<'a, Receptionist<'a, Word, Digits>>,
    /// Conference lines, by name.
    #[schemars(default)]
    conferences: Pairs<'a, Conference<'a, Pairs<'a, Bridge<'a>>, Digits>>,
    /// Mailboxes that are not a user's, by name.
    #[schemars(default)]
    mailboxes: Pairs<'a, Mailbox<'a, Digits>>,
    /// Ring groups, by name.
    #[schemars(default, example = json!({"sales": {"extension": "300", "members": ["user/201"]}}))]
    ring_groups: Pairs<'a, RingGroup<'a, Digits>>,
    /// All numbers of the account, in E.164 form and in quotes.
    #[schemars(default, transform = numbers, example = json!({"+33142685300": {"to": "user/201", "label": "Office"}}))]
    numbers: Pairs<'a, Number<'a, Word>>,
}

fn numbers(schema: &mut Schema) {
    schema.insert("propertyNames".to_owned(), json!({"pattern": r"^\+[1-9][0-9]{6,14}$"}));
}

/// The kinds that a reference may begin with.
const KINDS: &str = "user|ring_group|receptionist|conference|device|voicemail|external|other";

/// Declares a type of the format by its schema alone.
macro_rules! schema_of {
    ($(for [$($generics:tt)*])? impl $type:ty, $name:literal, $generator:ident => $schema:expr) => {
        impl$(<$($generics)*>)? JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

/// A text of which only embedded accounts make use.
struct Word;
/// An extension number.
struct Digits;
/// What a reference means.
pub(super) struct Target;
/// The same, or `none`.
pub(super) struct TargetOrNone;
/// How the members of a group ring.
pub(super) struct Ring;

schema_of!(impl Word, "Word", _generator => json_schema!({"type": "string"}));
schema_of!(impl Digits, "Extension", _generator => json_schema!({
    "anyOf": [
        {"type": "string", "pattern": "^[0-9]{2,8}$"},
        {"type": "integer", "minimum": 10, "maximum": 99_999_999},
    ],
}));
schema_of!(impl Target, "Target", _generator => json_schema!({
    "type": "string",
    "pattern": format!(r"^({KINDS})/[\s\S]*\S$"),
    "examples": ["user/201"],
}));
schema_of!(impl TargetOrNone, "TargetOrNone", _generator => json_schema!({
    "type": "string",
    "pattern": format!(r"^(none|({KINDS})/[\s\S]*\S)$"),
    "examples": ["ring_group/sales"],
}));
schema_of!(impl Ring, "Ring", _generator => json_schema!({"enum": ["simultaneous", "sequential"]}));
schema_of!(for ['a] impl Text<'a>, "Text", _generator => json_schema!({"type": "string"}));
schema_of!(impl UserMailbox, "UserMailbox", _generator => json_schema!({
    "anyOf": [{"type": "boolean"}, {"type": "string", "pattern": r"^voicemail/[\s\S]"}],
}));
schema_of!(for ['a, E: JsonSchema] impl Device<'a, E>, "Device", generator => json_schema!({
    "anyOf": [{"type": "string"}, generator.subschema_for::<LongDevice<'a, E>>(), {"type": "null"}],
}));
// A key with nothing behind it is an empty mapping.
schema_of!(for ['a, T: JsonSchema] impl Pairs<'a, T>, "Pairs", generator => json_schema!({
    "type": ["object", "null"],
    "additionalProperties": {"anyOf": [generator.subschema_for::<T>(), {"type": "null"}]},
}));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::snapshot::fields::KEYS;

    #[test]
    fn the_schema_has_the_keys_that_the_reader_knows() {
        let schema = schema();
        let mut declared: Vec<&str> =
            schema["properties"].as_object().map(|all| all.keys().map(String::as_str).collect()).unwrap_or_default();
        let mut known = KEYS.to_vec();
        declared.sort_unstable();
        known.sort_unstable();
        assert_eq!(declared, known);
    }
}
