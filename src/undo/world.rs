//! The account as it is now, found by id.

use foldhash::HashMap;

use crate::model::{Directory, FieldName, FieldValue, Handle, Kind, Live, LiveRingGroup, ObjectId, ObjectRef};
use crate::plan::now;

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
        match object {
            Object::Number(number) => now::number(&self.directory, number, field),
            Object::Group(group) => now::group(&self.directory, group, field),
        }
    }
}
