//! Plans for programs. The format's schema is `schemas/plan.v1.schema.json`.
//!
//! Programs get every text exactly. What a terminal or a CI runner would obey stands in the JSON as an escape, so
//! that printing it is safe, too.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::{Digest, Plan};
use crate::text::{self, sanitized};

use super::failed_accounts::Unplanned;

/// What `plan --format json` prints and `plan --out` saves: every account's plan, and what was found on the way.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this format: 1.
    pub version: u32,
    /// The paths that were planned, as they were given. A saved plan finds its accounts' settings there.
    #[serde(default)]
    pub paths: Vec<String>,
    /// One plan for each account, in the order of the paths. An account with an error has none.
    pub plans: Vec<Plan>,
    /// The accounts that have no plan, and why, in the order of the paths. Plans that were made before this list
    /// existed lack it.
    #[serde(default)]
    pub unplanned: Vec<Unplanned>,
    /// The findings: objects with `rule`, `severity`, `message`, `file`, `line`, `column`, `hint`, `related`;
    /// where there are more than are listed also `more`, how many further ones of its rule it stands for.
    pub diagnostics: Vec<Value>,
}

/// Why a text is not a plan that can be applied.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("line {}, column {}: not valid JSON, or a truncated file; save the plan again", .0.line(), .0.column())]
    Syntax(serde_json::Error),
    #[error("not a saved plan: it has no `version`; save one with `strowger plan --out FILE`")]
    NoPlan,
    #[error(
        "the plan has format {0}, and this Strowger reads format {known}; apply it with the version that made it",
        known = Plan::VERSION
    )]
    Version(u64),
    /// It breaks the schema.
    #[error("{path}: {why}; save the plan again")]
    Schema {
        /// Where, as a JSON pointer.
        path: String,
        why: String,
    },
    #[error("the plan of {0} was edited: its changes do not match its digest; save the plan again")]
    Tampered(String),
    #[error("there are two plans of {0}")]
    Twice(String),
}

impl Report {
    /// A report of the current version.
    pub fn new(paths: Vec<String>, plans: Vec<Plan>, unplanned: Vec<Unplanned>, diagnostics: Value) -> Self {
        let diagnostics = match diagnostics {
            Value::Array(list) => list,
            other => vec![other],
        };
        Self { version: Plan::VERSION, paths, plans, unplanned, diagnostics }
    }

    /// Reads a report back, with nothing taken on trust: the version, the schema, the order of the changes and
    /// their digest are checked.
    pub fn read(text: &str) -> Result<Self, ReportError> {
        let value: Value = serde_json::from_str(text).map_err(ReportError::Syntax)?;
        match value.get("version").and_then(Value::as_u64) {
            None => return Err(ReportError::NoPlan),
            Some(found) if found != u64::from(Plan::VERSION) => {
                return Err(ReportError::Version(found));
            }
            Some(_) => {}
        }
        let wrong = |path: String, why: &str| ReportError::Schema { path, why: sanitized(why, 300) };
        let validator =
            jsonschema::validator_for(&schema()).map_err(|error| wrong(String::new(), &error.to_string()))?;
        if let Err(error) = validator.validate(&value) {
            return Err(wrong(sanitized(error.instance_path().as_str(), 200), &error.masked().to_string()));
        }
        let report: Self =
            serde_json::from_value(value).map_err(|error| wrong("/plans".to_owned(), &error.to_string()))?;
        let mut accounts = BTreeSet::new();
        for plan in &report.plans {
            plan.validate().map_err(|why| wrong("/plans".to_owned(), &why))?;
            let account = sanitized(&plan.account, 200);
            if plan.digest != Digest::of(&plan.account_id, &plan.changes) {
                return Err(ReportError::Tampered(account));
            }
            if !accounts.insert(&plan.account) {
                return Err(ReportError::Twice(account));
            }
        }
        Ok(report)
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
