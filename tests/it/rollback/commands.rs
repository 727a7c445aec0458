//! `history` and `rollback` as a user meets them: real runs, real ledgers, a server that is a process.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::support::commands::{Apply, Server, TOKEN, edit, expect, ledger_files, ledgers, office, stderr, strowger};
use serde_json::{Value, json};
use strowger::ledger::Ending;

/// The name of the newest run.
fn newest(folder: &Path) -> String {
    ledgers(folder).last().unwrap().id.to_string()
}

fn apply(folder: &Path) {
    expect(&strowger(folder, &["apply", ".", "--auto-approve"]), 0);
}

fn history(folder: &Path, arguments: &[&str]) -> Value {
    let all = [&["history", "--format", "json"], arguments].concat();
    serde_json::from_str(&expect(&strowger(folder, &all), 0)).unwrap()
}

#[test]
fn a_rollback_brings_everything_back_and_can_itself_be_rolled_back() {
    for example in ["wework", "agency"] {
        let server = Server::start(example, &[]);
        let folder = office(example, &server.url);
        let before = server.state();
        apply(folder.path());
        let after = server.state();
        assert_ne!(before, after);
        let run = newest(folder.path());
        let out = expect(&strowger(folder.path(), &["rollback", &run, "--auto-approve"]), 0);
        assert!(out.contains("Verified: the account is as before the run."), "{out}");
        assert_eq!(server.state(), before);

        // It is a run like any other, which knows what it undoes.
        let own = newest(folder.path());
        assert_ne!(own, run);
        assert_eq!(history(folder.path(), &["--run", &own])["run"]["undoes"], json!(run));
        let again = expect(&strowger(folder.path(), &["rollback", &run, "--auto-approve"]), 0);
        assert!(again.contains(&format!("Nothing of run {run} can be rolled back.")), "{again}");
        expect(&strowger(folder.path(), &["rollback", &own, "--auto-approve"]), 0);
        assert_eq!(server.state(), after);
        expect(&strowger(folder.path(), &["plan", ".", "--detailed-exitcode"]), 0);
        for path in ledger_files(folder.path()) {
            assert!(!fs::read_to_string(path).unwrap().contains(TOKEN));
        }
    }
}

#[test]
fn what_changed_since_is_listed_and_not_overwritten() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let (label, number) = ("+33142685300", "+33142685302");
    let before = server.number(label);
    apply(folder.path());
    let id = server.number(number)["id"].as_str().unwrap().to_owned();
    server.patch(&format!("numbers/{id}"), &json!({ "label": "somebody's" }));
    let run = newest(folder.path());
    let meanwhile = server.state();

    let plan = strowger(folder.path(), &["rollback", &run, "--plan-only", "--format", "json"]);
    let plan: Value = serde_json::from_str(&expect(&plan, 0)).unwrap();
    let conflicts = plan["conflicts"].as_array().unwrap();
    let of = |name: &str| conflicts.iter().find(|conflict| conflict["object"]["name"] == name);
    let changed = of(number).unwrap();
    assert_eq!((&changed["field"], &changed["now"]), (&json!("label"), &json!({ "text": "somebody's" })));
    assert_eq!(changed["left"], json!({ "text": "Ventes" }));
    // The number still leads to the group that the run made, so the group stays as well.
    assert_eq!(of("ventes").unwrap()["why"], format!("number {number} leads to ventes, and would lead nowhere"));
    assert_eq!(conflicts.len(), 2);
    assert_eq!(server.state(), meanwhile, "looking writes nothing");

    let output = strowger(folder.path(), &["rollback", &run, "--auto-approve"]);
    let out = expect(&output, 6);
    assert!(out.contains("! +33142685302 label: it changed since the run: was \"Ventes\" after the run"), "{out}");
    assert!(out.contains("2 objects left alone"), "{out}");
    assert_eq!(server.number(label)["label"], before["label"]);
    assert_eq!(server.number(number)["label"], "somebody's");
    assert_eq!(server.list("ring_groups").len(), 1);

    // Only the conflicts are left.
    let rest = expect(&strowger(folder.path(), &["rollback", &run, "--auto-approve"]), 5);
    assert!(rest.contains(&format!("Nothing else of run {run} can be rolled back")), "{rest}");
}

#[test]
fn a_killed_run_is_rolled_back_as_far_as_it_came() {
    let server = Server::start("agency", &["--latency", "100"]);
    let folder = office("agency", &server.url);
    let before = server.state();
    let mut run = Apply::start(folder.path(), &["--concurrency", "3"]);
    assert!(run.follow("applied", 4));
    run.signal("KILL");
    run.end();
    let ledger = ledgers(folder.path()).remove(0);
    assert_eq!(ledger.ending(), Ending::Interrupted);
    // What was under way may still arrive; a plan that was made before that is stale and says so.
    let undone = (0..5).find_map(|_| {
        let output = strowger(folder.path(), &["rollback", ledger.id.as_str(), "--auto-approve"]);
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code() == Some(0) && server.state() == before).then_some(out)
    });
    assert!(undone.is_some(), "{:#?}", server.state());
}

#[test]
fn a_rollback_asks_and_looks_as_apply_does() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    apply(folder.path());
    let after = server.state();
    let run = newest(folder.path());
    let short = &run[run.len() - 8..];
    let unasked = strowger(folder.path(), &["rollback", short]);
    expect(&unasked, 64);
    assert!(stderr(&unasked).contains("--auto-approve"));
    let look = expect(&strowger(folder.path(), &["rollback", short, ".", "--plan-only"]), 0);
    assert!(look.contains("- ring_group/ventes") && look.contains("Plan: 4 to update, 1 to delete"), "{look}");
    assert_eq!(server.state(), after);
    assert_eq!(ledgers(folder.path()).len(), 1);

    let events = strowger(folder.path(), &["rollback", short, "--auto-approve", "--events", "-"]);
    let events = expect(&events, 0);
    let first: Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    assert_eq!((&first["record"], &first["undoes"]), (&json!("planned"), &json!(run)));
    for (name, why) in [
        ("20", "is not the name of a run"),
        ("20260101T000000000Z-00000000", "was not found here"),
        ("2026", "matches 2 runs"),
    ] {
        let output = strowger(folder.path(), &["rollback", name, "--auto-approve"]);
        expect(&output, 1);
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
}

#[test]
fn guards_hold_a_rollback_back_as_they_do_any_plan() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    apply(folder.path());
    edit(folder.path(), "to: receptionist/main, label: Accueil", "to: user/amelie@example.org, label: Accueil");
    // The main line keeps where it leads, unless somebody has read exactly this plan.
    let approved = |arguments: &[&str]| {
        let refused = strowger(folder.path(), arguments);
        expect(&refused, 4);
        let said = stderr(&refused);
        let shown = String::from_utf8_lossy(&refused.stdout).into_owned();
        let command = if arguments[0] == "rollback" { arguments[..2].join(" ") } else { "apply PATH".to_owned() };
        assert!(shown.contains(&format!("exactly this plan: `strowger {command} --approve ")), "{shown}");
        let digest = said.split("--approve ").last().unwrap().trim().to_owned();
        expect(&strowger(folder.path(), &[arguments, &["--approve", &digest]].concat()), 0);
    };
    approved(&["apply", ".", "--auto-approve"]);
    assert_eq!(server.number("+33142685300")["destination"]["kind"], "user");
    let run = newest(folder.path());
    approved(&["rollback", &run, "--auto-approve"]);
    assert_eq!(server.number("+33142685300")["destination"]["kind"], "receptionist");
}

#[test]
fn a_run_on_one_account_is_not_rolled_back_on_another() {
    let (here, there) = (Server::start("wework", &[]), Server::start("agency", &[]));
    let folder = office("wework", &here.url);
    apply(folder.path());
    edit(folder.path(), &here.url, &there.url);
    let output = strowger(folder.path(), &["rollback", &newest(folder.path()), "--auto-approve"]);
    expect(&output, 1);
    assert!(stderr(&output).contains("changed another account"), "{}", stderr(&output));
    assert!(there.audit().is_empty());
}

#[test]
fn a_rollback_needs_the_files_of_its_own_account_only() {
    let fleet = tempfile::tempdir().unwrap();
    let (one, other) = (Server::start("wework", &[]), Server::start("wework", &[]));
    for (name, server) in [("paris", &one), ("lyon", &other)] {
        let account = office("wework", &server.url);
        edit(account.path(), "name: wework-republique", &format!("name: {name}"));
        apply(account.path());
        fs::rename(account.path(), fleet.path().join(name)).unwrap();
    }
    let run = |name: &str| newest(&fleet.path().join(name));
    for wrong in ["version: 99", "version: [\n"] {
        fs::write(fleet.path().join("lyon/broken.yaml"), format!("{wrong}\n")).unwrap();
        let output = strowger(fleet.path(), &["rollback", &run("lyon"), ".", "--auto-approve"]);
        expect(&output, 3);
        assert!(stderr(&output).contains("lyon/broken.yaml"), "{}", stderr(&output));
        expect(&strowger(fleet.path(), &["rollback", &run("paris"), ".", "--plan-only"]), 0);
    }
    assert_eq!(other.audit().len(), 5, "its own files have errors");
    expect(&strowger(fleet.path(), &["rollback", &run("paris"), ".", "--auto-approve"]), 0);
    assert_eq!(one.audit().len(), 10);
}

#[test]
fn history_lists_runs_and_shows_one_for_people_and_programs() {
    let server = Server::start("wework", &["--fail-write", "7"]);
    let folder = office("wework", &server.url);
    assert_eq!(expect(&strowger(folder.path(), &["history"]), 0), "No runs found here.\n");
    apply(folder.path());
    edit(folder.path(), "label: Accueil", "label: Reception");
    apply(folder.path());

    let table = expect(&strowger(folder.path(), &["history"]), 0);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("RUN ") && lines.len() == 3, "{table}");
    assert!(lines[1].contains("wework-republique  ada") && lines[1].ends_with("1 of 1   complete"), "{table}");
    assert!(lines[2].ends_with("5 of 5   complete"), "{table}");

    let all = history(folder.path(), &["."]);
    let runs = all["runs"].as_array().unwrap();
    assert_eq!((&runs[0]["counts"]["applied"], &runs[1]["counts"]["applied"]), (&json!(1), &json!(5)));
    assert_eq!(
        (&runs[1]["actor"], &runs[1]["ending"], &runs[1]["torn"]),
        (&json!("ada"), &json!("complete"), &json!(false))
    );
    let first = runs[1]["run"].as_str().unwrap();
    let one = history(folder.path(), &["--run", first]);
    assert_eq!(one["run"]["changes"].as_array().unwrap().len(), 5);
    assert_eq!(one["run"]["changes"][0]["outcome"], "applied");
    let page = expect(&strowger(folder.path(), &["history", "--run", first]), 0);
    assert!(page.starts_with(&format!("Run {first} of account wework-republique\n")), "{page}");
    assert!(page.contains("   1  applied        + ring_group/ventes\n"), "{page}");
    assert!(page.ends_with("5 of 5 changes applied; verified; exit code 0.\n"), "{page}");
}

#[test]
fn a_run_knows_its_commit_and_whether_the_files_differed_from_it() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").args(identity).args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "As it was"]);
    let id = git(&["rev-parse", "HEAD"]);
    apply(folder.path());
    // The ledger of the first run is there now, and is not what the files say.
    edit(folder.path(), "label: Accueil", "label: Reception");
    apply(folder.path());
    git(&["commit", "--quiet", "--all", "--message", "As it is"]);
    edit(folder.path(), "label: Reception", "label: Accueil");
    git(&["commit", "--quiet", "--all", "--message", "As it was"]);
    apply(folder.path());
    let commits: Vec<Value> =
        history(folder.path(), &[])["runs"].as_array().unwrap().iter().rev().map(|run| run["commit"].clone()).collect();
    assert_eq!(commits[..2], [json!({ "id": id, "dirty": false }), json!({ "id": id, "dirty": true })]);
    assert_eq!(commits[2], json!({ "id": git(&["rev-parse", "HEAD"]), "dirty": false }));
}

#[test]
fn a_fleet_has_one_history_and_its_files_need_not_be_valid() {
    let fleet = tempfile::tempdir().unwrap();
    let server = Server::start("wework", &[]);
    let account = office("wework", &server.url);
    apply(account.path());
    fs::rename(account.path(), fleet.path().join("paris")).unwrap();
    edit(&fleet.path().join("paris"), "version: 1", "version: 99");
    let table = expect(&strowger(fleet.path(), &["history"]), 0);
    assert!(table.contains("5 of 5"), "{table}");
}

#[test]
fn a_torn_ledger_is_read_and_a_broken_one_is_named() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    apply(folder.path());
    let path = ledger_files(folder.path()).remove(0);
    let run = newest(folder.path());
    let text = fs::read_to_string(&path).unwrap();
    // As a machine leaves it that loses power: the summary has lost its end.
    fs::write(&path, &text[..text.len() - 20]).unwrap();
    let page = expect(&strowger(folder.path(), &["history", "--run", &run]), 0);
    assert!(page.contains("the process ended without a summary") && page.contains("is incomplete"), "{page}");
    assert!(expect(&strowger(folder.path(), &["history"]), 0).contains("interrupted"));

    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"\n{}\n").unwrap();
    for arguments in [&["history"][..], &["history", "--run", &run], &["rollback", &run, "--auto-approve"]] {
        let output = strowger(folder.path(), arguments);
        expect(&output, 1);
        let said = stderr(&output);
        assert!(said.contains(&format!("{run}.jsonl: line {}", text.lines().count())), "{said}");
    }
}

#[test]
fn a_ledger_cannot_move_the_cursor() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    apply(folder.path());
    let path = ledger_files(folder.path()).remove(0);
    let text = fs::read_to_string(&path).unwrap();
    let hostile = text.replace("\"actor\":\"ada\"", "\"actor\":\"\\u001b[2Jada\\u202e\"");
    let hostile = hostile.replace(
        "\"object\":{\"kind\":\"ring_group\",\"name\":\"ventes\"",
        "\"object\":{\"kind\":\"ring_group\",\"name\":\"ventes\\u001b]0;x\\u0007\"",
    );
    assert!(hostile.contains("\\u0007"));
    fs::write(&path, hostile).unwrap();
    let run = newest(folder.path());
    for arguments in [&["history"][..], &["history", "--run", &run], &["rollback", &run, "--plan-only"]] {
        let output = strowger(folder.path(), arguments);
        let all = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(all).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
}

#[test]
fn a_rollback_says_nothing_of_files_that_declare_too_little() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    apply(folder.path());
    let run = newest(folder.path());
    let look = strowger(folder.path(), &["rollback", &run, "--plan-only"]);
    let out = expect(&look, 0);
    assert!(!out.contains("not in the files"), "{out}");
    expect(&strowger(folder.path(), &["rollback", &run, "--auto-approve"]), 0);
    // Nothing is left to do, so it declares nothing; that is no sign of a file that was lost.
    edit(folder.path(), "version: 1", "version: 1\npolicy: { rules: { nothing-left: error } }");
    let again = strowger(folder.path(), &["rollback", &run, "--auto-approve"]);
    assert!(expect(&again, 0).contains("can be rolled back"));
    assert_eq!(stderr(&again), "");
}

/// A pipe that nobody writes to.
fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_pipe_that_is_called_like_a_ledger_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let ledgers = folder.path().join(".strowger/ledger");
    fs::create_dir_all(&ledgers).unwrap();
    pipe(&ledgers.join("20261123T142500000Z-00000001.jsonl"));
    let output = strowger(folder.path(), &["history"]);
    assert_eq!(expect(&output, 1), "None of the runs found here can be read.\n");
    assert!(stderr(&output).contains("it is not a regular file"), "{}", stderr(&output));
}

#[test]
fn what_is_wrong_with_a_ledger_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let ledgers = folder.path().join(".strowger/ledger");
    fs::create_dir_all(&ledgers).unwrap();
    fs::write(ledgers.join("20261123T142500000Z-00000001.jsonl"), "{\"version\":3,\"record\":\"planned\"}\n").unwrap();
    let output = strowger(folder.path(), &["history", "--run", "20261123T142500000Z-00000001"]);
    expect(&output, 1);
    let said = stderr(&output);
    assert_eq!(said.matches("line 1").count(), 1, "{said}");
    // A folder where the lock should be.
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    fs::create_dir_all(folder.path().join(".strowger/wework-republique.lock")).unwrap();
    let output = strowger(folder.path(), &["apply", ".", "--auto-approve"]);
    expect(&output, 1);
    assert_eq!(stderr(&output).matches("os error").count(), 1, "{}", stderr(&output));
}
