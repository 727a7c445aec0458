//! Making a saved plan ready to be applied.

use std::collections::{BTreeMap, HashMap};

use crate::model::{
    Change, ChangeId, Desired, Directory, FieldName, FieldValue, Found, Kind, LiveAccount, LiveObject, NameKey,
    ObjectId, ObjectLabel, Verb, WritableKind,
};

use super::stale::{Account, StaleChange};
use super::{Plan, guard};

/// Makes a saved plan ready to be applied to an account, or says what differs since it was made.
///
/// Its changes get the versions that the objects have now, because a vendor may count versions for fields that are not
/// modelled. The guards judge the changes again, by the policy of the files as they are now, so removing the blocks from
/// a plan file has no effect.
pub fn revalidate(mut plan: Plan, desired: &Desired, live: &LiveAccount) -> Result<Plan, Vec<StaleChange>> {
    let account = Account::new(&plan, live);
    let moved = account.moved();
    if !moved.is_empty() {
        return Err(moved);
    }
    let versions = account.versions();
    for (change, (revision, document)) in plan.changes.iter_mut().zip(versions) {
        change.document = document;
        if change.object.id.is_some() {
            change.revision = revision;
        }
    }
    for block in guard::evaluate(&plan.changes, desired, live) {
        if !plan.blocked.contains(&block) {
            plan.blocked.push(block);
        }
    }
    Ok(plan)
}

/// The objects that do not show what a plan wrote; nothing if it is there.
pub fn unapplied_objects(plan: &Plan, live: &LiveAccount) -> Vec<ObjectLabel> {
    let account = Shown::new(plan, live);
    let mut objects: BTreeMap<(WritableKind, Option<&ObjectId>, &str), Vec<&Change>> = BTreeMap::new();
    for change in &plan.changes {
        // An object that has an id is called by it; one that the plan makes, by its name.
        let name = change.object.id.as_ref().map_or(change.object.name.as_str(), |_| "");
        objects.entry((change.object.kind, change.object.id.as_ref(), name)).or_default().push(change);
    }
    let objects = objects.into_values().filter_map(|changes| Some((*changes.first()?, changes)));
    objects.filter(|(_, changes)| !account.shows(changes)).map(|(first, _)| first.object.clone()).collect()
}

/// An account in which the groups that a plan made are found by their names.
struct Shown<'a> {
    directory: Directory<'a>,
    made: HashMap<ChangeId, ObjectId>,
}

impl<'a> Shown<'a> {
    fn new(plan: &'a Plan, live: &'a LiveAccount) -> Self {
        let mut shown = Self { directory: Directory::new(live), made: HashMap::new() };
        let creations = plan.changes.iter().filter(|change| change.verb == Verb::Create);
        shown.made = creations.filter_map(|change| Some((change.id, shown.group(&change.object.name)?))).collect();
        shown
    }

    fn group(&self, name: &str) -> Option<ObjectId> {
        match self.directory.named(Kind::RingGroup, &NameKey::of(name)) {
            Found::One(handle) => self.directory.target_id(handle),
            Found::Several(_) | Found::None => None,
        }
    }

    /// Whether an object is what the last of the changes to each of its fields made of it.
    fn shows(&self, changes: &[&Change]) -> bool {
        let Some((first, last)) = changes.first().zip(changes.last()) else { return true };
        let id = first.object.id.clone().or_else(|| self.group(&first.object.name));
        let live = id.and_then(|id| self.directory.object(first.object.kind, &id));
        if last.verb == Verb::Delete {
            return live.is_none();
        }
        let mut fields: BTreeMap<FieldName, &FieldValue> = BTreeMap::new();
        for change in changes {
            fields.extend(change.fields.iter().map(|field| (field.field, &field.after)));
        }
        let shows =
            |live: LiveObject<'_>| fields.iter().all(|(field, after)| live.has(*field, &after.with_ids(&self.made)));
        live.is_some_and(shows)
    }
}
