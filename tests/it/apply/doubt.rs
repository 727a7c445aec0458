//! Writes whose answers do not tell what became of them, through the real binary over real HTTP: what the ledger, the
//! summary, the exit code and a rollback make of them is what the account's own audit log shows.
#![cfg(unix)]

use crate::support::commands;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::support::commands::{Apply, Server, expect, ledgers, objects, office, stderr, strowger};
use crate::support::hostile::{Asked, Hostile, JSON, answer, forward, is_for};
use crate::support::process::Watch;
use serde_json::{Value, json};
use strowger::ledger::{ChangeOutcome, Run};

const APPLY: [&str; 3] = ["apply", ".", "--auto-approve"];

fn is_write(asked: &Asked) -> bool {
    ["POST", "PATCH", "DELETE"].iter().any(|method| asked.line.starts_with(method))
}

/// A small account with a file that asks for one new group, on a server that may restart on the same state.
fn one_group(folder: &Path, url: &str) {
    let text = format!(
        "version: 1\naccount: {{ name: wework-republique, country: FR, provider: office, url: \"{url}\", token: {{ env: STROWGER_TEST_TOKEN }} }}\n\
         ring_groups:\n  atelier: {{ members: [user/amelie@example.org], extension: \"333\" }}\n"
    );
    fs::write(folder.join("account.yaml"), text).unwrap();
}

fn last(folder: &Path) -> Run {
    ledgers(folder).pop().unwrap()
}

fn outcomes(run: &Run) -> Vec<&'static str> {
    run.outcomes.iter().map(ChangeOutcome::as_str).collect()
}

/// What the ledger calls applied was done, and what was done is applied or unknown.
#[track_caller]
fn is_true(run: &Run, server: &Server) {
    let written: BTreeSet<String> = server.audit().into_iter().collect();
    let applied = objects(run, ChangeOutcome::is_applied);
    let unknown = objects(run, ChangeOutcome::is_unknown);
    assert!(applied.is_subset(&written), "{applied:?} of {written:?}");
    let made = run.changes().any(|(change, outcome)| change.object.id.is_none() && outcome.is_unknown());
    let rest: Vec<_> = written.iter().filter(|id| !applied.contains(*id) && !unknown.contains(*id)).collect();
    assert!(rest.is_empty() || made, "done, and called otherwise: {rest:?} {:?}", outcomes(run));
}

#[test]
fn a_creation_whose_server_dies_before_it_answers_is_unknown_and_can_be_rolled_back() {
    let server = Server::start("wework", &[]);
    let folder = tempfile::tempdir().unwrap();
    // The write is carried out and its answer lost; from then on the door is shut.
    let (is_shut, behind) = (Arc::new(AtomicBool::new(false)), server.url.clone());
    let shut = Arc::clone(&is_shut);
    let door = Hostile::start(move |asked, to| {
        if shut.load(Ordering::SeqCst) {
            return Err(std::io::ErrorKind::ConnectionReset.into());
        }
        if is_write(asked) {
            shut.store(true, Ordering::SeqCst);
            let _ = forward(&behind, asked, &mut Vec::new());
            return Err(std::io::ErrorKind::ConnectionReset.into());
        }
        forward(&behind, asked, to)
    });
    one_group(folder.path(), &door.url);
    let output = strowger(folder.path(), &[&APPLY[..], &["--attempts", "2"]].concat());
    let said = expect(&output, 6);
    assert!(said.contains("unknown  ring_group/atelier: it may have been applied: "), "{said}");
    assert!(said.contains("Run `strowger plan "), "{said}");
    let run = last(folder.path());
    assert_eq!((outcomes(&run), run.summary.as_ref().unwrap().exit), (vec!["unknown"], 6));
    let history = expect(&strowger(folder.path(), &["history"]), 0);
    assert!(history.contains("unknown"), "{history}");
    assert!(server.list("ring_groups").iter().any(|group| group["name"] == "atelier"));

    is_shut.store(false, Ordering::SeqCst);
    one_group(folder.path(), &server.url);
    expect(&strowger(folder.path(), &["rollback", run.id.as_str(), ".", "--auto-approve"]), 0);
    assert!(!server.list("ring_groups").iter().any(|group| group["name"] == "atelier"), "it was taken back");
}

#[test]
fn a_write_that_is_answered_with_503_and_carried_out_later_is_never_called_failed() {
    for after in ["50", "400"] {
        // Some writes are served at once: a creation that never is would be waited for until patience runs out.
        let server = Server::start("wework", &["--late-commit-rate", "0.6", "--late-commit-after", after]);
        let folder = office("wework", &server.url);
        let output = strowger(folder.path(), &APPLY);
        assert!(matches!(output.status.code(), Some(0 | 6)), "{}", stderr(&output));
        let run = last(folder.path());
        let wrong: Vec<_> =
            outcomes(&run).into_iter().filter(|outcome| ["failed", "stale"].contains(outcome)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        is_true(&run, &server);
    }
}

#[test]
fn a_write_that_a_proxy_sends_twice_is_applied_once_and_called_applied() {
    let server = Server::start("agency", &["--duplicate-rate", "1"]);
    let folder = office("agency", &server.url);
    let said = expect(&strowger(folder.path(), &APPLY), 0);
    assert!(said.contains("Applied 18 of 18 changes"), "{said}");
    let written = server.audit();
    assert_eq!(written.len(), 18, "each once: {written:?}");
    is_true(&last(folder.path()), &server);
    // Deletions as well, whose second sending finds nothing.
    let run = last(folder.path()).id.to_string();
    expect(&strowger(folder.path(), &["rollback", &run, ".", "--auto-approve"]), 0);
    assert!(outcomes(&last(folder.path())).iter().all(|outcome| *outcome == "applied"));
}

#[test]
fn a_token_that_ends_after_a_lost_answer_leaves_the_write_unknown() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    for (status, body) in [("401 Unauthorized", "{}"), ("403 Forbidden", "{}"), ("429 Too Many Requests", "{}")] {
        let (writes, behind) = (AtomicUsize::new(0), server.url.clone());
        let door = Hostile::start(move |asked, to| {
            let over = writes.load(Ordering::SeqCst) > 0;
            if is_write(asked) && !over {
                writes.fetch_add(1, Ordering::SeqCst);
                return answer(to, "503 Service Unavailable", &[("retry-after", "0")], "");
            }
            if over {
                return answer(to, status, &[JSON, ("retry-after", "9999")], body);
            }
            forward(&behind, asked, to)
        });
        one_group(folder.path(), &door.url);
        let output = strowger(folder.path(), &APPLY);
        expect(&output, 6);
        assert_eq!(outcomes(&last(folder.path())), ["unknown"], "{status}");
    }
    assert!(server.audit().is_empty());
}

#[test]
fn the_loser_of_a_creation_ends_stale_and_says_what_exists() {
    for _ in 0..3 {
        let server = Server::start("wework", &["--latency", "40", "--jitter", "20"]);
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for folder in &folders {
            one_group(folder.path(), &server.url);
        }
        let runs: Vec<Apply> = folders.iter().map(|folder| Apply::start(folder.path(), &[])).collect();
        let mut codes: Vec<_> = runs.into_iter().map(|run| run.end().1.code().unwrap()).collect();
        codes.sort_unstable();
        // Whoever was so slow that the other was done has nothing to do.
        assert!(codes == [0, 5] || codes == [0, 0], "{codes:?}");
        let all = folders.iter().flat_map(|folder| ledgers(folder.path())).collect::<Vec<_>>();
        assert!(all.iter().flat_map(outcomes).all(|outcome| ["applied", "stale"].contains(&outcome)));
        assert_eq!(server.audit().len(), 1, "nothing is made twice");
    }
}

/// What somebody else does to the account just before the first write of a run arrives.
fn meanwhile(server: &Server, act: impl Fn() + Send + Sync + 'static) -> Hostile {
    let (behind, done) = (server.url.clone(), AtomicBool::new(false));
    Hostile::start(move |asked, to| {
        if is_write(asked) && !done.swap(true, Ordering::SeqCst) {
            act();
        }
        forward(&behind, asked, to)
    })
}

fn send(url: &str, method: reqwest::Method, path: &str, body: &Value) -> Value {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let request = reqwest::Client::new().request(method, format!("{url}/v1/{path}")).bearer_auth(commands::TOKEN);
        let answer = request.json(body).send().await.unwrap().error_for_status().unwrap();
        answer.json().await.unwrap_or_default()
    })
}

#[test]
fn a_refusal_because_the_account_has_changed_is_stale_and_one_that_would_come_again_is_failed() {
    let user = json!([{ "kind": "user", "id": "usr_1" }]);
    let group = json!({ "name": "Other", "extension": "333", "members": user });
    let named = json!({ "name": "Atelier", "email": "atelier@example.org" });
    let cases: [(&str, &str, Value, &str); 2] = [
        ("ring_groups", "its extension is taken", group, "ring_group Other has the extension 333 now"),
        ("users", "its name is taken by a user", named, "user Atelier has the name now"),
    ];
    for (list, what, body, expected) in cases {
        let server = Server::start("wework", &[]);
        let url = server.url.clone();
        let door = meanwhile(&server, move || drop(send(&url, reqwest::Method::POST, list, &body)));
        let folder = tempfile::tempdir().unwrap();
        one_group(folder.path(), &door.url);
        let said = expect(&strowger(folder.path(), &APPLY), 5);
        assert!(said.contains(expected), "{what}: {said}");
        assert_eq!(outcomes(&last(folder.path())), ["stale"], "{what}");
    }

    // A group that a number is to lead to is deleted meanwhile.
    let server = Server::start("wework", &[]);
    let group = json!({ "name": "Passing", "extension": "334", "members": [{ "kind": "user", "id": "usr_1" }] });
    let made = send(&server.url, reqwest::Method::POST, "ring_groups", &group);
    let (url, path) = (server.url.clone(), format!("ring_groups/{}", made["id"].as_str().unwrap()));
    let door = meanwhile(&server, move || drop(send(&url, reqwest::Method::DELETE, &path, &json!({}))));
    let folder = tempfile::tempdir().unwrap();
    one_group(folder.path(), &door.url);
    let text = fs::read_to_string(folder.path().join("account.yaml")).unwrap();
    let account = text.split("ring_groups:").next().unwrap();
    let text = format!("{account}numbers: {{ \"+33142685309\": {{ to: ring_group/passing }} }}\n");
    fs::write(folder.path().join("account.yaml"), text).unwrap();
    let said = expect(&strowger(folder.path(), &APPLY), 5);
    assert!(said.contains("ring_group Passing is gone"), "{said}");

    // What the account will never take is a failure, however often it is planned.
    let server = Server::start("wework", &[]);
    let behind = server.url.clone();
    let door = Hostile::start(move |asked, to| {
        let problem = r#"{"code":"conflict","title":"Not today","detail":"no","status":409}"#;
        if is_write(asked) { answer(to, "409 Conflict", &[JSON], problem) } else { forward(&behind, asked, to) }
    });
    one_group(folder.path(), &door.url);
    let said = expect(&strowger(folder.path(), &APPLY), 1);
    assert!(said.contains("failed   ring_group/atelier: the account refuses (409): Not today"), "{said}");
}

#[test]
fn an_account_that_becomes_another_one_in_mid_run_is_not_called_in_sync() {
    let server = Server::start("wework", &[]);
    let door = becomes_another(&server, &Arc::new(AtomicBool::new(true)));
    let folder = tempfile::tempdir().unwrap();
    one_group(folder.path(), &door.url);
    let output = strowger(folder.path(), &APPLY);
    let said = expect(&output, 1);
    assert!(!said.contains("Verified"), "{said}");
    let error = stderr(&output);
    assert!(error.contains("answers for another account: its id is acc_other"), "{error}");
    assert_eq!(last(folder.path()).summary.unwrap().in_sync, None);
}

/// A door to an account that answers for another one after the first write since `armed`.
fn becomes_another(server: &Server, armed: &Arc<AtomicBool>) -> Hostile {
    let (behind, wrote, armed) = (server.url.clone(), AtomicBool::new(false), Arc::clone(armed));
    Hostile::start(move |asked, to| {
        wrote.fetch_or(armed.load(Ordering::SeqCst) && is_write(asked), Ordering::SeqCst);
        if is_for(asked, "account") && wrote.load(Ordering::SeqCst) {
            let other = r#"{"id":"acc_other","name":"other","default_number":null,"capabilities":{}}"#;
            return answer(to, "200 OK", &[JSON], other);
        }
        forward(&behind, asked, to)
    })
}

#[test]
fn a_rollback_whose_account_becomes_another_one_in_mid_run_is_not_verified_against_that_one() {
    let server = Server::start("wework", &[]);
    let armed = Arc::new(AtomicBool::new(false));
    let door = becomes_another(&server, &armed);
    let folder = tempfile::tempdir().unwrap();
    one_group(folder.path(), &door.url);
    expect(&strowger(folder.path(), &APPLY), 0);
    armed.store(true, Ordering::SeqCst);
    let run = last(folder.path()).id.to_string();
    let output = strowger(folder.path(), &["rollback", &run, "--auto-approve"]);
    expect(&output, 1);
    let error = stderr(&output);
    assert!(error.contains("answers for another account: its id is acc_other"), "{error}");
    assert_eq!(outcomes(&last(folder.path())), ["applied"], "what was written was");
    assert_eq!(last(folder.path()).summary.unwrap().in_sync, None);
}

#[test]
fn a_watch_whose_account_becomes_another_one_after_a_write_says_so_and_calls_nothing_in_sync() {
    let server = Server::start("wework", &[]);
    let door = becomes_another(&server, &Arc::new(AtomicBool::new(true)));
    let folder = tempfile::tempdir().unwrap();
    one_group(folder.path(), &door.url);
    let watch = Watch::start(folder.path(), &["--mode", "correct", "--interval", "100ms"]);
    watch.until_it_says("acc_other");
    let said = watch.said();
    drop(watch);
    assert!(!said.to_lowercase().contains("in sync"), "{said}");
    assert_eq!(server.audit().len(), 1, "nothing is written to it any more");
}

#[test]
fn a_deletion_that_something_new_points_at_is_stale_and_names_it() {
    let server = Server::start("wework", &[]);
    let user = json!([{ "kind": "user", "id": "usr_1" }]);
    let group = json!({ "name": "Passing", "extension": "334", "members": user });
    let made = send(&server.url, reqwest::Method::POST, "ring_groups", &group);
    let id = made["id"].as_str().unwrap().to_owned();
    let number = server.number("+33142685309")["id"].as_str().unwrap().to_owned();
    let url = server.url.clone();
    let door = meanwhile(&server, move || {
        let to = json!({ "destination": { "kind": "ring_group", "id": id } });
        send(&url, reqwest::Method::PATCH, &format!("numbers/{number}"), &to);
    });
    let folder = tempfile::tempdir().unwrap();
    one_group(folder.path(), &door.url);
    let text = fs::read_to_string(folder.path().join("account.yaml")).unwrap();
    let account = text.split("ring_groups:").next().unwrap();
    fs::write(folder.path().join("account.yaml"), format!("{account}absent: [ring_group/passing]\n")).unwrap();
    let said = expect(&strowger(folder.path(), &APPLY), 5);
    assert!(said.contains("number +33142685309 points at ring_group Passing now"), "{said}");
    assert_eq!(outcomes(&last(folder.path())), ["stale"]);
}

#[test]
fn a_number_that_became_the_default_number_is_stale_when_it_is_to_lead_nowhere() {
    let server = Server::start("wework", &[]);
    let (behind, wrote) = (server.url.clone(), AtomicBool::new(false));
    let mut account = send(&server.url, reqwest::Method::GET, "account", &json!({}));
    account["default_number"] = json!("+33142685301");
    let account = account.to_string();
    let door = Hostile::start(move |asked, to| {
        if is_write(asked) {
            wrote.store(true, Ordering::SeqCst);
            let problem = r#"{"code":"default_number","title":"The default number must stay mapped","status":409}"#;
            return answer(to, "409 Conflict", &[JSON], problem);
        }
        if is_for(asked, "account") && wrote.load(Ordering::SeqCst) {
            return answer(to, "200 OK", &[JSON], &account);
        }
        forward(&behind, asked, to)
    });
    let folder = tempfile::tempdir().unwrap();
    one_group(folder.path(), &door.url);
    let text = fs::read_to_string(folder.path().join("account.yaml")).unwrap();
    let head = text.split("ring_groups:").next().unwrap();
    fs::write(folder.path().join("account.yaml"), format!("{head}numbers: {{ \"+33142685301\": {{ to: none }} }}\n"))
        .unwrap();
    let said = expect(&strowger(folder.path(), &APPLY), 5);
    assert!(said.contains("is the account's default number now"), "{said}");
    assert_eq!(outcomes(&last(folder.path())), ["stale"]);
}
