//! Runs, for programs.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::ledger::{Fate, Run, RunId};
use crate::ledger::{Found, Opened};
use crate::model::Change;

/// The version of both documents.
const VERSION: u32 = 1;

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
    let count = |wanted: fn(&Fate) -> bool| run.count(wanted);
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
        "counts": {
            "applied": count(|fate| matches!(fate, Fate::Applied { .. })),
            "failed": count(|fate| matches!(fate, Fate::Failed(_))),
            "stale": count(|fate| matches!(fate, Fate::Stale(_))),
            "unknown": count(|fate| matches!(fate, Fate::Unknown(_))),
            "skipped": count(|fate| matches!(fate, Fate::Skipped(_))),
            "not_attempted": count(|fate| matches!(fate, Fate::NotAttempted)),
        },
        "summary": run.summary,
    })
}

fn change((change, fate): (&Change, &Fate)) -> Value {
    let (mut id, mut why, mut because) = (None, None, None);
    match fate {
        Fate::Applied { id: object } => id = Some(object),
        Fate::Failed(text) | Fate::Stale(text) | Fate::Unknown(text) => why = Some(text),
        Fate::Skipped(cause) => because = Some(cause),
        Fate::NotAttempted => {}
    }
    json!({ "change": change, "fate": fate.as_str(), "id": id, "why": why, "because": because })
}

fn text(value: &Value) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
