//! The format, version 1, as types that describe themselves: the published JSON Schema is generated from here.
//!
//! The types are never filled: documents are read with their places, which no deserialiser keeps. What keeps
//! them and the reader together is that every document is validated against this schema before it is read,
//! and a test that both accept the same documents. Doc comments are what an editor shows to the operator.

mod account;
mod fleet;
mod policy;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::model::RingMode;

use account::{AccountSection, Provider};
pub use fleet::fleet;
use policy::PolicySection;

/// Where the schema is published; also its `$id`.
pub const ID: &str = "https://strowger.example/schemas/account.v1.schema.json";

/// The versions of the format that this Strowger reads.
pub const VERSION: u32 = 1;

/// The schema of a file, draft 2020-12.
pub fn account() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.transforms.push(Box::new(RecursiveTransform(WithoutNull)));
    let mut schema = settings.into_generator().into_root_schema_for::<AccountFile>();
    schema.insert("$id".to_owned(), ID.into());
    schema.insert("title".to_owned(), "Strowger account file, version 1".into());
    schema.to_value()
}

/// A phone account, or a part of one, as it should be. Strowger compares it with the live account and writes
/// only what differs. What a file does not mention is left alone.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AccountFile {
    /// The version of the format. Every file states it.
    #[schemars(extend("const" = 1, "default" = 1))]
    pub version: u32,
    /// Which account this is and how it is reached. An account in several files has this section in one.
    pub account: Option<AccountSection>,
    /// Phone numbers and where their calls go. A number that is not here is not managed: it stays as it is.
    #[schemars(transform = numbers, example = json!({"+33142685300": {"to": "receptionist/main"}}))]
    pub numbers: Option<BTreeMap<String, NumberEntry>>,
    /// Ring groups by name. A group that is not here is not managed: it stays as it is.
    #[schemars(transform = group_names, example = json!({"ventes": {"members": ["user/202"]}}))]
    pub ring_groups: Option<BTreeMap<String, RingGroupEntry>>,
    /// Ring groups that must not exist. They are deleted once nothing points at them any more.
    #[schemars(inner(regex(pattern = r"^ring_group/.*\S$")), example = json!(["ring_group/old"]), extend("default" = json!([])))]
    pub absent: Option<Vec<String>>,
    /// What Strowger may do, and how it judges.
    pub policy: Option<PolicySection>,
    /// Call-path tests. This version accepts an empty list only.
    #[schemars(length(max = 0), extend("default" = json!([])))]
    pub tests: Option<Vec<Value>>,
}

/// The account: its name, its provider, and the fields of that provider.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CommonFields {
    /// What the account is called in plans and logs. Each account of a run has another name.
    #[schemars(length(min = 1, max = 128), example = &"wework-republique")]
    pub name: String,
    /// What kind of account it is.
    pub provider: Provider,
    /// The country (ISO 3166-1 alpha-2, quoted) whose national spellings of phone numbers Strowger recognises
    /// when it suggests the E.164 form.
    #[schemars(regex(pattern = "^[A-Z]{2}$"), example = &"FR")]
    pub country: Option<String>,
    /// Who manages the account with these files, for accounts that know of owners. Without it, the `origin` of the Git
    /// repository that the files are in. Another owner's account is not written to.
    #[schemars(regex(pattern = "^[!-~]{1,200}$"), example = &"telephony-team")]
    pub owner: Option<String>,
}

/// Where a secret is found.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Secret {
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

/// A phone number.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NumberEntry {
    /// Where calls go: `receptionist/…`, `user/…`, `ring_group/…` or `conference/…`, each followed by an
    /// extension number, an e-mail address or a name; or `none`, which leaves the number without a destination.
    #[schemars(
        regex(pattern = r"^(none|(receptionist|user|ring_group|conference)/.*\S)$"),
        example = &"receptionist/main",
        example = &"user/amelie@example.org",
        example = &"user/202",
        example = &"ring_group/ventes",
        example = &"conference/salle-1",
        example = &"none"
    )]
    pub to: String,
    /// A text beside the number in the account. Without this field the label is not managed.
    #[schemars(length(max = 256), regex(pattern = r"^[^\u2028\u2029]*$"), example = &"Accueil")]
    pub label: Option<String>,
}

/// A ring group: several phones that ring for one call.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RingGroupEntry {
    /// The internal number, in quotes. Without it the number is not managed; a new group gets a free one.
    #[schemars(regex(pattern = "^[0-9]{2,8}$"), example = &"300")]
    pub extension: Option<String>,
    /// Whether members ring together or in turn. Without it the mode is not managed; a new group rings
    /// `simultaneous`.
    #[schemars(extend("default" = "simultaneous"))]
    pub ring: Option<RingMode>,
    /// Who rings: `user/…` and `device/…`, in the order in which a `sequential` group rings them.
    #[schemars(
        length(min = 1),
        inner(regex(pattern = r"^(user|device)/.*\S$")),
        example = json!(["user/amelie@example.org", "user/202", "device/front-desk"])
    )]
    pub members: Vec<String>,
    /// How long the group rings, or each member of a `sequential` one: a whole number with `s` or `m`.
    /// Without it the duration is not managed; a new group gets the provider's own.
    #[schemars(regex(pattern = "^[0-9]+[sm]$"), example = &"20s", extend("default" = "20s"))]
    pub ring_for: Option<String>,
    /// Who takes a call that was not answered: `user/…`, `voicemail/…` (the mailbox of a user) or
    /// `ring_group/…`; or `none`, which ends the call. Without it the target is not managed.
    #[schemars(
        regex(pattern = r"^(none|(user|voicemail|ring_group)/.*\S)$"),
        example = &"voicemail/amelie@example.org",
        example = &"none"
    )]
    pub no_answer: Option<String>,
    /// The name that the group had so far. It keeps its identity, its number and its history; it is never
    /// deleted and made anew. May stay in the file after the change.
    #[schemars(length(min = 1, max = 128), example = &"sales")]
    pub renamed_from: Option<String>,
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
