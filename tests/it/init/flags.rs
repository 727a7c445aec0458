//! The first run by flags: what it writes, what it refuses, and that it never waits for somebody who is not there.

use crate::support::commands;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::commands::{Server, TOKEN, expect, stderr, strowger};
use tempfile::TempDir;

/// A git repository without a commit.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("git").args(["init", "-q"]).current_dir(folder.path()).status().unwrap();
    assert!(made.success());
    folder
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[track_caller]
fn read(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn refused(output: &Output, code: i32, why: &str) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(why), "{said}");
    assert!(!said.contains(TOKEN), "{said}");
}

#[test]
fn every_answer_has_a_flag() {
    let folder = repository();
    let server = Server::start("agency", &[]);
    let arguments = [
        "init",
        "telephony/london",
        "--provider",
        "office",
        "--url",
        &server.url,
        "--token-env",
        "STROWGER_TEST_TOKEN",
        "--name",
        "london",
        "--country",
        "GB",
        "--numbers",
        "+442079460000,+442079460001",
        "--groups",
        "Sales, 303",
        "--workflow=github",
        "--yes",
    ];
    let out = expect(&strowger(folder.path(), &arguments), 0);
    assert!(out.contains("No changes. 4 objects match."), "{out}");
    let text = read(folder.path(), "telephony/london/account.yaml");
    for line in ["name: london", "country: GB", "token: { env: STROWGER_TEST_TOKEN }", "  sales:", "  studio:"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // One of the numbers leads to a group that is not chosen.
    assert!(text.contains("to: ring_group/reception") && !text.contains("  reception:"), "{text}");
    for name in ["pull-request", "merge"] {
        let workflow = read(folder.path(), &format!(".github/workflows/strowger-{name}.yml"));
        assert!(workflow.contains("path: telephony/london\n"), "{workflow}");
        assert!(workflow.contains("secrets.STROWGER_TEST_TOKEN"), "{workflow}");
    }
    expect(&strowger(folder.path(), &["plan", "telephony/london", "--detailed-exitcode"]), 0);
    expect(&strowger(folder.path(), &["validate", "telephony/london"]), 0);
}

#[test]
fn only_yes_makes_an_account_to_try_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = expect(&strowger(folder.path(), &["init", "--yes"]), 0);
    assert!(out.contains("2 objects match") && out.contains("strowger apply phones"), "{out}");
    assert!(folder.path().join("phones/.strowger/phones.db").exists());
    assert_eq!(read(folder.path(), "phones/.gitignore").lines().last(), Some(".strowger/"));
    assert!(!folder.path().join(".github").exists());
    let text = read(folder.path(), "phones/account.yaml");
    let changed = text.replace("to: receptionist/main", "to: none");
    assert_ne!(text, changed);
    fs::write(folder.path().join("phones/account.yaml"), text.replace("receptionist/main", "user/201")).unwrap();
    let out = expect(&strowger(folder.path(), &["plan", "phones", "--detailed-exitcode"]), 2);
    assert!(out.contains("~ +33142685300"), "{out}");
}

#[test]
fn a_large_account_becomes_a_folder_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut numbers = String::new();
    for number in 0..1_500 {
        writeln!(numbers, "  \"+3314268{number:04}\": {{}}").unwrap();
    }
    fs::write(folder.path().join("live.yaml"), format!("snapshot: 1\naccount: {{ name: l }}\nnumbers:\n{numbers}"))
        .unwrap();
    let out = expect(&strowger(folder.path(), &["init", "--snapshot", "live.yaml", "--yes"]), 0);
    assert!(out.contains("wrote phones/numbers-3.yaml") && out.contains("1500 objects match"), "{out}");
    // Nothing is applied to a snapshot.
    assert!(out.contains("--format runbook") && !out.contains("strowger apply"), "{out}");
    // The folder can be moved with the file.
    assert!(read(folder.path(), "phones/account.yaml").contains("file: \"../live.yaml\""));
}

#[test]
fn a_token_in_the_folder_is_kept_out_of_git() {
    let folder = repository();
    let server = Server::start("wework", &[]);
    fs::create_dir_all(folder.path().join("phones/secret")).unwrap();
    fs::write(folder.path().join("phones/secret/token"), format!("{TOKEN}\n")).unwrap();
    let arguments = ["init", "phones", "--url", &server.url, "--token-file", "phones/secret/token", "--yes"];
    let out = expect(&strowger(folder.path(), &arguments), 0);
    assert!(out.contains("No changes."), "{out}");
    assert!(read(folder.path(), "phones/account.yaml").contains("token: { file: secret/token }"));
    let status =
        Command::new("git").args(["status", "--porcelain", "-uall"]).current_dir(folder.path()).output().unwrap();
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("phones/account.yaml") && !status.contains("token"), "{status}");
}

#[test]
fn a_token_beside_the_folder_is_warned_of() {
    let folder = repository();
    let server = Server::start("wework", &[]);
    fs::write(folder.path().join("token"), TOKEN).unwrap();
    let out = expect(&strowger(folder.path(), &["init", "--url", &server.url, "--token-file", "token", "--yes"]), 0);
    assert!(out.contains("See that git ignores token"), "{out}");
    assert!(read(folder.path(), "phones/account.yaml").contains("token: { file: \"../token\" }"));
}

#[cfg(unix)]
#[test]
fn a_command_that_is_a_path_is_found_from_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("wework", &[]);
    for name in ["show.sh", "phones/show.sh"] {
        fs::create_dir_all(folder.path().join("phones")).unwrap();
        let path = folder.path().join(name);
        fs::write(&path, "#!/bin/sh\necho \"$1-token-7f3b\"\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).unwrap();
        // Only its name is that of the word.
        fs::write(folder.path().join("a-planted"), "").unwrap();
        let command = format!("./{name} 'a-planted'");
        let arguments = ["init", "phones", "--url", &server.url, "--token-command", &command, "--yes"];
        let out = expect(&strowger(folder.path(), &arguments), 0);
        assert!(out.contains("No changes."), "{out}");
        let text = read(folder.path(), "phones/account.yaml");
        let program = if name == "show.sh" { "\"../show.sh\"" } else { "\"./show.sh\"" };
        assert!(text.contains(&format!("token: {{ command: [{program}, a-planted] }}")), "{text}");
        fs::remove_dir_all(folder.path().join("phones")).unwrap();
    }
}

#[test]
fn an_account_that_does_not_open_from_its_files_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("wework", &[]);
    fs::write(folder.path().join("token"), commands::TOKEN).unwrap();
    // It is found from here, and not from the folder of the files: told at once where a word is its path, else by the
    // proof.
    for (command, says) in [
        ("cat token", "the command will run in phones, and finds token only from here; give whole paths in it"),
        ("sh -c 'cat token'", "give whole paths in it. Nothing of what was written is left"),
    ] {
        let arguments = ["init", "--yes", "phones", "--workflow", "--url", &server.url, "--token-command", command];
        refused(&strowger(folder.path(), &arguments), 1, says);
    }
    let arguments = ["init", "--yes", "phones", "--state", "/dev/null/state.db", "--allow-outside-paths"];
    refused(&strowger(folder.path(), &arguments), 1, "nothing of what was written is left");
    fs::remove_file(folder.path().join("token")).unwrap();
    assert!(is_empty(folder.path()));
}

#[test]
fn credentials_that_do_not_work_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("wework", &[]);
    let token = folder.path().join("token");
    fs::write(&token, "another-planted-token-99d2").unwrap();
    let run = |arguments: &[&str]| strowger(folder.path(), &[&["init", "phones", "--yes"], arguments].concat());
    let output = run(&["--url", &server.url, "--token-file", "token"]);
    refused(&output, 1, "does not accept the token (401)");
    assert!(!stderr(&output).contains("another-planted"), "{}", stderr(&output));
    refused(&run(&["--url", "http://127.0.0.1:1", "--token-env", "STROWGER_TEST_TOKEN"]), 1, "cannot reach");
    refused(&run(&["--url", &server.url, "--token-env", "NOT_SET_ANYWHERE"]), 1, "`export NOT_SET_ANYWHERE=…`");
    refused(&run(&["--url", &server.url, "--token-file", "none"]), 1, "put the token there");
    refused(&run(&["--url", &server.url, "--token-command", "false"]), 1, "mend the command");
    fs::remove_file(token).unwrap();
    assert!(is_empty(folder.path()));
}

#[test]
fn what_exists_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    for path in ["a/docker.yml", "b/account.v1.schema.json", ".github/workflows/strowger-merge.yml"] {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), "mine").unwrap();
    }
    fs::write(at("c"), "mine").unwrap();
    let init = |arguments: &[&str]| strowger(folder.path(), &[&["init", "--yes"], arguments].concat());
    refused(&init(&["a"]), 1, "a/docker.yml exists already, and every YAML file of a folder is part of its account");
    refused(&init(&["b"]), 1, "b/account.v1.schema.json exists already");
    refused(&init(&["c"]), 1, "c exists already, and is no folder");
    refused(&init(&["d", "--workflow"]), 1, "strowger-merge.yml exists already");
    assert!(!at("d").exists());
    for path in ["a/docker.yml", "b/account.v1.schema.json", "c", ".github/workflows/strowger-merge.yml"] {
        assert_eq!(read(folder.path(), path), "mine");
    }
    // A `.gitignore` may have been there for long; what it lacks is said.
    fs::create_dir(at("e")).unwrap();
    fs::write(at("e/.gitignore"), "mine\n").unwrap();
    let out = expect(&init(&["e"]), 0);
    assert!(out.contains("Add `.strowger/` to e/.gitignore"), "{out}");
    assert_eq!(read(folder.path(), "e/.gitignore"), "mine\n");
}

#[test]
fn a_group_is_chosen_even_if_it_is_called_all() {
    let folder = tempfile::tempdir().unwrap();
    let text = "snapshot: 1\naccount: { name: l }\nusers: { a@example.org: { name: a, extension: \"201\" } }\n\
                ring_groups:\n  all: { extension: \"300\", members: [user/201] }\n  \"a, b\": { extension: \"301\", members: [user/201] }\n  \
                other: { extension: \"302\", members: [user/201] }\n";
    fs::write(folder.path().join("live.yaml"), text).unwrap();
    for (groups, declared) in [
        ("ring_group/all", vec!["  all:"]),
        ("a, b", vec!["  \"a, b\":"]),
        ("all", vec!["  all:", "  \"a, b\":", "  other:"]),
    ] {
        let arguments = ["init", "phones", "--snapshot", "live.yaml", "--groups", groups, "--yes"];
        let out = expect(&strowger(folder.path(), &arguments), 0);
        assert!(out.contains(&format!("No changes. {} ", declared.len())), "{out}");
        let text = read(folder.path(), "phones/account.yaml");
        for group in ["  all:", "  \"a, b\":", "  other:"] {
            assert_eq!(text.contains(group), declared.contains(&group), "{groups}: {text}");
        }
        fs::remove_dir_all(folder.path().join("phones")).unwrap();
    }
}

#[test]
fn the_page_on_the_first_run_is_true() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/first-run.md")).unwrap();
    let sample = page.split("```console\n$ strowger init --yes\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = strowger(folder.path(), &["init", "--yes"]);
    assert_eq!(stderr(&output) + &expect(&output, 0), sample);
}
