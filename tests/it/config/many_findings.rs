//! However many mistakes files have, what is said of them stays small, and no flood hides an error.
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::commands::{expect, stderr, strowger};
use serde_json::Value;
use tempfile::TempDir;

const MOST: usize = 1_000;
const HEAD: &str = "version: 1\naccount: { name: a, provider: sandbox, country: FR }\n";

fn folder(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("account.yaml"), text).unwrap();
    folder
}

fn bad_numbers(count: usize) -> String {
    let mut text = format!("{HEAD}numbers:\n");
    for number in 0..count {
        writeln!(text, "  \"x{number}\": {{ to: none }}").unwrap();
    }
    text
}

/// Groups that callers wait long for, which is a warning, and one mistake at the end.
fn warnings_and_an_error(count: usize) -> String {
    let mut text = format!("{HEAD}ring_groups:\n");
    for group in 0..count {
        writeln!(text, "  g{group}: {{ ring: sequential, ring_for: 60s, members: [user/201, user/202, user/203] }}")
            .unwrap();
    }
    text + "numbers:\n  \"+33142685300\": { to: nowhere }\n"
}

fn validate(folder: &Path, format: &str) -> String {
    expect(&strowger(folder, &["validate", "account.yaml", "--format", format]), 3)
}

#[test]
fn every_format_stops_after_a_thousand_findings_and_says_how_many_there_are() {
    let count = 5_000;
    let folder = folder(&bad_numbers(count));
    let human = validate(folder.path(), "human");
    let lines: Vec<&str> = human.lines().collect();
    assert_eq!(lines.iter().filter(|line| line.contains("error[")).count(), MOST);
    assert_eq!(lines[lines.len() - 2..], ["and 4000 more findings, not shown", "5000 errors in 1 file"]);
    let json: Vec<Value> = serde_json::from_str(&validate(folder.path(), "json")).unwrap();
    let more: u64 = json.iter().filter_map(|finding| finding["more"].as_u64()).sum();
    assert_eq!((json.len(), more), (MOST, (count - MOST) as u64));
    let sarif: Value = serde_json::from_str(&validate(folder.path(), "sarif")).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), MOST);
    let note = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(note, "and 4000 more findings, not shown");
    let github = validate(folder.path(), "github");
    assert_eq!(github.lines().filter(|line| line.starts_with("::error")).count(), 10);
    assert!(github.ends_with("Not annotated, because GitHub shows 10 of a kind: 4990 errors\n"), "{github}");
    let output = strowger(folder.path(), &["plan", "account.yaml", "--format", "markdown"]);
    expect(&output, 3);
    assert!(stderr(&output).contains("and 4000 more findings, not shown\n5000 errors in 1 file\n"));
}

#[test]
fn a_flood_of_warnings_does_not_hide_an_error() {
    let folder = folder(&warnings_and_an_error(3_000));
    for format in ["human", "json", "sarif", "github"] {
        let said = validate(folder.path(), format);
        assert!(said.contains("nowhere"), "{format}");
    }
    let human = validate(folder.path(), "human");
    assert!(human.lines().next().unwrap().contains("error["), "the error comes first");
    assert!(human.contains("1 error, 3000 warnings in 1 file"), "{}", &human[human.len() - 200..]);
}

#[test]
fn a_rule_that_is_switched_off_leaves_no_count() {
    let text = warnings_and_an_error(3_000)
        .replace("  \"+33142685300\": { to: nowhere }\n", "  \"+33142685300\": { to: none }\n");
    let folder = folder(&(text + "policy: { rules: { long-wait: off } }\n"));
    let output = strowger(folder.path(), &["validate", "account.yaml"]);
    assert_eq!(expect(&output, 0), "1 account valid\n");
}

#[test]
fn findings_that_the_account_causes_are_bounded_as_well() {
    let mut text = format!("{HEAD}numbers:\n");
    for number in 0..5_000 {
        writeln!(text, "  \"+3314270{number:04}\": {{ to: user/201 }}").unwrap();
    }
    let folder = folder(&text);
    let output = strowger(folder.path(), &["plan", "account.yaml", "--format", "json"]);
    let plan: Value = serde_json::from_str(&expect(&output, 3)).unwrap();
    let findings = plan["diagnostics"].as_array().unwrap();
    let more: u64 = findings.iter().filter_map(|finding| finding["more"].as_u64()).sum();
    assert!(findings.len() <= MOST && findings.len() as u64 + more >= 5_000, "{} and {more}", findings.len());
}

/// The most memory that a validation needs, in bytes.
fn memory(folder: &Path, format: &str) -> u64 {
    let mut process = Command::new(env!("CARGO_BIN_EXE_strowger"))
        .args(["validate", "account.yaml", "--format", format])
        .current_dir(folder)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", process.id());
    // The pipe is full before the process ends: its peak is known by then.
    let mut first = [0];
    std::io::Read::read_exact(process.stdout.as_mut().unwrap(), &mut first).unwrap();
    let text = fs::read_to_string(status).unwrap();
    let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().trim_end_matches(" kB");
    let peak: u64 = peak.parse().unwrap();
    drop(process.stdout.take());
    assert_eq!(process.wait().unwrap().code(), Some(3));
    peak * 1024
}

#[test]
fn memory_is_bounded_by_the_file_and_not_by_its_mistakes() {
    let text = bad_numbers(100_000);
    let folder = folder(&text);
    for format in ["human", "sarif"] {
        let peak = memory(folder.path(), format);
        assert!(peak < 60_000_000 + 60 * text.len() as u64, "{format}: {peak} for {}", text.len());
    }
}

#[test]
fn what_the_account_shows_of_200_000_bad_references_is_bounded_where_it_is_found() {
    use std::fmt::Write as _;
    use strowger::diag::Severities;
    use strowger::model::{AccountInfo, LiveAccount, LiveNumber, LiveUser, ObjectId};
    use strowger::plan::{Part, plan_part};
    let count = 200_000;
    let folder = tempfile::tempdir().unwrap();
    let mut text = "version: 1\naccount: { name: a, provider: sandbox }\nnumbers:\n".to_owned();
    for at in 0..count {
        writeln!(text, "  \"+33140{at:06}\": {{ to: user/gone@example.org }}").unwrap();
    }
    text += "  \"+33141000000\": { to: user/200 }\n";
    fs::write(folder.path().join("a.yaml"), text).unwrap();
    let loaded = strowger::config::load(&[folder.path().to_owned()]);
    let [account] = loaded.accounts.as_slice() else { panic!("{:?}", loaded.diagnostics) };
    let number = |number: &strowger::model::DesiredNumber| LiveNumber {
        id: ObjectId(number.number.to_string().into()),
        number: number.number,
        to: None,
        label: "".into(),
        emergency_callback: false,
        revision: None,
        document: None,
    };
    let user = LiveUser {
        id: "u".into(),
        name: "U".into(),
        email: None,
        extension: "200".parse().ok(),
        voicemail: None,
        always_forwarded: false,
    };
    let live = LiveAccount {
        account: AccountInfo { id: "x".into(), name: "X".into(), default_number: None, owners: None },
        numbers: account.desired.numbers.iter().map(number).collect(),
        users: vec![user],
        ..LiveAccount::default()
    };
    let (_, findings) = strowger::diff::diff(&account.desired, &live);
    assert_eq!((findings.len(), findings.len() + strowger::diag::more(&findings)), (MOST, count));
    // Each declaration that is only counted is left out all the same, and no other.
    let part = Part { skip_invalid: true, ..Part::default() };
    let (plan, findings) = plan_part(&account.desired, &live, &Severities::default(), 1, &part);
    assert_eq!(findings.len(), MOST);
    let plan = plan.unwrap();
    assert_eq!((plan.changes.len(), plan.skipped.len()), (1, count));
    let reason = &plan.skipped.last().unwrap().reason;
    assert_eq!(reason, "it breaks `unknown-reference`, like 199000 other findings that are not listed");
}
