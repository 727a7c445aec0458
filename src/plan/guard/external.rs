//! Outside numbers as new destinations: refused until every policy lists them.

use crate::diag::first_few;
use crate::model::{Change, ChangeId, FieldValue, Kind, ObjectId};

use super::{Guard, GuardContext, GuardViolation, NAMED, PolicySource};

/// A block for each policy of the changes that send calls to an outside number that it does not list. A change is listed
/// once.
pub(super) fn evaluate(case: &GuardContext<'_>) -> Vec<GuardViolation> {
    let mut open: Vec<(ChangeId, &ObjectId)> = case.changes.iter().flat_map(destinations).collect();
    let mut blocks = Vec::new();
    for policy in &case.policies {
        let mut refused = Vec::new();
        open.retain(|(change, number)| match policy.guards.external.check(&number.0) {
            Ok(()) => true,
            Err(why) => {
                refused.push((*change, why.to_string()));
                false
            }
        });
        blocks.extend(block(case, *policy, &refused));
    }
    blocks
}

/// The outside numbers that a change makes something lead to.
fn destinations(change: &Change) -> impl Iterator<Item = (ChangeId, &ObjectId)> {
    change.fields.iter().filter_map(|field| match &field.after {
        FieldValue::Reference(to) if to.kind == Kind::External => Some((change.id, to.id.as_ref()?)),
        _ => None,
    })
}

fn block(case: &GuardContext<'_>, policy: PolicySource<'_>, refused: &[(ChangeId, String)]) -> Option<GuardViolation> {
    let mut reasons: Vec<&str> = refused.iter().map(|(_, why)| why.as_str()).collect();
    reasons.dedup();
    let message = format!("`policy.external` does not list the outside number: {}", first_few(&reasons, NAMED, "; "));
    let mut changes: Vec<ChangeId> = refused.iter().map(|(change, _)| *change).collect();
    changes.dedup();
    (!changes.is_empty()).then(|| GuardViolation { changes, ..case.block(Guard::External, policy, None, message) })
}
