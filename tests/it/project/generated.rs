//! Generated documents are checked in, and are not stale.
//!
//! `STROWGER_BLESS=1 cargo test --test it generated` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

#[track_caller]
fn is_current(path: &str, wanted: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("STROWGER_BLESS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, wanted).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "{path} is stale: run `STROWGER_BLESS=1 cargo test --test it generated`");
}

#[test]
fn the_plan_schema_is_current() {
    let schema = serde_json::to_string_pretty(&strowger::render::json::schema()).unwrap() + "\n";
    is_current("schemas/plan.v1.schema.json", &schema);
}

#[test]
fn the_plan_schema_is_a_schema() {
    jsonschema::meta::validate(&strowger::render::json::schema()).unwrap();
}

#[test]
fn the_event_schema_is_current_and_a_schema() {
    let schema = strowger::ledger::schema();
    jsonschema::meta::validate(&schema).unwrap();
    is_current("schemas/event.v2.schema.json", &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
}

#[test]
fn the_fleet_schema_is_current_and_a_schema_and_takes_the_example() {
    let schema = strowger::check::schema::fleet();
    jsonschema::meta::validate(&schema).unwrap();
    is_current("schemas/fleet.v1.schema.json", &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
    let example = fs::read_to_string("examples/fleet/fleet.yaml").unwrap();
    let example: serde_json::Value = serde_yaml::from_str(&example).unwrap();
    assert!(jsonschema::is_valid(&schema, &example));
    assert!(!jsonschema::is_valid(&schema, &serde_json::json!({"version": 1, "waves": [[]]})));
}

#[test]
fn the_snapshot_schema_is_current_and_a_schema() {
    let schema = strowger::providers::snapshot::schema();
    jsonschema::meta::validate(&schema).unwrap();
    is_current("schemas/snapshot.v1.schema.json", &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
}

#[test]
fn the_status_schema_is_current_and_a_schema() {
    let schema = strowger::watch::server::schema();
    jsonschema::meta::validate(&schema).unwrap();
    is_current("schemas/status.v1.schema.json", &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
}

#[test]
fn the_command_reference_is_current() {
    let mut page = "# Commands\n\nWhat `--help` says. This page is generated.\n".to_owned();
    let mut command = strowger::cli::reference().term_width(100);
    command.build();
    section(&mut page, &mut command);
    is_current("docs/cli.md", &page);
}

fn section(page: &mut String, command: &mut clap::Command) {
    let name = command.get_bin_name().unwrap_or("strowger").to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    write!(page, "\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end()).unwrap();
    for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
        section(page, inner);
    }
}
