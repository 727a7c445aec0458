//! What earlier runs left: saved plans and ledgers.

use std::time::Duration;

use strowger::diag::Sources;
use strowger::ledger::{Line, Reader, Run};
use strowger::plan::{self, Digest};
use strowger::render::{
    json::{self, Report},
    stale,
};

use super::harness::{Target, Verdict, fuzz};
use super::room::{Room, shown};

static PLANS: Target = Target {
    name: "plan",
    words: &[
        "create",
        "update",
        "delete",
        "number",
        "ring_group",
        "user",
        "voicemail",
        "device",
        "other",
        "to",
        "label",
        "name",
        "extension",
        "ring",
        "members",
        "ring_for",
        "no_answer",
        "none",
        "text",
        "reference",
        "references",
        "chosen_by_account",
        "declared",
        "null",
        "ring_group/ventes",
        "user/amelie@example.org",
        "+33142685309",
    ],
    slack: Duration::ZERO,
};

/// What a forger does who knows how digests are made: the changes are numbered and sealed anew.
fn forged(input: &[u8]) -> Option<String> {
    let mut report: Report = serde_json::from_slice(input).ok()?;
    for plan in &mut report.plans {
        plan.digest = Digest::of(&plan.account_id, &plan.changes);
    }
    Some(json::text(&report))
}

#[test]
fn plan() {
    let room = Room::new();
    fuzz(&PLANS, move |input| {
        let text = String::from_utf8_lossy(input);
        let forged = forged(input);
        let mut verdict = Verdict::Refused;
        for text in [Some(&*text), forged.as_deref()].into_iter().flatten() {
            let report = match Report::read(text) {
                Ok(report) => report,
                Err(error) => {
                    is_one_line(&error.to_string());
                    continue;
                }
            };
            verdict = Verdict::Taken;
            let again = Report::read(&json::text(&report)).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(json::text(&again), json::text(&report));
            shown(&report.plans, &[], &Sources::default());
            for plan in report.plans {
                let _ = plan::unapplied_objects(&plan, &room.live);
                let before = plan.clone();
                match plan::revalidate(plan, &room.desired, &room.live) {
                    Ok(ready) => assert_eq!(ready.changes.len(), before.changes.len()),
                    Err(list) => {
                        assert!(list.iter().all(|moved| !moved.how.is_empty()));
                        assert!(!stale::human(&list).chars().any(|odd| odd.is_control() && odd != '\n'));
                    }
                }
            }
        }
        verdict
    });
}

static LEDGERS: Target = Target {
    name: "ledger",
    words: &[
        "planned",
        "started",
        "attempt",
        "applied",
        "failed",
        "stale",
        "unknown",
        "skipped",
        "summary",
        "record",
        "version",
        "change",
        "run",
        "changes",
        "{\"version\":1,",
        "{\"version\":2}\n",
        "\n",
        "\n\n",
        "requests",
    ],
    slack: Duration::ZERO,
};

fn run(bytes: &[u8]) -> Result<Run, String> {
    let mut reader = Reader::default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        reader.line(line).map_err(|error| error.to_string())?;
    }
    reader.finish().map_err(|error| error.to_string())
}

#[test]
fn ledger() {
    fuzz(&LEDGERS, |input| match run(input) {
        Ok(run) => {
            assert_eq!(run.outcomes.len(), run.planned.changes.len());
            let _ = run.ending();
            let written: String =
                input.split_inclusive(|byte| *byte == b'\n').filter_map(Line::parse).map(|line| line.text()).collect();
            let again = self::run(written.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{written}"));
            assert_eq!(Run { torn: run.torn, ..again }, run);
            Verdict::Taken
        }
        Err(error) => {
            is_one_line(&error);
            Verdict::Refused
        }
    });
}

/// An error that a terminal can show, and somebody can read.
pub fn is_one_line(error: &str) {
    assert!(error.len() < 2_000 && !error.is_empty(), "{error}");
    assert!(!error.chars().any(char::is_control), "{error:?}");
}
