//! Fleets: many accounts in one run, some of which do not answer or have files with errors. The real binary, and
//! servers of the Account API that are processes of their own.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::support::commands::{Server, Stuck, edit, expect, ledgers, stderr, strowger};
use crate::support::process::Watch;
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

    /// The same, where something else may be in the place of the ledgers.
    fn ledgers_if_any(&self, name: &str) -> usize {
        let folder = self.path().join("fleet").join(name).join(".strowger/ledger");
        fs::read_dir(folder).map_or(0, Iterator::count)
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
    assert!(text.ends_with("Total: 4 accounts: 2 changes planned in 2, 2 not planned (berlin, madrid)\n"), "{text}");
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
    assert!(text.ends_with("1 change planned in 1, 3 not planned (berlin, fleet/madrid, oslo)\n"), "{text}");
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
    assert!(stderr(&output).contains("it has no plan for berlin"), "{}", stderr(&output));
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

#[test]
fn keep_going_applies_the_accounts_that_can_be_applied_and_ends_with_6() {
    let one = server();
    let fleet = Fleet::new();
    fleet.add("berlin", &dead());
    fleet.add("lyon", &one.url);
    fleet.file("oslo", "version: 1\naccount: { name: oslo }\n");
    let apply = ["apply", "fleet", "--auto-approve", "--attempts", "1", "--keep-going"];
    let output = fleet.run(&apply);
    let text = expect(&output, 6);
    assert_eq!(label(&one), WANTED);
    assert!(text.contains("lyon: Applied 1 of 1 change"), "{text}");
    let total = "Total: 3 accounts: 1 change applied, 2 accounts left out (oslo, berlin)\n";
    assert!(text.ends_with(total), "{text}");
    // What can be applied is in sync now, so nothing was applied and the failures alone count.
    expect(&fleet.run(&apply), 3);
    fs::remove_dir_all(fleet.path().join("fleet/oslo")).unwrap();
    expect(&fleet.run(&apply), 1);
}

#[test]
fn keep_going_leaves_out_what_a_guard_holds_back_and_passes_no_guard() {
    let (one, two) = (server(), server());
    let fleet = Fleet::new();
    fleet.add("lyon", &one.url);
    fleet.file("paris", &account("paris", &two.url, &format!("policy: {{ protect: [\"{NUMBER}\"] }}\n")));
    edit(&fleet.path().join("fleet/paris"), "receptionist/main", "user/202");
    let before = two.state();
    let text = expect(&fleet.run(&["apply", "fleet", "--auto-approve", "--keep-going"]), 6);
    assert!(text.contains("1 account left out (paris)"), "{text}");
    assert_eq!((label(&one), two.state()), (WANTED.into(), before));
}

#[test]
fn several_accounts_are_applied_in_one_run_and_every_line_names_its_account() {
    let (one, two, three) = (server(), server(), server());
    let fleet = Fleet::new();
    for (name, server) in [("lyon", &one), ("oslo", &two), ("paris", &three)] {
        fleet.add(name, &server.url);
    }
    let text = expect(&fleet.run(&["apply", "fleet", "--auto-approve"]), 0);
    for server in [&one, &two, &three] {
        assert_eq!(label(server), WANTED);
    }
    let results: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("lyon: ")).collect();
    let wanted = [
        "lyon: Applied 1 of 1 change with 1 request.",
        "lyon: Verified: account matches the files.",
        "oslo: Applied 1 of 1 change with 1 request.",
        "oslo: Verified: account matches the files.",
        "paris: Applied 1 of 1 change with 1 request.",
        "paris: Verified: account matches the files.",
        "Total: 3 accounts: 3 changes applied",
    ];
    assert_eq!(results, wanted);
}

const WAVES: &str = "version: 1\nwaves:\n  - [first, also-first]\n  - [second]\n";

/// A fleet of two waves and an account that no wave names.
fn waves(first: &str, others: [&Server; 3]) -> Fleet {
    let fleet = Fleet::new();
    fleet.add("first", first);
    for (name, server) in ["also-first", "second", "unnamed"].into_iter().zip(others) {
        fleet.add(name, &server.url);
    }
    fs::write(fleet.path().join("fleet/fleet.yaml"), WAVES).unwrap();
    fleet
}

#[test]
fn a_later_wave_begins_only_when_the_earlier_ones_have_succeeded() {
    let (one, two, three, four) = (server(), server(), server(), server());
    let fleet = waves(&one.url, [&two, &three, &four]);
    let apply = ["apply", "fleet", "--auto-approve", "--attempts", "1"];
    // Its ledger cannot be written, so nothing is written to the first account.
    fs::create_dir_all(fleet.path().join("fleet/first/.strowger")).unwrap();
    fs::write(fleet.path().join("fleet/first/.strowger/ledger"), "not a folder").unwrap();
    let output = fleet.run(&apply);
    let text = expect(&output, 6);
    assert!(text.contains("2 accounts not started, because an earlier wave failed (second, unnamed)"), "{text}");
    assert_eq!([&one, &two, &three, &four].map(|server| label(server) == WANTED), [false, true, false, false]);
    assert_eq!(["first", "also-first", "second", "unnamed"].map(|name| fleet.ledgers_if_any(name)), [0, 1, 0, 0]);

    fs::remove_file(fleet.path().join("fleet/first/.strowger/ledger")).unwrap();
    expect(&fleet.run(&apply), 0);
    assert_eq!([&one, &two, &three, &four].map(|server| label(server) == WANTED), [true; 4]);
}

#[test]
fn an_account_that_is_left_out_is_a_failure_of_its_wave_also_of_a_saved_plan() {
    let (two, three, four) = (server(), server(), server());
    let fleet = waves(&dead(), [&two, &three, &four]);
    let text = expect(&fleet.run(&["apply", "fleet", "--auto-approve", "--attempts", "1", "--keep-going"]), 6);
    assert!(text.contains("not started, because an earlier wave failed (second, unnamed)"), "{text}");
    assert_eq!([&two, &three, &four].map(|server| label(server) == WANTED), [true, false, false]);

    let one = server();
    let fleet = waves(&one.url, [&two, &three, &four]);
    expect(&fleet.run(&["plan", "fleet", "--out", "plan.json"]), 0);
    fs::create_dir_all(fleet.path().join("fleet/first/.strowger")).unwrap();
    fs::write(fleet.path().join("fleet/first/.strowger/ledger"), "not a folder").unwrap();
    let text = expect(&fleet.run(&["apply", "--plan", "plan.json"]), 1);
    assert!(text.contains("not started, because an earlier wave failed (second, unnamed)"), "{text}");
    assert_eq!([&three, &four].map(|server| label(server) == WANTED), [false, false]);
}

#[test]
fn mistakes_in_the_file_of_a_fleet_are_found_where_they_are() {
    let fleet = Fleet::new();
    for name in ["lyon", "paris"] {
        fleet.add(name, "http://127.0.0.1:9/a");
        edit(&fleet.path().join("fleet").join(name), "/a", &format!("/{name}"));
    }
    let file = fleet.path().join("fleet/fleet.yaml");
    for (text, rule, words) in [
        ("version: 1\nwaves:\n  - [lyon, pariss]\n", "unknown-account", "fleet.yaml:3:12: error[unknown-account]"),
        ("version: 1\nwaves: [[lyon], [Lyon]]\n", "account-in-two-waves", "fleet.yaml:2:18"),
        ("version: 1\nwave: [[lyon]]\n", "unknown-field", "did you mean `waves`?"),
        ("version: 1\n", "missing-field", "`waves` is missing"),
        ("waves: [[lyon]]\n", "missing-field", "`version` is missing"),
        ("version: 2\nwaves: [[lyon]]\n", "unsupported-version", "version"),
        ("version: 1\nwaves: [lyon]\n", "wrong-type", "fleet.yaml:2:9"),
        ("version: 1\nwaves: [[]]\n", "missing-value", "the list is empty"),
        ("version: 1\nwaves: [[lyon]\n", "yaml-syntax", "fleet.yaml"),
    ] {
        fs::write(&file, text).unwrap();
        let output = fleet.run(&["validate", "fleet"]);
        let found = expect(&output, 3);
        assert!(found.contains(&format!("error[{rule}]")) && found.contains(words), "{text}\n{found}");
        let output = fleet.run(&["apply", "fleet", "--auto-approve", "--keep-going", "--attempts", "1"]);
        expect(&output, 3);
    }
    fs::write(&file, "version: 2\n").unwrap();
    let found = expect(&fleet.run(&["validate", "fleet"]), 3);
    assert!(!found.contains("missing-field"), "another version may have other fields: {found}");
    fs::write(&file, "version: 1\nwaves: [[lyon]]\n").unwrap();
    assert_eq!(expect(&fleet.run(&["validate", "fleet"]), 0), "2 accounts valid\n");
    for (path, copy) in [("fleet/lyon", true), ("fleet/fleet.yaml", false), ("alone", false)] {
        fs::create_dir_all(fleet.path().join("alone")).unwrap();
        fs::copy(&file, fleet.path().join("alone/fleet.yaml")).unwrap();
        if copy {
            fs::copy(&file, fleet.path().join(path).join("fleet.yaml")).unwrap();
        }
        let found = expect(&fleet.run(&["validate", path]), 3);
        assert!(found.contains("error[misplaced-fleet]"), "{path}: {found}");
    }
}

#[test]
fn two_names_of_one_live_account_are_refused_however_it_is_reached() {
    let one = server();
    let door = Stuck::in_front_of(&one.url, 1000);
    let fleet = Fleet::new();
    fleet.add("lyon", &one.url);
    fleet.add("paris", &door.url);
    for arguments in
        [&PLAN[..], &["apply", "fleet", "--auto-approve"], &["apply", "fleet", "--auto-approve", "--keep-going"]]
    {
        let output = fleet.run(arguments);
        expect(&output, 3);
        let said = stderr(&output);
        assert!(said.contains("error[one-account-twice]") && said.contains("`paris` and `lyon`"), "{said}");
    }
    assert_ne!(label(&one), WANTED);

    let scoped = |name: &str, url: &str, number: &str| {
        account(name, url, &format!("policy: {{ scope: {{ numbers: [\"{number}\"], ring_groups: [] }} }}\n"))
    };
    fleet.file("lyon", &scoped("lyon", &one.url, NUMBER));
    fleet.file("paris", &scoped("paris", &door.url, "+33142685301").replace(NUMBER, "+33142685301"));
    let text = expect(&fleet.run(&PLAN), 0);
    assert!(text.contains("Account lyon") && text.contains("Account paris"), "scopes that are apart share an account");
}

#[test]
fn a_cap_counts_what_all_folders_of_a_live_account_change_and_a_forged_plan_passes_it_no_more_than_a_fresh_one() {
    let one = server();
    let fleet = Fleet::new();
    let part = |name: &str, number: &str| {
        let scope = format!("scope: {{ numbers: [\"{number}\"], ring_groups: [] }}");
        let cap = "caps: { numbers: { update: { percent: 0, floor: 1 } } }";
        account(name, &one.url, &format!("policy: {{ {scope}, {cap} }}\n")).replace(NUMBER, number)
    };
    fleet.file("lyon", &part("lyon", NUMBER));
    fleet.file("paris", &part("paris", "+33142685301"));
    let text = expect(&fleet.run(&[&PLAN[..], &["--out", "plan.json"]].concat()), 0);
    assert_eq!(text.matches("counted over the accounts that are one live account (lyon, paris)").count(), 2, "{text}");
    let plan = fleet.path().join("plan.json");
    let apply = ["apply", "--auto-approve", "--plan", "plan.json"];
    expect(&fleet.run(&apply), 4);
    let mut forged: Value = serde_json::from_str(&fs::read_to_string(&plan).unwrap()).unwrap();
    for plan in forged["plans"].as_array_mut().unwrap() {
        assert_eq!(plan.as_object_mut().unwrap().remove("blocked").unwrap().as_array().unwrap().len(), 1);
    }
    fs::write(&plan, forged.to_string()).unwrap();
    expect(&fleet.run(&apply), 4);
    expect(&fleet.run(&["apply", "fleet", "--auto-approve"]), 4);
    assert_ne!(label(&one), WANTED);
    expect(&fleet.run(&["apply", "fleet/lyon", "--auto-approve"]), 0);
}

#[test]
fn a_watch_writes_to_neither_of_two_names_of_one_live_account() {
    let one = server();
    let door = Stuck::in_front_of(&one.url, 1000);
    let fleet = Fleet::new();
    fleet.add("lyon", &one.url);
    fleet.file("paris", &account("paris", &door.url, "").replace(WANTED, "Bienvenue"));
    let watch = Watch::start_with(fleet.path(), "fleet", &["--mode", "report", "--interval", "100ms"]);
    for other in ["lyon", "paris"] {
        watch.until(&format!("said that this and `{other}` are one"), || {
            let said = watch.said();
            said.lines().any(|line| line.contains("one live account") && line.contains(&format!("this and `{other}`")))
        });
    }
}

#[test]
fn two_accounts_in_one_folder_have_a_ledger_and_a_lock_each() {
    let (one, two) = (server(), server());
    let fleet = Fleet::new();
    let folder = fleet.path().join("both");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("lyon.yaml"), account("lyon", &one.url, "")).unwrap();
    fs::write(folder.join("paris.yaml"), account("paris", &two.url, "")).unwrap();
    expect(&fleet.run(&["apply", "both/lyon.yaml", "both/paris.yaml", "--auto-approve"]), 0);
    let accounts: Vec<String> = ledgers(&folder).iter().map(|run| run.planned.account.clone()).collect();
    assert_eq!(accounts.len(), 2);
    assert!(accounts.contains(&"lyon".to_owned()) && accounts.contains(&"paris".to_owned()), "{accounts:?}");
    assert_eq!((label(&one), label(&two)), (WANTED.into(), WANTED.into()));
}
