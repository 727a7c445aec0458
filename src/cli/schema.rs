//! `strowger schema`: the schemas that are published with each release.

use crate::exit::Exit;
use crate::providers::snapshot;
use crate::render::json;
use crate::{check, ledger, watch};

use super::console;

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
    /// The JSON Schema of snapshots
    Snapshot,
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

pub(super) fn run(arguments: &Arguments) -> Exit {
    let schema = match arguments.schema {
        Which::Account => check::schema::account(),
        Which::Fleet => check::schema::fleet(),
        Which::Snapshot => snapshot::schema(),
        Which::Plan => json::schema(),
        Which::Event => ledger::schema(),
        Which::Status => watch::server::schema(),
        Which::AccountApi => {
            console::print_bytes(ACCOUNT_API.as_bytes());
            return Exit::Ok;
        }
    };
    console::print_bytes(json::text(&schema).as_bytes());
    Exit::Ok
}
