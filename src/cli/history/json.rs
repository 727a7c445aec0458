//! Runs, for programs.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::ledger::{ChangeOutcome, Found, Opened, Run, RunId};
use crate::model::Change;

/// The version of both documents.
const VERSION: u32 = 2;

/// All runs, the newest first, without their changes.
pub(super) fn list(runs: &[(&Found, Opened)], doubts: &BTreeMap<&RunId, String>) -> serde_json::Result<String> {
    let (mut readable, mut broken) = (Vec::new(), Vec::new());
    for (found, opened) in runs {
        match opened {
            Ok(run) => readable.push(head(run, &found.path, doubts)),
            Err(error) => broken.push(json!({ "run": found.run, "file": found.path, "error": error.to_string() })),
        }
    }
    text(&json!({ "version": VERSION, "runs": readable, "unreadable": broken }))
}

/// One run with its changes, as planned, and what became of each.
pub(super) fn run(run: &Run, path: &Path, doubts: &BTreeMap<&RunId, String>) -> serde_json::Result<String> {
    let mut head = head(run, path, doubts);
    let changes: Vec<Value> = run.changes().map(change).collect();
    if let Some(fields) = head.as_object_mut() {
        fields.insert("changes".to_owned(), Value::Array(changes));
    }
    text(&json!({ "version": VERSION, "run": head }))
}

fn head(run: &Run, path: &Path, doubts: &BTreeMap<&RunId, String>) -> Value {
    json!({
        "run": run.id,
        "at": run.at,
        "file": path,
        "torn": run.torn,
        "doubt": doubts.get(&run.id),
        "account": run.planned.account,
        "account_id": run.planned.account_id,
        "digest": run.planned.digest,
        "commit": run.planned.commit,
        "actor": run.planned.actor,
        "undoes": run.planned.undoes,
        "approval": run.approval,
        "claim": run.planned.claim,
        "strowger": run.planned.strowger,
        "ending": run.ending().as_str(),
        "counts": run.counts(),
        "summary": run.summary,
    })
}

fn change((change, outcome): (&Change, &ChangeOutcome)) -> Value {
    let (mut id, mut why, mut because, mut left) = (None, None, None, None);
    match outcome {
        ChangeOutcome::Applied { id: object, .. } => id = Some(object),
        ChangeOutcome::Failed { error: text, .. }
        | ChangeOutcome::Stale { what: text }
        | ChangeOutcome::Unknown { why: text } => why = Some(text),
        ChangeOutcome::PartlyDone { id: object, left: steps, why: text } => {
            (id, why, left) = (object.as_ref(), Some(text), Some(steps));
        }
        ChangeOutcome::Skipped { because: cause } => because = Some(cause),
        ChangeOutcome::NotAttempted => {}
    }
    let word = outcome.as_str();
    json!({ "change": change, "outcome": word, "id": id, "why": why, "because": because, "left": left })
}

fn text(value: &Value) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
