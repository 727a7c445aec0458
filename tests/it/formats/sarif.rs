//! SARIF: valid against the official schema, with places and fingerprints that hosts can use.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

use strowger::diag::{Diagnostic, RULES, Rule, Sources};
use strowger::render::sarif::{findings, plans};

use super::sample::{blocked, finding, repository, sources};

/// tests/fixtures/sarif/NOTICE has the schema's copyright notice.
static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sarif/sarif-schema-2.1.0.json");
    // A pattern of the schema's has a bare `]`, which means the same escaped, and which only some readers take bare.
    let text = std::fs::read_to_string(path).unwrap().replace("{2}]?$", "{2}\\\\]?$");
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::options().offline().should_validate_formats(true).build(&schema).unwrap()
});

/// The log, which the schema accepts.
#[track_caller]
pub fn valid(page: &str) -> Value {
    let log: Value = serde_json::from_str(page).unwrap();
    let errors: Vec<String> =
        SCHEMA.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    log
}

fn log(list: &[Diagnostic], sources: &Sources) -> Value {
    valid(&findings(list, sources, &repository()))
}

fn fingerprints(log: &Value) -> Vec<String> {
    let results = log["runs"][0]["results"].as_array().unwrap();
    results.iter().map(|result| result["partialFingerprints"]["strowger/v1"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn blocked_changes_are_results_at_the_line_that_asks_for_them() {
    let page = plans(&[blocked()], &[], &[], &Sources::default(), &repository());
    valid(&page);
    insta::assert_snapshot!(page);
}

#[test]
fn no_finding_is_a_valid_log_too() {
    assert_eq!(log(&[], &Sources::default())["runs"][0]["results"], serde_json::json!([]));
}

#[test]
fn every_rule_has_its_help_and_its_anchor() {
    let list: Vec<Diagnostic> = RULES.iter().map(|rule| Diagnostic::new(rule, None, "m")).collect();
    let log = log(&list, &Sources::default());
    let documentation = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md")).unwrap();
    for (index, rule) in RULES.iter().enumerate() {
        assert_eq!(log["runs"][0]["results"][index]["ruleIndex"], index);
        let described = &log["runs"][0]["tool"]["driver"]["rules"][index];
        assert_eq!(described["id"], rule.id);
        let help = described["help"]["text"].as_str().unwrap();
        assert!(help.contains(&format!("docs/rules.md#{}", rule.id)), "{help}");
        assert!(documentation.contains(&format!("\n### {}\n", rule.id)), "{}", rule.id);
    }
}

#[test]
fn guards_have_their_anchors() {
    let log = valid(&plans(&[blocked()], &[], &[], &Sources::default(), &repository()));
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/output.md")).unwrap();
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap() {
        let id = rule["id"].as_str().unwrap();
        assert!(rule["help"]["text"].as_str().unwrap().contains(&format!("docs/output.md#{id}")), "{rule}");
        assert!(page.contains(&format!("\n#### {id}\n")), "{id}");
    }
}

#[test]
fn columns_count_characters_and_paths_are_encoded() {
    let sources = sources("a b/50%é:#?.yaml", "\u{1f4de}\u{1f4de} text\n");
    let log = log(&[finding(Rule::WRONG_VALUE, 1, 4, 4, "m")], &sources);
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b/50%25%C3%A9%3A%23%3F.yaml");
    assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    assert_eq!(place["region"], serde_json::json!({"startLine": 1, "startColumn": 4, "endColumn": 8}));
    assert_eq!(log["runs"][0]["columnKind"], "unicodeCodePoints");
}

#[test]
fn a_file_outside_of_the_repository_has_an_absolute_uri() {
    let log = log(&[finding(Rule::WRONG_VALUE, 1, 1, 1, "m")], &sources("/elsewhere/a.yaml", ""));
    let artifact = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(*artifact, serde_json::json!({"uri": "file:///elsewhere/a.yaml"}));
}

#[test]
fn a_result_that_no_line_causes_is_at_the_first_file() {
    let mut plan = blocked();
    plan.changes.iter_mut().for_each(|change| change.place = None);
    plan.blocked.retain(|block| block.place.is_none());
    let log = valid(&plans(&[plan], &[], &[], &sources("phones/account.yaml", ""), &repository()));
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "phones/account.yaml");
        assert_eq!(place["region"]["startLine"], 1);
    }
}

#[test]
fn a_fingerprint_stays_when_lines_move_and_tells_repetitions_apart() {
    let at = |line, column| finding(Rule::WRONG_VALUE, line, column, 3, "m");
    let before = fingerprints(&log(&[at(1, 1), at(2, 1)], &sources("a.yaml", "bad\nbad\n")));
    let after = fingerprints(&log(&[at(3, 3), at(7, 3)], &sources("a.yaml", "\n\n  bad\n\n\n\n  bad\n")));
    assert_eq!(before, after);
    assert_ne!(before[0], before[1]);
    let others = [
        log(&[at(1, 1)], &sources("b.yaml", "bad\n")),
        log(&[at(1, 1)], &sources("a.yaml", "worse\n")),
        log(&[finding(Rule::WRONG_VALUE, 1, 1, 3, "n")], &sources("a.yaml", "bad\n")),
        log(&[finding(Rule::WRONG_TYPE, 1, 1, 3, "m")], &sources("a.yaml", "bad\n")),
    ];
    for other in others {
        assert_ne!(fingerprints(&other)[0], before[0]);
    }
}

#[test]
fn a_secret_is_not_in_a_log() {
    let sources = sources("a.yaml", "account: { token: hunter2 }\n");
    let page = findings(&[finding(Rule::LITERAL_SECRET, 1, 19, 7, "m")], &sources, &repository());
    assert!(!page.contains("hunter2"), "{page}");
}
