//! Runs, for people.

use std::fmt::Write as _;
use std::path::Path;

use crate::ledger::{ChangeOutcome, Claimed, Commit, Found, Halt, Opened, Passed, Planned, Run};
use crate::render::{counted, fields};
use crate::text::sanitized;

/// No text from a ledger is shown longer than this in a table, or in a sentence.
const CELL: usize = 32;
const SENTENCE: usize = 300;
/// The most overridden guards that are listed.
const MOST_GUARDS: usize = 20;

/// A table of runs, the newest first.
pub(super) fn list(runs: &[(&Found, Opened)]) -> String {
    let mut rows = vec![["RUN", "ACCOUNT", "BY", "COMMIT", "PLAN", "APPLIED", "ENDED"].map(str::to_owned)];
    rows.extend(runs.iter().filter_map(|(_, opened)| opened.as_ref().ok()).map(row));
    if rows.len() == 1 {
        let none = if runs.is_empty() { "No runs found here.\n" } else { "None of the runs found here can be read.\n" };
        return none.to_owned();
    }
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}

fn row(run: &Run) -> [String; 7] {
    let Planned { account, actor, commit: made_from, digest, undoes, .. } = &run.planned;
    let counts = run.counts();
    let mut ended = run.ending().as_str().to_owned();
    for (count, word) in [(counts.partly_done, "partly done"), (counts.unknown, "unknown")] {
        if count > 0 {
            let _ = write!(ended, ", {count} {word}");
        }
    }
    if let Some(undone) = undoes {
        let _ = write!(ended, ", undoes {undone}");
    }
    [
        run.id.to_string(),
        sanitized(account, CELL),
        actor.as_deref().map_or_else(|| "-".to_owned(), |actor| sanitized(actor, CELL)),
        made_from.as_ref().map_or_else(|| "-".to_owned(), |made_from| commit(made_from, "+")),
        sanitized(&digest.0, CELL).chars().take(8).collect(),
        format!("{} of {}", counts.applied, run.outcomes.len()),
        ended,
    ]
}

fn commit(Commit { id, dirty }: &Commit, mark: &str) -> String {
    let short: String = sanitized(id, CELL).chars().take(8).collect();
    if *dirty { short + mark } else { short }
}

/// One run with each of its changes.
pub(super) fn run(run: &Run, path: &Path) -> String {
    let Planned { strowger, account, actor, commit: made_from, digest, undoes, claim, .. } = &run.planned;
    let mut text = format!("Run {} of account {}\n\n", run.id, sanitized(account, SENTENCE));
    let mut say = |what: &str, value: String| {
        let _ = writeln!(text, "  {what:10}{value}");
    };
    say("at", sanitized(&run.at, CELL));
    if let Some(actor) = actor {
        say("by", sanitized(actor, SENTENCE));
    }
    if let Some(made_from) = made_from {
        say("commit", commit(made_from, " with uncommitted changes"));
    }
    say("plan", sanitized(&digest.0, 80));
    if let Some(approval) = &run.approval {
        say("approved", format!("by {}", sanitized(&approval.by.to_string(), SENTENCE)));
        for Passed { guard, message } in approval.guards.iter().take(MOST_GUARDS) {
            say("past", format!("{}: {}", guard.as_str(), sanitized(message, SENTENCE)));
        }
        if approval.guards.len() > MOST_GUARDS {
            say("", format!("and {} more", approval.guards.len() - MOST_GUARDS));
        }
    }
    if let Some(Claimed { owner, took_over_from }) = claim {
        say("owner", sanitized(owner, SENTENCE));
        for other in took_over_from {
            say("took over", format!("from {}", sanitized(other, SENTENCE)));
        }
    }
    if let Some(undone) = undoes {
        say("undoes", undone.to_string());
    }
    say("with", format!("strowger {}", sanitized(strowger, CELL)));
    say("ledger", sanitized(&path.to_string_lossy(), SENTENCE));
    text.push('\n');
    for (change, outcome) in run.changes() {
        let because = match outcome {
            ChangeOutcome::Applied { .. } | ChangeOutcome::NotAttempted => String::new(),
            ChangeOutcome::Failed { error: why, .. }
            | ChangeOutcome::Stale { what: why }
            | ChangeOutcome::Unknown { why } => format!(": {}", sanitized(why, SENTENCE)),
            ChangeOutcome::PartlyDone { left, why, .. } => {
                format!(": {}; left to do: {}", sanitized(why, SENTENCE), sanitized(&left.join(", "), SENTENCE))
            }
            ChangeOutcome::Skipped { because } => format!(", because of change {}", because.0),
        };
        let sign = fields::sign(change.verb);
        let what = outcome.as_str().replace('_', " ");
        let _ = writeln!(text, "  {:>4}  {what:13}  {sign} {}{because}", change.id.0, fields::object(change));
    }
    text + "\n" + &ending(run)
}

fn ending(run: &Run) -> String {
    let mut text = format!("{} of {} applied", run.counts().applied, counted(run.outcomes.len(), "change"));
    match run.summary.as_ref() {
        None => text.push_str("; the process ended without a summary"),
        Some(summary) => {
            match &summary.halt {
                None => {}
                Some(Halt::Stopped) => text.push_str("; a signal stopped it"),
                Some(Halt::StoppedAtOnce) => text.push_str("; a second signal stopped it immediately"),
                Some(Halt::Unrecorded(why)) => {
                    let _ = write!(text, "; the ledger could not be written: {}", sanitized(why, SENTENCE));
                }
                Some(Halt::Unreachable(why)) => {
                    let _ = write!(text, "; the account was unreachable: {}", sanitized(why, SENTENCE));
                }
                Some(Halt::Owned(why) | Halt::Unclaimed(why)) => {
                    let _ = write!(text, "; the account was not claimed: {}", sanitized(why, SENTENCE));
                }
            }
            text.push_str(match summary.in_sync {
                Some(true) => "; verified",
                Some(false) => "; verification failed",
                None => "",
            });
            let _ = write!(text, "; exit code {}", summary.exit);
        }
    }
    if run.torn {
        text.push_str(". The ledger's last line is incomplete and was ignored");
    }
    text + ".\n"
}
