//! The commands as a user meets them: the real binary, real files, the embedded account.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::commands::{Server, command, edit, example, expect, office, strowger};

fn wework() -> TempDir {
    example("wework")
}

fn json_plan(folder: &Path) -> Value {
    let text = expect(&strowger(folder, &["plan", "--format", "json", "."]), 0);
    let report: Value = serde_json::from_str(&text).unwrap();
    report["plans"][0].clone()
}

#[test]
fn the_first_command_applies_the_example_and_the_second_has_nothing_to_do() {
    let folder = wework();
    let first = expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 0);
    assert!(first.contains("+ ring_group/ventes"), "{first}");
    assert!(first.contains("Verified: account matches the files."), "{first}");
    let second = expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 0);
    assert!(second.contains("Nothing to do."), "{second}");
    assert!(second.contains("API calls: 0 writes"), "{second}");
    assert!(!second.contains("Applied"), "{second}");
}

#[test]
fn every_example_is_applied_and_then_in_sync() {
    for name in ["wework", "agency", "fleet"] {
        let folder = example(name);
        expect(&strowger(folder.path(), &["validate", "."]), 0);
        expect(&strowger(folder.path(), &["plan", ".", "--detailed-exitcode"]), 2);
        expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 0);
        expect(&strowger(folder.path(), &["plan", ".", "--detailed-exitcode"]), 0);
    }
}

#[test]
fn one_changed_line_is_one_write() {
    let folder = wework();
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 0);
    edit(folder.path(), "to: conference/salle-1", "to: receptionist/main");
    let plan = json_plan(folder.path());
    assert_eq!(plan["estimate"]["writes"], 1);
    assert_eq!(plan["changes"].as_array().unwrap().len(), 1);
}

#[test]
fn the_exit_code_tells_whether_changes_are_pending() {
    let folder = wework();
    expect(&strowger(folder.path(), &["plan", ".", "--detailed-exitcode"]), 2);
    expect(&strowger(folder.path(), &["plan", "."]), 0);
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 0);
    expect(&strowger(folder.path(), &["plan", ".", "--detailed-exitcode"]), 0);
}

#[test]
fn a_plan_writes_nothing_not_even_the_embedded_account() {
    let folder = wework();
    expect(&strowger(folder.path(), &["plan", "."]), 0);
    assert!(!folder.path().join(".strowger").exists());
}

#[test]
fn without_a_terminal_nobody_is_asked_and_nothing_is_applied() {
    let folder = wework();
    let output = strowger(folder.path(), &["apply", "."]);
    expect(&output, 64);
    assert!(String::from_utf8_lossy(&output.stderr).contains("--auto-approve"));
    assert_eq!(json_plan(folder.path())["changes"].as_array().unwrap().len(), 5);
}

#[test]
fn a_mistake_in_a_file_stops_before_the_account_is_opened() {
    let folder = wework();
    edit(folder.path(), "to: conference/salle-1", "to: conferenc/salle-1");
    let output = strowger(folder.path(), &["apply", ".", "--auto-approve"]);
    expect(&output, 3);
    assert!(String::from_utf8_lossy(&output.stderr).contains("account.yaml:"));
    assert!(!folder.path().join(".strowger").exists());
}

#[test]
fn a_reference_that_only_the_account_can_refute_is_found_while_planning() {
    let folder = wework();
    edit(folder.path(), "to: conference/salle-1", "to: conference/sale-1");
    let output = strowger(folder.path(), &["plan", "."]);
    expect(&output, 3);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(err.contains("error[unknown-reference]") && err.contains("did you mean `conference/salle-1`?"), "{err}");
}

#[test]
fn machines_get_json_that_keeps_its_schema_and_people_get_markdown() {
    let folder = wework();
    let text = expect(&strowger(folder.path(), &["plan", "--format", "json", "."]), 0);
    let schema: Value = serde_json::from_str(&expect(&strowger(folder.path(), &["schema", "plan"]), 0)).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert!(jsonschema::is_valid(&schema, &report));
    let page = expect(&strowger(folder.path(), &["plan", "--format", "markdown", "."]), 0);
    assert!(page.starts_with("### Strowger plan for `wework-republique`\n"), "{page}");
    assert!(page.contains("\n```diff\n+ ring_group/ventes"), "{page}");
}

#[test]
fn generated_documents_can_be_printed() {
    let folder = tempfile::tempdir().unwrap();
    assert!(expect(&strowger(folder.path(), &["completions", "bash"]), 0).contains("strowger"));
    assert!(expect(&strowger(folder.path(), &["man"]), 0).contains(".TH strowger 1"));
    for which in ["account", "plan", "account-api"] {
        assert!(expect(&strowger(folder.path(), &["schema", which]), 0).len() > 1000);
    }
    expect(&strowger(folder.path(), &["man", "pages"]), 0);
    assert!(folder.path().join("pages/strowger-apply.1").exists());
    expect(&strowger(folder.path(), &["plann"]), 64);
}

#[test]
fn an_account_behind_a_server_is_reconciled_and_drift_is_found() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 0);
    expect(&strowger(folder.path(), &["plan", ".", "--detailed-exitcode"]), 0);

    // As an administrator at the portal would.
    let path = format!("numbers/{}", server.number("+33142685302")["id"].as_str().unwrap());
    let to = json!({ "kind": "receptionist", "id": server.list("receptionists")[0]["id"] });
    server.patch(&path, &json!({ "destination": to }));
    let plan = expect(&strowger(folder.path(), &["plan", "."]), 0);
    assert!(plan.contains("~ +33142685302"), "{plan}");
    assert!(plan.contains("1 to update"), "{plan}");
    let healed = expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 0);
    assert!(healed.contains("Applied 1 of 1 change with 1 request."), "{healed}");
}

#[test]
fn a_half_failed_run_says_what_was_done_and_what_was_not() {
    let server = Server::start("wework", &["--fail-write", "1"]);
    let folder = office("wework", &server.url);
    let output = strowger(folder.path(), &["apply", ".", "--auto-approve", "--concurrency", "1"]);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let code = output.status.code();
    // The write that failed is looked at and done again, or reported: nothing in between.
    match code {
        Some(0) => assert!(out.contains("Verified: "), "{out}"),
        Some(6) => assert!(out.contains("failed") || out.contains("unknown"), "{out}"),
        other => panic!("{other:?}\n{out}"),
    }
    let again = expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 0);
    assert!(again.contains("Verified: ") || again.contains("No changes"), "{again}");
}

#[test]
fn a_wrong_or_missing_token_and_a_dead_host_are_told_apart() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let missing = command(folder.path(), &["plan", "."]).env_remove("STROWGER_TEST_TOKEN").output().unwrap();
    expect(&missing, 1);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("STROWGER_TEST_TOKEN is not set"));

    let wrong = command(folder.path(), &["plan", "."]).env("STROWGER_TEST_TOKEN", "s3cret-that-must-not-show").output();
    let wrong = wrong.unwrap();
    expect(&wrong, 1);
    let err = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(err.contains("does not accept the token") && !err.contains("s3cret"), "{err}");
}

/// In plain words: no colours in a pipe, no values of the program's own, nothing of queries, headers and bodies.
#[test]
fn twice_verbose_tells_every_request_and_what_became_of_every_change() {
    let folder = wework();
    let output = strowger(folder.path(), &["apply", "-vv", ".", "--auto-approve"]);
    expect(&output, 0);
    let log = String::from_utf8_lossy(&output.stderr);
    let request = |method: &str, path: &str, status: &str| {
        let wanted = format!("{method} {path}: {status} in ");
        log.lines().any(|line| line.contains(&wanted) && line.ends_with(" ms"))
    };
    assert!(request("GET", "/v1/account", "200"), "{log}");
    assert!(request("POST", "/v1/ring_groups", "201"), "{log}");
    assert!(log.contains("ring_group/ventes: applied with 1 request"), "{log}");
    assert!(!log.contains(['\u{1b}', '?']) && !log.contains("Written"), "{log}");
    // Once is for changes only.
    let output = strowger(folder.path(), &["apply", "-v", ".", "--auto-approve"]);
    expect(&output, 0);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("GET /v1"));
}

#[test]
fn an_embedded_account_that_cannot_start_says_why_once() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (arguments, code, cause) in [
        (["--listen", "0.0.0.0:0"], 64, "add `--allow-remote`"),
        (["--error-rate", "2"], 64, "a share is a number from 0 to 1"),
        (["--stall-rate", "NaN"], 64, "a share is a number from 0 to 1"),
        (["--listen", &address], 1, "os error"),
        (["--seed", "nope.yaml"], 1, "nope.yaml"),
    ] {
        let output = strowger(folder.path(), &[&["sandbox", "--state", ":memory:"], arguments.as_slice()].concat());
        expect(&output, code);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.matches(cause).count(), 1, "{said}");
    }
}

#[test]
fn whoever_reads_only_the_first_line_makes_no_error() {
    let folder = wework();
    let mut process = Command::new(env!("CARGO_BIN_EXE_strowger"))
        .args(["schema", "account"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    let output = process.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    std::io::stdout().flush().unwrap();
}

#[test]
fn an_account_is_exported_to_files_that_are_in_sync_and_frozen_to_a_snapshot_that_is_planned_against() {
    let folder = wework();
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 0);
    expect(&strowger(folder.path(), &["export", ".", "--out", "exported"]), 0);
    expect(&strowger(folder.path(), &["plan", "exported", "--detailed-exitcode"]), 0);
    assert!(folder.path().join("exported/account.v1.schema.json").exists());
    // What exists is not overwritten.
    expect(&strowger(folder.path(), &["export", ".", "--out", "exported"]), 1);

    let frozen = expect(&strowger(folder.path(), &["export", ".", "--as-snapshot"]), 0);
    fs::write(folder.path().join("live.yaml"), frozen).unwrap();
    // Wherever the files are put, they find the snapshot.
    expect(&strowger(folder.path(), &["export", "--snapshot", "live.yaml", "--out", "offline"]), 0);
    expect(&strowger(folder.path(), &["plan", "offline", "--detailed-exitcode"]), 0);
    let text = fs::read_to_string(folder.path().join("offline/account.yaml")).unwrap();
    fs::write(folder.path().join("offline/account.yaml"), text.replace("Accueil", "Reception")).unwrap();
    expect(&strowger(folder.path(), &["plan", "offline", "--detailed-exitcode"]), 2);
    let refused = strowger(folder.path(), &["apply", "offline", "--auto-approve"]);
    expect(&refused, 1);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("a snapshot is read-only"));
}

/// The lines of a process that goes on running, ended with the test.
struct Watched {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Watched {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_strowger"))
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_watched_file_is_checked_again_when_it_is_saved() {
    let folder = wework();
    let mut watched = Watched::start(folder.path(), &["validate", "--watch", "account.yaml"]);
    assert_eq!(watched.line(), "1 account valid");
    edit(folder.path(), "to: conference/salle-1", "to: conferenc/salle-1");
    assert!(watched.line().contains("error[bad-reference]"));
    assert_eq!(watched.line(), "1 error in 1 file");

    // As an editor saves: a new file takes the old one's name.
    let path = folder.path().join("account.yaml");
    let text = fs::read_to_string(&path).unwrap().replace("conferenc/", "conference/");
    fs::write(folder.path().join("account.yaml.new"), text).unwrap();
    fs::rename(folder.path().join("account.yaml.new"), path).unwrap();
    assert_eq!(watched.line(), "1 account valid");
}

#[cfg(unix)]
#[test]
fn a_watched_folder_may_be_another_one_after_a_while() {
    let folder = wework();
    let path = |name: &str| folder.path().join(name);
    let good = fs::read_to_string(path("account.yaml")).unwrap();
    for (name, text) in [("one", good.clone()), ("two", good.replace("to: conference/", "to: conferenc/"))] {
        fs::create_dir(path(name)).unwrap();
        fs::write(path(name).join("account.yaml"), text).unwrap();
    }
    std::os::unix::fs::symlink("one", path("current")).unwrap();
    let mut watched = Watched::start(folder.path(), &["validate", "--watch", "current"]);
    assert_eq!(watched.line(), "1 account valid");
    // As git-sync and mounted configurations do.
    std::os::unix::fs::symlink("two", path("next")).unwrap();
    fs::rename(path("next"), path("current")).unwrap();
    assert!(watched.line().contains("error[bad-reference]"));
    assert_eq!(watched.line(), "1 error in 1 file");
    fs::remove_dir_all(path("two")).unwrap();
    assert!(watched.line().contains("error[unreadable-file]"));
    fs::rename(path("one"), path("two")).unwrap();
    while watched.line() != "1 account valid" {}
}
