//! What must be written to take the run back, and what stands in its way.

use std::collections::BTreeMap;

use crate::model::{
    Absent, Desired, DesiredNumber, DesiredRingGroup, ExtensionNumber, FieldName, FieldValue, Ignorable, Kind,
    LiveNumber, LiveObject, LiveRingGroup, Name, ObjectRef, PlannedRef, Policy, Reference, RingFor, RingMode, Selector,
    Span, Spanned, Verb,
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
    Number { live: &'l LiveNumber, to: Option<Option<ObjectRef>>, label: Option<Box<str>> },
    /// The group gets its values back.
    Change { live: &'l LiveRingGroup, parts: Parts },
    /// The group is created again.
    Make { name: Name, parts: Parts },
    /// The group, which the run created, is deleted.
    Delete { live: &'l LiveRingGroup },
}

/// The values that a group gets back.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) name: Option<Name>,
    pub(super) extension: Option<ExtensionNumber>,
    pub(super) ring: Option<RingMode>,
    pub(super) members: Option<Vec<ObjectRef>>,
    pub(super) ring_for: Option<RingFor>,
    pub(super) no_answer: Option<Option<ObjectRef>>,
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
                Reversal::Number { live, to, label } => {
                    let to = to.as_ref().unwrap_or(&live.to);
                    desired.numbers.push(DesiredNumber {
                        number: live.number,
                        span,
                        // Every target has a reference: the others were removed as conflicts.
                        to: Spanned { value: to.as_ref().and_then(|to| after.reference(to).ok()), span },
                        label: label.clone().map(|value| Spanned { value, span }),
                    });
                }
                Reversal::Change { live, parts } => {
                    let mut group = after.group(live.name.clone(), parts, Some(&live.members), span);
                    let renamed = group.name.value.key() != live.name.key();
                    group.renamed_from = renamed.then(|| Spanned { value: live.name.clone(), span });
                    desired.ring_groups.push(group);
                }
                Reversal::Make { name, parts } => {
                    desired.ring_groups.push(after.group(name.clone(), parts, None, span));
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
    fn group(&self, name: Name, parts: &Parts, kept: Option<&Vec<ObjectRef>>, span: Span) -> DesiredRingGroup {
        let members = parts.members.as_ref().or(kept).into_iter().flatten();
        let references = members.filter_map(|member| self.reference(member).ok());
        DesiredRingGroup {
            name: Spanned { value: parts.name.clone().unwrap_or(name), span },
            extension: parts.extension.clone().map(|value| Spanned { value, span }),
            ring: parts.ring.map(|value| Spanned { value, span }),
            members: references.map(|value| Spanned { value, span }).collect(),
            members_span: span,
            ring_for: parts.ring_for.map(|value| Spanned { value, span }),
            no_answer: parts
                .no_answer
                .as_ref()
                .map(|to| Spanned { value: to.as_ref().and_then(|to| self.reference(to).ok()), span }),
            renamed_from: None,
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
                LiveObject::Group(live) => Some(Reversal::Delete { live }),
                LiveObject::Number(_) => None,
            })
        }
        (Verb::Delete, _) if past.recreated.contains_key(&net.id) => Ok(None),
        (Verb::Delete, Some(_)) => Err(vec![net.conflict(None, "the run deleted it, and it is there")]),
        (Verb::Delete, None) => {
            let mut parts = parts(past, net)?;
            let name =
                parts.name.take().ok_or_else(|| vec![net.conflict(None, "the ledger does not have its name")])?;
            if parts.members.as_ref().is_none_or(Vec::is_empty) {
                return Err(vec![net.conflict(Some(FieldName::Members), "it had no members, which no file can say")]);
            }
            Ok(Some(Reversal::Make { name, parts }))
        }
        (Verb::Update, None) if net.fields.is_empty() => Ok(None),
        (Verb::Update, None) => Err(vec![net.conflict(None, "it is gone")]),
        (Verb::Update, Some(object)) => {
            untouched(past, net, object)?;
            if net.fields.iter().all(|field| has(object, field.field, &past.inherited(&field.before))) {
                return Ok(None);
            }
            managed(policy, net)?;
            match object {
                LiveObject::Number(live) => number(past, net, live).map(Some),
                LiveObject::Group(live) => Ok(Some(Reversal::Change { live, parts: parts(past, net)? })),
            }
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
    let ignored =
        |field: &&NetField| ignorable(net.kind(), field.field).is_some_and(|one| policy.ignore.contains(&one));
    let conflict = |field: &NetField| net.conflict(Some(field.field), "`policy.ignore` leaves it to the portal by now");
    let conflicts: Vec<Conflict> = net.fields.iter().filter(ignored).map(conflict).collect();
    if conflicts.is_empty() { Ok(()) } else { Err(conflicts) }
}

fn ignorable(kind: Kind, field: FieldName) -> Option<Ignorable> {
    Some(match (kind, field) {
        (Kind::Number, FieldName::Label) => Ignorable::NumberLabel,
        (Kind::RingGroup, FieldName::Extension) => Ignorable::GroupExtension,
        (Kind::RingGroup, FieldName::Ring) => Ignorable::GroupRing,
        (Kind::RingGroup, FieldName::Members) => Ignorable::GroupMembers,
        (Kind::RingGroup, FieldName::RingFor) => Ignorable::GroupRingFor,
        (Kind::RingGroup, FieldName::NoAnswer) => Ignorable::GroupNoAnswer,
        _ => return None,
    })
}

fn number<'l>(
    past: &Effects<'_, 'l>,
    net: &NetEffect<'_>,
    live: &'l LiveNumber,
) -> Result<Reversal<'l>, Vec<Conflict>> {
    let to = net.before(FieldName::To).map(|before| target(past, net, FieldName::To, before)).transpose()?;
    let label = net.before(FieldName::Label).map(|before| match before {
        FieldValue::Text(text) => text.as_str().into(),
        _ => Box::default(),
    });
    Ok(Reversal::Number { live, to, label })
}

/// The group's values before the run, as far as a file can say them.
fn parts(past: &Effects<'_, '_>, net: &NetEffect<'_>) -> Result<Parts, Vec<Conflict>> {
    let mut parts = Parts::default();
    for field in &net.fields {
        match (field.field, &field.before) {
            (FieldName::Name, FieldValue::Name(name)) => parts.name = Some(name.clone()),
            (FieldName::Extension, FieldValue::Extension(extension)) => parts.extension = Some(extension.clone()),
            (FieldName::Ring, FieldValue::Ring(ring)) => parts.ring = Some(*ring),
            (FieldName::RingFor, FieldValue::RingFor(ring_for)) => parts.ring_for = Some(*ring_for),
            (FieldName::Members, FieldValue::References(members)) if !members.is_empty() => {
                let found = members.iter().map(|member| reference(past, net, FieldName::Members, member));
                parts.members = Some(found.collect::<Result<_, _>>()?);
            }
            (FieldName::NoAnswer, before) => {
                parts.no_answer = Some(target(past, net, FieldName::NoAnswer, before)?);
            }
            (name @ FieldName::RingFor, FieldValue::None) => return Err(unsayable(net, name, "it rang for ever")),
            (name @ FieldName::Extension, FieldValue::None) => {
                return Err(unsayable(net, name, "it had no extension number"));
            }
            (name @ FieldName::Members, _) => return Err(unsayable(net, name, "it had no members")),
            (name, _) => return Err(unsayable(net, name, "the ledger has no value that it had")),
        }
    }
    Ok(parts)
}

fn unsayable(net: &NetEffect<'_>, field: FieldName, what: &str) -> Vec<Conflict> {
    vec![net.conflict(Some(field), format!("{what}, which no file can say"))]
}

fn target(
    past: &Effects<'_, '_>,
    net: &NetEffect<'_>,
    field: FieldName,
    before: &FieldValue,
) -> Result<Option<ObjectRef>, Vec<Conflict>> {
    match before {
        FieldValue::Reference(to) => reference(past, net, field, to).map(Some),
        _ => Ok(None),
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
