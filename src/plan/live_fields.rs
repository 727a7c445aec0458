//! What a live object has in the fields that a plan writes, as the plan words it.

use crate::model::{Directory, FieldName, FieldValue, LiveObject, ObjectRef, PlannedRef};

/// A field of an object; none for a field that objects of its kind do not have.
pub(crate) fn field(directory: &Directory<'_>, live: LiveObject<'_>, field: FieldName) -> FieldValue {
    live.field(field).map_or(FieldValue::None, |value| value.map(|target| planned(directory, target)))
}

fn planned(directory: &Directory<'_>, target: &ObjectRef) -> PlannedRef {
    let handle = directory.by_id(target);
    let name = handle.map_or_else(|| target.id.to_string(), |handle| directory.label(handle));
    PlannedRef { kind: target.kind, id: Some(target.id.clone()), name, created_by: None }
}
