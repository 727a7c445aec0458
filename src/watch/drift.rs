//! Which differences are drift, and what is planned if some of them are left alone.
//!
//! Pure. A difference is drift if the wish behind it was fulfilled before: the files have not changed in this
//! respect since the account was last in sync, so the account has. What is left alone is taken out of the wanted
//! state, since absence means "not managed"; nothing is pruned then that is only missing because of that.

use std::collections::HashSet;

use crate::model::{
    Absent, Change, Desired, DesiredNumber, DesiredRingGroup, E164, FieldName, FieldValue, Kind, NameKey, Verb,
};
use crate::plan::Skipped;

/// Whether the files wished the same of this object when they were last fulfilled.
pub(super) fn is_drift(change: &Change, now: &Desired, fulfilled: &Desired) -> bool {
    match change.object.kind {
        Kind::Number => {
            let Some(number) = change.number() else { return false };
            wish_of(now, number).map(number_wish) == wish_of(fulfilled, number).map(number_wish)
        }
        _ if change.verb == Verb::Delete => {
            let asked = |desired: &Desired| {
                let keys = keys(change);
                let absent = desired.absent.iter().any(|absent| keys.contains(&absent.reference.value.selector.key()));
                (absent, desired.policy.prune_ring_groups.is_some(), group(desired, &keys).is_some())
            };
            asked(now) == asked(fulfilled)
        }
        _ => {
            let keys = keys(change);
            group(now, &keys).map(group_wish) == group(fulfilled, &keys).map(group_wish)
        }
    }
}

/// The wanted state without the wishes behind these changes.
pub(super) fn excluding(desired: &Desired, held: &[&Change]) -> Desired {
    let numbers: HashSet<E164> = held.iter().filter_map(|change| change.number()).collect();
    let groups: HashSet<NameKey> =
        held.iter().filter(|change| change.object.kind == Kind::RingGroup).flat_map(|change| keys(change)).collect();
    let mut rest = desired.clone();
    rest.numbers.retain(|wish| !numbers.contains(&wish.number));
    if !groups.is_empty() {
        rest.ring_groups.retain(|wish| !group_keys(wish).any(|key| groups.contains(&key)));
        rest.absent.retain(|absent| !groups.contains(&absent.reference.value.selector.key()));
        rest.policy.prune_ring_groups = None;
    }
    rest
}

/// The wishes that count as fulfilled if a plan left these objects out: of those, the ones of `before`, where they
/// are the same, so that a wish that was fulfilled once stays so.
pub(super) fn fulfilled(now: &Desired, skipped: &[Skipped], before: Option<&Desired>) -> Desired {
    let numbers: HashSet<E164> = skipped.iter().filter_map(Skipped::number).collect();
    let groups = skipped.iter().filter(|one| one.kind == Kind::RingGroup);
    let groups: HashSet<NameKey> = groups.map(|one| NameKey::of(&one.name)).collect();
    let mut rest = now.clone();
    rest.numbers.retain(|wish| {
        let earlier = before.and_then(|before| wish_of(before, wish.number)).map(number_wish);
        !numbers.contains(&wish.number) || earlier == Some(number_wish(wish))
    });
    if !groups.is_empty() {
        rest.ring_groups.retain(|wish| {
            let keys: HashSet<NameKey> = group_keys(wish).collect();
            let earlier = before.and_then(|before| group(before, &keys)).map(group_wish);
            keys.is_disjoint(&groups) || earlier == Some(group_wish(wish))
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

/// Whether both states ask for the same, but for the objects of these changes.
pub(super) fn equal_except(one: &Desired, other: &Desired, held: &[&Change]) -> bool {
    let (one, other) = (excluding(one, held), excluding(other, held));
    let numbers = |desired: &Desired| desired.numbers.len();
    let groups = |desired: &Desired| desired.ring_groups.len();
    numbers(&one) == numbers(&other)
        && one
            .numbers
            .iter()
            .zip(&other.numbers)
            .all(|(one, other)| one.number == other.number && number_wish(one) == number_wish(other))
        && groups(&one) == groups(&other)
        && one.ring_groups.iter().zip(&other.ring_groups).all(|(one, other)| group_wish(one) == group_wish(other))
        && one
            .absent
            .iter()
            .map(|absent| &absent.reference.value)
            .eq(other.absent.iter().map(|absent| &absent.reference.value))
}

/// The names that a change's group has before or after it.
fn keys(change: &Change) -> HashSet<NameKey> {
    let after = match change.after(FieldName::Name) {
        Some(FieldValue::Name(name)) => Some(name.key()),
        _ => None,
    };
    std::iter::once(NameKey::of(&change.object.name)).chain(after).collect()
}

fn group<'a>(desired: &'a Desired, keys: &HashSet<NameKey>) -> Option<&'a DesiredRingGroup> {
    desired.ring_groups.iter().find(|wish| group_keys(wish).any(|key| keys.contains(&key)))
}

fn group_keys(wish: &DesiredRingGroup) -> impl Iterator<Item = NameKey> + '_ {
    std::iter::once(wish.name.value.key()).chain(wish.renamed_from.iter().map(|name| name.value.key()))
}

fn wish_of(desired: &Desired, number: E164) -> Option<&DesiredNumber> {
    let at = desired.numbers.binary_search_by(|wish| wish.number.cmp(&number)).ok()?;
    desired.numbers.get(at)
}

/// What is wished of a number, wherever it is written.
fn number_wish(wish: &DesiredNumber) -> impl PartialEq + '_ {
    (&wish.to.value, wish.label.as_ref().map(|label| &label.value))
}

/// What is wished of a group, wherever it is written. Its former name only tells how it was found.
fn group_wish(wish: &DesiredRingGroup) -> impl PartialEq + '_ {
    (
        &wish.name.value,
        wish.extension.as_ref().map(|extension| &extension.value),
        wish.ring.as_ref().map(|ring| &ring.value),
        wish.members.iter().map(|member| &member.value).collect::<Vec<_>>(),
        wish.ring_for.as_ref().map(|ring_for| &ring_for.value),
        wish.no_answer.as_ref().map(|no_answer| &no_answer.value),
    )
}
