//! The outcome of a plan, for people.

use std::fmt::Write as _;
use std::path::Path;

use anstyle::{AnsiColor, Style as Paint};

use crate::apply::Outcome;
use crate::ledger::{ChangeOutcome, Halt};
use crate::model::Change;
use crate::plan::Plan;
use crate::render::diagnostics::Style;
use crate::render::{counted, fields, names};
use crate::text;

/// A line for each change that was not applied, and a line with the counts.
pub(super) fn human(plan: &Plan, outcome: &Outcome, style: Style) -> String {
    let mut text = String::new();
    for (change, (_, became)) in plan.changes.iter().zip(&outcome.changes) {
        if let Some((paint, line)) = line(plan, change, became) {
            let _ = writeln!(text, "  {}", style.paint(paint, &line));
        }
    }
    text + &count(outcome) + "\n" + &halted(outcome)
}

/// The previous owner, if the account was taken over.
pub(super) fn taken_over(plan: &Plan, outcome: &Outcome) -> Option<String> {
    let claim = plan.claim.as_ref().filter(|claim| !claim.take_over.is_empty() && outcome.counts().touched())?;
    let others: Vec<&str> = claim.take_over.iter().map(|other| &*other.owner).collect();
    Some(format!("{} took the account over from {}.", claim.owner, names(&others)))
}

/// What to do about changes whose outcome is unknown, if there are any.
pub(super) fn hint(outcome: &Outcome, root: &Path) -> Option<String> {
    let path = text::sanitized(&root.to_string_lossy(), 300);
    let counts = outcome.counts();
    match counts.unknown {
        0 if counts.partly_done > 0 => Some(format!(
            "Run `strowger apply {path}` again to finish what is partly done, or `strowger rollback` to take it back."
        )),
        0 => None,
        1 => Some(format!("Run `strowger plan {path}` to see whether the unknown change was made.")),
        _ => Some(format!("Run `strowger plan {path}` to see which of the unknown changes were made.")),
    }
}

/// Why the run ended early.
fn halted(outcome: &Outcome) -> String {
    match &outcome.halt {
        None => String::new(),
        Some(Halt::Stopped) => "Stopped by a signal after the changes in progress were finished.\n".to_owned(),
        Some(Halt::StoppedAtOnce) => "Stopped immediately; changes in progress have an unknown outcome.\n".to_owned(),
        Some(Halt::Unrecorded(why)) => {
            format!("Stopped because the ledger could not be written: {}.\n", text::sanitized(why, 300))
        }
        Some(Halt::Owned(why) | Halt::Unclaimed(why)) => {
            format!("Nothing was applied because the account could not be claimed: {}.\n", text::sanitized(why, 500))
        }
        Some(Halt::Unreachable(why)) => format!(
            "Stopped because several changes in a row failed for the same reason: {}. The remaining changes were not attempted.\n",
            text::sanitized(why, 300)
        ),
    }
}

fn line(plan: &Plan, change: &Change, outcome: &ChangeOutcome) -> Option<(Paint, String)> {
    let object = fields::object(change);
    let red = AnsiColor::Red.on_default();
    let yellow = AnsiColor::Yellow.on_default();
    Some(match outcome {
        // Those that were not attempted are counted: there may be thousands, and nothing happened to them.
        ChangeOutcome::Applied { .. } | ChangeOutcome::NotAttempted => return None,
        ChangeOutcome::Failed { error, .. } => (red, format!("failed   {object}: {error}")),
        ChangeOutcome::PartlyDone { left, why, .. } => {
            (red, format!("partly   {object}: {why}; left to do: {}", text::sanitized(&left.join(", "), 300)))
        }
        ChangeOutcome::Stale { what } => (red, format!("stale    {object}: {what}; nothing was overwritten")),
        ChangeOutcome::Unknown { why } => (red, format!("unknown  {object}: it may have been applied: {why}")),
        ChangeOutcome::Skipped { because } => {
            let cause = plan.changes.iter().find(|change| change.id == *because).map(fields::object);
            (yellow, format!("skipped  {object}, because of {}", cause.unwrap_or_default()))
        }
    })
}

/// What became of a change, on one line of the log.
pub(super) fn word(outcome: &ChangeOutcome) -> String {
    let word = match outcome {
        ChangeOutcome::Applied { requests, .. } => {
            let requests = usize::try_from(*requests).unwrap_or(usize::MAX);
            format!("applied with {}", counted(requests, "request"))
        }
        ChangeOutcome::Failed { error, .. } => format!("failed: {error}"),
        ChangeOutcome::Stale { what } => format!("stale: {what}"),
        ChangeOutcome::PartlyDone { left, why, .. } => format!("partly done: {why}; left to do: {}", left.join(", ")),
        ChangeOutcome::Unknown { why } => format!("unknown: {why}"),
        ChangeOutcome::Skipped { .. } => "skipped, because of another change".to_owned(),
        ChangeOutcome::NotAttempted => "not attempted".to_owned(),
    };
    text::sanitized(&word, 300)
}

fn count(outcome: &Outcome) -> String {
    let counts = outcome.counts();
    let requests = usize::try_from(outcome.requests()).unwrap_or(usize::MAX);
    let with = if counts.applied > 0 { format!(" with {}", counted(requests, "request")) } else { String::new() };
    let mut parts = vec![format!("{} of {}{with}", counts.applied, counted(outcome.changes.len(), "change"))];
    let others = counts.others().into_iter().filter(|(count, _)| *count > 0);
    parts.extend(others.map(|(count, word)| format!("{count} {word}")));
    format!("Applied {}.", parts.join(", "))
}
