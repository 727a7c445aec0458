//! Plans that are saved, read by somebody, and applied later: exactly as they were, or not at all. The real
//! binary against a server that is a process of its own.
#![cfg(unix)]

use std::fs;
use std::path::Path;

use crate::support::commands::{Server, TOKEN, edit, expect, ledgers, office, stderr, strowger};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A small office with a saved plan of five changes.
fn saved() -> (Server, TempDir) {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let output = strowger(folder.path(), &["plan", ".", "--out", "plan.json"]);
    expect(&output, 0);
    assert!(stderr(&output).contains("apply --plan plan.json"), "{}", stderr(&output));
    (server, folder)
}

const APPLY: [&str; 3] = ["apply", "--plan", "plan.json"];

fn plan(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("plan.json")).unwrap()).unwrap()
}

/// Changes the saved file, as an editor would.
fn forge(folder: &Path, change: impl FnOnce(&mut Value)) {
    let mut plan = plan(folder);
    change(&mut plan);
    fs::write(folder.join("plan.json"), serde_json::to_vec(&plan).unwrap()).unwrap();
}

#[test]
fn a_saved_plan_is_applied_exactly_whatever_the_files_ask_for_by_then() {
    let (server, folder) = saved();
    edit(folder.path(), "label: Accueil", "label: Edited later");
    edit(folder.path(), "to: conference/salle-1", "to: receptionist/main");
    let out = expect(&strowger(folder.path(), &APPLY), 0);
    assert!(out.contains("Applied 5 of 5 changes"), "{out}");
    assert!(out.contains("Verified: the account has everything that was written."), "{out}");
    assert_eq!(server.number("+33142685300")["label"], "Accueil");
    assert_eq!(server.audit().len(), 5);
    assert_eq!(ledgers(folder.path())[0].planned.digest.0, plan(folder.path())["plans"][0]["digest"]);
}

#[test]
fn a_saved_plan_that_has_been_applied_already_ends_with_0_and_one_line() {
    let (server, folder) = saved();
    expect(&strowger(folder.path(), &APPLY), 0);
    let digest = plan(folder.path())["plans"][0]["digest"].as_str().unwrap().to_owned();
    for more in [&[][..], &["--expect", &digest], &["--approve", &digest]] {
        let again = strowger(folder.path(), &[&APPLY[..], more].concat());
        let out = expect(&again, 0);
        assert_eq!(out, "This plan has been applied already; nothing to do.\n");
        assert_eq!(stderr(&again), "");
    }
    assert_eq!((server.audit().len(), ledgers(folder.path()).len()), (5, 1), "and no ledger says otherwise");
    let other = "0".repeat(64);
    expect(&strowger(folder.path(), &[&APPLY[..], &["--expect", &other]].concat()), 5);
}

#[test]
fn a_saved_plan_of_which_something_is_missing_or_changed_again_is_stale() {
    let (server, folder) = saved();
    expect(&strowger(folder.path(), &APPLY), 0);
    let number = server.number("+33142685300");
    server.patch(&format!("numbers/{}", number["id"].as_str().unwrap()), &json!({ "label": "Changed again" }));
    let again = strowger(folder.path(), &APPLY);
    expect(&again, 5);
    let said = stderr(&again);
    assert!(said.contains("as planned"), "{said}");
    assert!(said.contains("ring_group/ventes") && said.contains("is now used by ring_group/ventes"), "{said}");
    assert_eq!(server.audit().len(), 6);
}

#[test]
fn an_object_that_moved_makes_the_plan_stale_and_the_difference_is_told() {
    let (server, folder) = saved();
    let number = server.number("+33142685302");
    let receptionist = server.number("+33142685300")["destination"].clone();
    server.patch(&format!("numbers/{}", number["id"].as_str().unwrap()), &json!({ "destination": receptionist }));
    let before = server.state();
    let output = strowger(folder.path(), &APPLY);
    expect(&output, 5);
    let said = stderr(&output);
    assert!(said.contains("+33142685302"), "{said}");
    assert!(said.contains("to: was user/bruno@example.org when the plan was made, is receptionist/main now"), "{said}");
    assert_eq!(server.state(), before, "nothing at all was written");
}

#[test]
fn a_field_that_the_plan_does_not_write_makes_it_stale_as_well() {
    let (server, folder) = saved();
    let number = server.number("+33142685309");
    server.patch(&format!("numbers/{}", number["id"].as_str().unwrap()), &json!({ "label": "Fax" }));
    let output = strowger(folder.path(), &APPLY);
    expect(&output, 5);
    assert!(stderr(&output).contains("a field that the plan does not write has changed"), "{}", stderr(&output));
}

#[test]
fn an_object_that_no_change_is_about_may_move() {
    let (server, folder) = saved();
    let number = server.number("+33142685305");
    server.patch(&format!("numbers/{}", number["id"].as_str().unwrap()), &json!({ "label": "Fax" }));
    expect(&strowger(folder.path(), &APPLY), 0);
}

#[test]
fn a_plan_for_another_account_is_refused() {
    let (_server, folder) = saved();
    let other = Server::start("agency", &[]);
    let agency = office("agency", &other.url);
    let path = folder.path().join("plan.json");
    let arguments = ["apply", "--plan", path.to_str().unwrap(), "."];
    let output = strowger(agency.path(), &arguments);
    expect(&output, 1);
    assert!(stderr(&output).contains("the plan is for the account wework-republique"), "{}", stderr(&output));

    // The same name, but the account behind it is another one.
    let text = fs::read_to_string(agency.path().join("account.yaml")).unwrap();
    let name = text.lines().find_map(|line| line.trim().strip_prefix("name: ")).unwrap().to_owned();
    edit(agency.path(), &format!("name: {name}"), "name: wework-republique");
    let output = strowger(agency.path(), &arguments);
    expect(&output, 1);
    assert!(stderr(&output).contains("they are different accounts"), "{}", stderr(&output));
    assert_eq!(other.audit().len(), 0);
}

#[test]
fn a_plan_that_was_edited_is_refused() {
    let (server, folder) = saved();
    forge(folder.path(), |plan| {
        let changes = plan["plans"][0]["changes"].as_array_mut().unwrap();
        let label = changes.iter_mut().find(|change| change["fields"][0]["field"] == "label").unwrap();
        label["fields"][0]["after"] = json!({ "text": "Forged" });
    });
    let output = strowger(folder.path(), &APPLY);
    expect(&output, 1);
    assert!(stderr(&output).contains("its changes do not match its digest"), "{}", stderr(&output));
    assert_eq!(server.audit().len(), 0);
}

#[test]
fn what_is_no_plan_is_refused_with_a_place_and_a_remedy() {
    let (server, folder) = saved();
    let whole = fs::read_to_string(folder.path().join("plan.json")).unwrap();
    let cases: [(&str, &str); 6] = [
        (&whole[..whole.len() / 2], "a truncated file"),
        ("{}", "it has no `version`"),
        ("{\"version\": 2, \"plans\": []}", "format 2"),
        ("{\"version\": 1, \"plans\": [{}], \"diagnostics\": []}", "/plans/0"),
        ("{\"version\": 1, \"plans\": 7, \"diagnostics\": []}", "/plans"),
        ("", "line 1"),
    ];
    for (text, expected) in cases {
        fs::write(folder.path().join("plan.json"), text).unwrap();
        let output = strowger(folder.path(), &APPLY);
        expect(&output, 1);
        assert!(stderr(&output).contains(expected), "{text:.60}: {}", stderr(&output));
    }
    fs::remove_file(folder.path().join("plan.json")).unwrap();
    expect(&strowger(folder.path(), &APPLY), 1);
    assert_eq!(server.audit().len(), 0);
}

#[test]
fn changes_out_of_order_are_no_plan() {
    let (server, folder) = saved();
    forge(folder.path(), |plan| plan["plans"][0]["changes"][0]["depends_on"] = json!([3]));
    let output = strowger(folder.path(), &APPLY);
    expect(&output, 1);
    assert!(stderr(&output).contains("change 1: it depends on change 3"), "{}", stderr(&output));
    assert_eq!(server.audit().len(), 0);
}

#[test]
fn a_saved_plan_with_its_blocks_taken_out_is_blocked_all_the_same() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    edit(folder.path(), "to: receptionist/main, label: Accueil", "to: user/amelie@example.org");
    expect(&strowger(folder.path(), &["plan", ".", "--out", "plan.json"]), 0);
    forge(folder.path(), |plan| {
        let removed = plan["plans"][0].as_object_mut().unwrap().remove("blocked");
        assert!(removed.is_some(), "the default number is protected");
    });
    let output = strowger(folder.path(), &APPLY);
    expect(&output, 4);
    assert_eq!(server.audit().len(), 0);
    let digest = plan(folder.path())["plans"][0]["digest"].as_str().unwrap().to_owned();
    assert!(stderr(&output).contains(&format!("--approve {digest}")), "{}", stderr(&output));
    expect(&strowger(folder.path(), &[&APPLY[..], &["--approve", &digest]].concat()), 0);
}

#[test]
fn a_digest_names_the_plan_and_not_the_day() {
    let (_server, folder) = saved();
    let first = plan(folder.path());
    expect(&strowger(folder.path(), &["plan", ".", "--out", "plan.json"]), 0);
    assert_eq!(plan(folder.path())["plans"][0]["digest"], first["plans"][0]["digest"]);
    edit(folder.path(), "label: Accueil", "label: Other");
    expect(&strowger(folder.path(), &["plan", ".", "--out", "plan.json"]), 0);
    assert_ne!(plan(folder.path())["plans"][0]["digest"], first["plans"][0]["digest"]);
}

#[test]
fn a_saved_plan_has_no_secret() {
    let (_server, folder) = saved();
    let text = fs::read_to_string(folder.path().join("plan.json")).unwrap();
    assert!(!text.contains(TOKEN) && !text.contains("STROWGER_TEST_TOKEN"));
}

#[test]
fn files_with_errors_save_no_plan() {
    let (_server, folder) = saved();
    fs::remove_file(folder.path().join("plan.json")).unwrap();
    edit(folder.path(), "to: conference/salle-1", "to: conference/nowhere");
    expect(&strowger(folder.path(), &["plan", ".", "--out", "plan.json"]), 3);
    assert!(!folder.path().join("plan.json").exists());
}

/// The digest of a plan that somebody forged with care.
fn digest(plan: &Value) -> Value {
    let plan: strowger::plan::Plan = serde_json::from_value(plan.clone()).unwrap();
    json!(strowger::plan::Digest::of(&plan.account_id, &plan.changes).0)
}

/// Changes the plan of an account, and makes its digest right again.
fn forge_well(folder: &Path, change: impl FnOnce(&mut Value)) {
    forge(folder, |report| {
        let plan = &mut report["plans"][0];
        change(plan);
        plan["digest"] = digest(plan);
    });
}

#[test]
fn a_forged_name_does_not_take_a_number_past_its_guard() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    edit(folder.path(), "to: receptionist/main, label: Accueil", "to: user/amelie@example.org");
    expect(&strowger(folder.path(), &["plan", ".", "--out", "plan.json"]), 0);
    forge_well(folder.path(), |plan| {
        plan.as_object_mut().unwrap().remove("blocked");
        let changes = plan["changes"].as_array_mut().unwrap();
        let main = changes.iter_mut().find(|change| change["object"]["name"] == "+33142685300").unwrap();
        main["object"]["name"] = json!("+33142685305");
    });
    let output = strowger(folder.path(), &APPLY);
    expect(&output, 5);
    assert!(stderr(&output).contains("it is now called +33142685300"), "{}", stderr(&output));
    assert_eq!(server.audit().len(), 0);
}

#[test]
fn a_plan_that_lies_about_before_or_about_a_target_is_refused() {
    type Lie = fn(&mut Value);
    let lies: [(&str, Lie, &str); 4] = [
        ("a before", |change| change["fields"][0]["before"] = json!("none"), "when the plan was made, is"),
        ("a target", |change| change["fields"][0]["after"]["reference"]["name"] = json!("main"), "is now called"),
        (
            "two values",
            |change| {
                let field = change["fields"][0].clone();
                change["fields"].as_array_mut().unwrap().push(field);
            },
            "writes `to` twice",
        ),
        (
            "no maker",
            |change| {
                let target = change["fields"][0]["after"]["reference"].as_object_mut().unwrap();
                target.remove("id");
                target.insert("created_by".into(), json!(1));
            },
            "does not make",
        ),
    ];
    for (what, lie, expected) in lies {
        let server = Server::start("wework", &[]);
        let folder = office("wework", &server.url);
        edit(folder.path(), "to: user/amelie@example.org }", "to: user/bruno@example.org }");
        expect(&strowger(folder.path(), &["plan", ".", "--out", "plan.json"]), 0);
        forge_well(folder.path(), |plan| {
            let changes = plan["changes"].as_array_mut().unwrap();
            lie(changes.iter_mut().find(|change| change["object"]["name"] == "+33142685301").unwrap());
        });
        let output = strowger(folder.path(), &APPLY);
        assert!(matches!(output.status.code(), Some(1 | 5)), "{what}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{what}: {}", stderr(&output));
        assert_eq!(server.audit().len(), 0, "{what}");
    }
}
