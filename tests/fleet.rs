//! Fleets: many accounts in one run, some of which do not answer or have files with errors. The real binary, and
//! servers of the Account API that are processes of their own.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test asserts by failing, and shares its helpers with others"
)]

#[path = "support/commands.rs"]
mod commands;

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use commands::{Server, expect, ledgers, stderr, strowger};
use serde_json::Value;
use tempfile::TempDir;

/// The label that every account of a test wants for its default number.
const WANTED: &str = "Welcome";
/// The default number of the servers' accounts.
const NUMBER: &str = "+33142685300";

/// A folder of accounts.
struct Fleet(TempDir);

impl Fleet {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// An account behind a server, that wants another label.
    fn add(&self, name: &str, url: &str) {
        self.file(name, &account(name, url, ""));
    }

    fn file(&self, folder: &str, text: &str) {
        let folder = self.path().join("fleet").join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("account.yaml"), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        strowger(self.path(), arguments)
    }

    fn ledgers(&self, name: &str) -> usize {
        ledgers(&self.path().join("fleet").join(name)).len()
    }
}

fn account(name: &str, url: &str, more: &str) -> String {
    format!(
        "version: 1\naccount: {{ name: {name}, provider: office, url: \"{url}\", token: {{ env: STROWGER_TEST_TOKEN }} }}\n\
         numbers:\n  \"{NUMBER}\": {{ to: receptionist/main, label: {WANTED} }}\n{more}"
    )
}

fn server() -> Server {
    Server::start("wework", &[])
}

/// An address where nobody listens.
fn dead() -> String {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", door.local_addr().unwrap())
}

fn label(server: &Server) -> Value {
    server.number(NUMBER)["label"].clone()
}

const PLAN: [&str; 4] = ["plan", "fleet", "--attempts", "1"];

#[test]
fn a_plan_shows_every_account_that_answers_and_names_all_that_do_not_in_every_format() {
    let (one, two) = (server(), server());
    let fleet = Fleet::new();
    fleet.add("berlin", &dead());
    fleet.add("lyon", &one.url);
    fleet.add("madrid", &dead());
    fleet.add("paris", &two.url);
    for format in ["human", "json", "markdown", "github", "sarif", "runbook"] {
        let output = fleet.run(&[&PLAN[..], &["--format", format, "--detailed-exitcode"]].concat());
        let page = expect(&output, 1);
        for name in ["berlin", "madrid"] {
            assert!(page.contains(name), "{format}: {page}");
            assert!(stderr(&output).contains(&format!("cannot read the account {name}: ")), "{}", stderr(&output));
        }
        // A SARIF log has no changes but those that guards hold back.
        if format != "sarif" {
            assert!(page.contains("lyon") && page.contains("paris") && page.contains(NUMBER), "{format}: {page}");
        }
    }
    let text = expect(&fleet.run(&PLAN), 1);
    assert!(text.ends_with("Total: 4 accounts: 2 changes to make in 2, 2 not planned (berlin, madrid)\n"), "{text}");
    let json: Value =
        serde_json::from_str(&expect(&fleet.run(&[&PLAN[..], &["--format", "json"]].concat()), 1)).unwrap();
    let names = |list: &str| -> Vec<String> {
        json[list].as_array().unwrap().iter().map(|one| one["account"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (names("plans"), names("unplanned")),
        (vec!["lyon".into(), "paris".into()], vec!["berlin".into(), "madrid".into()])
    );
    assert_eq!(json["unplanned"][0]["reason"], "unreadable");
    assert_eq!(json["unplanned"][0]["place"]["file"], "fleet/berlin/account.yaml");
}

#[test]
fn invalid_files_of_one_account_hide_no_plan_of_another_and_come_before_an_outage() {
    let one = server();
    let fleet = Fleet::new();
    fleet.add("berlin", &dead());
    fleet.file("madrid", "version: 1\naccount: { name: madrid, provider: ooma }\nnumbers: [\n");
    fleet.file("oslo", &account("oslo", &dead(), "nummbers: {}\n"));
    fleet.add("paris", &one.url);
    for format in ["human", "json", "markdown", "github", "sarif", "runbook"] {
        let output = fleet.run(&[&PLAN[..], &["--format", format]].concat());
        let page = expect(&output, 3);
        for name in ["berlin", "madrid", "oslo"] {
            assert!(page.contains(name), "{format}: {page}");
        }
        assert!(format == "sarif" || page.contains("paris") && page.contains(NUMBER), "{format}: {page}");
        assert!(["json", "sarif", "github"].contains(&format) || stderr(&output).contains("unknown-field"), "{format}");
    }
    let text = expect(&fleet.run(&PLAN), 3);
    assert!(text.ends_with("1 change to make in 1, 3 not planned (berlin, fleet/madrid, oslo)\n"), "{text}");
}

#[test]
fn a_plan_that_lacks_an_account_is_not_saved_and_one_that_was_kept_is_not_applied() {
    let one = server();
    let fleet = Fleet::new();
    fleet.add("berlin", &dead());
    fleet.add("paris", &one.url);
    let output = fleet.run(&[&PLAN[..], &["--format", "json", "--out", "plan.json"]].concat());
    let json = expect(&output, 1);
    assert!(stderr(&output).contains("Not saved to plan.json"), "{}", stderr(&output));
    assert!(!fleet.path().join("plan.json").exists());

    fs::write(fleet.path().join("kept.json"), json).unwrap();
    let output = fleet.run(&["apply", "--plan", "kept.json", "--auto-approve"]);
    expect(&output, 1);
    assert!(stderr(&output).contains("it lacks berlin"), "{}", stderr(&output));
    assert_ne!(label(&one), WANTED);
    assert!(expect(&fleet.run(&["show", "kept.json"]), 0).contains("berlin"), "it can still be looked at");
}

#[test]
fn apply_names_every_failure_and_writes_nothing_anywhere() {
    let one = server();
    let fleet = Fleet::new();
    fleet.add("berlin", &dead());
    fleet.add("lyon", &one.url);
    fleet.add("madrid", &dead());
    let apply = ["apply", "fleet", "--auto-approve", "--attempts", "1"];
    let output = fleet.run(&apply);
    expect(&output, 1);
    for name in ["berlin", "madrid"] {
        assert!(stderr(&output).contains(&format!("cannot read the account {name}: ")), "{}", stderr(&output));
    }
    fleet.file("oslo", "version: 1\naccount: { name: oslo }\n");
    let output = fleet.run(&apply);
    expect(&output, 3);
    for name in ["berlin", "madrid", "oslo"] {
        assert!(stderr(&output).contains(name), "{}", stderr(&output));
    }
    assert_ne!(label(&one), WANTED);
    assert_eq!(fleet.ledgers("lyon"), 0);
}

#[test]
fn two_accounts_of_one_name_are_both_held_and_a_third_is_planned() {
    let (one, two) = (server(), server());
    let fleet = Fleet::new();
    fleet.file("a", &account("paris", &one.url, ""));
    fleet.file("b", &account("Paris", &two.url, ""));
    fleet.add("lyon", &two.url);
    let output = fleet.run(&PLAN);
    let text = expect(&output, 3);
    assert!(text.contains("Account lyon") && text.contains("2 not planned (paris, Paris)"), "{text}");
    assert!(stderr(&output).contains("duplicate-account"), "{}", stderr(&output));
}
