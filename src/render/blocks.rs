//! The wording of blocked changes, for every format.
//!
//! A guard's message may hold names from the account; whatever leaves this module stays on its line.

use std::collections::BTreeMap;

use crate::model::{Change, ChangeId, Place};
use crate::plan::{GuardViolation, Plan};

use super::fields;
use super::summary::counted;

/// The most changes that a block lists; every blocked change is also marked in the plan.
const LISTED: usize = 10;

/// The guards that hold back each change, such as `cap, protected`.
pub(super) struct BlockedChanges<'a> {
    guards: BTreeMap<ChangeId, String>,
    changes: BTreeMap<ChangeId, &'a Change>,
}

impl<'a> BlockedChanges<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let mut guards: BTreeMap<ChangeId, String> = BTreeMap::new();
        for block in &plan.blocked {
            let guard = block.guard.as_str();
            for id in &block.changes {
                let list = guards.entry(*id).or_default();
                if !list.split(", ").any(|known| known == guard) {
                    if !list.is_empty() {
                        list.push_str(", ");
                    }
                    list.push_str(guard);
                }
            }
        }
        let blocked = plan.changes.iter().filter(|change| guards.contains_key(&change.id));
        let changes = blocked.map(|change| (change.id, change)).collect();
        Self { guards, changes }
    }

    /// The guards that hold this change back, if any does.
    pub(super) fn by(&self, change: &Change) -> Option<&str> {
        self.guards.get(&change.id).map(String::as_str)
    }

    /// How many changes are blocked.
    pub(super) fn count(&self) -> usize {
        self.changes.len()
    }

    /// The changes that a block holds back, in its order.
    pub(super) fn changes(&self, block: &GuardViolation) -> impl Iterator<Item = &'a Change> {
        block.changes.iter().filter_map(|id| self.changes.get(id).copied())
    }

    /// The first changes of a block, each with its sign, and how many more there are.
    pub(super) fn list(&self, block: &GuardViolation) -> Vec<String> {
        let changes = self.changes(block).take(LISTED);
        let mut lines: Vec<String> =
            changes.map(|change| format!("{} {}", fields::sign(change.verb), fields::object(change))).collect();
        if block.changes.len() > LISTED {
            lines.push(format!("and {} more", counted(block.changes.len() - LISTED, "change")));
        }
        lines
    }
}

/// What a block says, and where its policy stands.
pub(super) fn title(block: &GuardViolation) -> (String, Option<String>) {
    (format!("{}: {}", block.guard.as_str(), fields::sanitized(&block.message)), block.place.as_ref().map(position))
}

/// The command line options that let exactly this plan through.
pub(super) fn release(plan: &Plan) -> String {
    let approve = plan.blocked.iter().any(|block| block.guard.is_approvable());
    let approve = approve.then(|| format!("--approve {}", fields::sanitized(&plan.digest.0)));
    let take_over = plan.is_refused().then(|| "--take-over".to_owned());
    approve.into_iter().chain(take_over).collect::<Vec<_>>().join(" ")
}

/// A place as `file:line:column`.
pub(super) fn position(place: &Place) -> String {
    format!("{}:{}:{}", fields::path(&place.file), place.line, place.column)
}
