//! What a live object shows in the fields that a plan writes, in the plan's own words.

use crate::model::{
    Directory, ExtensionNumber, FieldName, FieldValue, LiveNumber, LiveObject, LiveRingGroup, ObjectRef, PlannedRef,
};

/// A field of an object.
pub(crate) fn field(directory: &Directory<'_>, live: LiveObject<'_>, field: FieldName) -> FieldValue {
    match live {
        LiveObject::Number(live) => number(directory, live, field),
        LiveObject::Group(live) => group(directory, live, field),
    }
}

/// A field of a number; a number has no others than its destination and its label.
fn number(directory: &Directory<'_>, live: &LiveNumber, field: FieldName) -> FieldValue {
    match field {
        FieldName::To => reference(directory, live.to.as_ref()),
        FieldName::Label => text(&live.label),
        _ => FieldValue::None,
    }
}

/// A field of a ring group.
fn group(directory: &Directory<'_>, live: &LiveRingGroup, field: FieldName) -> FieldValue {
    match field {
        FieldName::Name => FieldValue::Name(live.name.clone()),
        FieldName::Extension => extension(live.extension.as_ref(), FieldValue::None),
        FieldName::Ring => FieldValue::Ring(live.ring),
        FieldName::Members => references(directory, &live.members),
        FieldName::RingFor => live.ring_for.map_or(FieldValue::None, FieldValue::RingFor),
        FieldName::NoAnswer => reference(directory, live.no_answer.as_ref()),
        FieldName::To | FieldName::Label => FieldValue::None,
    }
}

pub(super) fn reference(directory: &Directory<'_>, target: Option<&ObjectRef>) -> FieldValue {
    target.map_or(FieldValue::None, |target| FieldValue::Reference(found(directory, target)))
}

pub(super) fn references(directory: &Directory<'_>, targets: &[ObjectRef]) -> FieldValue {
    FieldValue::References(targets.iter().map(|target| found(directory, target)).collect())
}

pub(super) fn text(value: &str) -> FieldValue {
    if value.is_empty() { FieldValue::None } else { FieldValue::Text(value.to_owned()) }
}

pub(super) fn extension(value: Option<&ExtensionNumber>, otherwise: FieldValue) -> FieldValue {
    value.map_or(otherwise, |value| FieldValue::Extension(value.clone()))
}

fn found(directory: &Directory<'_>, target: &ObjectRef) -> PlannedRef {
    let handle = directory.by_id(target);
    let name = handle.map_or_else(|| target.id.to_string(), |handle| directory.label(handle));
    PlannedRef { kind: target.kind, id: Some(target.id.clone()), name, created_by: None }
}
