//! The real binary and an account with objects that the model cannot hold: they are listed with the reason, stay as they
//! are, and their names, extension numbers and targets count.
#![cfg(unix)]

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::commands::{expect, stderr, strowger};
use crate::support::hostile::{Hostile, JSON, answer, good, is_for};

const ACCOUNT: &str = r#"{"id":"1","name":"a","default_number":"2999","capabilities":{"page_limit":50}}"#;

/// A short code is the default number; another leads to a group, and a group with an unknown ring mode to a third.
const NUMBERS: &str = r#"{"id":"n1","number":"+33142685300","destination":{"kind":"ring_group","id":"g1"}},
    {"id":"n2","number":"3000\u001b[2J::error::x","destination":{"kind":"ring_group","id":"g2"}},
    {"id":"n3","number":"2999","destination":{"kind":"user","id":"u1"}}"#;
const GROUPS: &str = r#"
    {"id":"g1","name":"ventes","extension":"300","ring":"simultaneous","members":[{"kind":"user","id":"u1"}],"ring_for":20},
    {"id":"g2","name":"old","extension":"301","ring":"simultaneous","members":[{"kind":"user","id":"u1"}],"ring_for":20},
    {"id":"g3","name":"Odd","extension":"310","ring":"random","members":[{"kind":"user","id":"u1"}],"ring_for":20,
     "no_answer":{"kind":"ring_group","id":"g4"}},
    {"id":"g4","name":"last","extension":"302","ring":"simultaneous","members":[{"kind":"user","id":"u1"}],"ring_for":20}"#;

const USERS: &str = r#"{"id":"u1","name":"Amélie","email":"amelie@example.org","extension":"2o1"}"#;

fn server() -> Hostile {
    Hostile::start(|asked, to| {
        let list = |items: &str| format!("{{\"items\":[{items}],\"next\":null}}");
        let body = match ["account", "numbers", "ring_groups", "users"].into_iter().find(|path| is_for(asked, path)) {
            Some("account") => ACCOUNT.to_owned(),
            Some("numbers") => list(NUMBERS),
            Some("ring_groups") => list(GROUPS),
            Some(_) => list(USERS),
            None => return good(asked, to),
        };
        answer(to, "200 OK", &[JSON], &body)
    })
}

fn files(server: &Hostile, text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let account = format!("provider: office, url: {}, token: {{ env: STROWGER_TEST_TOKEN }}", server.url);
    let text = format!("version: 1\naccount: {{ name: a, {account} }}\n{text}");
    fs::write(folder.path().join("account.yaml"), text).unwrap();
    folder
}

fn plan(text: &str, code: i32) -> (Value, String) {
    let server = server();
    let output = strowger(files(&server, text).path(), &["plan", ".", "--format", "json"]);
    assert!(server.asked().iter().all(|asked| asked.line.starts_with("GET ")));
    (serde_json::from_str(&expect(&output, code)).unwrap(), stderr(&output))
}

#[track_caller]
fn broken(text: &str, rule: &str, words: &str) {
    let (report, _) = plan(text, 3);
    let found = report["diagnostics"].as_array().unwrap();
    let finding = found.iter().find(|one| one["rule"] == rule).unwrap_or_else(|| panic!("{report:#}"));
    assert!(finding["message"].as_str().unwrap().contains(words), "{finding:#}");
}

const HEALTHY: &str = r#"
numbers:
  "+33142685300": { to: ring_group/ventes, label: Ventes }
ring_groups:
  ventes: { members: [user/amelie@example.org] }
"#;

#[test]
fn what_cannot_be_represented_is_listed_with_the_reason_and_the_rest_is_planned() {
    let (report, _) = plan(HEALTHY, 0);
    let plan = &report["plans"][0];
    assert_eq!(plan["changes"].as_array().unwrap().len(), 1, "{plan:#}");
    assert_eq!(plan["unmanaged"], serde_json::json!({ "numbers": 2, "ring_groups": 3 }));
    let unreadable = plan["unreadable"].as_array().unwrap();
    assert_eq!(unreadable.len(), 3, "{plan:#}");
    let odd = unreadable.iter().find(|one| one["name"] == "Odd").unwrap();
    assert_eq!(odd["reason"], "its ring mode is `random`: this version does not know it");

    let server = server();
    let folder = files(&server, HEALTHY);
    for format in ["human", "markdown", "github"] {
        let out = expect(&strowger(folder.path(), &["plan", ".", "--format", format]), 0);
        assert!(out.contains("ring_group/Odd cannot be managed: its ring mode is `random`"), "{format}: {out}");
        assert!(!out.contains('\u{1b}') && !out.lines().any(|line| line.starts_with("::error")), "{out}");
    }
    let out = expect(&strowger(folder.path(), &["export", "."]), 0);
    assert!(out.contains("# ring_group/Odd is left out: its ring mode is `random`"), "{out}");
    let out = expect(&strowger(folder.path(), &["export", ".", "--as-snapshot"]), 0);
    assert!(out.contains("# number/2999 is left out: its number is `2999`"), "{out}");
}

#[test]
fn a_group_that_cannot_be_represented_is_not_made_again_renamed_or_pointed_at() {
    let member = "members: [user/amelie@example.org]";
    broken(&format!("ring_groups: {{ odd: {{ {member} }} }}\n"), "unreadable-object", "`random`");
    broken(&format!("ring_groups: {{ new: {{ {member}, renamed_from: odd }} }}\n"), "unreadable-object", "`random`");
    broken("numbers: { \"+33142685300\": { to: ring_group/odd } }\n", "unreadable-object", "`random`");
    broken("numbers: { \"+33142685300\": { to: ring_group/310 } }\n", "unreadable-object", "`random`");
    broken("absent: [ring_group/odd]\n", "unreadable-object", "`random`");
    broken(
        &format!("ring_groups: {{ new: {{ extension: \"310\", {member} }} }}\n"),
        "extension-taken",
        "ring_group/Odd",
    );
}

#[test]
fn what_it_points_at_is_in_use() {
    broken("absent: [ring_group/last]\n", "still-in-use", "ring_group/Odd");
    broken("absent: [ring_group/old]\n", "still-in-use", "number/3000");
    let (report, _) = plan(&format!("{HEALTHY}policy: {{ prune: ring_groups }}\n"), 0);
    let changes = report["plans"][0]["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| change["verb"] != "delete"), "{changes:#?}");
}

#[test]
fn a_default_number_that_is_none_of_the_numbers_is_an_error_for_the_account() {
    let server =
        Hostile::start(
            |asked, to| {
                if is_for(asked, "account") { answer(to, "200 OK", &[JSON], ACCOUNT) } else { good(asked, to) }
            },
        );
    let output = strowger(files(&server, HEALTHY).path(), &["plan", "."]);
    expect(&output, 1);
    assert!(stderr(&output).contains("its default number is `2999`"), "{}", stderr(&output));
}
