//! A freeze as a user meets it: closed windows and suspensions hold back everything that writes, until somebody approves
//! exactly the plan.
#![cfg(unix)]

use std::fs;
use std::path::Path;

use crate::support::commands::{Server, expect, ledgers, office, stderr, strowger};
use crate::support::git::git;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;
use strowger::model::Days;

/// A window that opens the day after tomorrow, whenever this runs.
fn closed() -> String {
    let day = TimeZone::UTC.to_datetime(Timestamp::now()).date() + 2.days();
    let day = Days::WORDS[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())];
    format!("{{ windows: [{{ days: [{day}], from: \"00:00\", to: \"24:00\", zone: UTC }}] }}")
}

fn policy(folder: &Path, policy: &str) {
    fs::write(folder.join("policy.yaml"), format!("version: 1\npolicy: {policy}\n")).unwrap();
}

fn plan(folder: &Path) -> Value {
    let report: Value =
        serde_json::from_str(&expect(&strowger(folder, &["plan", ".", "--format", "json"]), 0)).unwrap();
    report["plans"][0].clone()
}

fn guards(plan: &Value) -> Vec<&str> {
    plan["blocked"].as_array().into_iter().flatten().map(|block| block["guard"].as_str().unwrap()).collect()
}

fn digest(plan: &Value) -> String {
    plan["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_closed_window_holds_back_apply_saved_plans_and_rollback_and_every_format_says_when_the_next_opens() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let folder = folder.path();
    let before = server.state();
    policy(folder, &closed());
    let made = plan(folder);
    assert_eq!(guards(&made), ["window"]);
    let message = made["blocked"][0]["message"].as_str().unwrap();
    let opens = message.strip_prefix("no window for changes is open; the next opens at ").expect(message);
    assert!(opens.parse::<Timestamp>().unwrap() > Timestamp::now(), "{opens}");
    assert_eq!(made["blocked"][0]["changes"].as_array().unwrap().len(), made["changes"].as_array().unwrap().len());
    for format in ["human", "markdown", "github", "sarif", "runbook"] {
        let out = expect(&strowger(folder, &["plan", ".", "--format", format]), 0);
        assert!(out.contains(opens) || out.contains(&opens.replace(':', "%3A")), "{format}: {out}");
    }
    expect(&strowger(folder, &["plan", ".", "--detailed-exitcode", "--out", "../plan.json"]), 2);

    let refused = strowger(folder, &["apply", ".", "--auto-approve"]);
    expect(&refused, 4);
    assert!(stderr(&refused).contains(&format!("--approve {}", digest(&made))), "{}", stderr(&refused));
    expect(&strowger(folder, &["apply", "--plan", "../plan.json", "."]), 4);
    assert_eq!(server.state(), before);
    expect(&strowger(folder, &["apply", ".", "--auto-approve", "--approve", &digest(&made)]), 0);
    // In sync, there is nothing to hold back.
    expect(&strowger(folder, &["apply", ".", "--auto-approve"]), 0);

    let run = ledgers(folder).last().unwrap().id.to_string();
    expect(&strowger(folder, &["rollback", &run, "--auto-approve"]), 4);
    let undo: Value =
        serde_json::from_str(&expect(&strowger(folder, &["rollback", &run, "--plan-only", "--format", "json"]), 0))
            .unwrap();
    expect(&strowger(folder, &["rollback", &run, "--auto-approve", "--approve", &digest(&undo["plan"])]), 0);
    assert_eq!(server.state(), before);
}

#[test]
fn a_saved_plan_is_judged_by_the_time_at_which_it_is_applied() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let folder = folder.path();
    policy(folder, &closed());
    expect(&strowger(folder, &["plan", ".", "--out", "frozen.json"]), 0);
    policy(folder, "{}");
    expect(&strowger(folder, &["plan", ".", "--out", "free.json"]), 0);
    policy(folder, "{ suspend: { reason: porting } }");
    let refused = strowger(folder, &["apply", "--plan", "free.json", "."]);
    expect(&refused, 4);
    assert!(stderr(&refused).contains("suspended: suspended: porting"), "{}", stderr(&refused));
    policy(folder, "{ suspend: { until: \"2026-01-01T00:00:00Z\", reason: over } }");
    expect(&strowger(folder, &["apply", "--plan", "frozen.json", "."]), 0);
}

#[test]
fn a_change_that_lifts_a_freeze_waits_for_the_next_change_or_for_an_approval() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let folder = folder.path();
    let commit = |text: &str| {
        policy(folder, text);
        git(folder, &["add", "--all"]);
        git(folder, &["commit", "--quiet", "--allow-empty", "--message=change"]);
    };
    fs::write(folder.join(".gitignore"), ".strowger/\n").unwrap();
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    commit("{ suspend: { until: \"2999-01-01T00:00:00Z\", reason: porting } }");
    // Neither an edit nor the commit of it, nor a suspension that ends sooner.
    policy(folder, "{}");
    assert_eq!(guards(&plan(folder)), ["suspended"]);
    commit("{ suspend: { until: \"2026-01-01T00:00:00Z\", reason: over } }");
    let made = plan(folder);
    assert_eq!(guards(&made), ["suspended"]);
    let message = made["blocked"][0]["message"].as_str().unwrap();
    assert_eq!(message, "suspended until 2999-01-01T00:00:00Z: porting; so the policy at `HEAD^1` says");
    assert_eq!(made["blocked"][0]["place"], Value::Null);
    expect(&strowger(folder, &["apply", ".", "--auto-approve"]), 4);
    // A window that is widened is one as well.
    commit(&closed());
    commit("{}");
    assert_eq!(guards(&plan(folder)), ["window"]);
    commit("{}");
    assert_eq!(guards(&plan(folder)), Vec::<&str>::new());
    expect(&strowger(folder, &["apply", ".", "--auto-approve"]), 0);
}
