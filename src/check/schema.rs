//! The published JSON Schemas of the format, version 1.
//!
//! They are generated from the sections that the readers declare (`section!`). A text is checked by its reader, so
//! every document is validated against the schema as well, and a test holds that both accept the same documents. Doc
//! comments are what an editor shows to the operator.

pub(super) mod account;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::fleet::FleetFile;
use super::numbers::NumberEntry;
use super::policy::PolicySection;
use super::ring_groups::RingGroupEntry;
use super::section::section;

use account::AccountSection;

/// Where the schema is published; also its `$id`.
pub const ID: &str = "https://strowger.example/schemas/account.v1.schema.json";

/// The versions of the format that this Strowger reads.
pub const VERSION: u32 = 1;

/// The schema of a file, draft 2020-12.
pub fn account() -> Value {
    schema::<AccountFile>(ID, "Strowger account file, version 1")
}

/// The schema of `fleet.yaml`, draft 2020-12.
pub fn fleet() -> Value {
    schema::<FleetFile>("https://strowger.example/schemas/fleet.v1.schema.json", "Strowger fleet file, version 1")
}

fn schema<T: JsonSchema>(id: &str, title: &str) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.transforms.push(Box::new(RecursiveTransform(WithoutNull)));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), id.into());
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

section! {
    /// A phone account, or a part of one, as it should be. Strowger compares it with the live account and writes
    /// only what differs. What a file does not mention is left alone.
    struct AccountFile {
        /// The version of the format. Every file states it.
        #[schemars(extend("const" = 1, "default" = 1))]
        version: u32 = "begin the file with `version: 1`",
        /// Which account this is and how it is reached. An account in several files has this section in one.
        account: Option<AccountSection>,
        /// Phone numbers and where their calls go. A number that is not here is not managed: it stays as it is.
        #[schemars(transform = numbers, example = json!({"+33142685300": {"to": "receptionist/main"}}))]
        numbers: Option<BTreeMap<String, NumberEntry>>,
        /// Ring groups by name. A group that is not here is not managed: it stays as it is.
        #[schemars(transform = group_names, example = json!({"ventes": {"members": ["user/202"]}}))]
        ring_groups: Option<BTreeMap<String, RingGroupEntry>>,
        /// Ring groups that must not exist. They are deleted once nothing points at them any more.
        #[schemars(inner(regex(pattern = r"^ring_group/.*\S$")), example = json!(["ring_group/old"]), extend("default" = json!([])))]
        absent: Option<Vec<String>>,
        /// What Strowger may do, and how it judges.
        policy: Option<PolicySection>,
        /// Call-path tests. This version accepts an empty list only.
        #[schemars(length(max = 0), extend("default" = json!([])))]
        tests: Option<Vec<Value>>,
    }
}

/// Where a secret is found.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[allow(dead_code, reason = "for the schema")]
enum Secret {
    /// In this environment variable.
    Env(
        #[schemars(description = "The name of the environment variable.", regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"))]
        String,
    ),
    /// In this file, relative to the folder of the YAML file.
    File(#[schemars(description = "The path of the file.", length(min = 1))] String),
    /// In the output of this command: the program and its arguments. No shell is involved.
    Command(#[schemars(description = "The program and its arguments.", length(min = 1))] Vec<String>),
}

/// An optional field may be left out; it may not be `null`, which would be one more way to say nothing.
#[derive(Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        let Some(Value::Array(choices)) = schema.get_mut("anyOf") else { return };
        choices.retain(|choice| *choice != json!({"type": "null"}));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.insert(key, value);
            }
        }
    }
}

fn numbers(schema: &mut Schema) {
    schema.insert("propertyNames".to_owned(), json!({"pattern": r"^\+[1-9][0-9]{6,14}$"}));
}

/// Up to 128 characters, none of them `@`, a control character or a line break, and not digits alone.
fn group_names(schema: &mut Schema) {
    let any = r"[^@\u0000-\u001f\u007f\u2028\u2029]*";
    let pattern = format!(r"^{any}[^@0-9\s\u0000-\u001f\u007f]{any}$");
    schema.insert("propertyNames".to_owned(), json!({"maxLength": 128, "pattern": pattern}));
}
