//! Plans for programs. The format's schema is `schemas/plan.v1.schema.json`.
//!
//! Programs get every text exactly. What a terminal or a CI runner would obey stands in the JSON as an escape, so
//! that printing it is safe, too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::Plan;
use crate::text;

/// What `plan --format json` prints: every account's plan, and what was found on the way.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this format: 1.
    pub version: u32,
    /// One plan for each account, in the order of the paths. An account with an error has none.
    pub plans: Vec<Plan>,
    /// The findings: objects with `rule`, `severity`, `message`, `file`, `line`, `column`, `hint`, `related`.
    pub diagnostics: Vec<Value>,
}

impl Report {
    /// A report of the current version.
    pub fn new(plans: Vec<Plan>, diagnostics: Value) -> Self {
        let diagnostics = match diagnostics {
            Value::Array(list) => list,
            other => vec![other],
        };
        Self { version: Plan::VERSION, plans, diagnostics }
    }

    /// The report as indented JSON with a final line break.
    pub fn text(&self) -> String {
        text(self)
    }
}

/// A value as indented JSON with a final line break, safe to print.
pub fn text(value: &impl Serialize) -> String {
    // Nothing that is rendered can fail to be written: keys are text and numbers are finite.
    let mut json = text::json(&serde_json::to_string_pretty(value).unwrap_or_default());
    json.push('\n');
    json
}

/// The JSON Schema of [`Report`].
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Report);
    schema.insert("title".to_owned(), "Strowger plan, version 1".into());
    schema.insert("$id".to_owned(), "https://strowger.example/schemas/plan.v1.schema.json".into());
    schema.to_value()
}
