//! An object as it is now against a change: is it as before, or as after?

use crate::model::{Change, FieldName, LiveNumber, LiveRingGroup, Revision, Writable, WritableKind};
use crate::providers::http::Answer;

use super::convert::Item;
use super::wire;

/// An object that was read on its own.
pub(super) type Object = Writable<LiveNumber, LiveRingGroup>;

impl Object {
    /// The object in an answer, if it can be read as one of this kind.
    pub(super) fn read(kind: WritableKind, answer: &Answer) -> Option<Self> {
        let mut object = match kind {
            WritableKind::Number => Self::Number(parse::<wire::Number>(answer)?),
            WritableKind::RingGroup => Self::RingGroup(parse::<wire::RingGroup>(answer)?),
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

    /// Whether every field that the change writes has its new value.
    pub(super) fn is_as_after(&self, change: &Change) -> bool {
        change.fields.iter().all(|field| self.as_ref().has(field.field, &field.after))
    }

    /// The fields of the change that have another value than the plan saw.
    pub(super) fn moved(&self, change: &Change) -> Vec<FieldName> {
        let moved = change.fields.iter().filter(|field| !self.as_ref().has(field.field, &field.before));
        moved.map(|field| field.field).collect()
    }
}

fn parse<T: Item>(answer: &Answer) -> Option<T::Live> {
    serde_json::from_slice::<T>(&answer.body).ok()?.live().ok()
}
