//! Which differences are drift, and the desired state without some objects.
//!
//! Pure. A difference is drift if the files declare the same for the object as when the account was last in sync: then
//! the account has changed. An object that must stay as it is gets removed from the desired state, because absence means
//! "not managed"; pruning is switched off with it, so that the object is not deleted for being absent.

use std::collections::HashSet;

use crate::model::{
    Absent, Change, Desired, DesiredNumber, DesiredRingGroup, E164, FieldName, FieldValue, Kind, NameKey, Verb,
};
use crate::plan::Skipped;

/// Whether the files declared the same for this object when the account was last in sync.
pub(super) fn is_drift(change: &Change, now: &Desired, in_sync: &Desired) -> bool {
    match change.object.kind {
        Kind::Number => {
            let Some(number) = change.number() else { return false };
            number_of(now, number).map(number_fields) == number_of(in_sync, number).map(number_fields)
        }
        _ if change.verb == Verb::Delete => {
            let declared = |desired: &Desired| {
                let keys = keys(change);
                let absent = desired.absent.iter().any(|absent| keys.contains(&absent.reference.value.selector.key()));
                (absent, desired.policy.prune_ring_groups.is_some(), group(desired, &keys).is_some())
            };
            declared(now) == declared(in_sync)
        }
        _ => {
            let keys = keys(change);
            group(now, &keys).map(group_fields) == group(in_sync, &keys).map(group_fields)
        }
    }
}

/// The desired state without the objects of these changes.
pub(super) fn excluding(desired: &Desired, changes: &[&Change]) -> Desired {
    let numbers: HashSet<E164> = changes.iter().filter_map(|change| change.number()).collect();
    let groups: HashSet<NameKey> =
        changes.iter().filter(|change| change.object.kind == Kind::RingGroup).flat_map(|change| keys(change)).collect();
    let mut rest = desired.clone();
    rest.numbers.retain(|declared| !numbers.contains(&declared.number));
    if !groups.is_empty() {
        rest.ring_groups.retain(|declared| !group_keys(declared).any(|key| groups.contains(&key)));
        rest.absent.retain(|absent| !groups.contains(&absent.reference.value.selector.key()));
        rest.policy.prune_ring_groups = None;
    }
    rest
}

/// The part of the desired state that an account is in sync with if its plan left these objects out. A skipped object
/// stays in it if it was in it before and has not changed.
pub(super) fn in_sync_part(now: &Desired, skipped: &[Skipped], before: Option<&Desired>) -> Desired {
    let numbers: HashSet<E164> = skipped.iter().filter_map(Skipped::number).collect();
    let groups = skipped.iter().filter(|one| one.kind == Kind::RingGroup);
    let groups: HashSet<NameKey> = groups.map(|one| NameKey::of(&one.name)).collect();
    let mut rest = now.clone();
    rest.numbers.retain(|declared| {
        let earlier = before.and_then(|before| number_of(before, declared.number)).map(number_fields);
        !numbers.contains(&declared.number) || earlier == Some(number_fields(declared))
    });
    if !groups.is_empty() {
        rest.ring_groups.retain(|declared| {
            let keys: HashSet<NameKey> = group_keys(declared).collect();
            let earlier = before.and_then(|before| group(before, &keys)).map(group_fields);
            keys.is_disjoint(&groups) || earlier == Some(group_fields(declared))
        });
        let was = |key: &NameKey| before.is_some_and(|before| before.absent.iter().any(|one| absent_key(one) == *key));
        rest.absent.retain(|absent| !groups.contains(&absent_key(absent)) || was(&absent_key(absent)));
        rest.policy.prune_ring_groups =
            rest.policy.prune_ring_groups.filter(|_| before.is_some_and(|one| one.policy.prune_ring_groups.is_some()));
    }
    rest
}

fn absent_key(absent: &Absent) -> NameKey {
    absent.reference.value.selector.key()
}

/// Whether both states declare the same, except the objects of these changes.
pub(super) fn equal_except(one: &Desired, other: &Desired, changes: &[&Change]) -> bool {
    let (one, other) = (excluding(one, changes), excluding(other, changes));
    let numbers = |desired: &Desired| desired.numbers.len();
    let groups = |desired: &Desired| desired.ring_groups.len();
    numbers(&one) == numbers(&other)
        && one
            .numbers
            .iter()
            .zip(&other.numbers)
            .all(|(one, other)| one.number == other.number && number_fields(one) == number_fields(other))
        && groups(&one) == groups(&other)
        && one.ring_groups.iter().zip(&other.ring_groups).all(|(one, other)| group_fields(one) == group_fields(other))
        && one
            .absent
            .iter()
            .map(|absent| &absent.reference.value)
            .eq(other.absent.iter().map(|absent| &absent.reference.value))
}

/// The names of a change's group, before and after it.
fn keys(change: &Change) -> HashSet<NameKey> {
    let after = match change.after(FieldName::Name) {
        Some(FieldValue::Name(name)) => Some(name.key()),
        _ => None,
    };
    std::iter::once(NameKey::of(&change.object.name)).chain(after).collect()
}

fn group<'a>(desired: &'a Desired, keys: &HashSet<NameKey>) -> Option<&'a DesiredRingGroup> {
    desired.ring_groups.iter().find(|declared| group_keys(declared).any(|key| keys.contains(&key)))
}

fn group_keys(declared: &DesiredRingGroup) -> impl Iterator<Item = NameKey> + '_ {
    std::iter::once(declared.name.value.key()).chain(declared.renamed_from.iter().map(|name| name.value.key()))
}

fn number_of(desired: &Desired, number: E164) -> Option<&DesiredNumber> {
    let at = desired.numbers.binary_search_by(|declared| declared.number.cmp(&number)).ok()?;
    desired.numbers.get(at)
}

/// The declared fields, without their places in the files.
fn number_fields(declared: &DesiredNumber) -> impl PartialEq + '_ {
    (&declared.to.value, declared.label.as_ref().map(|label| &label.value))
}

/// The declared fields, without their places in the files. `renamed_from` only identifies the group.
fn group_fields(declared: &DesiredRingGroup) -> impl PartialEq + '_ {
    (
        &declared.name.value,
        declared.extension.as_ref().map(|extension| &extension.value),
        declared.ring.as_ref().map(|ring| &ring.value),
        declared.members.iter().map(|member| &member.value).collect::<Vec<_>>(),
        declared.ring_for.as_ref().map(|ring_for| &ring_for.value),
        declared.no_answer.as_ref().map(|no_answer| &no_answer.value),
    )
}
