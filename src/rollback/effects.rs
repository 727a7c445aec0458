//! What the run really did: applied changes, and those whose outcome is unknown, after a look at the account.

use std::collections::{HashMap, HashSet};

use crate::ledger::{ChangeOutcome, Run};
use crate::model::{
    Change, ChangeId, FieldChange, FieldName, FieldValue, Found, Kind, LiveAccount, LiveObject, LiveRingGroup, NameKey,
    ObjectId, ObjectRef, PlannedRef, Verb, WritableKind,
};

use super::Conflict;
use super::live_index::CurrentAccount;
use super::net_effect::{NetEffect, conflict, has};

/// A run's work on the account, and the account as it is now.
pub(super) struct Effects<'r, 'l> {
    pub(super) world: CurrentAccount<'l>,
    /// What was done, in the order of the plan; what was made and deleted again is not in it.
    pub(super) nets: Vec<NetEffect<'r>>,
    /// The objects for which that is unknown.
    pub(super) conflicts: Vec<Conflict>,
    /// Groups that the run deleted and that were created again since: the old id, then the new one.
    pub(super) recreated: HashMap<ObjectId, ObjectId>,
}

impl<'r, 'l> Effects<'r, 'l> {
    pub(super) fn new(run: &'r Run, live: &'l LiveAccount) -> Self {
        let mut past = Self {
            world: CurrentAccount::new(live),
            nets: Vec::new(),
            conflicts: Vec::new(),
            recreated: HashMap::new(),
        };
        let mut made: HashMap<ChangeId, ObjectId> = HashMap::new();
        let mut makers: HashMap<&str, ObjectId> = HashMap::new();
        let mut positions: HashMap<(WritableKind, ObjectId), usize> = HashMap::new();
        for (change, outcome) in run.changes() {
            // A second write to a group that the run made has no id in the plan; it is found by its name.
            let known = change.object.id.clone().or_else(|| makers.get(&*change.object.name).cloned());
            let id = match past.done(change, outcome, known, &made) {
                Some(Ok(id)) => id,
                Some(Err(conflict)) => {
                    past.conflicts.push(conflict);
                    continue;
                }
                None => continue,
            };
            let certain = outcome.is_applied() || change.verb != Verb::Update;
            let unwritten = outcome.unwritten(change);
            // A group that was deleted in part is still there, perhaps with fewer fields.
            let reduced = !outcome.is_applied()
                && change.verb == Verb::Delete
                && past.world.object(change.object.kind, &id).is_some();
            if change.verb == Verb::Create {
                made.insert(change.id, id.clone());
                makers.insert(&change.object.name, id.clone());
            }
            let position = *positions.entry((change.object.kind, id.clone())).or_insert_with(|| {
                past.nets.push(NetEffect::new(change, id));
                past.nets.len() - 1
            });
            if let Some(net) = past.nets.get_mut(position) {
                if reduced {
                    net.add_reduction(change, &made);
                } else if net.verb == Verb::Create && change.verb == Verb::Delete {
                    // Made and deleted again: as before. No plan does that, but a ledger is only a file.
                    net.fields.clear();
                    net.verb = Verb::Update;
                } else {
                    net.add(change, &unwritten, &made, certain);
                }
            }
        }
        past.recreated = past.find_recreated();
        past
    }

    /// The object that a change has written, or may have; a conflict if that is unknown.
    ///
    /// Whether an update whose outcome is unknown was carried out is seen later, field by field.
    fn done(
        &self,
        change: &Change,
        outcome: &ChangeOutcome,
        known: Option<ObjectId>,
        made: &HashMap<ChangeId, ObjectId>,
    ) -> Option<Result<ObjectId, Conflict>> {
        match (outcome, change.verb) {
            (ChangeOutcome::Applied { id, .. } | ChangeOutcome::PartlyDone { id: Some(id), .. }, _) => {
                Some(Ok(id.clone()))
            }
            (ChangeOutcome::PartlyDone { .. } | ChangeOutcome::Unknown { .. }, Verb::Create) => {
                self.made(change, &outcome.unwritten(change), made)
            }
            (ChangeOutcome::Unknown { .. } | ChangeOutcome::PartlyDone { .. }, Verb::Update) => known.map(Ok),
            (ChangeOutcome::Unknown { .. } | ChangeOutcome::PartlyDone { .. }, Verb::Delete) => {
                let may_be_reduced = change.steps.len() > 1;
                known.filter(|id| may_be_reduced || self.world.object(change.object.kind, id).is_none()).map(Ok)
            }
            _ => None,
        }
    }

    /// The group that a creation of unknown outcome created, if it did; a conflict if that is unknown.
    fn made(
        &self,
        change: &Change,
        unwritten: &[FieldName],
        made: &HashMap<ChangeId, ObjectId>,
    ) -> Option<Result<ObjectId, Conflict>> {
        let found = self.world.directory.named(Kind::RingGroup, &NameKey::of(&change.object.name));
        let group = match found {
            Found::None => return None,
            Found::One(handle) => self.world.group(handle),
            Found::Several(_) => None,
        };
        let as_planned = |group: &&LiveRingGroup| {
            let made_it =
                |field: &FieldChange| has(LiveObject::RingGroup(group), field.field, &field.after.with_ids(made));
            change.fields.iter().filter(|field| !unwritten.contains(&field.field)).all(made_it)
        };
        Some(group.filter(as_planned).map(|group| group.id.clone()).ok_or_else(|| {
            let why = "the run may have made it, and what has its name now is not what the run would have made";
            conflict(change.id, &change.object, None, why)
        }))
    }

    /// Live groups that have the name and every field of one that the run deleted. They are found together, because one
    /// may refer to another.
    fn find_recreated(&self) -> HashMap<ObjectId, ObjectId> {
        let written: HashSet<&ObjectId> = self.nets.iter().map(|net| &net.id).collect();
        let deleted = || self.nets.iter().filter(|net| net.verb == Verb::Delete);
        let successor =
            |net: &NetEffect<'_>| match self.world.directory.named(Kind::RingGroup, &NameKey::of(&net.label.name)) {
                Found::One(handle) => self.world.group(handle).filter(|group| !written.contains(&group.id)),
                _ => None,
            };
        let candidates = deleted().filter_map(|net| Some((net.id.clone(), successor(net)?.id.clone())));
        let mut recreated: HashMap<ObjectId, ObjectId> = candidates.collect();
        loop {
            let right = |net: &NetEffect<'_>| {
                let group = recreated.get(&net.id).and_then(|id| self.world.object(WritableKind::RingGroup, id));
                let same = |object: LiveObject<'_>| {
                    net.fields.iter().all(|field| has(object, field.field, &self::inherited(&field.before, &recreated)))
                };
                group.is_some_and(same)
            };
            let wrong: Vec<ObjectId> = deleted()
                .filter(|net| recreated.contains_key(&net.id) && !right(net))
                .map(|net| net.id.clone())
                .collect();
            if wrong.is_empty() {
                return recreated;
            }
            recreated.retain(|old, _| !wrong.contains(old));
        }
    }

    /// A value from before the run, with the ids of today.
    pub(super) fn inherited(&self, value: &FieldValue) -> FieldValue {
        inherited(value, &self.recreated)
    }

    /// A reference from before the run, with the id of today.
    pub(super) fn today(&self, reference: ObjectRef) -> ObjectRef {
        let id = self.recreated.get(&reference.id).cloned().unwrap_or(reference.id);
        ObjectRef { id, ..reference }
    }
}

fn inherited(value: &FieldValue, recreated: &HashMap<ObjectId, ObjectId>) -> FieldValue {
    let today = |reference: &PlannedRef| {
        let id = reference.id.as_ref().map(|id| recreated.get(id).unwrap_or(id).clone());
        PlannedRef { id, ..reference.clone() }
    };
    value.map(today)
}
