//! Which differences are drift, and the desired state without some objects.
//!
//! Pure. A difference is drift if the files declare the same for the object as when the account was last in sync: then
//! the account has changed. An object that must stay as it is gets removed from the desired state, because absence means
//! "not managed"; pruning is switched off with it, so that the object is not deleted for being absent.

use std::collections::HashSet;

use crate::model::{
    Absent, Change, Declared, Desired, DesiredNumber, DesiredRingGroup, E164, FieldName, FieldValue, FieldValues, Kind,
    NameKey, Reference, Verb, WritableKind,
};
use crate::plan::Skipped;

/// Whether the files declared the same for this object when the account was last in sync.
pub(super) fn is_drift(change: &Change, now: &Desired, in_sync: &Desired) -> bool {
    match change.object.kind {
        WritableKind::Number => {
            let Some(at) = change.number() else { return false };
            values(number(now, at)) == values(number(in_sync, at))
        }
        WritableKind::RingGroup if change.verb == Verb::Delete => {
            let declared = |desired: &Desired| {
                let keys = keys(change);
                let absent = desired.absent.iter().any(|absent| keys.contains(&absent.reference.value.selector.key()));
                (absent, desired.policy.prune_ring_groups.is_some(), group(desired, &keys).is_some())
            };
            declared(now) == declared(in_sync)
        }
        WritableKind::RingGroup => {
            let keys = keys(change);
            values(group(now, &keys)) == values(group(in_sync, &keys))
        }
    }
}

/// The desired state without the objects of these changes.
pub(super) fn excluding(desired: &Desired, changes: &[&Change]) -> Desired {
    let numbers: HashSet<E164> = changes.iter().filter_map(|change| change.number()).collect();
    let groups: HashSet<NameKey> = changes
        .iter()
        .filter(|change| change.object.kind == WritableKind::RingGroup)
        .flat_map(|change| keys(change))
        .collect();
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
        let earlier = before.and_then(|before| number(before, declared.number));
        !numbers.contains(&declared.number) || values(earlier) == values(Some(Declared::Number(declared)))
    });
    if !groups.is_empty() {
        rest.ring_groups.retain(|declared| {
            let keys: HashSet<NameKey> = group_keys(declared).collect();
            let earlier = before.and_then(|before| group(before, &keys));
            keys.is_disjoint(&groups) || values(earlier) == values(Some(Declared::RingGroup(declared)))
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
    let same_number = |(one, other): (&DesiredNumber, &DesiredNumber)| {
        one.number == other.number && Declared::Number(one).values() == Declared::Number(other).values()
    };
    let same_group = |(one, other): (&DesiredRingGroup, &DesiredRingGroup)| {
        Declared::RingGroup(one).values() == Declared::RingGroup(other).values()
    };
    (one.numbers.len(), one.ring_groups.len()) == (other.numbers.len(), other.ring_groups.len())
        && one.numbers.iter().zip(&other.numbers).all(same_number)
        && one.ring_groups.iter().zip(&other.ring_groups).all(same_group)
        && one.absent.iter().map(|one| &one.reference.value).eq(other.absent.iter().map(|other| &other.reference.value))
}

/// The names of a change's group, before and after it.
fn keys(change: &Change) -> HashSet<NameKey> {
    let after = match change.after(FieldName::Name) {
        Some(FieldValue::Name(name)) => Some(name.key()),
        _ => None,
    };
    std::iter::once(NameKey::of(&change.object.name)).chain(after).collect()
}

fn values(declared: Option<Declared<'_>>) -> Option<FieldValues<&Reference>> {
    declared.map(Declared::values)
}

fn group<'a>(desired: &'a Desired, keys: &HashSet<NameKey>) -> Option<Declared<'a>> {
    let group = desired.ring_groups.iter().find(|declared| group_keys(declared).any(|key| keys.contains(&key)));
    group.map(Declared::RingGroup)
}

fn group_keys(declared: &DesiredRingGroup) -> impl Iterator<Item = NameKey> + '_ {
    std::iter::once(declared.name.value.key()).chain(declared.renamed_from.iter().map(|name| name.value.key()))
}

fn number(desired: &Desired, number: E164) -> Option<Declared<'_>> {
    let at = desired.numbers.binary_search_by(|declared| declared.number.cmp(&number)).ok()?;
    desired.numbers.get(at).map(Declared::Number)
}
