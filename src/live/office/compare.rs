//! An object as it is now against a change: is it as before, or as after?

use crate::live::http::Answer;
use crate::model::{
    Change, FieldName, FieldValue, Kind, LiveNumber, LiveRingGroup, ObjectRef, PlannedRef, Revision, RingMode,
};

use super::convert::Item;
use super::wire;

/// An object that was read on its own.
pub(super) enum Object {
    Number(LiveNumber),
    RingGroup(LiveRingGroup),
}

impl Object {
    /// The object in an answer, if it can be read as one of this kind.
    pub(super) fn read(kind: Kind, answer: &Answer) -> Option<Self> {
        let mut object = match kind {
            Kind::Number => Self::Number(parse::<wire::Number>(answer)?),
            Kind::RingGroup => Self::RingGroup(parse::<wire::RingGroup>(answer)?),
            _ => return None,
        };
        let revision = match &mut object {
            Self::Number(number) => &mut number.revision,
            Self::RingGroup(group) => &mut group.revision,
        };
        if revision.is_none() {
            *revision = answer.etag.clone().map(Revision);
        }
        Some(object)
    }

    pub(super) fn revision(&self) -> Option<&Revision> {
        match self {
            Self::Number(number) => number.revision.as_ref(),
            Self::RingGroup(group) => group.revision.as_ref(),
        }
    }

    /// Whether every field that the change writes has its new value.
    pub(super) fn is_as_after(&self, change: &Change) -> bool {
        change.fields.iter().all(|field| self.has(field.field, &field.after))
    }

    /// The fields of the change that have another value than the plan saw.
    pub(super) fn moved(&self, change: &Change) -> Vec<FieldName> {
        let moved = change.fields.iter().filter(|field| !self.has(field.field, &field.before));
        moved.map(|field| field.field).collect()
    }

    fn has(&self, field: FieldName, value: &FieldValue) -> bool {
        match self {
            Self::Number(number) => match (field, value) {
                (FieldName::To, value) => points(number.to.as_ref(), value),
                (FieldName::Label, FieldValue::Text(text)) => *number.label == **text,
                (FieldName::Label, FieldValue::None) => number.label.is_empty(),
                _ => false,
            },
            Self::RingGroup(group) => match (field, value) {
                (FieldName::Name, FieldValue::Name(name)) => group.name == *name,
                (FieldName::Extension, FieldValue::Extension(extension)) => group.extension.as_ref() == Some(extension),
                (FieldName::Extension, FieldValue::None) => group.extension.is_none(),
                (FieldName::Ring, FieldValue::Ring(mode)) => group.ring == *mode,
                (FieldName::RingFor, FieldValue::RingFor(ring_for)) => group.ring_for == Some(*ring_for),
                (FieldName::RingFor, FieldValue::None) => group.ring_for.is_none(),
                (FieldName::NoAnswer, value) => points(group.no_answer.as_ref(), value),
                (FieldName::Members, FieldValue::References(members)) => has_members(group, members),
                _ => false,
            },
        }
    }
}

fn parse<T: Item>(answer: &Answer) -> Option<T::Live> {
    serde_json::from_slice::<T>(&answer.body).ok()?.live().ok()
}

fn points(reference: Option<&ObjectRef>, value: &FieldValue) -> bool {
    match (reference, value) {
        (None, FieldValue::None) => true,
        (Some(reference), FieldValue::Reference(planned)) => key(reference) == planned_key(planned),
        _ => false,
    }
}

/// Order means nothing where all members ring at once, and a server may have its own.
fn has_members(group: &LiveRingGroup, members: &[PlannedRef]) -> bool {
    let mut live: Vec<_> = group.members.iter().map(key).collect();
    let mut planned: Vec<_> = members.iter().map(planned_key).collect();
    if group.ring == RingMode::Simultaneous {
        live.sort_unstable();
        planned.sort_unstable();
    }
    live == planned
}

fn key(reference: &ObjectRef) -> (Kind, Option<&str>) {
    (reference.kind, Some(&reference.id.0))
}

fn planned_key(reference: &PlannedRef) -> (Kind, Option<&str>) {
    (reference.kind, reference.id.as_ref().map(|id| &*id.0))
}
