//! What becomes of a plan that was saved when its time has come.

use std::collections::BTreeMap;

use crate::model::{
    Change, Desired, Directory, FieldName, FieldValue, Found, Kind, Live, NameKey, ObjectId, ObjectLabel, PlannedRef,
    RingMode, Verb,
};

use super::stale::{Moved, moved, refreshed};
use super::{Plan, guard, now};

/// Makes a saved plan ready to be applied to an account, or says what moved since it was made.
///
/// The guards judge once more, by the policy of the files as they are now: whoever forges a plan without its
/// blocks gains nothing.
pub fn ready(plan: Plan, desired: &Desired, live: &Live) -> Result<Plan, Vec<Moved>> {
    let moved = moved(&plan, live);
    if !moved.is_empty() {
        return Err(moved);
    }
    let mut plan = refreshed(plan, live);
    for block in guard::judge(&plan.changes, desired, live) {
        if !plan.blocked.contains(&block) {
            plan.blocked.push(block);
        }
    }
    Ok(plan)
}

/// The objects that do not show what a plan wrote; nothing if it is there.
pub fn unmet(plan: &Plan, live: &Live) -> Vec<ObjectLabel> {
    let account = Account::new(live);
    let mut objects: BTreeMap<(Option<&ObjectId>, &str), Vec<&Change>> = BTreeMap::new();
    for change in &plan.changes {
        // An object that has an id is called by it; one that the plan makes, by its name.
        let name = change.object.id.as_ref().map_or(change.object.name.as_str(), |_| "");
        objects.entry((change.object.id.as_ref(), name)).or_default().push(change);
    }
    let objects = objects.into_values().filter_map(|changes| Some((*changes.first()?, changes)));
    objects.filter(|(_, changes)| !account.shows(changes)).map(|(first, _)| first.object.clone()).collect()
}

struct Account<'a> {
    directory: Directory<'a>,
    numbers: BTreeMap<&'a ObjectId, usize>,
    groups: BTreeMap<&'a ObjectId, usize>,
}

impl<'a> Account<'a> {
    fn new(live: &'a Live) -> Self {
        Self {
            directory: Directory::new(live),
            numbers: live.numbers.iter().map(|number| &number.id).zip(0..).collect(),
            groups: live.ring_groups.iter().map(|group| &group.id).zip(0..).collect(),
        }
    }

    /// Whether an object is what the last of the changes to each of its fields made of it.
    fn shows(&self, changes: &[&Change]) -> bool {
        let Some((first, last)) = changes.first().zip(changes.last()) else { return true };
        let mut fields: BTreeMap<FieldName, &FieldValue> = BTreeMap::new();
        for change in changes {
            fields.extend(change.fields.iter().map(|field| (field.field, &field.after)));
        }
        if last.verb == Verb::Delete {
            return first.object.id.as_ref().is_none_or(|id| !self.groups.contains_key(id));
        }
        let live = self.directory.live();
        if first.object.kind == Kind::Number {
            let index = first.object.id.as_ref().and_then(|id| self.numbers.get(id).copied());
            let Some(number) = index.and_then(|index| live.numbers.get(index)) else { return false };
            return fields
                .iter()
                .all(|(field, after)| equal(after, &now::number(&self.directory, number, *field), true));
        }
        let index = match &first.object.id {
            Some(id) => self.groups.get(id).copied(),
            None => self.made(&first.object.name),
        };
        let Some(group) = index.and_then(|index| live.ring_groups.get(index)) else { return false };
        let ordered = group.ring == RingMode::Sequential;
        fields.iter().all(|(field, after)| equal(after, &now::group(&self.directory, group, *field), ordered))
    }

    fn made(&self, name: &str) -> Option<usize> {
        match self.directory.named(Kind::RingGroup, &NameKey::of(name)) {
            Found::One(handle) => usize::try_from(handle.index).ok(),
            Found::Several(_) | Found::None => None,
        }
    }
}

/// Whether a value is what was wanted. Who was made by the plan has no id in it, and is known by the name.
fn equal(wanted: &FieldValue, now: &FieldValue, ordered: bool) -> bool {
    match (wanted, now) {
        (FieldValue::ChosenByAccount, now) => *now != FieldValue::None,
        (FieldValue::Reference(wanted), FieldValue::Reference(now)) => same(wanted, now),
        (FieldValue::References(wanted), FieldValue::References(now)) if ordered => {
            wanted.len() == now.len() && wanted.iter().zip(now).all(|(wanted, now)| same(wanted, now))
        }
        (FieldValue::References(wanted), FieldValue::References(now)) => {
            wanted.len() == now.len() && wanted.iter().all(|wanted| now.iter().any(|now| same(wanted, now)))
        }
        _ => wanted == now,
    }
}

fn same(wanted: &PlannedRef, now: &PlannedRef) -> bool {
    let named = || NameKey::of(&wanted.name) == NameKey::of(&now.name);
    wanted.kind == now.kind && if wanted.id.is_some() { wanted.id == now.id } else { named() }
}
