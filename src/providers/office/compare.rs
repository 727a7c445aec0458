//! An object as it is now against a change: is it as before, or as after?

use crate::model::{Change, FieldName, FieldValue, Kind, LiveNumber, LiveRingGroup, Revision};
use crate::providers::http::Answer;

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
            Self::Number(number) => number.has(field, value),
            Self::RingGroup(group) => group.has(field, value),
        }
    }
}

fn parse<T: Item>(answer: &Answer) -> Option<T::Live> {
    serde_json::from_slice::<T>(&answer.body).ok()?.live().ok()
}
