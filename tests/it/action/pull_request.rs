//! The mode `plan` in a pull request: the comment, the summary, the outputs; forks.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::github::{BOT, REPOSITORY};
use super::project::{NUMBER, Project, office};
use crate::support::commands::{self, expect, strowger};

fn label(project: &Project, to: &str) {
    commands::edit(&project.phones(), "label: Accueil", &format!("label: {to}"));
}

/// The first lines of a comment: marker and facts.
fn facts(body: &str) -> (&str, &str) {
    let mut lines = body.lines();
    (lines.next().unwrap(), lines.next().unwrap())
}

#[test]
fn the_first_run_makes_the_comment_and_the_second_updates_it() {
    let (server, project) = office();
    let event = project.propose(|project| label(project, "Bonjour"));
    let first = project.plan(&event).expect(0);
    assert_eq!(first.output("changes"), "5");
    assert_eq!([first.output("create"), first.output("update"), first.output("delete")], ["1", "4", "0"]);
    assert_eq!([first.output("blocked"), first.output("exit_code")], ["false", "2"]);
    let digest = first.output("digest").to_owned();
    assert!(fs::read_to_string(first.output("plan_file")).unwrap().contains(&digest));
    first.says("::notice file=phones/account.yaml,line=20", "Bonjour");
    assert!(first.summary.contains("Bonjour") && first.summary.contains(&digest), "{}", first.summary);
    let comment = project.github.our();
    assert_eq!(comment.issue, NUMBER);
    let (marker, told) = facts(&comment.body);
    assert!(marker.starts_with("<!-- strowger v1 path=") && marker.ends_with(" -->"), "{marker}");
    assert!(told.contains(&format!("digest={digest} commit={}", event.head())), "{told}");
    for words in ["Bonjour", &digest, event.head(), "planned 20", "/actions/runs/77", "exactly this plan is applied"] {
        assert!(comment.body.contains(words), "no {words} in\n{}", comment.body);
    }

    let event = project.propose(|project| label(project, "Bienvenue"));
    let second = project.plan(&event).expect(0);
    let updated = project.github.our();
    assert_eq!(updated.id, comment.id);
    assert_ne!(second.output("digest"), digest);
    assert!(updated.body.contains("Bienvenue") && !updated.body.contains("Bonjour"), "{}", updated.body);
    assert_eq!((project.github.count("POST"), project.github.count("PATCH")), (1, 1));
    assert!(server.audit().is_empty(), "a plan writes nothing");
    assert!(!project.repository.path().join("injected").exists());
}

#[test]
fn the_comment_is_found_on_any_page_and_only_if_it_is_the_bots() {
    let (_server, project) = office();
    let event = project.propose(|project| label(project, "Bonjour"));
    project.plan(&event).expect(0);
    // Somebody copies the comment before it, and others talk.
    let ours = project.github.our();
    project.github.state().comments.clear();
    for at in 0..5 {
        project.github.say(NUMBER, "mallory", &format!("{}{at}", ours.body));
    }
    project.github.say(NUMBER, BOT, "Something else that the bot says");
    project.github.say(NUMBER, BOT, &ours.body);
    project.github.state().page = Some(2);
    let event = project.propose(|project| label(project, "Bienvenue"));
    project.plan(&event).expect(0);
    let state = project.github.state();
    assert_eq!(state.comments.len(), 7);
    for (at, copy) in state.comments[..5].iter().enumerate() {
        assert_eq!((copy.login.as_str(), copy.body.as_str()), ("mallory", format!("{}{at}", ours.body).as_str()));
    }
    assert_eq!(state.comments[5].body, "Something else that the bot says");
    assert!(state.comments[6].body.contains("Bienvenue"), "{}", state.comments[6].body);
}

#[test]
fn changes_fail_the_job_only_if_that_is_asked_for() {
    let (_server, project) = office();
    let event = project.propose(|project| label(project, "Bonjour"));
    let ended = project.run(&event, &[("fail-on-changes", "true"), ("comment", "false")]).expect(2);
    assert_eq!(ended.output("exit_code"), "2");
    assert!(project.github.state().requests.is_empty(), "no comment was asked for");
}

#[test]
fn what_is_blocked_says_so_and_how_to_approve_it() {
    let (_server, project) = office();
    project.edit("ring_groups:", "policy: { protect: [\"+33142685302\"] }\nring_groups:");
    let event = project.propose(|project| label(project, "Bonjour"));
    let ended = project.plan(&event).expect(0);
    assert_eq!(ended.output("blocked"), "true");
    ended.says("::warning file=phones/account.yaml", "protected");
    let body = project.github.our().body;
    assert!(body.contains("**Blocked: 1 guard holds back 1 change"), "{body}");
    assert!(body.contains(&format!("with `approve` set to `{}`", ended.output("digest"))), "{body}");
}

#[test]
fn errors_are_annotated_and_the_comment_no_longer_names_a_plan() {
    let (_server, project) = office();
    let event = project.propose(|project| label(project, "Bonjour"));
    project.plan(&event).expect(0);
    let event = project.propose(|project| commands::edit(&project.phones(), "extension: \"300\"", "extension: 300"));
    let ended = project.plan(&event).expect(3);
    ended.says("::error file=phones/account.yaml,line=", "unquoted");
    assert_eq!([ended.output("exit_code"), ended.output("changes"), ended.output("plan_file")], ["3", "", ""]);
    let body = project.github.our().body;
    assert!(body.contains("**No plan.** The files have errors"), "{body}");
    assert!(facts(&body).1.starts_with("<!-- digest=none "), "{body}");
    let event = project.propose(|project| label(project, "Bonjour"));
    project.plan(&event).expect(0);
    assert!(project.github.our().body.contains("Bonjour"));
}

#[test]
fn validate_needs_no_account_and_no_comment() {
    let (server, project) = office();
    drop(server);
    let event = project.propose(|project| label(project, "Bonjour"));
    project.run(&event, &[("mode", "validate")]).expect(0);
    let event = project.propose(|project| commands::edit(&project.phones(), "extension: \"300\"", "extension: 300"));
    project.run(&event, &[("mode", "validate")]).expect(3).says("::error file=phones/account.yaml", "unquoted");
    assert!(project.github.state().requests.is_empty());
}

#[test]
fn a_fork_without_secrets_is_validated_and_gets_no_comment() {
    let (server, project) = office();
    for event in [
        project.propose(|project| label(project, "Bonjour")).of_fork(),
        project.propose(|project| label(project, "Bonjour")).of_deleted_fork(),
    ] {
        let mut job = project.job(&event, &[]);
        job.env.remove("STROWGER_TEST_TOKEN");
        let ended = job.run().expect(0);
        ended.says("::notice", "from a fork, which gets no secrets");
        assert!(ended.summary.contains("which gets no secrets"), "{}", ended.summary);
        assert_eq!(ended.output("plan_file"), "");
    }
    let dependabot = project.propose(|project| label(project, "Bonjour"));
    let mut job = project.job(&dependabot, &[]);
    job.env.insert("GITHUB_ACTOR".into(), "dependabot[bot]".into());
    job.run().expect(0).says("::notice", "Dependabot's, which gets no secrets");
    let wrong = project.propose(|project| commands::edit(&project.phones(), "extension: \"300\"", "extension: 300"));
    project.plan(&wrong.of_fork()).expect(3).says("::error file=phones/account.yaml", "unquoted");
    assert!(project.github.state().requests.is_empty());
    assert!(server.audit().is_empty());
}

#[test]
fn a_fork_is_planned_against_the_snapshot_that_is_committed() {
    let (server, project) = office();
    let frozen = expect(&strowger(&project.phones(), &["export", ".", "--as-snapshot"]), 0);
    drop(server);
    fs::create_dir(project.repository.path().join("snapshots")).unwrap();
    fs::write(project.repository.path().join("snapshots/wework-republique.yaml"), frozen).unwrap();
    project.commit("snapshot");
    let event = project.propose(|project| label(project, "Bonjour")).of_fork();
    let ended = project.plan(&event).expect(0);
    ended.says("::notice", "this plan is against the snapshot in the repository");
    ended.says("::notice file=phones/account.yaml,line=20", "Bonjour");
    assert_eq!(ended.output("changes"), "5");
    assert!(ended.summary.contains("against the snapshot") && ended.summary.contains("Bonjour"), "{}", ended.summary);
    // One that lacks the account is not the fork's mistake.
    let ended = project.run(&event, &[("snapshot", ".gitignore")]).expect(0);
    ended.says("::warning", "cannot be planned against the snapshot");
    assert!(project.github.state().requests.is_empty());
}

#[test]
fn a_fork_is_never_planned_with_secrets_at_hand() {
    let (_server, project) = office();
    let mut event = project.propose(|project| label(project, "Bonjour")).of_fork();
    event.name = "pull_request_target";
    project.plan(&event).expect(64).says("::error", "not `pull_request_target`");
    event.name = "workflow_run";
    let run = |head| json!({ "workflow_run": { "head_repository": head, "repository": { "full_name": REPOSITORY } } });
    for head in [json!({ "full_name": "mallory/phones" }), json!(null)] {
        event.payload = run(head);
        for mode in ["plan", "apply"] {
            project.run(&event, &[("mode", mode)]).expect(64).says("::error", "not `workflow_run`");
        }
    }
    event.payload = run(json!({ "full_name": REPOSITORY }));
    assert_eq!(project.plan(&event).expect(0).output("changes"), "5");
    assert!(project.github.state().requests.is_empty());
}

#[test]
fn a_fleet_has_a_comment_for_each_account_that_changes() {
    let fleet = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet");
    let project = Project::new(&fleet);
    let event = project.propose(|_| {});
    let ended = project.plan(&event).expect(0);
    let plans: serde_json::Value = serde_json::from_slice(&fs::read(ended.output("plan_file")).unwrap()).unwrap();
    let changing = plans["plans"].as_array().unwrap().iter().filter(|plan| plan["changes"] != serde_json::json!([]));
    let changing: Vec<String> = changing.map(|plan| plan["account"].as_str().unwrap().to_owned()).collect();
    assert!(changing.len() > 1, "{changing:?}");
    let ours = project.github.ours();
    assert_eq!(ours.len(), changing.len());
    for (comment, account) in ours.iter().zip(&changing) {
        assert!(comment.body.contains(&format!("### Strowger plan for `{account}`")), "{}", comment.body);
    }
    assert_eq!(ended.output("digest").lines().count(), changing.len());
    // An account that goes has a comment that no longer speaks for it.
    let gone = plans["plans"][0]["account"].as_str().unwrap().to_owned();
    let folder = fs::read_dir(project.phones()).unwrap().map(|entry| entry.unwrap().path()).find(|path| {
        fs::read_to_string(path.join("account.yaml")).is_ok_and(|text| text.contains(&format!("name: {gone}")))
    });
    let folder = folder.unwrap();
    let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let event = project.propose(|project| {
        fs::remove_dir_all(&folder).unwrap();
        // Its wave no longer names it either.
        let waves = project.phones().join("fleet.yaml");
        let text = fs::read_to_string(&waves).unwrap().replace(&format!("{name}, "), "");
        assert!(!text.contains(&format!("[{name}")), "{text}");
        fs::write(&waves, text).unwrap();
    });
    project.plan(&event).expect(0);
    let ours = project.github.ours();
    assert_eq!(ours.len(), changing.len());
    let retired: Vec<_> = ours.iter().filter(|comment| comment.body.contains("no longer have this account")).collect();
    assert_eq!(retired.len(), usize::from(changing.contains(&gone)));
}

#[test]
fn a_fleet_of_which_one_account_fails_shows_the_others_and_names_it() {
    let fleet = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet");
    let project = Project::new(&fleet);
    let paris = project.phones().join("paris");
    let event = project.propose(|_| commands::edit(&paris, "version: 1", "version: 99"));
    let broken = project.plan(&event).expect(3);
    assert_eq!([broken.output("plan_file"), broken.output("digest")], ["", ""], "nothing applies a part of a fleet");
    let plan_of = |name: &str| format!("### Strowger plan for `{name}`");
    let bodies = |project: &Project| project.github.ours().iter().map(|one| one.body.clone()).collect::<Vec<_>>();
    let first = bodies(&project);
    let failed = first.iter().find(|body| body.contains("The files have errors")).expect("it is named");
    let name = failed.split("### Strowger plan for `").nth(1).unwrap().split('`').next().unwrap().to_owned();
    assert!(name.contains("paris") && failed.contains("**No plan.**"), "{failed}");
    assert!(facts(failed).1.starts_with("<!-- digest=none"), "{failed}");
    let planned: Vec<_> = first.iter().filter(|body| body.contains("exactly this plan is applied")).collect();
    assert!(!planned.is_empty(), "{first:?}");
    assert!(broken.summary.contains(&name) && broken.summary.contains("### Strowger plan for"), "{}", broken.summary);
    // Once it is right, the same comment has its plan.
    let event = project.propose(|_| {});
    project.plan(&event).expect(0);
    let second = bodies(&project);
    assert_eq!(second.len(), first.len());
    assert!(second.iter().any(|body| body.contains(&plan_of(&name)) && !body.contains("**No plan.**")), "{second:?}");
}

#[test]
fn an_account_that_stays_as_it_is_says_that_nothing_is_left_to_do() {
    let (_server, project) = office();
    expect(&strowger(&project.phones(), &["apply", ".", "--auto-approve"]), 0);
    let event = project.propose(|project| commands::edit(&project.phones(), "version: 1", "# hello\nversion: 1"));
    let ended = project.plan(&event).expect(0);
    assert_eq!([ended.output("changes"), ended.output("digest"), ended.output("exit_code")], ["0", "", "0"]);
    let body = project.github.our().body;
    assert!(body.contains("Nothing is left to do") && facts(&body).1.starts_with("<!-- digest=none"), "{body}");
}

#[test]
fn a_plan_that_is_too_long_is_cut_between_changes() {
    use std::fmt::Write as _;
    let files = tempfile::tempdir().unwrap();
    let head = "account: { name: long, provider: snapshot, file: live/live.yaml }\n";
    let (mut wanted, mut live) = (format!("version: 1\n{head}numbers:\n"), String::new());
    live += "snapshot: 1\naccount: { name: long, default_number: \"+33142685999\" }\n";
    live += "receptionists:\n  main: { extension: \"100\", timezone: Europe/Paris }\n";
    live += "numbers:\n  \"+33142685999\": { to: receptionist/main }\n";
    for at in 0..900 {
        writeln!(wanted, "  \"+33142685{at:03}\": {{ to: receptionist/main, label: \"A label 日本語 {at:03}\" }}")
            .unwrap();
        writeln!(live, "  \"+33142685{at:03}\": {{ to: none }}").unwrap();
    }
    fs::create_dir(files.path().join("live")).unwrap();
    fs::write(files.path().join("account.yaml"), wanted).unwrap();
    fs::write(files.path().join("live/live.yaml"), live).unwrap();
    let project = Project::new(files.path());
    let event = project.propose(|_| {});
    let ended = project.plan(&event).expect(0);
    let body = project.github.our().body;
    assert!(body.chars().count() <= 65_536 && body.len() > 60_000, "{} characters", body.chars().count());
    assert!(body.contains("Cut to fit, not shown: "), "{}", &body[..2000]);
    assert!(body.contains("exactly this plan is applied") || body.contains("**Blocked.**"), "the end is missing");
    let last = body.lines().rfind(|line| line.contains("A label")).unwrap();
    assert!(last.ends_with('"'), "cut inside a change: {last}");
    assert_eq!(ended.summary.matches("A label").count(), 900, "the summary has room for all of it");
    assert_eq!(ended.output("changes"), "900");
}

#[test]
fn a_token_of_another_account_is_told() {
    let (_server, project) = office();
    project.github.state().login = Some("robot[bot]".into());
    let event = project.propose(|project| label(project, "Bonjour"));
    project.plan(&event).expect(0).says("::warning", "set the input `comment-author`");
    project.run(&event, &[("comment-author", "robot[bot]")]).expect(0);
    assert_eq!((project.github.count("POST"), project.github.count("PATCH")), (1, 1));
}
