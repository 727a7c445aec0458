//! The real binary on files that name somebody who left: `--skip-invalid`, `--skip-blocked` and `--only` against a real
//! server, with exit codes, saved plans and every format.
#![cfg(unix)]

use serde_json::Value;
use tempfile::TempDir;

use crate::support::commands::{Server, edit, expect, ledgers, office, stderr, strowger};

/// A new group has a member who left; a number leads to it, another is to lose its destination.
fn gone(server: &Server) -> TempDir {
    let folder = office("wework", &server.url);
    edit(folder.path(), "{ to: conference/salle-1 }", "{ to: ring_group/nuit }");
    edit(folder.path(), "ring_groups:\n", "ring_groups:\n  nuit: { members: [user/202, user/gone@example.org] }\n");
    folder
}

fn destination(server: &Server, number: &str) -> Value {
    server.number(number)["destination"].clone()
}

fn json(folder: &TempDir, arguments: &[&str], code: i32) -> Value {
    let arguments = [&["plan", ".", "--format", "json"], arguments].concat();
    serde_json::from_str(&expect(&strowger(folder.path(), &arguments), code)).unwrap()
}

#[test]
fn without_a_flag_nothing_is_planned_or_applied_as_ever() {
    let server = Server::start("wework", &[]);
    let folder = gone(&server);
    let before = server.state();
    assert_eq!(json(&folder, &[], 3)["plans"], Value::Array(Vec::new()));
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 3);
    assert_eq!(server.state(), before);
}

#[test]
fn what_does_not_depend_on_somebody_who_left_is_applied_and_the_rest_is_named() {
    let server = Server::start("wework", &[]);
    let folder = gone(&server);
    let conference = destination(&server, "+33142685304");

    let report = json(&folder, &["--skip-invalid"], 3);
    let plan = &report["plans"][0];
    let skipped = |name: &str| plan["skipped"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned();
    let nuit = skipped("nuit").unwrap();
    assert_eq!((&nuit["cause"], &nuit["rule"]), (&"invalid".into(), &"unknown-reference".into()), "{nuit:#}");
    assert!(nuit["reason"].as_str().unwrap().contains("gone@example.org"), "{nuit:#}");
    assert_eq!(skipped("+33142685304").unwrap()["cause"], "depends");
    let finding = &report["diagnostics"][0];
    assert_eq!((&finding["rule"], &finding["severity"]), (&"unknown-reference".into(), &"error".into()));
    for format in ["human", "markdown", "github", "sarif", "runbook"] {
        let out = expect(&strowger(folder.path(), &["plan", ".", "--skip-invalid", "--format", format]), 3);
        assert!(out.contains("+33142685304") && out.to_lowercase().contains("left out"), "{format}: {out}");
    }

    let out = expect(&strowger(folder.path(), &["apply", ".", "--auto-approve", "--skip-invalid"]), 6);
    assert!(out.contains("Left out: "), "{out}");
    assert_eq!(server.number("+33142685302")["label"], "Ventes");
    assert_eq!(destination(&server, "+33142685304"), conference);
    assert!(server.list("ring_groups").iter().all(|group| group["name"] != "nuit"));
    let run = ledgers(folder.path()).pop().unwrap();
    assert_eq!(run.summary.as_ref().map(|summary| summary.exit), Some(6));

    // Again: there is nothing left to do, and the files are still not true.
    let written = server.audit().len();
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve", "--skip-invalid"]), 6);
    assert_eq!(server.audit().len(), written);
}

#[test]
fn a_degraded_account_prunes_deletes_and_unassigns_nothing() {
    let server = Server::start("wework", &[]);
    let folder = gone(&server);
    edit(folder.path(), "{ to: user/amelie@example.org }", "{ to: none }");
    let before = destination(&server, "+33142685301");
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve", "--skip-invalid"]), 6);
    assert_eq!(destination(&server, "+33142685301"), before);
    let plan = &json(&folder, &["--skip-invalid"], 3)["plans"][0];
    let skipped = plan["skipped"].as_array().unwrap();
    assert!(skipped.iter().any(|one| one["name"] == "+33142685301" && one["cause"] == "degraded"), "{plan:#}");
}

#[test]
fn a_saved_partial_plan_is_applied_as_it_was_read_and_ends_with_6() {
    let server = Server::start("wework", &[]);
    let folder = gone(&server);
    let output = strowger(folder.path(), &["plan", ".", "--skip-invalid", "--out", "plan.json"]);
    expect(&output, 3);
    assert!(stderr(&output).contains("apply --plan plan.json"), "{}", stderr(&output));
    let shown = expect(&strowger(folder.path(), &["show", "plan.json"]), 0);
    assert!(shown.contains("Left out: 3 objects"), "{shown}");
    expect(&strowger(folder.path(), &["apply", "--plan", "plan.json"]), 6);
    assert_eq!(server.number("+33142685302")["label"], "Ventes");
    let written = server.audit().len();
    let output = strowger(folder.path(), &["apply", "--plan", "plan.json"]);
    let said = expect(&output, 6);
    assert!(said.contains("has been applied already"), "what it left out is left out still: {said}");
    assert_eq!(server.audit().len(), written);
    // What is left out of a plan is decided when it is made.
    expect(&strowger(folder.path(), &["apply", "--plan", "plan.json", "--skip-invalid"]), 64);
}

#[test]
fn a_guard_on_one_object_holds_that_object_and_the_rest_is_applied_only_if_asked_for() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    edit(folder.path(), "{ to: conference/salle-1 }", "{ to: ring_group/ventes }");
    edit(folder.path(), "ring_groups:\n", "policy: { protect: [\"+33142685304\"] }\nring_groups:\n");
    let before = destination(&server, "+33142685304");
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 4);
    assert_eq!(server.number("+33142685302")["label"], "");
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve", "--skip-blocked"]), 6);
    assert_eq!(destination(&server, "+33142685304"), before);
    assert_eq!(server.number("+33142685302")["label"], "Ventes");
    let plan = &json(&folder, &["--skip-blocked"], 0)["plans"][0];
    assert_eq!(plan["skipped"][0]["cause"], "blocked", "{plan:#}");
}

#[test]
fn a_guard_on_the_whole_plan_holds_all_of_it_whatever_is_skipped() {
    let server = Server::start("wework", &[]);
    let folder = gone(&server);
    edit(
        folder.path(),
        "ring_groups:\n",
        "policy: { caps: { numbers: { update: { percent: 0, floor: 0 } } } }\nring_groups:\n",
    );
    let before = server.state();
    for flags in [&["--skip-invalid", "--skip-blocked"][..], &["--only", "+33142685302"]] {
        let arguments = [&["apply", ".", "--auto-approve"], flags].concat();
        expect(&strowger(folder.path(), &arguments), 4);
    }
    assert_eq!(server.state(), before);
}

#[test]
fn only_what_is_selected_is_planned_applied_and_verified_whatever_is_wrong_elsewhere() {
    let server = Server::start("wework", &[]);
    let folder = gone(&server);
    let report = json(&folder, &["--only", "+33142685302"], 0);
    assert_eq!(report["diagnostics"], Value::Array(Vec::new()));
    assert_eq!(report["plans"][0]["only"][0], "+33142685302");
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve", "--only", "+33142685302"]), 0);
    // The number, and the group that had to be created for it.
    assert_eq!(server.audit().len(), 2);
    assert_eq!(server.number("+33142685302")["label"], "Ventes");
    assert_eq!(server.number("+33142685300")["label"], "");
    // What is selected is not excused.
    json(&folder, &["--only", "ring_group/nuit"], 3);
    json(&folder, &["--only", "+33142685304"], 3);
}

#[test]
fn a_selector_that_selects_nothing_is_an_error_with_the_nearest_name() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let output = strowger(folder.path(), &["plan", ".", "--only", "ring_group/vente"]);
    expect(&output, 64);
    let said = stderr(&output);
    assert!(said.contains("ring_group/vente") && said.contains("did you mean `ring_group/ventes`?"), "{said}");
    let output = strowger(folder.path(), &["apply", ".", "--auto-approve", "--only", "+33199999999"]);
    expect(&output, 64);
    assert!(server.audit().is_empty());
    let output = strowger(folder.path(), &["plan", ".", "--only", "user/202"]);
    expect(&output, 64);
}

#[test]
fn a_selected_number_takes_the_group_along_that_must_be_created() {
    let server = Server::start("wework", &[]);
    let folder = gone(&server);
    edit(folder.path(), ", user/gone@example.org", "");
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve", "--only", "+33142685304"]), 0);
    assert_eq!(destination(&server, "+33142685304")["kind"], "ring_group");
    assert_eq!(server.number("+33142685302")["label"], "");
}
