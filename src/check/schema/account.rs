//! The `account` section: the fields of every account, and those that the providers declare.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::providers::registry::{self, PROVIDERS, ProviderSpec, SettingKind, SettingSpec};

use super::Secret;
use crate::check::account::CommonFields;

pub(super) struct AccountSection;

/// The words of the providers.
pub(in crate::check) struct Provider;

impl JsonSchema for Provider {
    fn schema_name() -> Cow<'static, str> {
        "Provider".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let provider = |spec: &ProviderSpec| json!({"type": "string", "const": spec.word, "description": spec.about});
        json_schema!({
            "description": "What an account is reached through.",
            "oneOf": PROVIDERS.map(provider),
        })
    }
}

impl JsonSchema for AccountSection {
    fn schema_name() -> Cow<'static, str> {
        "AccountSection".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = CommonFields::json_schema(generator);
        let settings =
            registry::settings().into_iter().map(|setting| (setting.name.to_owned(), field(setting, generator)));
        let settings: Vec<_> = settings.collect();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.extend(settings);
        }
        schema.insert("allOf".to_owned(), PROVIDERS.map(fields_of).to_vec().into());
        schema
    }
}

/// What dialplans call their contexts and extensions, in tables whose columns have 40 characters.
const WORD: &str = r"[A-Za-z0-9_.+-]{1,40}";

/// The schema of a setting, described for each provider that has it.
fn field(setting: &SettingSpec, generator: &mut SchemaGenerator) -> Value {
    let mut schema = match setting.kind {
        SettingKind::Url => json!({"type": "string", "pattern": "^https?://"}),
        SettingKind::Secret => generator.subschema_for::<Secret>().to_value(),
        SettingKind::Database => json!({"type": "string", "pattern": "^postgresql://[^:@/]+@[^@/?]+/[^/?]+$"}),
        SettingKind::Word => json!({"type": "string", "pattern": format!("^{WORD}$")}),
        SettingKind::Dialplan => json!({
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": format!("^{WORD},{WORD}$")},
        }),
        SettingKind::File | SettingKind::State => json!({"type": "string", "minLength": 1}),
    };
    let owners = registry::with_setting(setting.name);
    let about = |owner: &&ProviderSpec| {
        let about = owner.setting(setting.name).map_or("", |own| own.about);
        format!("`{}` only: {about}", owner.word)
    };
    let description = owners.iter().map(about).collect::<Vec<_>>().join(" ");
    let example: Value = serde_json::from_str(setting.example).unwrap_or_default();
    if let Value::Object(fields) = &mut schema {
        fields.extend([("description".to_owned(), description.into()), ("examples".to_owned(), json!([example]))]);
    }
    schema
}

/// Which fields an account of this provider needs, and may not have.
fn fields_of(spec: &ProviderSpec) -> Value {
    let required: Vec<&str> = spec.settings.iter().filter(|own| own.is_required()).map(|own| own.name).collect();
    let foreign = registry::settings().into_iter().filter(|setting| spec.setting(setting.name).is_none());
    let foreign: Map<String, Value> = foreign.map(|setting| (setting.name.to_owned(), false.into())).collect();
    json!({
        "if": {"properties": {"provider": {"const": spec.word}}, "required": ["provider"]},
        "then": {"required": required, "properties": foreign},
    })
}
