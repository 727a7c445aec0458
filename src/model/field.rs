//! A live object against the value that a change gives one of its fields.

use super::{
    FieldName, FieldValue, Kind, LiveNumber, LiveRingGroup, ObjectId, ObjectRef, PlannedRef, Revision, RingMode,
    VendorDocument,
};

/// An object of the account that a change can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveObject<'l> {
    /// A number.
    Number(&'l LiveNumber),
    /// A ring group.
    Group(&'l LiveRingGroup),
}

impl<'l> LiveObject<'l> {
    /// Whether the field has this value. References are compared by id; one without an id equals nothing.
    pub fn has(self, field: FieldName, value: &FieldValue) -> bool {
        match self {
            Self::Number(number) => number.has(field, value),
            Self::Group(group) => group.has(field, value),
        }
    }

    /// The version that was read, if the vendor tells.
    pub fn revision(self) -> Option<&'l Revision> {
        match self {
            Self::Number(number) => number.revision.as_ref(),
            Self::Group(group) => group.revision.as_ref(),
        }
    }

    pub fn document(self) -> Option<&'l VendorDocument> {
        match self {
            Self::Number(number) => number.document.as_ref(),
            Self::Group(group) => group.document.as_ref(),
        }
    }
}

impl LiveNumber {
    /// Whether the field has this value. References are compared by id; one without an id equals nothing.
    pub fn has(&self, field: FieldName, value: &FieldValue) -> bool {
        match (field, value) {
            (FieldName::To, value) => points(self.to.as_ref(), value),
            (FieldName::Label, FieldValue::Text(text)) => *self.label == **text,
            (FieldName::Label, FieldValue::None) => self.label.is_empty(),
            _ => false,
        }
    }
}

impl LiveRingGroup {
    /// Whether the field has this value. References are compared by id; one without an id equals nothing.
    pub fn has(&self, field: FieldName, value: &FieldValue) -> bool {
        match (field, value) {
            (FieldName::Name, FieldValue::Name(name)) => self.name == *name,
            (FieldName::Extension, FieldValue::Extension(extension)) => self.extension.as_ref() == Some(extension),
            (FieldName::Extension, FieldValue::None) => self.extension.is_none(),
            (FieldName::Extension, FieldValue::ChosenByAccount) => self.extension.is_some(),
            (FieldName::Ring, FieldValue::Ring(mode)) => self.ring == *mode,
            (FieldName::RingFor, FieldValue::RingFor(ring_for)) => self.ring_for == Some(*ring_for),
            (FieldName::RingFor, FieldValue::None) => self.ring_for.is_none(),
            (FieldName::NoAnswer, value) => points(self.no_answer.as_ref(), value),
            (FieldName::Members, FieldValue::References(members)) => self.has_members(members),
            _ => false,
        }
    }

    /// Order means nothing where all members ring at once, and a server may have its own.
    fn has_members(&self, members: &[PlannedRef]) -> bool {
        let mut live: Vec<_> = self.members.iter().map(key).collect();
        let mut planned: Vec<_> = members.iter().map(planned_key).collect();
        if self.ring == RingMode::Simultaneous {
            live.sort_unstable();
            planned.sort_unstable();
        }
        live == planned
    }
}

fn points(reference: Option<&ObjectRef>, value: &FieldValue) -> bool {
    match (reference, value) {
        (None, FieldValue::None) => true,
        (Some(reference), FieldValue::Reference(planned)) => key(reference) == planned_key(planned),
        _ => false,
    }
}

fn key(reference: &ObjectRef) -> (Kind, Option<&ObjectId>) {
    (reference.kind, Some(&reference.id))
}

fn planned_key(reference: &PlannedRef) -> (Kind, Option<&ObjectId>) {
    (reference.kind, reference.id.as_ref())
}
