//! Several merges before one apply: exactly the union of what was reviewed, or nothing.

use serde_json::json;

use super::github::BOT;
use super::job::Ended;
use super::project::{Event, Project, office};
use crate::support::commands::{self, Server, expect, strowger};

/// The second pull request.
const OTHER: u64 = 8;

/// An office that is as its files say.
fn in_sync() -> (Server, Project) {
    let (server, project) = office();
    expect(&strowger(&project.phones(), &["apply", ".", "--auto-approve"]), 0);
    assert_eq!(server.audit().len(), 5);
    (server, project)
}

fn bonjour(project: &Project) {
    commands::edit(&project.phones(), "label: Accueil", "label: Bonjour");
}

fn vitrine(project: &Project) {
    commands::edit(&project.phones(), "Ventes (vitrine)", "Vitrine");
}

/// Two pull requests, both planned before either is merged, and then merged: the runs of both merges.
fn merged(project: &Project, first: fn(&Project), second: fn(&Project)) -> (Event, Event) {
    let one = project.propose(first);
    project.plan(&one).expect(0);
    let other = project.propose_as(OTHER, "other", second);
    project.plan(&other).expect(0);
    (project.merge(), project.merge_as(OTHER, "other"))
}

/// How many objects were written since the account was in sync.
fn written(server: &Server) -> usize {
    server.audit().len() - 5
}

#[track_caller]
fn is_refused(server: &Server, ended: Ended) -> Ended {
    let ended = ended.expect(5);
    assert_eq!(written(server), 0, "{}", ended.log);
    ended
}

#[test]
fn two_merges_are_applied_by_one_run_with_both_reviews() {
    let (server, project) = in_sync();
    let (first, second) = merged(&project, bonjour, vitrine);
    project.ran(&first, "cancelled");
    let ended = project.apply(&second).expect(0);
    assert!(ended.log.contains("Verified: account matches the files."), "{}", ended.log);
    for number in ["Reviewed in pull request 7: ", "Reviewed in pull request 8: "] {
        assert!(ended.log.contains(number), "{}", ended.log);
    }
    assert_eq!(written(&server), 2);
    let labels = ["+33142685300", "+33142685303"].map(|number| server.number(number)["label"].clone());
    assert_eq!(labels, [json!("Bonjour"), json!("Vitrine")]);
    // The first run again would take the second merge back, which nobody reviewed.
    project.git(&["switch", "--quiet", "--detach", &first.sha]);
    assert_eq!(project.apply(&first).expect(5).output("exit_code"), "5");
    assert_eq!(written(&server), 2);
}

#[test]
fn two_runs_in_a_row_apply_one_plan_each() {
    let (server, project) = in_sync();
    let (first, second) = merged(&project, bonjour, vitrine);
    project.git(&["switch", "--quiet", "--detach", &first.sha]);
    project.apply(&first).expect(0);
    assert_eq!(written(&server), 1);
    project.ran(&first, "success");
    project.git(&["switch", "--quiet", "main"]);
    let ended = project.apply(&second).expect(0);
    assert!(!ended.log.contains("Reviewed in pull request 7"), "{}", ended.log);
    assert_eq!(written(&server), 2);
}

#[test]
fn a_merge_that_nobody_reviewed_holds_all_of_them_back() {
    let (server, project) = in_sync();
    let one = project.propose(bonjour);
    project.plan(&one).expect(0);
    project.propose_as(OTHER, "other", vitrine);
    let (_, second) = (project.merge(), project.merge_as(OTHER, "other"));
    let ended = is_refused(&server, project.apply(&second));
    assert!(ended.log.contains("(number +33142685303) is in none of the reviewed plans"), "{}", ended.log);
    assert!(ended.summary.contains("Vitrine"), "{}", ended.summary);
    // A commit that was pushed past two reviews is one more.
    let (server, project) = in_sync();
    let (_, second) = merged(&project, bonjour, vitrine);
    let sha = project.edit("label: Ventes }", "label: Service }");
    let push = Event { name: "push", payload: json!({ "before": second.sha }), sha };
    let ended = is_refused(&server, project.apply(&push));
    assert!(ended.log.contains("(number +33142685302) is in none of the reviewed plans"), "{}", ended.log);
}

#[test]
fn a_plan_that_is_less_or_something_else_than_the_reviews_is_refused() {
    // Half of what was reviewed was taken back since, by a push.
    let (server, project) = in_sync();
    let (_, second) = merged(&project, bonjour, vitrine);
    project.git(&["switch", "--quiet", "main"]);
    let sha = project.edit("label: Bonjour", "label: Accueil");
    let push = Event { name: "push", payload: json!({ "before": second.sha }), sha };
    let ended = is_refused(&server, project.apply(&push));
    assert!(ended.log.contains("1 change of theirs is not in it"), "{}", ended.log);
    // The account moved below one of them.
    let (server, project) = in_sync();
    let (_, second) = merged(&project, bonjour, vitrine);
    let path = format!("numbers/{}", server.number("+33142685300")["id"].as_str().unwrap());
    server.patch(&path, &json!({ "label": "By hand" }));
    let ended = project.apply(&second).expect(5);
    assert_eq!(written(&server), 1, "only what was done by hand");
    assert!(ended.log.contains("(number +33142685300) is in none of the reviewed plans"), "{}", ended.log);
}

#[test]
fn what_was_applied_before_is_not_reviewed_again() {
    let (server, project) = in_sync();
    let one = project.propose(bonjour);
    project.plan(&one).expect(0);
    let first = project.merge();
    project.apply(&first).expect(0);
    project.ran(&first, "success");
    // Somebody takes it back by hand, and something else is merged.
    let path = format!("numbers/{}", server.number("+33142685300")["id"].as_str().unwrap());
    server.patch(&path, &json!({ "label": "Accueil" }));
    let other = project.propose_as(OTHER, "other", |project| {
        commands::edit(&project.phones(), "version: 1\n", "# Nothing\nversion: 1\n");
    });
    let second = project.merge_as(OTHER, "other");
    drop(other);
    project.apply(&second).expect(5);
    assert_eq!(written(&server), 2, "only the first apply and what was done by hand");
}

#[test]
fn two_plans_that_change_one_object_differently_are_refused() {
    let (server, project) = in_sync();
    let one = project.propose(bonjour);
    project.plan(&one).expect(0);
    let ventes = |project: &Project| {
        commands::edit(
            &project.phones(),
            "to: receptionist/main, label: Accueil",
            "to: ring_group/ventes, label: Accueil",
        );
    };
    let other = project.propose_as(OTHER, "other", ventes);
    project.plan(&other).expect(0);
    project.merge();
    // Both edits of the line are kept when the conflict is solved.
    project.git(&["switch", "--quiet", "other"]);
    commands::edit(&project.phones(), "label: Accueil", "label: Bonjour");
    project.commit("solve");
    project.git(&["merge", "--quiet", "--strategy-option=ours", "--message=solve", "main"]);
    let second = project.merge_as(OTHER, "other");
    is_refused(&server, project.apply(&second));
}

#[test]
fn a_guard_that_an_earlier_merge_took_away_holds_its_changes_back() {
    let (server, project) = in_sync();
    project.edit("ring_groups:", "policy: { protect: [\"+33142685300\"] }\nring_groups:");
    let loosen = |project: &Project| {
        commands::edit(&project.phones(), "policy: { protect: [\"+33142685300\"] }\n", "");
        commands::edit(&project.phones(), "to: receptionist/main, label", "to: user/202, label");
    };
    let (first, second) = merged(&project, loosen, vitrine);
    project.git(&["switch", "--quiet", "--detach", &first.sha]);
    let ended = project.apply(&first).expect(4);
    project.ran(&first, "failure");
    assert!(ended.summary.contains("protected"), "{}", ended.summary);
    project.git(&["switch", "--quiet", "main"]);
    let ended = project.apply(&second).expect(4);
    assert_eq!(written(&server), 0, "{}", ended.log);
    assert_eq!(ended.output("blocked"), "true");
    // Whoever has read it lets it through.
    let by_hand = Event { name: "workflow_dispatch", payload: json!({}), ..second };
    let digest = ended.output("digest").to_owned();
    project.run(&by_hand, &[("mode", "apply"), ("approve", &digest)]).expect(0);
    assert_eq!(written(&server), 2);
}

#[test]
fn without_earlier_runs_the_pull_requests_of_one_push_are_applied_together() {
    let (server, project) = in_sync();
    let (first, second) = merged(&project, bonjour, vitrine);
    let refused = |event: &Event| {
        // The pull request of the commit is found, then the runs are asked for.
        let mut job = project.job(event, &[("mode", "apply")]);
        job.env.insert("GITHUB_WORKFLOW_REF".into(), String::new());
        job.run()
    };
    is_refused(&server, refused(&second));
    // A merge queue pushes both at once.
    let payload = json!({ "before": first.payload["before"], "after": second.sha });
    refused(&Event { payload, ..second }).expect(0);
    assert_eq!(written(&server), 2);
}

#[test]
fn runs_that_cannot_be_read_are_named_and_the_last_pull_request_counts_alone() {
    let (server, project) = in_sync();
    let (_, second) = merged(&project, bonjour, vitrine);
    project.github.state().refused = Some("/actions/");
    let ended = is_refused(&server, project.apply(&second));
    ended.says("::notice", "does the job have `permissions: actions`?");
    project.github.state().refused = None;
    project.apply(&second).expect(0);
    assert_eq!(written(&server), 2);
}

#[test]
fn only_our_comments_say_what_was_reviewed() {
    let (server, project) = in_sync();
    let (_, second) = merged(&project, bonjour, vitrine);
    let author = |login: &str| {
        let mut state = project.github.state();
        state.comments.iter_mut().filter(|comment| comment.issue == 7).for_each(|comment| comment.login = login.into());
    };
    author("mallory");
    is_refused(&server, project.apply(&second));
    author(BOT);
    // One that a run of another kind of Strowger wrote says nothing.
    let bodies = |from: &str, to: &str| {
        let mut state = project.github.state();
        for comment in &mut state.comments {
            comment.body = comment.body.replace(from, to);
        }
    };
    bodies("{\"review\":1,", "{\"review\":2,");
    is_refused(&server, project.apply(&second));
    bodies("{\"review\":2,", "{\"review\":1,");
    project.apply(&second).expect(0);
    assert_eq!(written(&server), 2);
}

#[test]
fn a_pull_request_that_was_merged_commit_by_commit_is_found_by_any_of_them() {
    let (server, project) = in_sync();
    let one = project.propose(bonjour);
    project.plan(&one).expect(0);
    let other = project.propose_as(OTHER, "other", vitrine);
    project.plan(&other).expect(0);
    // The first is rebased: its edit, and then a commit that has nothing to do with the account.
    project.git(&["switch", "--quiet", "main"]);
    project.git(&["cherry-pick", "change"]);
    let edit = project.git(&["rev-parse", "HEAD"]);
    std::fs::write(project.repository.path().join("README.md"), "x").unwrap();
    let last = project.commit("readme");
    let pull = json!({ "number": 7, "merged_at": "2026-11-23T10:00:00Z", "merge_commit_sha": last, "base": { "ref": "main" } });
    project.github.state().pulls.insert(edit, vec![pull]);
    let second = project.merge_as(OTHER, "other");
    project.apply(&second).expect(0);
    assert_eq!(written(&server), 2);
    // A commit that leaves the account's files alone is not asked about.
    assert_eq!(project.github.count(&format!("GET /repos/acme/phones/commits/{last}")), 0);
}
