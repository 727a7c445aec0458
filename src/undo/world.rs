//! The account as it is now, found by id.

use foldhash::HashMap;

use crate::model::{
    Directory, FieldName, FieldValue, Handle, Kind, Live, LiveRingGroup, ObjectId, ObjectRef, PlannedRef,
};

use super::net::Object;

/// Look-ups into the account.
pub(super) struct World<'l> {
    pub(super) live: &'l Live,
    pub(super) directory: Directory<'l>,
    numbers: HashMap<&'l str, usize>,
}

impl<'l> World<'l> {
    pub(super) fn new(live: &'l Live) -> Self {
        let numbers = live.numbers.iter().enumerate().map(|(index, number)| (&*number.id.0, index)).collect();
        Self { live, directory: Directory::new(live), numbers }
    }

    /// The number or the group with this id.
    pub(super) fn object(&self, kind: Kind, id: &ObjectId) -> Option<Object<'l>> {
        if kind == Kind::Number {
            return self.live.numbers.get(*self.numbers.get(&*id.0)?).map(Object::Number);
        }
        self.group(self.handle(id)?).map(Object::Group)
    }

    /// The live group with this id.
    pub(super) fn handle(&self, id: &ObjectId) -> Option<Handle> {
        self.directory.by_id(&ObjectRef { kind: Kind::RingGroup, id: id.clone() })
    }

    pub(super) fn group(&self, handle: Handle) -> Option<&'l LiveRingGroup> {
        self.live.ring_groups.get(handle.index as usize)
    }

    /// What a field has now, as people read it.
    pub(super) fn value(&self, object: Object<'_>, field: FieldName) -> FieldValue {
        let reference =
            |to: Option<&ObjectRef>| to.map_or(FieldValue::None, |to| FieldValue::Reference(self.named(to)));
        match (object, field) {
            (Object::Number(number), FieldName::To) => reference(number.to.as_ref()),
            (Object::Number(number), FieldName::Label) if !number.label.is_empty() => {
                FieldValue::Text(number.label.to_string())
            }
            (Object::Group(group), FieldName::Name) => FieldValue::Name(group.name.clone()),
            (Object::Group(group), FieldName::Extension) => {
                group.extension.clone().map_or(FieldValue::None, FieldValue::Extension)
            }
            (Object::Group(group), FieldName::Ring) => FieldValue::Ring(group.ring),
            (Object::Group(group), FieldName::Members) => {
                FieldValue::References(group.members.iter().map(|member| self.named(member)).collect())
            }
            (Object::Group(group), FieldName::RingFor) => group.ring_for.map_or(FieldValue::None, FieldValue::RingFor),
            (Object::Group(group), FieldName::NoAnswer) => reference(group.no_answer.as_ref()),
            (Object::Number(_) | Object::Group(_), _) => FieldValue::None,
        }
    }

    fn named(&self, to: &ObjectRef) -> PlannedRef {
        let handle = self.directory.by_id(to);
        let name = handle.map_or_else(|| to.id.to_string(), |handle| self.directory.label(handle));
        PlannedRef { kind: to.kind, id: Some(to.id.clone()), name, created_by: None }
    }
}
