//! The format of a fleet's file.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// A fleet: in which order `strowger apply` writes to its accounts. The file is `fleet.yaml` in the folder whose folders
/// are the accounts.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "it describes itself and is never filled")]
pub(super) struct FleetFile {
    /// The version of the format.
    #[schemars(extend("const" = 1, "default" = 1))]
    version: u32,
    /// Waves of accounts, by their names or folders. A wave begins when all accounts of the waves before it were applied
    /// and verified. Accounts that no wave names are the last wave.
    #[schemars(length(min = 1), inner(length(min = 1)), example = json!([["paris"], ["london", "new-york"]]))]
    waves: Vec<Vec<String>>,
}

/// The schema of `fleet.yaml`, draft 2020-12.
pub fn fleet() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<FleetFile>();
    schema.insert("$id".to_owned(), "https://strowger.example/schemas/fleet.v1.schema.json".into());
    schema.insert("title".to_owned(), "Strowger fleet file, version 1".into());
    schema.to_value()
}
