//! Bad days of GitHub's: a comment that cannot be written is told and does not decide how the job ends.

use axum::http::Method;
use serde_json::json;

use super::github::Fault;
use super::job::Ended;
use super::project::{Project, office};
use crate::support::commands;

/// Plans a pull request while GitHub answers so; the plan is unaffected.
fn planned_while(prepare: impl FnOnce(&Project)) -> (Project, Ended) {
    let (_server, project) = office();
    let event = project.propose(|project| commands::edit(&project.phones(), "label: Accueil", "label: Bonjour"));
    prepare(&project);
    let ended = project.plan(&event).expect(0);
    assert_eq!([ended.output("changes"), ended.output("exit_code")], ["5", "2"]);
    assert!(ended.summary.contains("Bonjour"), "{}", ended.summary);
    (project, ended)
}

#[test]
fn a_token_that_may_not_write_is_told_with_the_permission_that_it_lacks() {
    let refused = "Resource not accessible by integration\n::error::pwned";
    let (project, ended) = planned_while(|project| project.github.fail(Method::POST, 403, &[], refused));
    ended.says("::warning", "is not written: GitHub answers 403: Resource not accessible by integration%0A::error");
    ended.says("::warning", "permissions: pull-requests");
    assert!(!ended.commands().iter().any(|command| command.starts_with("::error")), "{}", ended.log);
    assert_eq!(project.github.count("POST"), 1, "asking again would be of no use");
}

#[test]
fn no_pull_request_or_a_refused_text_is_told() {
    for (method, status) in [(Method::GET, 404), (Method::GET, 401), (Method::POST, 422), (Method::POST, 404)] {
        let (project, ended) = planned_while(|project| project.github.fail(method.clone(), status, &[], "No"));
        ended.says("::warning", &format!("GitHub answers {status}: No"));
        assert!(project.github.ours().is_empty());
    }
}

#[test]
fn rate_limits_are_waited_for_as_long_as_they_ask() {
    let secondary = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    for (status, headers) in [
        (403, vec![("retry-after", "1")]),
        (429, vec![("retry-after", "0")]),
        (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")]),
        (403, vec![]),
    ] {
        let (project, ended) = planned_while(|project| project.github.fail(Method::POST, status, &headers, secondary));
        assert_eq!((project.github.ours().len(), project.github.count("POST")), (1, 2), "{headers:?}");
        assert!(ended.log.contains("asking again in"), "{}", ended.log);
    }
}

#[test]
fn a_limit_that_stays_or_asks_for_too_long_ends_in_a_notice() {
    let (project, ended) = planned_while(|project| {
        (0..4).for_each(|_| project.github.fail(Method::POST, 429, &[("retry-after", "0")], "Slow down"));
    });
    ended.says("::warning", "GitHub answers 429: Slow down (a rate limit)");
    assert_eq!(project.github.count("POST"), 4);
    let (project, ended) =
        planned_while(|project| project.github.fail(Method::GET, 403, &[("retry-after", "3600")], "Slow down"));
    ended.says("::warning", "cannot be read: GitHub answers 403: Slow down");
    assert_eq!(project.github.count("GET"), 1);
}

#[test]
fn a_server_that_fails_after_writing_gets_no_second_comment() {
    let (project, _) = planned_while(|project| {
        let body = json!({ "message": "Server Error" });
        let fault = Fault { method: Method::POST, status: 502, headers: Vec::new(), body, done: true };
        project.github.state().faults.push_back(fault);
    });
    assert_eq!(project.github.ours().len(), 1);
    assert_eq!(project.github.count("POST"), 1);
    let (project, _) = planned_while(|project| project.github.fail(Method::POST, 500, &[], "Server Error"));
    assert_eq!((project.github.ours().len(), project.github.count("POST")), (1, 2));
}

#[test]
fn a_comment_that_was_deleted_meanwhile_is_made_anew() {
    let (_server, project) = office();
    let event = project.propose(|_| {});
    project.plan(&event).expect(0);
    project.github.fail(Method::PATCH, 404, &[], "Not Found");
    project.plan(&event).expect(0);
    assert_eq!(project.github.count("POST"), 2);
}

#[test]
fn no_answer_at_all_is_told() {
    let (_server, project) = office();
    let event = project.propose(|_| {});
    let mut job = project.job(&event, &[]);
    // Nothing listens there: the program comes from an earlier run.
    project.plan(&event).expect(0);
    job.env.insert("GITHUB_API_URL".into(), "http://127.0.0.1:1".into());
    let ended = job.run().expect(0);
    ended.says("::warning", "GitHub cannot be reached");
    assert!(ended.log.contains("asking again in"), "{}", ended.log);
}

#[test]
fn a_token_that_would_break_out_of_its_header_is_sent_nowhere() {
    let (_server, project) = office();
    let event = project.propose(|_| {});
    project.run(&event, &[("token", "x\"\nurl = \"http://example.org")]).expect(0).says("::warning", "no token has");
    project.run(&event, &[("token", "")]).expect(0).says("::warning", "the token is empty");
    assert!(project.github.state().requests.is_empty());
}

#[test]
fn an_account_that_cannot_be_read_fails_the_plan_and_voids_the_comment() {
    let (server, project) = office();
    let event = project.propose(|_| {});
    project.plan(&event).expect(0);
    drop(server);
    let ended = project.plan(&event).expect(1);
    assert_eq!(ended.output("exit_code"), "1");
    ended.says("::error", "the log says why");
    assert!(project.github.our().body.contains("**No plan.** The plan could not be made"));
}

#[test]
fn inputs_that_make_no_sense_are_named() {
    let (_server, project) = office();
    let event = project.propose(|_| {});
    for (input, value, words) in [
        ("mode", "destroy", "the input `mode`"),
        ("comment", "yes", "the input `comment`"),
        ("fail-on-changes", "1", "the input `fail-on-changes`"),
        ("path", "\n", "the input `path`"),
    ] {
        project.run(&event, &[(input, value)]).expect(64).says("::error", words);
    }
    assert!(project.github.state().requests.is_empty());
}
