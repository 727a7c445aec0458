//! The closing lines of a plan: counts and price.

use std::collections::BTreeSet;

use crate::model::Verb;
use crate::plan::{Guard, Plan, UnreadableObject};

use super::blocks::Held;
use super::fields;

/// `1 create, 2 updates, 1 delete; 9 in sync`, or that there is nothing to do.
pub(super) fn counts(plan: &Plan) -> String {
    let of = |verb| plan.changes.iter().filter(|change| change.verb == verb).count();
    let parts: Vec<String> = [(Verb::Create, "to create"), (Verb::Update, "to update"), (Verb::Delete, "to delete")]
        .into_iter()
        .map(|(verb, word)| (of(verb), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let skipped = if plan.is_whole() { String::new() } else { format!(", {} left out", plan.skipped.len()) };
    if parts.is_empty() {
        return format!("in sync: {} as the files ask{skipped}", counted(plan.in_sync, "object"));
    }
    format!("{}, {} in sync{skipped}", parts.join(", "), plan.in_sync)
}

/// `2 guards hold back 3 changes; nothing is applied`.
pub(super) fn blocked(plan: &Plan, held: &Held<'_>) -> String {
    let guards: BTreeSet<Guard> = plan.blocked.iter().map(|block| block.guard).collect();
    let verb = if guards.len() == 1 { "holds" } else { "hold" };
    let what = if held.count() == 0 { "the plan".to_owned() } else { counted(held.count(), "change") };
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

/// API calls, and the least time that they take.
pub(super) fn price(plan: &Plan) -> String {
    let price = plan.price;
    let writes = counted(usize::try_from(price.writes).unwrap_or(usize::MAX), "write");
    let claim = if plan.claim.is_some() { ", 1 claim of the account" } else { "" };
    let reads = counted(usize::try_from(price.reads).unwrap_or(usize::MAX), "read");
    let time = match price.least_milliseconds {
        Some(least) => format!(", at least {} under the account's rate limit", duration(least)),
        None if price.writes == 0 => String::new(),
        None => match price.longest_chain {
            0 | 1 => ", all independent; the account states no rate limit".to_owned(),
            chain => format!(", at most {chain} one after the other; the account states no rate limit"),
        },
    };
    format!("{writes}{claim}, {reads}{time}")
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
