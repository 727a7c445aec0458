//! `strowger schema`: the schemas that are published with each release.

use crate::exit::Exit;
use crate::{check, ledger, render, watch};

use super::console;

/// The arguments of `schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Which schema
    #[arg(value_enum, default_value_t)]
    schema: Which,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Which {
    /// The JSON Schema of account files, for editors
    #[default]
    Account,
    /// The JSON Schema of a fleet's `fleet.yaml`
    Fleet,
    /// The JSON Schema of `plan --format json`
    Plan,
    /// The JSON Schema of a line of `--events` and of the ledger
    Event,
    /// The JSON Schema of a watch's `/api/status`
    Status,
    /// The OpenAPI document of the Account API
    AccountApi,
}

const ACCOUNT_API: &str = include_str!("../../schemas/account-api.v1.openapi.yaml");

/// Prints the schema.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let text = match arguments.schema {
        Which::Account => indented(&check::schema::account())?,
        Which::Fleet => indented(&check::schema::fleet())?,
        Which::Plan => indented(&render::json::schema())?,
        Which::Event => indented(&ledger::schema())?,
        Which::Status => indented(&watch::server::schema())?,
        Which::AccountApi => ACCOUNT_API.to_owned(),
    };
    console::print_bytes(text.as_bytes());
    Ok(Exit::Ok)
}

fn indented(schema: &serde_json::Value) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(schema)? + "\n")
}
