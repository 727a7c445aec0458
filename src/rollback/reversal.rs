//! What must be written to take the run back, and what stands in its way.

use std::collections::BTreeMap;

use crate::model::{
    Absent, Desired, DesiredNumber, DesiredRingGroup, FieldName, FieldValue, FieldValues, Kind, LiveNumber, LiveObject,
    LiveRingGroup, Name, ObjectRef, PlannedRef, Policy, Reference, Selector, Span, Spanned, Value, Verb,
};

use super::Conflict;
use super::after_rollback::Projected;
use super::effects::Effects;
use super::net_effect::{NetEffect, NetField, has};

/// What takes the run back, by the position of the object among what the run did.
pub(super) struct Reversals<'p, 'r, 'l> {
    pub(super) past: &'p Effects<'r, 'l>,
    pub(super) open: BTreeMap<usize, Reversal<'l>>,
}

/// What takes the run's work on one object back.
pub(super) enum Reversal<'l> {
    /// The number gets its values back.
    Number { live: &'l LiveNumber, fields: FieldValues<ObjectRef> },
    /// The group gets its values back.
    Change { live: &'l LiveRingGroup, fields: FieldValues<ObjectRef> },
    /// The group is created again.
    Make { name: Name, fields: FieldValues<ObjectRef> },
    /// The group, which the run created, is deleted.
    Delete { live: &'l LiveRingGroup },
}

impl<'p, 'r, 'l> Reversals<'p, 'r, 'l> {
    /// A reversal for each object that is as the run left it; a conflict for each that is not.
    pub(super) fn new(past: &'p Effects<'r, 'l>, policy: &Policy, conflicts: &mut Vec<Conflict>) -> Self {
        let mut open = BTreeMap::new();
        for (position, net) in past.nets.iter().enumerate() {
            match reversal(past, policy, net) {
                Ok(Some(reversal)) => {
                    open.insert(position, reversal);
                }
                Ok(None) => {}
                Err(found) => conflicts.extend(found),
            }
        }
        Self { past, open }
    }

    /// Removes what is in conflict, then what depends on that, until the rest is consistent.
    pub(super) fn remove_conflicting(&mut self, conflicts: &mut Vec<Conflict>) {
        loop {
            let after = Projected::new(self);
            let broken: Vec<(usize, Conflict)> = self
                .open
                .iter()
                .filter_map(|(position, reversal)| {
                    let net = self.past.nets.get(*position)?;
                    let (field, why) = after.obstacle(net, reversal)?;
                    Some((*position, net.conflict(field, why)))
                })
                .collect();
            if broken.is_empty() {
                return;
            }
            for (position, conflict) in broken {
                self.open.remove(&position);
                conflicts.push(conflict);
            }
        }
    }

    /// The reversals as a file would declare them.
    pub(super) fn desired(&self, span: Span) -> Desired {
        let after = Projected::new(self);
        let mut desired = Desired::default();
        for reversal in self.open.values() {
            match reversal {
                Reversal::Number { live, fields } => {
                    let to = Spanned { value: None, span };
                    let mut number = DesiredNumber { number: live.number, span, to, label: None };
                    let kept = FieldValues::from_iter([(FieldName::To, live.to.clone().into())]);
                    after.write(&kept, |field, value| number.set(field, value, span));
                    after.write(fields, |field, value| number.set(field, value, span));
                    desired.numbers.push(number);
                }
                Reversal::Change { live, fields } => {
                    let mut group = DesiredRingGroup::new(live.name.clone(), span);
                    let kept = FieldValues::from_iter([(FieldName::Members, Value::References(live.members.clone()))]);
                    after.write(&kept, |field, value| group.set(field, value, span));
                    after.write(fields, |field, value| group.set(field, value, span));
                    let renamed = group.name.value.key() != live.name.key();
                    group.renamed_from = renamed.then(|| Spanned { value: live.name.clone(), span });
                    desired.ring_groups.push(group);
                }
                Reversal::Make { name, fields } => {
                    let mut group = DesiredRingGroup::new(name.clone(), span);
                    after.write(fields, |field, value| group.set(field, value, span));
                    desired.ring_groups.push(group);
                }
                Reversal::Delete { live } => {
                    let value = Reference { kind: Kind::RingGroup, selector: Selector::Name(live.name.clone()) };
                    desired.absent.push(Absent { reference: Spanned { value, span } });
                }
            }
        }
        desired.numbers.sort_by_key(|number| number.number);
        desired.ring_groups.sort_by_key(|group| group.name.value.key());
        desired
    }
}

impl Projected<'_, '_> {
    /// Hands over the values as a file states them. Targets without a reference were removed as conflicts before.
    fn write(&self, fields: &FieldValues<ObjectRef>, mut set: impl FnMut(FieldName, Value<Reference>)) {
        for (field, value) in fields.iter() {
            if let Ok(value) = value.try_map(|to| self.reference(to)) {
                set(field, value);
            }
        }
    }
}

/// What takes the run's work on one object back; nothing if that is done already.
fn reversal<'l>(
    past: &Effects<'_, 'l>,
    policy: &Policy,
    net: &NetEffect<'_>,
) -> Result<Option<Reversal<'l>>, Vec<Conflict>> {
    let object = past.world.object(net.kind(), &net.id);
    match (net.verb, object) {
        (Verb::Create, None) => Ok(None),
        (Verb::Create, Some(object)) => {
            untouched(past, net, object)?;
            Ok(match object {
                LiveObject::RingGroup(live) => Some(Reversal::Delete { live }),
                LiveObject::Number(_) => None,
            })
        }
        (Verb::Delete, _) if past.recreated.contains_key(&net.id) => Ok(None),
        (Verb::Delete, Some(_)) => Err(vec![net.conflict(None, "the run deleted it, and it is there")]),
        (Verb::Delete, None) => {
            let fields = fields(past, net)?;
            let name = fields.name().cloned();
            let name = name.ok_or_else(|| vec![net.conflict(None, "the ledger does not have its name")])?;
            if fields.members().is_none_or(<[_]>::is_empty) {
                return Err(vec![net.conflict(Some(FieldName::Members), "it had no members, which no file can say")]);
            }
            Ok(Some(Reversal::Make { name, fields }))
        }
        (Verb::Update, None) if net.fields.is_empty() => Ok(None),
        (Verb::Update, None) => Err(vec![net.conflict(None, "it is gone")]),
        (Verb::Update, Some(object)) => {
            untouched(past, net, object)?;
            if net.fields.iter().all(|field| has(object, field.field, &past.inherited(&field.before))) {
                return Ok(None);
            }
            managed(policy, net)?;
            let fields = fields(past, net)?;
            Ok(Some(match object {
                LiveObject::Number(live) => Reversal::Number { live, fields },
                LiveObject::RingGroup(live) => Reversal::Change { live, fields },
            }))
        }
    }
}

/// A conflict for each field that is neither what the run left nor what it was before.
fn untouched(past: &Effects<'_, '_>, net: &NetEffect<'_>, object: LiveObject<'_>) -> Result<(), Vec<Conflict>> {
    let moved = net.fields.iter().filter(|field| {
        let restored = net.verb == Verb::Update && has(object, field.field, &past.inherited(&field.before));
        let left = field.left.iter().any(|value| has(object, field.field, value));
        !left && !restored
    });
    let conflicts: Vec<Conflict> = moved
        .map(|field| Conflict {
            left: field.left.last().cloned(),
            now: Some(past.world.value(object, field.field)),
            ..net.conflict(Some(field.field), "it changed since the run")
        })
        .collect();
    if conflicts.is_empty() { Ok(()) } else { Err(conflicts) }
}

/// A conflict for each field that the policy has left to the portal since: no plan would write it.
fn managed(policy: &Policy, net: &NetEffect<'_>) -> Result<(), Vec<Conflict>> {
    let ignored = |field: &&NetField| policy.ignore.contains(&field.field);
    let conflict = |field: &NetField| net.conflict(Some(field.field), "`policy.ignore` leaves it to the portal by now");
    let conflicts: Vec<Conflict> = net.fields.iter().filter(ignored).map(conflict).collect();
    if conflicts.is_empty() { Ok(()) } else { Err(conflicts) }
}

/// The object's values before the run, as far as a file can say them.
fn fields(past: &Effects<'_, '_>, net: &NetEffect<'_>) -> Result<FieldValues<ObjectRef>, Vec<Conflict>> {
    let values = net.fields.iter().map(|NetField { field, before, .. }| {
        if let Some(what) = unsayable(*field, before) {
            return Err(vec![net.conflict(Some(*field), format!("{what}, which no file can say"))]);
        }
        Ok((*field, before.try_map(|to| reference(past, net, *field, to))?))
    });
    values.collect()
}

/// What keeps a file from giving the field this value.
fn unsayable(field: FieldName, before: &FieldValue) -> Option<&'static str> {
    match (field, before) {
        (FieldName::To | FieldName::Label | FieldName::NoAnswer, _)
        | (FieldName::Name, Value::Name(_))
        | (FieldName::Extension, Value::Extension(_))
        | (FieldName::Ring, Value::Ring(_))
        | (FieldName::RingFor, Value::RingFor(_)) => None,
        (FieldName::Members, Value::References(members)) if !members.is_empty() => None,
        (FieldName::Members, _) => Some("it had no members"),
        (FieldName::RingFor, Value::None) => Some("it rang for ever"),
        (FieldName::Extension, Value::None) => Some("it had no extension number"),
        (FieldName::Name | FieldName::Extension | FieldName::Ring | FieldName::RingFor, _) => {
            Some("the ledger has no value that it had")
        }
    }
}

fn reference(
    past: &Effects<'_, '_>,
    net: &NetEffect<'_>,
    field: FieldName,
    to: &PlannedRef,
) -> Result<ObjectRef, Vec<Conflict>> {
    match &to.id {
        Some(id) => Ok(past.today(ObjectRef { kind: to.kind, id: id.clone() })),
        None => Err(vec![net.conflict(Some(field), format!("the ledger does not say which {} it was", to.kind))]),
    }
}
