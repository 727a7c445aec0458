//! The account as it is now, found by id.

use crate::model::{
    Directory, FieldName, FieldValue, Handle, Kind, LiveAccount, LiveObject, LiveRingGroup, ObjectId, ObjectRef,
    WritableKind,
};
use crate::plan::live_fields;

/// Look-ups into the account.
pub(super) struct CurrentAccount<'l> {
    pub(super) live: &'l LiveAccount,
    pub(super) directory: Directory<'l>,
}

impl<'l> CurrentAccount<'l> {
    pub(super) fn new(live: &'l LiveAccount) -> Self {
        Self { live, directory: Directory::new(live) }
    }

    /// The number or the group with this id.
    pub(super) fn object(&self, kind: WritableKind, id: &ObjectId) -> Option<LiveObject<'l>> {
        self.directory.object(kind, id)
    }

    /// The live group with this id.
    pub(super) fn handle(&self, id: &ObjectId) -> Option<Handle> {
        self.directory.by_id(&ObjectRef { kind: Kind::RingGroup, id: id.clone() })
    }

    pub(super) fn group(&self, handle: Handle) -> Option<&'l LiveRingGroup> {
        self.live.ring_groups.get(handle.index as usize)
    }

    /// What a field has now, as people read it.
    pub(super) fn value(&self, object: LiveObject<'_>, field: FieldName) -> FieldValue {
        live_fields::field(&self.directory, object, field)
    }
}
