//! Scopes: what the files of an account own, by numbers and by names.

use crate::diag::first_few;
use crate::model::{Change, ChangeId, FieldName, FieldValue, NameKey, Span, WritableKind};

use super::{Guard, GuardContext, GuardViolation, NAMED, PolicySource};

/// For each policy a block of the numbers and one of the groups that it does not own. A change is listed once.
pub(super) fn evaluate(case: &GuardContext<'_>) -> Vec<GuardViolation> {
    let mut blocks = Vec::new();
    let mut numbers: Vec<&Change> = Vec::new();
    let mut groups: Vec<&Change> = Vec::new();
    for change in case.changes {
        match change.object.kind {
            WritableKind::Number => numbers.push(change),
            WritableKind::RingGroup => groups.push(change),
        }
    }
    for policy in &case.policies {
        let scope = &policy.guards.scope;
        if let Some((owned, span)) = &scope.numbers {
            let outside = take(&mut numbers, |change| change.number().is_some_and(|number| !owned.contains(number)));
            blocks.extend(block(case, *policy, *span, "scope.numbers", &outside));
        }
        if let Some((owned, span)) = &scope.ring_groups {
            let outside = take(&mut groups, |change| names(case, change).iter().any(|name| !owned.contains(name)));
            blocks.extend(block(case, *policy, *span, "scope.ring_groups", &outside));
        }
    }
    blocks
}

/// Takes out what is outside.
fn take<'c>(changes: &mut Vec<&'c Change>, outside: impl Fn(&Change) -> bool) -> Vec<&'c Change> {
    let (taken, left) = changes.drain(..).partition(|change| outside(change));
    *changes = left;
    taken
}

/// The name before the change and the one after it.
fn names(case: &GuardContext<'_>, change: &Change) -> Vec<NameKey> {
    let before = case.group(change).map(|live| live.name.key());
    let after = match change.after(FieldName::Name) {
        Some(FieldValue::Name(name)) => Some(name.key()),
        _ => None,
    };
    let mut names: Vec<NameKey> = before.into_iter().chain(after).collect();
    if names.is_empty() {
        names.push(NameKey::of(&change.object.name));
    }
    names
}

fn block(
    case: &GuardContext<'_>,
    policy: PolicySource<'_>,
    span: Span,
    list: &str,
    outside: &[&Change],
) -> Option<GuardViolation> {
    if outside.is_empty() {
        return None;
    }
    let mut named: Vec<&str> = outside.iter().map(|change| change.object.name.as_str()).collect();
    named.dedup();
    let message = format!("`{list}` does not own {}", first_few(&named, NAMED, ", "));
    let changes: Vec<ChangeId> = outside.iter().map(|change| change.id).collect();
    Some(GuardViolation { changes, ..case.block(Guard::Scope, policy, Some(span), message) })
}
