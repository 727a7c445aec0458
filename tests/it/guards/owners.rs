//! Two repositories that manage one account, over real HTTP and with real git.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};

use crate::support::commands::{Server, edit, expect, ledgers, stderr, strowger};
use crate::support::git::git;
use crate::support::hostile::{Asked, Hostile, JSON, answer, forward, is_for};
use crate::support::process::Watch;
use serde_json::{Value, json};
use tempfile::TempDir;

const NUMBER: &str = "+33142685303";

fn server() -> Server {
    Server::start("wework", &[])
}

/// Files that give one number a label, in a repository of this name at an address; in none without a name.
fn files(repository: Option<&str>, url: &str, label: &str, more: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "version: 1\naccount:\n  name: paris\n  provider: office\n  url: {url}\n  token: {{ env: STROWGER_TEST_TOKEN }}\n\
         numbers:\n  \"{NUMBER}\": {{ to: user/amelie@example.org, label: {label} }}\n{more}"
    );
    fs::write(folder.path().join("account.yaml"), text).unwrap();
    if let Some(name) = repository {
        git(folder.path(), &["init", "--quiet"]);
        git(folder.path(), &["remote", "add", "origin", &format!("https://git.example.org/{name}.git")]);
        commit(folder.path());
    }
    folder
}

fn commit(folder: &Path) {
    git(folder, &["add", "account.yaml"]);
    git(folder, &["commit", "--quiet", "--message", "x"]);
}

const APPLY: [&str; 3] = ["apply", ".", "--auto-approve"];

#[track_caller]
fn apply(folder: &TempDir, more: &[&str], code: i32) -> String {
    let output = strowger(folder.path(), &[&APPLY, more].concat());
    let out = expect(&output, code);
    out + &stderr(&output)
}

fn label(server: &Server) -> String {
    server.number(NUMBER)["label"].as_str().unwrap().to_owned()
}

fn owners(server: &Server) -> Vec<String> {
    server.list("owners").iter().map(|claim| claim["owner"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_second_repository_is_refused_until_it_takes_over_and_then_the_first_one_is() {
    let server = server();
    let north = files(Some("north"), &server.url, "north", "");
    let south = files(Some("south"), &server.url, "south", "");
    apply(&north, &[], 0);
    assert_eq!(owners(&server), ["git.example.org/north"]);

    let plan = expect(&strowger(south.path(), &["plan", "."]), 0);
    assert!(plan.contains("owner: git.example.org/north manages the account as `paris` since 2"), "{plan}");
    assert!(plan.contains("these files are those of git.example.org/south: add `--take-over`"), "{plan}");
    let refused = apply(&south, &[], 4);
    assert!(refused.ends_with("approve it with:\n  --take-over\n"), "{refused}");
    let report = expect(&strowger(south.path(), &["plan", ".", "--format", "json"]), 0);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["plans"][0]["blocked"][0]["guard"], "owner");
    let digest = report["plans"][0]["digest"].as_str().unwrap();
    apply(&south, &["--approve", digest], 4);
    assert_eq!((label(&server).as_str(), owners(&server).len()), ("north", 1));

    let taken = apply(&south, &["--take-over"], 0);
    assert!(taken.contains("git.example.org/south took the account over from git.example.org/north."), "{taken}");
    assert_eq!((label(&server).as_str(), owners(&server)), ("south", vec!["git.example.org/south".to_owned()]));
    let run = &ledgers(south.path())[0];
    let claim = run.planned.claim.as_ref().unwrap();
    assert_eq!(
        (&*claim.owner, claim.took_over_from.as_slice()),
        ("git.example.org/south", &["git.example.org/north".to_owned()][..])
    );
    let history = expect(&strowger(south.path(), &["history", "--run", run.id.as_str()]), 0);
    assert!(history.contains("took over from git.example.org/north"), "{history}");

    apply(&north, &[], 4);
    assert_eq!(label(&server), "south");
}

#[test]
fn a_rollback_is_refused_as_an_apply_is() {
    let server = server();
    let north = files(Some("north"), &server.url, "north", "");
    apply(&north, &[], 0);
    let claim = server.list("owners")[0]["id"].clone();
    // Another owner that changed nothing yet.
    let body = json!({"owner": "south", "account": "p", "scope": {"numbers": null, "ring_groups": null}, "take_over": [claim]});
    server.post("owners", &body);
    let run = ledgers(north.path())[0].id.to_string();
    let refused = strowger(north.path(), &["rollback", &run, "--auto-approve"]);
    expect(&refused, 4);
    assert!(stderr(&refused).contains("owner: south manages the account"), "{}", stderr(&refused));
    expect(&strowger(north.path(), &["rollback", &run, "--auto-approve", "--take-over"]), 0);
    assert_eq!((label(&server).as_str(), owners(&server)), ("", vec!["git.example.org/north".to_owned()]));
}

#[test]
fn a_saved_plan_is_judged_by_the_owners_of_the_account_when_it_is_applied() {
    let server = server();
    let (north, south) =
        (files(Some("north"), &server.url, "north", ""), files(Some("south"), &server.url, "south", ""));
    expect(&strowger(south.path(), &["plan", ".", "--out", "plan.json"]), 0);
    fs::write(
        north.path().join("account.yaml"),
        fs::read_to_string(north.path().join("account.yaml"))
            .unwrap()
            .replace(NUMBER, "+33142685304")
            .replace("user/amelie@example.org", "conference/salle-1"),
    )
    .unwrap();
    apply(&north, &["--accept-address", "127.0.0.1"], 0);
    let saved = ["apply", "--plan", "plan.json"];
    expect(&strowger(south.path(), &saved), 4);
    expect(&strowger(south.path(), &[&saved[..], &["--take-over"]].concat()), 0);
    assert_eq!((label(&server).as_str(), owners(&server)), ("south", vec!["git.example.org/south".to_owned()]));
}

#[test]
fn disjoint_scopes_are_no_conflict_and_a_changed_scope_updates_the_claim() {
    let server = server();
    let north = files(
        Some("north"),
        &server.url,
        "north",
        "policy: { scope: { numbers: [\"+33142685303\"], ring_groups: [] } }\n",
    );
    let south = files(
        Some("south"),
        &server.url,
        "s",
        "policy: { scope: { numbers: [\"+33142685304\"], ring_groups: [\"s-*\"] } }\n",
    );
    edit(south.path(), "\"+33142685303\": { to: user/amelie@example.org", "\"+33142685304\": { to: conference/salle-1");
    commit(south.path());
    apply(&north, &[], 0);
    apply(&south, &[], 0);
    assert_eq!(owners(&server), ["git.example.org/north", "git.example.org/south"]);
    // The files give up one range for another.
    edit(south.path(), "\"+33142685304\"], ring", "\"+33142685304\", \"+1*\"], ring");
    commit(south.path());
    edit(south.path(), "label: s", "label: t");
    commit(south.path());
    apply(&south, &[], 0);
    let claims = server.list("owners");
    assert_eq!(claims[1]["scope"], json!({"numbers": ["+33142685304", "+1*"], "ring_groups": ["s-*"]}));
    assert_eq!(claims.len(), 2);
    // What the other one has is not to be had.
    edit(south.path(), "\"+1*\"", "\"+33142685303\"");
    commit(south.path());
    edit(south.path(), "label: t", "label: u");
    commit(south.path());
    let refused = apply(&south, &[], 4);
    assert!(refused.contains("git.example.org/north manages a part of the account"), "{refused}");
}

#[test]
fn files_outside_of_a_repository_claim_nothing_and_do_not_write_to_what_is_claimed() {
    let server = server();
    let nowhere = files(None, &server.url, "nowhere", "");
    let north = files(Some("north"), &server.url, "north", "");
    apply(&nowhere, &["--accept-address", "127.0.0.1", "--accept-token-source", "env:STROWGER_TEST_TOKEN"], 0);
    assert_eq!((label(&server).as_str(), owners(&server).len()), ("nowhere", 0));
    apply(&north, &[], 0);
    for more in [&[][..], &["--take-over"]] {
        let refused = apply(&nowhere, more, 4);
        assert!(refused.contains("write `account.owner`"), "{refused}");
    }
    // The name of the owner, wherever the files are.
    edit(nowhere.path(), "  name: paris", "  name: paris\n  owner: git.example.org/north");
    apply(&nowhere, &[], 0);
    assert_eq!((label(&server).as_str(), owners(&server)), ("nowhere", vec!["git.example.org/north".to_owned()]));
}

#[test]
fn a_repository_without_origin_is_known_by_its_first_commit_unless_that_was_not_fetched() {
    let server = server();
    let north = files(Some("north"), &server.url, "north", "");
    git(north.path(), &["remote", "remove", "origin"]);
    edit(north.path(), "label: north", "label: \"2\"");
    commit(north.path());
    apply(&north, &[], 0);
    let first = git(north.path(), &["rev-list", "--max-parents=0", "HEAD"]);
    assert_eq!(owners(&server), [format!("git:{first}")]);
    let clone = tempfile::tempdir().unwrap();
    let from = format!("file://{}", north.path().display());
    git(clone.path(), &["clone", "--quiet", "--depth=1", &from, "."]);
    git(clone.path(), &["remote", "remove", "origin"]);
    edit(clone.path(), "label: \"2\"", "label: \"3\"");
    let accepts =
        ["--base", "HEAD", "--accept-address", "127.0.0.1", "--accept-token-source", "env:STROWGER_TEST_TOKEN"];
    let refused = apply(&clone, &accepts, 4);
    assert!(refused.contains(&format!("owner: git:{first} manages the account")), "{refused}");
    assert!(refused.contains("write `account.owner`"), "{refused}");
    // A renamed account of the same repository is the same owner.
    edit(north.path(), "name: paris", "name: lutetia");
    edit(north.path(), "label: \"2\"", "label: \"4\"");
    apply(&north, &[], 0);
    let claims = server.list("owners");
    assert_eq!((claims.len(), &claims[0]["account"]), (1, &json!("lutetia")));
}

/// The methods and paths of all writes that a server was asked for.
fn writes(asked: &[Asked]) -> Vec<String> {
    let line = |asked: &Asked| asked.line.rsplit_once(' ').unwrap().0.to_owned();
    asked.iter().map(line).filter(|line| !line.starts_with("GET ")).collect()
}

#[test]
fn a_claim_is_one_request_before_the_first_change_and_none_once_it_is_made() {
    let server = server();
    let url = server.url.clone();
    let proxy = Hostile::start(move |asked, to| forward(&url, asked, to));
    let north = files(Some("north"), &proxy.url, "north", "");
    expect(&strowger(north.path(), &["plan", "."]), 0);
    assert_eq!(writes(&proxy.asked()), [""; 0]);
    apply(&north, &[], 0);
    let first = writes(&proxy.asked());
    assert_eq!(first.len(), 2, "{first:?}");
    assert_eq!(first[0], "POST /v1/owners");
    edit(north.path(), "label: north", "label: again");
    apply(&north, &[], 0);
    assert_eq!(writes(&proxy.asked()).len(), 3, "the claim is there already");
}

#[test]
fn an_apply_with_nothing_to_do_claims_nothing() {
    let server = server();
    let north = files(Some("north"), &server.url, "\"\"", "");
    apply(&north, &[], 0);
    assert_eq!(owners(&server), [""; 0]);
}

#[test]
fn of_two_applies_that_planned_at_once_the_second_to_claim_writes_nothing() {
    let server = server();
    let (reached, waits) = mpsc::channel();
    let (open, opened) = mpsc::channel();
    let (reached, opened, url) = (Mutex::new(reached), Mutex::new(opened), server.url.clone());
    let proxy = Hostile::start(move |asked, to| {
        if asked.line.starts_with("POST") {
            let _ = reached.lock().unwrap_or_else(PoisonError::into_inner).send(());
            let _ = opened.lock().unwrap_or_else(PoisonError::into_inner).recv();
        }
        forward(&url, asked, to)
    });
    let slow = files(Some("slow"), &proxy.url, "slow", "");
    let fast = files(Some("fast"), &server.url, "fast", "");
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| strowger(slow.path(), &APPLY));
        waits.recv().unwrap();
        apply(&fast, &[], 0);
        open.send(()).unwrap();
        let refused = slow.join().unwrap();
        let out = expect(&refused, 4);
        assert!(out.contains("Nothing was applied because the account could not be claimed"), "{out}");
        assert!(out.contains("git.example.org/fast"), "{out}");
    });
    assert_eq!((label(&server).as_str(), owners(&server)), ("fast", vec!["git.example.org/fast".to_owned()]));
}

#[test]
fn a_claim_whose_answer_is_lost_is_made_all_the_same_and_not_twice() {
    let server = server();
    let lost = Mutex::new(true);
    let url = server.url.clone();
    let proxy = Hostile::start(move |asked, to| {
        if asked.line.starts_with("POST") && std::mem::take(&mut *lost.lock().unwrap()) {
            return forward(&url, asked, &mut std::io::sink());
        }
        forward(&url, asked, to)
    });
    let north = files(Some("north"), &proxy.url, "north", "");
    apply(&north, &[], 0);
    assert_eq!((label(&server).as_str(), owners(&server)), ("north", vec!["git.example.org/north".to_owned()]));
    let claims = server.list("audit").iter().filter(|entry| entry["object"]["kind"] == "owner").count();
    assert_eq!(claims, 1);
}

#[test]
fn an_account_without_owners_is_managed_as_before() {
    let server = server();
    let url = server.url.clone();
    let proxy = Hostile::start(move |asked, to| {
        if !is_for(asked, "account") {
            return forward(&url, asked, to);
        }
        let mut whole = Vec::new();
        let _ = forward(&url, asked, &mut whole);
        let text = String::from_utf8(whole).unwrap();
        let mut account: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
        account.as_object_mut().unwrap().remove("owners").unwrap();
        answer(to, "200 OK", &[JSON], &account.to_string())
    });
    for (name, code) in [("north", 0), ("south", 0)] {
        apply(&files(Some(name), &proxy.url, name, ""), &["--take-over"], code);
        assert_eq!(label(&server), name);
    }
    assert!(!writes(&proxy.asked()).iter().any(|line| line.contains("owners")));
}

#[test]
fn what_an_account_calls_its_owner_is_shown_escaped_and_cut() {
    let owner = format!("\\u001b[2J\\n::error::x{}", "y".repeat(5000));
    let account = format!(
        r#"{{"id":"1","default_number":null,"owners":[{{"id":"o","owner":"{owner}","account":"\u0007","scope":{{"numbers":["?"]}}}}]}}"#
    );
    let numbers = format!(r#"{{"items":[{{"id":"n","number":"{NUMBER}","label":""}}],"next":null}}"#);
    let users = r#"{"items":[{"id":"u","name":"A","email":"amelie@example.org"}],"next":null}"#;
    let proxy = Hostile::start(move |asked, to| {
        let body = match asked.line.split(['?', ' ']).nth(1).unwrap_or_default() {
            "/v1/account" => &account,
            "/v1/numbers" => &numbers,
            "/v1/users" => users,
            _ => r#"{"items":[],"next":null}"#,
        };
        answer(to, "200 OK", &[JSON], body)
    });
    let north = files(Some("north"), &proxy.url, "north", "");
    for format in ["human", "markdown", "github", "sarif", "runbook"] {
        let plan = expect(&strowger(north.path(), &["plan", ".", "--format", format]), 0);
        assert!(plan.contains("owner") && !plan.contains(['\u{1b}', '\u{7}']), "{plan}");
        assert!(!plan.contains(&"y".repeat(500)) && !plan.lines().any(|line| line.starts_with("::error::x")), "{plan}");
    }
    let refused = apply(&north, &[], 4);
    assert!(!refused.contains(['\u{1b}', '\u{7}']) && !refused.contains(&"y".repeat(500)), "{refused}");
    assert_eq!(writes(&proxy.asked()), [""; 0]);
}

#[test]
fn a_watch_stops_writing_when_another_owner_takes_over_and_does_not_take_back() {
    let server = server();
    let north = files(Some("north"), &server.url, "north", "");
    let south = files(Some("south"), &server.url, "south", "");
    apply(&south, &[], 0);
    let watch = Watch::start(north.path(), &["--mode", "correct", "--interval", "100ms", "--take-over"]);
    watch.until("took over", || owners(&server) == ["git.example.org/north"] && label(&server) == "north");
    let takes = || apply(&south, &["--take-over"], 0);
    takes();
    watch.until("noticed", || watch.said().contains("git.example.org/south manages the account"));
    assert_eq!((label(&server).as_str(), owners(&server)), ("south", vec!["git.example.org/south".to_owned()]));
    let audit = server.audit().len();
    let before = watch.said().len();
    edit(north.path(), "label: north", "label: \"3\"");
    watch.until("looked at new files", || watch.said().len() > before);
    assert_eq!(server.audit().len(), audit);
    watch.stop();
}

#[test]
fn a_watch_reports_another_owner_even_if_nothing_differs() {
    let server = server();
    let north = files(Some("north"), &server.url, "north", "");
    let watch = Watch::start(north.path(), &["--mode", "correct", "--interval", "100ms"]);
    watch.until("in sync", || owners(&server) == ["git.example.org/north"] && watch.said().contains("in sync"));
    let claim = server.list("owners")[0]["id"].clone();
    let body = json!({"owner": "south", "account": "p", "scope": {"numbers": null, "ring_groups": null}, "take_over": [claim]});
    server.post("owners", &body);
    watch.until("reported", || watch.said().contains("south manages the account"));
    watch.stop();
}
