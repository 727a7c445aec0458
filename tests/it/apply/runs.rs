//! Runs that are stopped, killed, refused or starved: what their ledgers say is what the account has seen.
//! Real processes and real signals, against a server that is a process as well.
#![cfg(unix)]

use crate::support::commands;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::commands::{
    Apply, Server, Stuck, TOKEN, command, edit, expect, ledger_files, ledgers, objects, office, signal, stderr,
    strowger,
};
use serde_json::Value;
use strowger::ledger::{ChangeOutcome, Ending, Halt, Run};

const SLOW: [&str; 2] = ["--latency", "150"];

/// Everything that the ledger calls applied was written; everything that was written is applied or unknown.
fn is_true(run: &Run, server: &Server) {
    let written: BTreeSet<String> = server.audit().into_iter().collect();
    let certain = objects(run, ChangeOutcome::is_applied);
    assert!(certain.is_subset(&written), "{certain:?} against {written:?}");
    let possible = objects(run, |outcome| outcome.is_applied() || outcome.is_unknown());
    let silent: Vec<_> = written.difference(&possible).filter(|id| !id.starts_with("grp_")).collect();
    assert!(silent.is_empty(), "{silent:?} were written, and the ledger does not say so");
}

fn only(mut runs: Vec<Run>) -> Run {
    assert_eq!(runs.len(), 1);
    runs.remove(0)
}

#[test]
fn a_first_signal_finishes_what_is_under_way_and_the_summary_is_true() {
    for name in ["INT", "TERM"] {
        let server = Server::start("agency", &SLOW);
        let folder = office("agency", &server.url);
        let mut run = Apply::start(folder.path(), &["--concurrency", "2"]);
        assert!(run.follow("attempt", 3));
        run.signal(name);
        let (rest, status, said) = run.end();
        assert_eq!(status.code(), Some(6), "{said}");

        let summary = rest.last().unwrap();
        let (done, unknown) = (summary["applied"].as_u64().unwrap(), summary["unknown"].as_u64().unwrap());
        assert!(done >= 3 && unknown == 0 && summary["halt"] == "stopped" && summary["exit"] == 6, "{summary}");
        assert!(said.contains(&format!("Applied {done} of 18 changes")), "{said}");
        assert!(said.contains(&format!("{} not attempted", summary["not_attempted"])), "{said}");
        let ledger = only(ledgers(folder.path()));
        assert_eq!(ledger.ending(), Ending::Stopped);
        let written: BTreeSet<String> = server.audit().into_iter().collect();
        assert_eq!(objects(&ledger, ChangeOutcome::is_applied), written);
        assert_eq!(written.len() as u64, done);

        expect(&strowger(folder.path(), &["apply", ".", "--auto-approve"]), 0);
    }
}

#[test]
fn a_second_signal_ends_it_at_once_and_the_ledger_is_still_true() {
    // Answers take longer than the test waits for anything: only leaving them alone ends the run.
    let server = Server::start("agency", &["--latency", "0"]);
    let folder = office("agency", &server.url);
    let stuck = Stuck::in_front_of(&server.url, 3);
    edit(folder.path(), &server.url, &stuck.url);
    let mut run = Apply::start(folder.path(), &["--concurrency", "2"]);
    stuck.wait();
    assert!(run.follow("attempt", 1));
    run.signal("INT");
    let mut said = BufReader::new(run.process_stderr()).lines();
    let heard = said.find(|line| line.as_ref().unwrap().contains("a second signal stops immediately"));
    assert!(heard.is_some());
    run.signal("INT");
    let said: Vec<String> = said.map(Result::unwrap).collect();
    let (rest, status, _) = run.end();
    assert_eq!(status.code(), Some(6), "{said:?}");
    let summary = rest.last().unwrap();
    assert_eq!(summary["halt"], "stopped_at_once");
    assert!(summary["unknown"].as_u64().unwrap() >= 1, "{summary}");
    let ledger = only(ledgers(folder.path()));
    assert_eq!(ledger.summary.as_ref().unwrap().halt, Some(Halt::StoppedAtOnce));
    is_true(&ledger, &server);
}

#[test]
fn a_signal_while_the_account_is_read_ends_the_process_as_it_ends_any_other() {
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = office("wework", &format!("http://{}", silent.local_addr().unwrap()));
        // Whoever runs the tests in the background may have SIGINT ignored, and children inherit that.
        let plain = command(folder.path(), &["apply", ".", "--auto-approve"]);
        let mut command = Command::new("env");
        command.arg("--default-signal=INT,TERM").arg(plain.get_program()).args(plain.get_args());
        command.current_dir(folder.path()).env("STROWGER_TEST_TOKEN", TOKEN).stdin(Stdio::null());
        let mut process = command.spawn().unwrap();
        // It is reading now, and nobody answers.
        let _connection = silent.accept().unwrap();
        signal(process.id(), name);
        assert_eq!(process.wait().unwrap().signal(), Some(number));
        assert!(ledger_files(folder.path()).is_empty());
    }
}

#[test]
fn a_killed_run_leaves_a_true_ledger_and_no_lock() {
    let server = Server::start("agency", &SLOW);
    let folder = office("agency", &server.url);
    let mut run = Apply::start(folder.path(), &["--concurrency", "3"]);
    assert!(run.follow("applied", 3));
    run.signal("KILL");
    let (_, status, _) = run.end();
    assert_eq!(status.signal(), Some(9));
    let ledger = only(ledgers(folder.path()));
    assert_eq!((ledger.ending(), ledger.summary.as_ref()), (Ending::Interrupted, None));
    // A result may be heard of before it is written down; its attempt was written down before.
    assert!(ledger.counts().applied + ledger.counts().unknown >= 3);
    is_true(&ledger, &server);
    // What was under way may still arrive, and makes a plan from before stale.
    let codes: Vec<_> = (0..5)
        .map(|_| strowger(folder.path(), &["apply", ".", "--auto-approve"]).status.code())
        .take_while(|code| *code != Some(0))
        .collect();
    assert!(codes.len() < 5 && codes.iter().all(|code| matches!(code, Some(5 | 6))), "{codes:?}");
}

#[test]
fn two_applies_in_one_folder_exclude_each_other() {
    let server = Server::start("agency", &SLOW);
    let folder = office("agency", &server.url);
    let mut first = Apply::start(folder.path(), &[]);
    assert!(first.follow("started", 1));
    let second = strowger(folder.path(), &["apply", ".", "--auto-approve"]);
    expect(&second, 1);
    let said = stderr(&second);
    assert!(said.contains(&format!("process {}, since", first.id())) && said.contains("is locked"), "{said}");
    // Looking is always allowed.
    expect(&strowger(folder.path(), &["plan", "."]), 0);
    let (_, status, said) = first.end();
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(server.audit().len(), 18);
}

#[test]
fn two_applies_from_two_folders_write_each_object_once_and_lose_nothing() {
    let server = Server::start("agency", &["--latency", "40"]);
    let folders = [office("agency", &server.url), office("agency", &server.url)];
    let runs: Vec<Apply> = folders.iter().map(|folder| Apply::start(folder.path(), &["--concurrency", "2"])).collect();
    let ends: Vec<_> = runs.into_iter().map(Apply::end).collect();
    let codes: Vec<_> = ends.iter().map(|(_, status, _)| status.code().unwrap()).collect();
    // In sync, or it lost everything, or it won some objects and lost others.
    assert!(codes.iter().all(|code| [0, 5, 6].contains(code)), "{codes:?} {ends:?}");

    // What each left to the other, because both lost a part of what it needs, is left to the next.
    expect(&strowger(folders[0].path(), &["apply", ".", "--auto-approve"]), 0);
    let written = server.audit();
    let once: BTreeSet<_> = written.iter().cloned().collect();
    assert_eq!((once.len(), written.len()), (18, 18), "an object was written twice: {written:?}");
    let won: Vec<BTreeSet<String>> = folders
        .iter()
        .map(|folder| ledgers(folder.path()).iter().flat_map(|run| objects(run, ChangeOutcome::is_applied)).collect())
        .collect();
    let both: Vec<_> = won.iter().flatten().cloned().collect();
    assert_eq!(both.len(), 18, "both ledgers together are what was written: {won:?}");
    assert_eq!(both.into_iter().collect::<BTreeSet<_>>(), once);
    for folder in &folders {
        expect(&strowger(folder.path(), &["plan", ".", "--detailed-exitcode"]), 0);
    }
}

#[test]
fn the_accounts_of_a_fleet_share_a_stream_and_each_has_its_ledger() {
    let fleet = tempfile::tempdir().unwrap();
    commands::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet"), fleet.path());
    let out = expect(&strowger(fleet.path(), &["apply", ".", "--auto-approve", "--events", "-"]), 0);
    let mut runs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in out.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| event[field].as_str().unwrap().to_owned();
        runs.entry(text("run")).or_default().push(text("record"));
    }
    assert_eq!(runs.len(), 3);
    let mut kept = BTreeSet::new();
    for place in ["london", "new-york", "paris"] {
        let run = only(ledgers(&fleet.path().join(place)));
        assert_eq!(run.ending(), Ending::Complete);
        kept.insert(run.id.to_string());
    }
    for (run, records) in &runs {
        assert!(kept.contains(run));
        assert_eq!((records[0].as_str(), records[1].as_str()), ("planned", "started"));
        assert_eq!(records.last().unwrap(), "summary");
    }
    let table = expect(&strowger(fleet.path(), &["history"]), 0);
    assert_eq!(table.lines().count(), 4, "{table}");
    // A run of a fleet is found whatever account it was on.
    let run = kept.first().unwrap();
    expect(&strowger(fleet.path(), &["rollback", run, "--auto-approve"]), 0);
    expect(&strowger(fleet.path(), &["plan", ".", "--detailed-exitcode"]), 2);
}

#[test]
fn without_a_ledger_nothing_is_written() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    fs::create_dir(folder.path().join(".strowger")).unwrap();
    fs::write(folder.path().join(".strowger/ledger"), "not a folder").unwrap();
    let output = strowger(folder.path(), &["apply", ".", "--auto-approve"]);
    expect(&output, 1);
    assert!(stderr(&output).contains("cannot keep a ledger in"), "{}", stderr(&output));
    assert!(server.audit().is_empty());
}

#[test]
fn a_link_in_the_folder_of_ledgers_and_locks_is_followed_nowhere() {
    let server = Server::start("wework", &[]);
    let precious = tempfile::tempdir().unwrap();
    let file = precious.path().join("precious");
    fs::write(&file, "precious").unwrap();
    let (lock, own, ledger) = (".strowger/wework-republique.lock", ".strowger", ".strowger/ledger");
    for (name, target, words) in [
        (lock, file.as_path(), "wework-republique.lock: it is not a regular file; remove it"),
        (own, precious.path(), ".strowger is not a folder; remove it"),
        (ledger, precious.path(), ".strowger/ledger is not a folder; remove it"),
    ] {
        let folder = office("wework", &server.url);
        let link = folder.path().join(name);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, &link).unwrap();
        let output = strowger(folder.path(), &["apply", ".", "--auto-approve"]);
        expect(&output, 1);
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious", "{name}");
        assert_eq!(fs::read_dir(precious.path()).unwrap().count(), 1, "{name}");
        if name != lock {
            let output = strowger(folder.path(), &["history"]);
            expect(&output, 1);
            assert!(stderr(&output).contains(words), "{}", stderr(&output));
        }
    }
    assert!(server.audit().is_empty());
}

#[test]
fn a_ledger_that_fills_up_in_mid_run_ends_the_run_truthfully() {
    let server = Server::start("agency", &[]);
    let folder = office("agency", &server.url);
    // How long the first lines of this very run are, from a rehearsal on another server.
    let rehearsal = Server::start("agency", &[]);
    let same = office("agency", &rehearsal.url);
    expect(&strowger(same.path(), &["apply", ".", "--auto-approve"]), 0);
    let text = fs::read_to_string(&ledger_files(same.path())[0]).unwrap();
    let begun: usize = text.split_inclusive('\n').take(2).map(str::len).sum();
    // A shell counts in blocks of 512 bytes or of 1024, so let it tell what it means by one.
    let script = "trap '' XFSZ; ulimit -f 1; dd if=/dev/zero of=probe bs=256 count=8 2>/dev/null; \
                  wc -c < probe; rm probe";
    let block = Command::new("sh").args(["-c", script]).current_dir(folder.path()).output().unwrap();
    let block: usize = String::from_utf8(block.stdout).unwrap().trim().parse().unwrap();
    let limit = (begun + 300).div_ceil(block);
    let output = Command::new("sh")
        .args(["-c", &format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" apply . --auto-approve --concurrency 1")])
        .arg(env!("CARGO_BIN_EXE_strowger"))
        .current_dir(folder.path())
        .env("STROWGER_TEST_TOKEN", TOKEN)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let out = expect(&output, 6);
    assert!(out.contains("because the ledger could not be written"), "{out}");
    assert!(out.contains("not attempted"), "{out}");
    let ledger = only(ledgers(folder.path()));
    assert_eq!(ledger.ending(), Ending::Interrupted);
    assert!(ledger.counts().applied >= 1);
    is_true(&ledger, &server);
    assert!(server.audit().len() < 18);
}

#[test]
fn every_event_keeps_the_schema_and_no_secret() {
    let server = Server::start("agency", &["--fail-write", "3", "--late-error-rate", "0.2"]);
    let folder = office("agency", &server.url);
    let output = strowger(folder.path(), &["apply", ".", "--auto-approve", "--events", "events.jsonl"]);
    assert!(matches!(output.status.code(), Some(0 | 6)), "{}", stderr(&output));
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve", "--events", "events.jsonl"]), 0);
    let schema: Value = serde_json::from_str(&expect(&strowger(folder.path(), &["schema", "event"]), 0)).unwrap();
    let schema = jsonschema::options().offline().build(&schema).unwrap();
    let events = fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
    let mut kinds = BTreeSet::new();
    for line in events.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert!(schema.is_valid(&event), "{event}");
        kinds.insert(event["record"].as_str().unwrap().to_owned());
    }
    for kind in ["planned", "started", "attempt", "applied", "summary"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
    // The ledger has the same lines; only what happens at once may stand in another order.
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let mut ledger = String::new();
    for path in ledger_files(folder.path()).iter().rev() {
        ledger += &fs::read_to_string(path).unwrap();
    }
    let started: BTreeSet<String> = ledgers(folder.path()).iter().map(|run| run.id.to_string()).collect();
    let kept: Vec<String> = sorted(&events)
        .into_iter()
        .filter(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            started.contains(event["run"].as_str().unwrap())
        })
        .collect();
    assert_eq!(kept, sorted(&ledger));
    for text in [&events, &ledger] {
        assert!(!text.contains(TOKEN));
        assert!(text.contains("\"actor\":\"ada\""));
    }
}

#[test]
fn who_only_plans_or_declines_gets_events_too_but_no_ledger() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let output = strowger(folder.path(), &["apply", ".", "--events", "-"]);
    let out = expect(&output, 64);
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        events.iter().map(|event| event["record"].as_str().unwrap()).collect::<Vec<_>>(),
        ["planned", "summary"]
    );
    assert_eq!((&events[1]["exit"], &events[1]["not_attempted"]), (&64.into(), &5.into()));
    assert!(stderr(&output).contains("ring_group/ventes"), "people read stderr meanwhile");
    assert!(ledger_files(folder.path()).is_empty());
}

#[test]
fn a_reader_of_events_that_goes_away_does_not_end_the_run() {
    let server = Server::start("wework", &["--latency", "20"]);
    let folder = office("wework", &server.url);
    assert!(Command::new("mkfifo").arg(folder.path().join("fifo")).status().unwrap().success());
    let arguments = ["apply", ".", "--auto-approve", "--events", "fifo"];
    let run = command(folder.path(), &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(fs::File::open(folder.path().join("fifo")).unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.contains("\"record\":\"planned\""), "{line}");
    drop(reader);
    expect(&run.wait_with_output().unwrap(), 0);
    assert_eq!(server.audit().len(), 5);
}
