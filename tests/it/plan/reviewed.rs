//! What stands between a review and an account: who plans cannot write, the plan that was read is found again after
//! the merge, and any other is not applied. The real binary against a server that is a process of its own.
#![cfg(unix)]

use std::fs;
use std::path::Path;

use crate::support::commands::{Server, TOKEN, edit, expect, office, stderr, strowger};
use crate::support::git::git;
use serde_json::{Value, json};
use strowger::model::Change;
use strowger::providers::ClientOptions;
use strowger::providers::office::Office;
use strowger::providers::{Access, Provider as _, Secret, WriteError};
use tempfile::TempDir;

/// A small office, whose plan has five changes.
fn small() -> (Server, TempDir) {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    (server, folder)
}

fn plan(folder: &Path, arguments: &[&str]) -> Value {
    let output = strowger(folder, &[&["plan", ".", "--format", "json"], arguments].concat());
    serde_json::from_str::<Value>(&expect(&output, 0)).unwrap()["plans"][0].take()
}

fn digest(folder: &Path) -> String {
    plan(folder, &[])["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_client_that_looks_sends_nothing_but_get() {
    let (server, folder) = small();
    let changes: Vec<Change> = serde_json::from_value(plan(folder.path(), &[])["changes"].take()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = |access| {
        let options = ClientOptions { access, ..ClientOptions::default() };
        Office::new(&server.url, Secret::new(TOKEN), options).unwrap()
    };
    let looking = client(Access::ReadOnly);
    runtime.block_on(async { looking.read().await }).unwrap();
    let mut tried = 0;
    for change in &changes {
        match runtime.block_on(looking.perform(change, 0)) {
            Err(WriteError::ReadOnlyClient) => tried += 1,
            // It points at what an earlier change would have made.
            Err(WriteError::Unsupported(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(tried >= 3, "{tried} of {} changes got as far as the client", changes.len());
    assert!(server.audit().is_empty());
    // The same change with the other access: it was the access that held it back.
    runtime.block_on(client(Access::Write).perform(&changes[0], 0)).unwrap();
    assert_eq!(server.audit().len(), 1);
}

#[test]
fn planning_the_same_change_before_and_after_the_merge_gives_the_same_digest() {
    let (_server, folder) = small();
    let folder = folder.path();
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    fs::write(folder.join(".gitignore"), ".strowger/\n").unwrap();
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message=begin"]);
    git(folder, &["switch", "--quiet", "--create", "change"]);
    edit(folder, "label: Accueil", "label: Bonjour");
    git(folder, &["commit", "--quiet", "--all", "--message=change"]);
    let (reviewed, places) = (digest(folder), places(folder));

    // Meanwhile main gets something that moves lines, and a guard that holds the plan back.
    git(folder, &["switch", "--quiet", "main"]);
    edit(folder, "version: 1\n", "# One\n# Two\nversion: 1\n");
    let account = fs::read_to_string(folder.join("account.yaml")).unwrap();
    fs::write(folder.join("account.yaml"), account + "policy: { protect: [\"+33142685302\"] }\n").unwrap();
    git(folder, &["commit", "--quiet", "--all", "--message=other"]);
    git(folder, &["merge", "--quiet", "--no-ff", "--message=merge", "change"]);
    assert_eq!(digest(folder), reviewed);
    assert_ne!(self::places(folder), places, "the lines should have moved");
    assert!(!plan(folder, &[])["blocked"].as_array().unwrap().is_empty());

    // Squashed, in another folder, on another base: still the same plan.
    let clone = tempfile::tempdir().unwrap();
    let at = clone.path().join("elsewhere");
    git(folder, &["clone", "--quiet", ".", at.to_str().unwrap()]);
    git(&at, &["reset", "--quiet", "--soft", "HEAD~1"]);
    git(&at, &["commit", "--quiet", "--message=squashed"]);
    assert_eq!(digest(&at), reviewed);
}

fn places(folder: &Path) -> Vec<Value> {
    plan(folder, &[])["changes"].as_array().unwrap().iter().map(|change| change["place"]["line"].clone()).collect()
}

#[test]
fn the_expected_plan_is_applied_and_once_it_is_there_is_nothing_to_do() {
    let (server, folder) = small();
    let digest = digest(folder.path());
    let arguments = ["apply", ".", "--auto-approve", "--expect", &digest];
    expect(&strowger(folder.path(), &arguments), 0);
    assert_eq!(server.audit().len(), 5);
    expect(&strowger(folder.path(), &arguments), 0);
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve", "--expect", "none"]), 0);
    assert_eq!(server.audit().len(), 5);
}

#[test]
fn a_plan_that_nobody_expected_is_not_applied_and_ends_with_5() {
    let (server, folder) = small();
    let reviewed = digest(folder.path());
    edit(folder.path(), "label: Accueil", "label: Bonjour");
    let today = digest(folder.path());
    for expected in [reviewed.as_str(), "none"] {
        let output = strowger(folder.path(), &["apply", ".", "--auto-approve", "--expect", expected]);
        let shown = expect(&output, 5);
        let said = stderr(&output);
        assert!(shown.contains("Bonjour") && said.contains(&today), "{shown}\n{said}");
        let words = if expected == "none" { "expected no changes" } else { &reviewed };
        assert!(said.contains(words) && said.contains("nothing was applied"), "{said}");
    }
    // What moved may as well be the account.
    edit(folder.path(), "label: Bonjour", "label: Accueil");
    let number = server.number("+33142685300");
    server.patch(&format!("numbers/{}", number["id"].as_str().unwrap()), &json!({ "label": "By hand" }));
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve", "--expect", &reviewed]), 5);
    assert_eq!(server.audit().len(), 1, "only what was done by hand");
}

#[test]
fn a_saved_plan_is_held_against_the_digest_that_came_another_way() {
    let (server, folder) = small();
    expect(&strowger(folder.path(), &["plan", ".", "--out", "plan.json"]), 0);
    let digest = digest(folder.path());
    expect(&strowger(folder.path(), &["apply", "--plan", "plan.json", "--expect", &"0".repeat(64)]), 5);
    assert!(server.audit().is_empty());
    expect(&strowger(folder.path(), &["apply", "--plan", "plan.json", "--expect", &digest]), 0);
}

#[test]
fn a_plan_that_is_exactly_several_reviewed_ones_is_applied_and_nothing_else() {
    let (server, folder) = small();
    let folder = folder.path();
    expect(&strowger(folder, &["apply", ".", "--auto-approve"]), 0);
    let original = fs::read_to_string(folder.join("account.yaml")).unwrap();
    let save = |name: &str, edits: &[(&str, &str)]| {
        fs::write(folder.join("account.yaml"), &original).unwrap();
        for (from, to) in edits {
            edit(folder, from, to);
        }
        expect(&strowger(folder, &["plan", ".", "--out", name]), 0);
    };
    let (bonjour, vitrine) = (("label: Accueil", "label: Bonjour"), ("Ventes (vitrine)", "Vitrine"));
    save("a.json", &[bonjour]);
    save("b.json", &[vitrine]);
    save("c.json", &[("label: Accueil", "label: Bienvenue")]);
    // What a comment carries of one of them.
    let line = expect(&strowger(folder, &["show", "b.json", "--format", "review"]), 0);
    assert!(line.ends_with("}\n") && line.lines().count() == 1, "{line}");
    assert!(!line.contains("wework") && !line.contains("33142685303"), "{line}");
    fs::write(folder.join("b.review"), line).unwrap();
    save("both.json", &[bonjour, vitrine]);

    let apply = |more: &[&str]| strowger(folder, &[&["apply", ".", "--auto-approve"], more].concat());
    let written = || server.audit().len() - 5;
    for (reviewed, says) in [
        (vec!["--reviewed", "a.json"], "change 2 (number +33142685303) is in none of the reviewed plans"),
        (vec!["--reviewed", "b.review"], "change 1 (number +33142685300) is in none of the reviewed plans"),
        (
            vec!["--reviewed", "a.json", "--reviewed", "b.json", "--reviewed", "c.json"],
            "1 change of theirs is not in it",
        ),
        (vec!["--reviewed", "c.json", "--reviewed", "b.json"], "1 change of theirs is not in it"),
        (vec!["--expect", "none", "--reviewed", "a.json"], "expected no changes"),
    ] {
        let output = apply(&reviewed);
        expect(&output, 5);
        assert!(stderr(&output).contains(says), "{reviewed:?}: {}", stderr(&output));
    }
    assert_eq!(written(), 0);
    // What is no review is an error, whatever else is named.
    let digest = digest(folder);
    fs::write(folder.join("broken"), "{\"review\":9,\"plans\":[]}").unwrap();
    for file in ["broken", "account.yaml", "nowhere"] {
        let output = apply(&["--expect", &digest, "--reviewed", file]);
        expect(&output, 1);
        assert!(stderr(&output).contains(&format!("cannot use the review {file}")), "{}", stderr(&output));
    }
    assert_eq!(written(), 0);
    expect(&apply(&["--reviewed", "b.review", "--reviewed", "a.json"]), 0);
    assert_eq!(written(), 2);
    // Once it is done, nothing is left to review.
    expect(&apply(&["--reviewed", "b.review"]), 0);
}

#[test]
fn what_is_no_digest_is_a_usage_error() {
    let (_server, folder) = small();
    expect(&strowger(folder.path(), &["apply", ".", "--expect", "latest"]), 64);
}

#[test]
fn a_plan_against_a_snapshot_asks_nobody_and_starts_nothing() {
    let (server, folder) = small();
    let frozen = expect(&strowger(folder.path(), &["export", ".", "--as-snapshot"]), 0);
    let away = tempfile::tempdir().unwrap();
    fs::create_dir(away.path().join("snapshots")).unwrap();
    fs::write(away.path().join("snapshots/wework-republique.yaml"), frozen).unwrap();
    let text = fs::read_to_string(folder.path().join("account.yaml")).unwrap();
    let hostile = "token: { command: [touch, started] }";
    fs::write(away.path().join("account.yaml"), text.replace("token: { env: STROWGER_TEST_TOKEN }", hostile)).unwrap();
    drop(server);
    let live: Vec<Value> = plan(away.path(), &["--snapshot", "snapshots"])["changes"].as_array().unwrap().clone();
    assert_eq!(live.len(), 5);
    let file = "snapshots/wework-republique.yaml";
    assert_eq!(plan(away.path(), &["--snapshot", file])["changes"].as_array().unwrap().len(), 5);
    let saved = strowger(away.path(), &["plan", ".", "--snapshot", file, "--out", "plan.json"]);
    expect(&saved, 0);
    assert!(stderr(&saved).contains("cannot be applied"), "{}", stderr(&saved));
    assert!(!away.path().join("started").exists());
}

#[test]
fn a_snapshot_that_is_missing_or_not_enough_is_named() {
    let fleet = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let file = path("one.yaml");
    fs::write(&file, "snapshot: 1\n").unwrap();
    let output = strowger(&fleet, &["plan", ".", "--snapshot", &file]);
    expect(&output, 1);
    assert!(stderr(&output).contains("one.yaml is a snapshot of one account, and there are 3 accounts"));
    let output = strowger(&fleet, &["plan", ".", "--snapshot", folder.path().to_str().unwrap()]);
    expect(&output, 1);
    assert!(stderr(&output).contains(".yaml: the snapshot cannot be read"), "{}", stderr(&output));
}

#[test]
fn a_saved_plan_is_shown_again_as_it_was() {
    let (server, folder) = small();
    expect(&strowger(folder.path(), &["plan", ".", "--out", "plan.json"]), 0);
    let formats = [
        vec!["--format", "human"],
        vec!["--format", "json"],
        vec!["--format", "markdown", "--markdown-budget", "4096"],
        vec!["--format", "runbook", "--lang", "fr"],
    ];
    let planned: Vec<String> = formats
        .iter()
        .map(|format| expect(&strowger(folder.path(), &[&["plan", "."], &format[..]].concat()), 0))
        .collect();
    drop(server);
    for (format, planned) in formats.iter().zip(planned) {
        let shown = expect(&strowger(folder.path(), &[&["show", "plan.json"], &format[..]].concat()), 0);
        assert_eq!(shown, planned, "{format:?}");
    }
    let one = ["show", "plan.json", "--account", "wework-republique"];
    assert!(expect(&strowger(folder.path(), &one), 0).contains("Account wework-republique"));
    let other = strowger(folder.path(), &["show", "plan.json", "--account", "\u{1b}[2Jx"]);
    expect(&other, 1);
    assert!(!stderr(&other).contains('\u{1b}'));
    expect(&strowger(folder.path(), &["show", "plan.json", "--format", "github"]), 64);
}
