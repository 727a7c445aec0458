//! The published schema is the generated one, is itself valid, and agrees with its own examples and with
//! the reader. `STROWGER_BLESS=1 cargo test --test it config::schema` writes it anew.

use std::path::Path;

use serde_json::{Value, json};
use strowger::check::{AccountSchema, schema};
use strowger::config;
use strowger::model::FileId;

const PUBLISHED: &str = "schemas/account.v1.schema.json";

#[test]
fn the_published_schema_is_the_generated_one() {
    let generated = format!("{:#}\n", schema::account());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PUBLISHED);
    if std::env::var_os("STROWGER_BLESS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == generated, "{PUBLISHED} is stale: run `STROWGER_BLESS=1 cargo test --test it config::schema`");
}

#[test]
fn the_schema_is_valid_against_its_meta_schema() {
    jsonschema::meta::validate(&schema::account()).unwrap();
    assert_eq!(schema::account()["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

/// Every subschema, each with the whole schema's definitions beside it.
fn subschemas<'a>(schema: &'a Value, found: &mut Vec<&'a Value>) {
    match schema {
        Value::Object(fields) => {
            found.push(schema);
            fields.values().for_each(|value| subschemas(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| subschemas(value, found)),
        _ => {}
    }
}

#[test]
fn every_example_and_default_of_the_schema_is_valid_where_it_stands() {
    let whole = schema::account();
    let mut found = Vec::new();
    subschemas(&whole, &mut found);
    let mut checked = 0;
    for subschema in found {
        let examples = subschema.get("examples").and_then(Value::as_array).into_iter().flatten();
        for example in examples.chain(subschema.get("default")) {
            let mut alone = subschema.clone();
            alone["$defs"] = whole["$defs"].clone();
            let validator = jsonschema::options().offline().build(&alone).unwrap();
            let errors: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{example}: {errors:?}");
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} examples were found");
}

#[test]
fn every_field_of_the_schema_is_described() {
    let whole = schema::account();
    let mut found = Vec::new();
    subschemas(&whole, &mut found);
    for properties in found.iter().filter_map(|subschema| subschema.get("properties").and_then(Value::as_object)) {
        for (name, property) in properties.iter().filter(|(_, property)| property.get("type").is_some()) {
            assert!(property.get("description").is_some(), "`{name}` has no description");
        }
    }
}

#[test]
fn validating_in_place_and_validating_json_agree() {
    let in_place = AccountSchema::default();
    let validator = jsonschema::options().offline().build(&schema::account()).unwrap();
    let values = [
        "1",
        "'1'",
        "2",
        "1.5",
        "true",
        "null",
        "~",
        "''",
        "text",
        "'text'",
        "[]",
        "[a]",
        "{}",
        "{a: b}",
        "none",
        "user/202",
        "[user/202]",
        "{to: none}",
        "{to: 1}",
        "{members: [user/202]}",
        "{members: []}",
        "off",
        "{'+33142685300': {to: none}}",
        "{'33142685300': {to: none}}",
        "{ventes: {members: [device/d], ring: x}}",
        "{name: a, provider: sandbox}",
        "{name: a, provider: office}",
        "{name: a, provider: snapshot, file: f}",
        "{rules: {long-wait: off}, prune: ring_groups}",
        "{prune: [ring_groups]}",
        "{rules: {a: [b]}}",
        "{caps: {numbers: {update: off, unassign: {most: 1, percent: 0, floor: 0}}}}",
        "{caps: {numbers: {update: {percent: 101}}}}",
        "{caps: {ring_groups: {create: 5}}}",
        "{protect: ['+33142685300', ring_group/ventes]}",
        "{protect: [+33142685300]}",
        "{scope: {numbers: ['+33142685300..+33142685399', '+331426854*'], ring_groups: ['fr-*']}}",
        "{scope: {numbers: ['*'], ring_groups: ['a*b']}}",
        "{ignore: [numbers.label]}",
        "{ignore: [numbers.to]}",
    ];
    let fields = ["version", "account", "numbers", "ring_groups", "absent", "policy", "tests", "other"];
    for field in fields {
        for value in values {
            let text =
                if field == "version" { format!("version: {value}") } else { format!("version: 1\n{field}: {value}") };
            let document = config::parse(FileId(0), &text).unwrap();
            let json: Value = serde_yaml::from_str(&text).unwrap();
            assert_eq!(in_place.accepts(&document), validator.is_valid(&json), "{text}");
        }
    }
}

#[test]
fn a_null_is_no_way_to_leave_a_field_out() {
    let validator = jsonschema::options().offline().build(&schema::account()).unwrap();
    assert!(validator.is_valid(&json!({"version": 1})));
    assert!(!validator.is_valid(&json!({"version": 1, "numbers": null})));
}
