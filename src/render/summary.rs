//! The closing lines of a plan: counts and API calls.

use std::collections::BTreeSet;

use crate::model::Verb;
use crate::plan::{Guard, Plan, UnreadableObject};

use super::blocks::BlockedChanges;
use super::fields;

/// `1 to create, 2 to update, 9 in sync`, or that nothing changes.
pub(super) fn counts(plan: &Plan) -> String {
    let parts = by_verb(|verb| plan.changes.iter().filter(|change| change.verb == verb).count());
    let skipped = if plan.is_whole() { String::new() } else { format!(", {} left out", plan.skipped.len()) };
    if parts.is_empty() {
        let verb = if plan.in_sync == 1 { "matches" } else { "match" };
        return format!("No changes. {} {verb}{skipped}.", counted(plan.in_sync, "object"));
    }
    format!("{}, {} in sync{skipped}", parts.join(", "), plan.in_sync)
}

/// `1 to create`, `2 to update`: how many changes there are of each verb, without what there is none of.
pub(super) fn by_verb(count: impl Fn(Verb) -> usize) -> Vec<String> {
    let verbs = [(Verb::Create, "to create"), (Verb::Update, "to update"), (Verb::Delete, "to delete")];
    let counts = verbs.map(|(verb, word)| (count(verb), word)).into_iter().filter(|(count, _)| *count > 0);
    counts.map(|(count, word)| format!("{count} {word}")).collect()
}

/// `2 guards hold back 3 changes; nothing is applied`.
pub(super) fn blocked(plan: &Plan, blocked: &BlockedChanges<'_>) -> String {
    let guards: BTreeSet<Guard> = plan.blocked.iter().map(|block| block.guard).collect();
    let verb = if guards.len() == 1 { "holds" } else { "hold" };
    let what = if blocked.count() == 0 { "the plan".to_owned() } else { counted(blocked.count(), "change") };
    let approvable = guards.iter().any(|guard| guard.is_approvable());
    let until = match (approvable, plan.is_refused()) {
        (_, false) => "the plan is approved",
        (true, true) => "the plan is approved and the account taken over",
        (false, true) => "the account is taken over",
    };
    format!("{} {verb} back {what}; nothing is applied until {until}", counted(guards.len(), "guard"))
}

/// What the files do not mention, or nothing.
pub(super) fn unmanaged(plan: &Plan) -> Option<String> {
    let unmanaged = plan.unmanaged;
    let mut parts = Vec::new();
    if unmanaged.numbers > 0 {
        parts.push(counted(unmanaged.numbers, "number"));
    }
    if unmanaged.ring_groups > 0 {
        parts.push(counted(unmanaged.ring_groups, "ring group"));
    }
    (!parts.is_empty()).then(|| format!("{} in the account, not in the files: left alone", parts.join(" and ")))
}

/// Lines on what no file can manage, and how many more there are.
pub(super) fn unreadable(plan: &Plan) -> Vec<String> {
    /// A view for people lists no more than this; the JSON has all of them.
    const LISTED: usize = 20;
    let line = |one: &UnreadableObject| {
        let object = format!("{}/{}", one.kind, fields::sanitized(&one.name));
        format!("{object} cannot be managed: {}", fields::sanitized(&one.reason))
    };
    let mut lines: Vec<String> = plan.unreadable.iter().take(LISTED).map(line).collect();
    if plan.unreadable.len() > LISTED {
        lines.push(format!("and {} more", counted(plan.unreadable.len() - LISTED, "object")));
    }
    lines
}

/// `18 writes (longest chain 2), 6 reads; no rate limit announced`: the API calls, and the least time that they take.
pub(super) fn api_calls(plan: &Plan) -> String {
    let estimate = plan.estimate;
    let writes = counted(usize::try_from(estimate.writes).unwrap_or(usize::MAX), "write");
    let claim = if plan.claim.is_some() { ", 1 claim of the account" } else { "" };
    let reads = counted(usize::try_from(estimate.reads).unwrap_or(usize::MAX), "read");
    let chain = match estimate.longest_chain {
        _ if estimate.writes == 0 || estimate.least_milliseconds.is_some() => String::new(),
        0 | 1 => " (independent)".to_owned(),
        chain => format!(" (longest chain {chain})"),
    };
    let limit = match estimate.least_milliseconds {
        Some(least) => format!("; at least {} under the announced rate limit", duration(least)),
        None if estimate.writes == 0 => String::new(),
        None => "; no rate limit announced".to_owned(),
    };
    format!("{writes}{chain}{claim}, {reads}{limit}")
}

/// `1 write`, `2 writes`.
pub(crate) fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..=999 => format!("{milliseconds} ms"),
        1_000..=119_999 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => format!("{} min", milliseconds.div_ceil(60_000)),
    }
}
