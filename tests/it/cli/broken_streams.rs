//! Exit codes stay true whatever becomes of stdout and stderr: readers that leave early, full disks, closed streams.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::commands::{Server, command, copy, expect, ledger_files, ledgers, office, stderr, strowger};
use tempfile::TempDir;

/// A folder with an account that has changes pending, one with an error, a saved plan and a run.
fn workplace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["pending", "applied"] {
        let account = folder.path().join(name);
        fs::create_dir(&account).unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/wework"), &account);
    }
    let bad = "version: 1\naccount: { name: bad, provider: sandbox }\nnumbers:\n  x1: { to: none }\n";
    fs::write(folder.path().join("bad.yaml"), bad).unwrap();
    expect(&strowger(folder.path(), &["apply", "applied", "--auto-approve"]), 0);
    expect(&strowger(folder.path(), &["plan", "pending", "--out", "plan.json"]), 0);
    folder
}

/// A pipe that nobody reads.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// The same command started by a shell that does something first.
fn after(shell: &str, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{shell}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_strowger")]).args(arguments);
    command.current_dir(folder).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

/// Commands whose product is what they print, each with its exit code.
const PRINTING: &[(i32, &[&str])] = &[
    (0, &["--help"]),
    (0, &["--version"]),
    (0, &["plan", "--help"]),
    (0, &["help", "apply"]),
    (0, &["schema"]),
    (0, &["schema", "account-api"]),
    (0, &["completions", "bash"]),
    (0, &["man"]),
    (0, &["validate", "pending"]),
    (3, &["validate", "bad.yaml"]),
    (3, &["validate", "bad.yaml", "--format", "json"]),
    (3, &["validate", "bad.yaml", "--format", "github"]),
    (3, &["validate", "bad.yaml", "--format", "sarif"]),
    (0, &["plan", "pending"]),
    (3, &["plan", "bad.yaml", "--format", "json"]),
    (2, &["plan", "pending", "--detailed-exitcode"]),
    (2, &["plan", "pending", "--detailed-exitcode", "--format", "json"]),
    (2, &["plan", "pending", "--detailed-exitcode", "--format", "markdown"]),
    (2, &["plan", "pending", "--detailed-exitcode", "--format", "github"]),
    (2, &["plan", "pending", "--detailed-exitcode", "--format", "sarif"]),
    (2, &["plan", "pending", "--detailed-exitcode", "--format", "runbook"]),
    (3, &["plan", "missing.yaml"]),
    (0, &["show", "plan.json"]),
    (1, &["show", "bad.yaml"]),
    (0, &["history", "applied"]),
    (0, &["history", "applied", "--format", "json"]),
    (1, &["history", "applied", "--run", "20200101T000000000Z-00000000"]),
    (0, &["export", "applied"]),
    (0, &["export", "applied", "--as-snapshot"]),
];

/// Others, which may be run over and over.
const OTHERS: &[(i32, &[&str])] = &[
    (64, &["plan"]),
    (64, &["no-such-command"]),
    (0, &["apply", "applied", "--auto-approve"]),
    (3, &["apply", "bad.yaml", "--auto-approve"]),
    (64, &["apply", "pending"]),
    (5, &["apply", "pending", "--auto-approve", "--expect", "none"]),
    (3, &["rollback", "20200101T000000000Z-00000000", "bad.yaml"]),
    (64, &["sandbox", "--listen", "0.0.0.0:1"]),
    (3, &["watch", "bad.yaml"]),
    (64, &["init", "applied", "--provider", "office"]),
];

fn code(command: &mut Command) -> Option<i32> {
    command.status().unwrap().code()
}

#[test]
fn a_reader_that_leaves_early_changes_no_exit_code() {
    let folder = workplace();
    let here = folder.path();
    for (wanted, arguments) in PRINTING.iter().chain(OTHERS) {
        expect(&strowger(here, arguments), *wanted);
        let wanted = Some(*wanted);
        let quiet = |command: &mut Command| code(command.stdout(Stdio::null()).stderr(Stdio::null()));
        let broken = |command: &mut Command| code(command.stdout(unread()).stderr(Stdio::null()));
        assert_eq!(broken(&mut command(here, arguments)), wanted, "no reader: {arguments:?}");
        assert_eq!(broken(&mut after("trap '' PIPE", here, arguments)), wanted, "SIGPIPE ignored: {arguments:?}");
        assert_eq!(quiet(&mut after("exec >&-", here, arguments)), wanted, "stdout closed: {arguments:?}");
        assert_eq!(quiet(&mut after("exec >&- 2>&-", here, arguments)), wanted, "both closed: {arguments:?}");
        let verbose = [&["-vv"], *arguments].concat();
        for stderr in [unread, full] {
            let ended = code(command(here, &verbose).stdout(Stdio::null()).stderr(stderr()));
            assert_eq!(ended, wanted, "stderr broken: {verbose:?}");
        }
    }
    assert!(ledger_files(&here.join("pending")).is_empty(), "something was applied");
}

#[test]
fn output_that_cannot_be_written_is_a_failure_of_a_command_that_prints() {
    let folder = workplace();
    for (wanted, arguments) in PRINTING.iter().chain(OTHERS) {
        let expected = match wanted {
            0 | 2 if PRINTING.iter().any(|(_, printing)| printing == arguments) => 1,
            code => *code,
        };
        let output = command(folder.path(), arguments).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {}", stderr(&output));
        if matches!(wanted, 0 | 2) {
            let said = "strowger: cannot write to standard output: No space left on device\n";
            assert!(stderr(&output).ends_with(said), "{arguments:?}: {}", stderr(&output));
        }
    }
}

#[test]
fn nothing_is_applied_whose_plan_nobody_could_read() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let here = folder.path();
    let before = server.state();
    expect(&strowger(here, &["plan", ".", "--out", "plan.json"]), 0);
    for arguments in [&["apply", ".", "--auto-approve"][..], &["apply", "--plan", "plan.json"]] {
        let output = command(here, arguments).stdout(unread()).output().unwrap();
        let said = "strowger: nothing was applied: standard output was closed before the plan was read\n";
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(1), said), "{arguments:?}");
        let output = command(here, arguments).stdout(full()).output().unwrap();
        let said = "strowger: nothing was applied: the plan could not be written to standard output: \
             No space left on device\n";
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).starts_with(said), "{}", stderr(&output));
    }
    assert_eq!((ledger_files(here).len(), server.state()), (0, before.clone()));
    // A stdout that goes nowhere on purpose is read as far as it should be.
    let mut quiet = command(here, &["apply", ".", "--auto-approve"]);
    assert_eq!(code(quiet.stdout(Stdio::null())), Some(0));
    let run = ledgers(here)[0].id.to_string();
    let after = server.state();
    let output = command(here, &["rollback", &run, ".", "--auto-approve"]).stdout(unread()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!((ledger_files(here).len(), server.state()), (1, after));
    let output = command(here, &["rollback", &run, ".", "--plan-only"]).stdout(unread()).output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let output = command(here, &["rollback", &run, ".", "--plan-only"]).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
}

#[test]
fn an_apply_that_began_goes_on_after_its_reader_left() {
    let server = Server::start("wework", &["--latency", "200"]);
    let folder = office("wework", &server.url);
    let mut apply = command(folder.path(), &["apply", ".", "--auto-approve", "--concurrency", "1"]);
    let mut process = apply.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut plan = BufReader::new(process.stdout.take().unwrap());
    // The reader leaves once the first write is on record.
    let mut line = String::new();
    while !line.starts_with("Digest:") {
        line.clear();
        assert!(plan.read_line(&mut line).unwrap() > 0, "no plan");
    }
    while ledger_files(folder.path()).is_empty() {
        std::thread::yield_now();
    }
    drop(plan);
    let mut said = String::new();
    process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0), "{said}");
    expect(&strowger(folder.path(), &["plan", ".", "--detailed-exitcode"]), 0);
}

#[test]
fn init_keeps_its_files_when_nobody_reads_on() {
    for stdout in [unread, full] {
        let folder = tempfile::tempdir().unwrap();
        let mut init = command(folder.path(), &["init", "phones", "--provider", "sandbox", "--yes"]);
        assert_eq!(code(init.stdout(stdout()).stderr(Stdio::null())), Some(0));
        assert!(folder.path().join("phones/account.yaml").exists());
    }
}

#[test]
fn a_repeated_validation_ends_with_its_reader() {
    let folder = workplace();
    let mut process =
        command(folder.path(), &["validate", "bad.yaml", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("bad.yaml"), "{first}");
    while process.try_wait().unwrap().is_none() {
        edit_bad(folder.path());
    }
    assert_eq!(process.wait().unwrap().code(), Some(3));
}

/// Another wrong text each time.
fn edit_bad(folder: &Path) {
    let path = folder.join("bad.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}  x{}: {{ to: none }}\n", text.len())).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
}

#[test]
fn a_guard_comes_before_a_plan_that_nobody_reads() {
    let folder = workplace();
    let policy = "version: 1\npolicy: { protect: [\"+33142685301\", \"+33142685302\"] }\n";
    fs::write(folder.path().join("pending/policy.yaml"), policy).unwrap();
    let apply = ["apply", "pending", "--auto-approve"];
    expect(&strowger(folder.path(), &apply), 4);
    assert_eq!(code(command(folder.path(), &apply).stdout(unread()).stderr(Stdio::null())), Some(4));
    assert_eq!(code(command(folder.path(), &apply).stdout(full()).stderr(Stdio::null())), Some(4));
}
