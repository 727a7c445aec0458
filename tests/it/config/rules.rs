//! `docs/rules.md` is complete and true: every rule has its section, and every example does what it says.

use std::collections::BTreeSet;
use std::path::Path;

use strowger::config::load;
use strowger::diag::{RULES, Severity};

/// An example of the documentation.
struct Example {
    rule: String,
    wrong: bool,
    online: bool,
    text: String,
}

fn documentation() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md")).unwrap()
}

fn examples(text: &str) -> Vec<Example> {
    let (mut rule, mut found, mut open) = (String::new(), Vec::new(), None::<Example>);
    for line in text.lines() {
        match (&mut open, line) {
            (None, heading) if heading.starts_with("### ") => heading[4..].clone_into(&mut rule),
            (None, fence) if fence.starts_with("```yaml ") => {
                let (wrong, online) = (fence.ends_with(" wrong"), fence.contains(" online"));
                open = Some(Example { rule: rule.clone(), wrong, online, text: String::new() });
            }
            (Some(_), "```") => found.extend(open.take()),
            (Some(example), line) => {
                example.text.push_str(line);
                example.text.push('\n');
            }
            _ => {}
        }
    }
    found
}

fn found(text: &str) -> BTreeSet<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("example.yaml");
    let whole = text.starts_with("version:") || text.starts_with('#');
    let head = if whole { "" } else { "version: 1\naccount: { name: example, provider: sandbox, country: FR }\n" };
    std::fs::write(&path, format!("{head}{text}")).unwrap();
    load(&[path]).diagnostics.iter().map(|finding| finding.rule.id).collect()
}

#[test]
fn every_rule_has_one_id_and_one_section() {
    let documented: Vec<String> =
        documentation().lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect();
    let known: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(documented, known, "docs/rules.md has the rules in the order of `diag::rule`");
    assert_eq!(known.iter().collect::<BTreeSet<_>>().len(), known.len(), "ids are unique");
    for rule in RULES {
        assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
    }
}

/// Who reads `*error.*` lowers the rule in a policy, and is refused if it is fixed.
#[test]
fn every_section_begins_with_the_severity_of_its_rule_and_its_summary() {
    let documentation = documentation();
    let sections = documentation.split("\n### ").skip(1);
    for (rule, section) in RULES.iter().zip(sections) {
        let severity = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let fixed = match (rule.fixed, rule.guards_harm) {
            (true, _) => ", fixed",
            (_, true) => ", guards harm",
            _ => "",
        };
        let skippable = if rule.is_skippable() { ", skippable" } else { "" };
        let wanted = format!("{}\n\n*{severity}{fixed}{skippable}.* {}", rule.id, rule.summary);
        assert!(section.starts_with(&wanted), "docs/rules.md says otherwise: {wanted}");
    }
}

#[test]
fn the_wrong_example_breaks_its_rule_and_no_other_and_the_right_one_none() {
    let documentation = documentation();
    let examples = examples(&documentation);
    assert!(examples.len() > 80, "only {} examples", examples.len());
    for example in examples {
        let expected: BTreeSet<&str> =
            if example.wrong && !example.online { [example.rule.as_str()].into() } else { BTreeSet::new() };
        assert_eq!(found(&example.text), expected, "{}:\n{}", example.rule, example.text);
    }
}

#[test]
fn each_rule_has_a_wrong_example_and_a_right_one_or_none_can_be_written() {
    // These are about what cannot be shown in a YAML example: other files, bytes, the schema itself.
    let cannot = [
        "no-files",
        "unreadable-file",
        "file-too-large",
        "not-utf8",
        "control-character",
        "schema",
        "duplicate-account",
        "one-account-twice",
        "misplaced-fleet",
        "unknown-account",
        "account-in-two-waves",
        "unreadable-base",
        "needs-unselected",
        "unreadable-object",
    ];
    let documentation = documentation();
    let examples = examples(&documentation);
    for rule in RULES.iter().filter(|rule| !cannot.contains(&rule.id)) {
        let of = |wrong| examples.iter().filter(|example| example.rule == rule.id && example.wrong == wrong).count();
        assert_eq!((of(true), of(false)), (1, 1), "{}", rule.id);
    }
}

#[test]
fn a_snapshot_among_the_files_of_an_account_is_one_finding() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("account.yaml"), "version: 1\naccount: { name: a, provider: sandbox }\n")
        .unwrap();
    let seed = include_str!("../sandbox/wework.yaml");
    std::fs::write(folder.path().join("seed.yaml"), seed).unwrap();
    let loaded = load(&[folder.path().to_owned()]);
    let found: Vec<_> = loaded.diagnostics.iter().map(|finding| (finding.rule.id, finding.message.as_str())).collect();
    let [("unsupported-version", message)] = found.as_slice() else { panic!("{found:?}") };
    assert!(message.contains("snapshot"), "{message}");
}
