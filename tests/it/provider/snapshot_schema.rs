//! The published schema of snapshots takes what the reader takes, and refuses what it refuses.

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::Value;
use strowger::providers::snapshot::{self, Format};

use crate::support::accounts::accounts;

fn validator() -> Validator {
    jsonschema::options().offline().build(&snapshot::schema()).unwrap()
}

/// The YAML files of a folder and of its folders that say of themselves that they are snapshots.
fn snapshots(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            snapshots(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml")
            && std::fs::read_to_string(&path)
                .is_ok_and(|text| text.starts_with("snapshot: 1") || text.contains("\nsnapshot: 1"))
        {
            found.push(path);
        }
    }
}

#[test]
fn every_snapshot_of_the_examples_and_of_the_tests_is_valid() {
    let mut found = Vec::new();
    for folder in ["examples", "tests/it", "tests/cmd", "tests/fuzz/corpus"] {
        snapshots(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    }
    assert!(found.len() >= 10, "only {} snapshots were found", found.len());
    let validator = validator();
    let mut valid = 0;
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        // Some of the corpus are broken on purpose.
        if snapshot::parse(&text, Format::Yaml).is_err() {
            continue;
        }
        let value: Value = serde_yaml::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        valid += 1;
    }
    assert!(valid >= 9, "only {valid} snapshots are valid");
}

#[test]
fn what_the_reader_refuses_is_not_valid() {
    let validator = validator();
    for text in [
        "null",
        "[]",
        "text",
        "{}",
        "account: { name: a }",
        "snapshot: 2",
        "snapshot: '1'",
        "snapshot: 1\npolicy: {}",
        "snapshot: 1\naccount: {}",
        "snapshot: 1\naccount: { name: a, owner: b }",
        "snapshot: 1\naccount: { name: a, default_number: '01 42' }",
        "snapshot: 1\nusers: [a]",
        "snapshot: 1\nusers: { a: text }",
        "snapshot: 1\nusers: { a: { extension: 'x' } }",
        "snapshot: 1\nusers: { a: { extension: '1' } }",
        "snapshot: 1\nusers: { a: { voicemail: 'yes' } }",
        "snapshot: 1\nusers: { a: { devices: [desk] } }",
        "snapshot: 1\nusers: { a: { forwarding: {} } }",
        "snapshot: 1\nring_groups: { g: { ring: random } }",
        "snapshot: 1\nring_groups: { g: { members: user/a } }",
        "snapshot: 1\nring_groups: { g: { members: [a] } }",
        "snapshot: 1\nreceptionists: { r: { keys: { '1': somewhere } } }",
        "snapshot: 1\nnumbers: { '0142685300': {} }",
        "snapshot: 1\nnumbers: { '+33142685300': { to: somewhere } }",
        "snapshot: 1\nnumbers: { '+33142685300': { emergency_callback: 'yes' } }",
        "snapshot: 1\nnumbers: { '+33142685300': { lable: a } }",
    ] {
        assert!(snapshot::parse(text, Format::Yaml).is_err(), "the reader takes {text}");
        let value: Value = serde_yaml::from_str(text).unwrap();
        assert!(!validator.is_valid(&value), "the schema takes {text}");
    }
}

#[test]
fn every_field_of_the_schema_is_described_and_every_example_is_valid() {
    fn properties<'a>(schema: &'a Value, found: &mut Vec<(&'a String, &'a Value)>) {
        match schema {
            Value::Object(fields) => {
                found.extend(fields.get("properties").and_then(Value::as_object).into_iter().flatten());
                fields.values().for_each(|value| properties(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| properties(value, found)),
            _ => {}
        }
    }
    let schema = snapshot::schema();
    let mut found = Vec::new();
    properties(&schema, &mut found);
    assert!(found.len() > 40, "only {} fields", found.len());
    let mut examples = 0;
    for (name, property) in found {
        assert!(property.get("description").is_some(), "`{name}` has no description");
        for example in property.get("examples").and_then(Value::as_array).into_iter().flatten() {
            let mut alone = property.clone();
            alone["$defs"] = schema["$defs"].clone();
            assert!(jsonschema::is_valid(&alone, example), "`{name}`: {example}");
            examples += 1;
        }
    }
    assert!(examples >= 4, "only {examples} examples");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_valid(live in accounts()) {
        let text = snapshot::write(&live);
        let value: Value = serde_yaml::from_str(&text).unwrap();
        let errors: Vec<String> = validator().iter_errors(&value).map(|error| error.to_string()).collect();
        prop_assert!(errors.is_empty(), "{errors:?}\n{text}");
    }
}
