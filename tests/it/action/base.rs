//! Which revision's guards hold for the files of an event.

use std::fs;

use serde_json::json;

use super::project::{Event, Project, office};
use crate::support::commands::{self, Server};
use crate::support::git::git;

const PROTECTED: &str = "policy: { protect: [\"+33142685302\"] }\n";

/// An account whose policy is in a file of its own, and protects a number that the files have elsewhere.
fn protected() -> (Server, Project) {
    let (server, project) = office();
    commands::edit(&project.phones(), "label: Accueil", "label: Bonjour");
    protect(&project);
    (server, project)
}

fn protect(project: &Project) {
    fs::write(project.phones().join("policy.yaml"), format!("version: 1\n{PROTECTED}")).unwrap();
    project.commit("protect");
}

/// Takes the protection away in one commit, and goes on in another.
fn unprotect_in_two_commits(project: &Project) {
    fs::remove_file(project.phones().join("policy.yaml")).unwrap();
    project.commit("take the protection away");
    commands::edit(&project.phones(), "label: Bonjour", "label: Bienvenue");
}

/// Checks out the head of the pull request instead of its merge.
fn check_out_head(project: &Project, event: &Event) {
    project.git(&["checkout", "--quiet", "--detach", event.head()]);
}

#[test]
fn the_head_of_a_pull_request_of_several_commits_is_guarded_by_the_base_of_all_of_them() {
    let (_server, project) = protected();
    let mut event = project.propose(unprotect_in_two_commits);
    assert_eq!(project.plan(&event).expect(0).output("blocked"), "true", "the merge");
    check_out_head(&project, &event);
    for name in ["pull_request", "pull_request_target"] {
        event.name = name;
        assert_eq!(project.plan(&event).expect(0).output("blocked"), "true", "{name}");
    }
    // The commit before the last one would let it through.
    let ended = project.run(&event, &[("base", "HEAD^1")]).expect(0);
    assert_eq!(ended.output("blocked"), "false", "the input `base` counts first");
}

#[test]
fn a_clone_without_the_base_of_the_pull_request_is_not_planned_and_the_remedy_is_named() {
    let (_server, project) = protected();
    let event = project.propose(unprotect_in_two_commits);
    check_out_head(&project, &event);
    let clone = project.temporary.path().join("shallow");
    let source = format!("file://{}", project.repository.path().display());
    git(project.temporary.path(), &["clone", "--quiet", "--depth=1", "--branch=change", &source, "shallow"]);
    let mut job = project.job(&event, &[("mode", "plan")]);
    job.workspace = clone;
    let ended = job.run().expect(1);
    assert!(ended.log.contains("`fetch-depth: 0`"), "{}", ended.log);
    assert_eq!(ended.output("plan_file"), "");
}

#[test]
fn the_merge_of_a_pull_request_is_guarded_by_the_branch_as_it_is_and_not_as_the_event_knew_it() {
    let (_server, project) = office();
    let before = project.git(&["rev-parse", "main"]);
    protect(&project);
    let mut event = project.propose(|project| {
        fs::remove_file(project.phones().join("policy.yaml")).unwrap();
        commands::edit(&project.phones(), "label: Accueil", "label: Bienvenue");
    });
    event.payload["pull_request"]["base"]["sha"] = json!(before);
    assert_eq!(project.plan(&event).expect(0).output("blocked"), "true");
}

#[test]
fn a_merge_queue_is_planned_with_the_guards_before_the_whole_group_and_never_applied() {
    let (server, project) = protected();
    let base = project.git(&["rev-parse", "main"]);
    project.git(&["switch", "--quiet", "--create", "gh-readonly-queue/main/pr-7"]);
    unprotect_in_two_commits(&project);
    let sha = project.commit("queued");
    let payload = json!({ "action": "checks_requested", "merge_group": { "head_sha": sha, "base_sha": base } });
    let event = Event { name: "merge_group", payload, sha };
    assert_eq!(project.plan(&event).expect(0).output("blocked"), "true");
    project.apply(&event).expect(64).says("::error", "a merge queue is planned, never applied");
    assert!(server.audit().is_empty());
}

#[test]
fn a_run_by_hand_is_guarded_by_the_last_commit_and_its_parents() {
    let (_server, project) = protected();
    fs::remove_file(project.phones().join("policy.yaml")).unwrap();
    let sha = project.commit("take the protection away");
    let event = Event { name: "workflow_dispatch", payload: json!({ "inputs": {} }), sha };
    assert_eq!(project.plan(&event).expect(0).output("blocked"), "true");
    project.commit("the next change");
    assert_eq!(project.plan(&event).expect(0).output("blocked"), "false");
    assert_eq!(project.run(&event, &[("base", "HEAD~2")]).expect(0).output("blocked"), "true");
}
