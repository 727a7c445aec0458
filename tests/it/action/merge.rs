//! The mode `apply` after a merge: exactly the plan that was reviewed, or nothing and what moved.

use std::fs;
use std::path::PathBuf;

use axum::http::Method;
use serde_json::json;

use super::github::{BOT, Comment};
use super::project::{Event, NUMBER, Project, office};
use crate::support::commands::{self, Server, ledgers};

/// A pull request that was planned and merged, and its digest.
fn reviewed() -> (Server, Project, Event, String) {
    let (server, project) = office();
    let event = project.propose(bonjour);
    let ended = project.plan(&event).expect(0);
    let merged = project.merge();
    (server, project, merged, ended.output("digest").to_owned())
}

/// The first comment, whoever wrote it.
fn body(project: &Project) -> String {
    project.github.state().comments[0].body.clone()
}

fn bonjour(project: &Project) {
    commands::edit(&project.phones(), "label: Accueil", "label: Bonjour");
}

#[test]
fn the_reviewed_plan_is_applied_and_a_second_run_has_nothing_to_do() {
    let (server, project, merged, digest) = reviewed();
    let ended = project.apply(&merged).expect(0);
    assert_eq!([ended.output("digest"), ended.output("exit_code"), ended.output("changes")], [&digest, "0", "5"]);
    assert!(ended.log.contains("Verified: account matches the files."), "{}", ended.log);
    assert!(ended.log.contains(&format!("Reviewed in pull request {NUMBER}: {digest}")), "{}", ended.log);
    assert!(ended.summary.contains("Strowger apply: in sync"), "{}", ended.summary);
    assert_eq!(server.audit().len(), 5);
    assert_eq!(ledgers(&project.phones())[0].planned.digest.0, digest);
    let again = project.apply(&merged).expect(0);
    assert_eq!([again.output("changes"), again.output("digest")], ["0", ""]);
    assert_eq!(server.audit().len(), 5);
    assert_eq!(project.github.count("P"), 1, "only the pull request's run wrote to GitHub");
}

#[test]
fn lines_that_move_and_squashing_change_nothing() {
    let (server, project) = office();
    let event = project.propose(bonjour);
    project.plan(&event).expect(0);
    project.git(&["switch", "--quiet", "main"]);
    project.edit("version: 1\n", "# One\n# Two\nversion: 1\n");
    let merged = project.merge();
    // Nor does another spelling of the path.
    project.run(&merged, &[("mode", "apply"), ("path", "./phones/\n")]).expect(0);
    assert_eq!(server.audit().len(), 5);
}

#[test]
fn files_that_moved_since_the_review_end_with_5_and_a_difference() {
    let (server, project) = office();
    let event = project.propose(bonjour);
    let digest = project.plan(&event).expect(0).output("digest").to_owned();
    project.git(&["switch", "--quiet", "main"]);
    project.edit("label: Ventes }", "label: Service commercial }");
    let merged = project.merge();
    let ended = project.apply(&merged).expect(5);
    assert!(server.audit().is_empty());
    assert_eq!(ended.output("exit_code"), "5");
    assert_ne!(ended.output("digest"), digest);
    ended.says("::error", "the plan is not the one that was reviewed");
    for text in [&ended.log, &ended.summary] {
        assert!(text.contains("-    label: (none) → \"Ventes\""), "{text}");
        assert!(text.contains("+    label: (none) → \"Service commercial\""), "{text}");
        assert!(text.contains("--- reviewed in the pull request"), "{text}");
    }
    // Whoever has read it hands its digest in.
    let by_hand = Event { name: "workflow_dispatch", payload: json!({ "inputs": {} }), ..merged };
    let today = ended.output("digest").to_owned();
    project.run(&by_hand, &[("mode", "apply"), ("approve", &today)]).expect(0);
    assert_eq!(server.audit().len(), 5);
}

#[test]
fn an_account_that_moved_since_the_review_ends_with_5_and_a_difference() {
    let (server, project, merged, _) = reviewed();
    let number = server.number("+33142685302");
    let path = format!("numbers/{}", number["id"].as_str().unwrap());
    server.patch(&path, &json!({ "label": "By hand" }));
    let ended = project.apply(&merged).expect(5);
    assert_eq!(server.audit().len(), 1, "only what was done by hand");
    assert!(ended.summary.contains("-    label: (none) → \"Ventes\""), "{}", ended.summary);
    assert!(ended.summary.contains("+    label: \"By hand\" → \"Ventes\""), "{}", ended.summary);
}

#[test]
fn nothing_that_nobody_reviewed_is_applied() {
    let (server, project) = office();
    let event = project.propose(bonjour);
    let digest = project.plan(&event).expect(0).output("digest").to_owned();
    let merged = project.merge();
    // The comment is somebody else's by now: not believed.
    project.github.state().comments[0].login = "mallory".into();
    project.apply(&merged).expect(5).says("::notice", "has no comment with a plan that was reviewed");
    // A second comment for the same account, from a run that overtook another, is not believed either.
    let stale = body(&project).replace(&digest, &"0".repeat(64)).replace("\"changes\":[", "\"changes\":[\"0\",");
    project.github.state().comments.insert(0, Comment { id: 1, issue: NUMBER, login: BOT.into(), body: stale });
    project.github.state().comments[1].login = BOT.into();
    project.apply(&merged).expect(5);
    project.github.state().comments.remove(0);
    project.github.state().comments[0].login = "mallory".into();
    // A comment of the bot's that quotes ours is none of ours.
    project.github.say(NUMBER, BOT, &format!("> {}", body(&project)));
    project.apply(&merged).expect(5);
    // A push without a pull request.
    project.github.state().pulls.clear();
    let ended = project.apply(&merged).expect(5);
    ended.says("::notice", "is not the merge of a pull request");
    assert!(ended.log.contains("expected no changes"), "{}", ended.log);
    assert!(server.audit().is_empty());
    // What was reviewed elsewhere.
    project.run(&merged, &[("mode", "apply"), ("expect", "latest")]).expect(64);
    project.run(&merged, &[("mode", "apply"), ("expect", &digest)]).expect(0);
    assert_eq!(server.audit().len(), 5);
}

#[test]
fn a_review_that_cannot_be_read_applies_nothing() {
    let (server, project, merged, _) = reviewed();
    project.github.fail(Method::GET, 403, &[], "Resource not accessible by integration");
    let ended = project.apply(&merged).expect(5);
    ended.says("::warning", "The pull request of");
    ended.says("::warning", "GitHub answers 403: Resource not accessible by integration");
    assert!(server.audit().is_empty());
    project.apply(&merged).expect(0);
}

#[test]
fn what_a_guard_holds_back_waits_for_an_approval_of_exactly_it() {
    let (server, project) = office();
    project.edit("ring_groups:", "policy: { protect: [\"+33142685302\"] }\nring_groups:");
    let event = project.propose(bonjour);
    let digest = project.plan(&event).expect(0).output("digest").to_owned();
    let merged = project.merge();
    let ended = project.apply(&merged).expect(4);
    assert!(ended.summary.contains("blocked by a guard") && ended.summary.contains("protected"), "{}", ended.summary);
    assert!(server.audit().is_empty());
    let by_hand = Event { name: "workflow_dispatch", payload: json!({}), ..merged };
    project.run(&by_hand, &[("mode", "apply"), ("approve", &"0".repeat(64))]).expect(4);
    assert!(server.audit().is_empty());
    project.run(&by_hand, &[("mode", "apply"), ("approve", &digest)]).expect(0);
    assert_eq!(server.audit().len(), 5);
}

#[test]
fn guards_of_before_a_push_of_several_commits_hold() {
    let (server, project) = office();
    let before = project.edit("ring_groups:", "policy: { protect: [\"+33142685302\"] }\nring_groups:");
    project.edit("policy: { protect: [\"+33142685302\"] }\n", "");
    project.edit("label: Accueil", "label: Bonjour");
    let sha = project.edit("label: Bonjour", "label: Bienvenue");
    let push = Event { name: "push", payload: json!({ "before": before }), sha };
    let plan = project.run(&push, &[("mode", "plan")]).expect(0);
    assert_eq!(plan.output("blocked"), "true", "the line went in the same push");
    let digest = plan.output("digest").to_owned();
    project.run(&push, &[("mode", "apply"), ("expect", &digest)]).expect(4);
    let first = Event { payload: json!({ "before": "0".repeat(40) }), ..push };
    assert_eq!(project.run(&first, &[("mode", "plan")]).expect(0).output("blocked"), "false");
    assert_eq!(project.run(&first, &[("mode", "plan"), ("base", &before)]).expect(0).output("blocked"), "true");
    assert!(server.audit().is_empty());
}

/// A change that was proposed, planned and merged: its plan, as an artefact keeps it, and the event of the merge.
fn merged_with_saved_plan(project: &Project) -> (PathBuf, Event) {
    let event = project.propose(bonjour);
    let saved = project.temporary.path().join("artifact.json");
    fs::copy(project.plan(&event).expect(0).output("plan_file"), &saved).unwrap();
    (saved, project.merge())
}

#[test]
fn a_saved_plan_is_applied_as_it_is_and_tells_field_by_field_what_moved() {
    let (server, project) = office();
    let (saved, merged) = merged_with_saved_plan(&project);
    let inputs = [("mode", "apply"), ("plan-file", saved.to_str().unwrap())];
    let number = server.number("+33142685302");
    let path = format!("numbers/{}", number["id"].as_str().unwrap());
    server.patch(&path, &json!({ "label": "By hand" }));
    let ended = project.run(&merged, &inputs).expect(5);
    assert!(ended.log.contains("The plan of wework-republique is stale"), "{}", ended.log);
    assert!(ended.summary.contains("By hand"), "{}", ended.summary);
    server.patch(&path, &json!({ "label": "" }));
    // Another plan than the one in the comment is refused, whatever the file says.
    let body = project.github.our().body.replacen("digest=", "digest=0", 1);
    let (start, rest) = body.split_once("digest=0").unwrap();
    let forged = format!("{start}digest={}{}", "0".repeat(64), &rest[64..]);
    let honest = std::mem::replace(&mut project.github.state().comments[0].body, forged);
    project.run(&merged, &inputs).expect(5);
    assert_eq!(server.audit().len(), 2, "only what was done by hand");
    project.github.state().comments[0].body = honest;
    let ended = project.run(&merged, &inputs).expect(0);
    assert!(ended.log.contains("Verified: the account has everything that was written."), "{}", ended.log);
    project.run(&merged, &[("mode", "apply"), ("plan-file", "nowhere.json")]).expect(64);
}

#[test]
fn a_saved_plan_is_its_own_review_only_if_there_is_no_pull_request() {
    let (server, project) = office();
    let (saved, merged) = merged_with_saved_plan(&project);
    let inputs = [("mode", "apply"), ("plan-file", saved.to_str().unwrap())];
    let comments = std::mem::take(&mut project.github.state().comments);
    project.run(&merged, &inputs).expect(5).says("::notice", "has no comment with a plan");
    project.github.state().comments = comments;
    project.github.fail(Method::GET, 404, &[], "Not Found");
    project.run(&merged, &inputs).expect(5).says("::warning", "cannot be found: GitHub answers 404");
    assert!(server.audit().is_empty());
    project.github.state().pulls.clear();
    project.run(&merged, &inputs).expect(0);
    assert_eq!(server.audit().len(), 5);
}

#[test]
fn a_pull_request_is_never_applied() {
    let (server, project) = office();
    let event = project.propose(bonjour);
    project.apply(&event).expect(64).says("::error", "a pull request is planned, never applied");
    assert!(server.audit().is_empty());
    assert!(project.github.state().requests.is_empty());
}
