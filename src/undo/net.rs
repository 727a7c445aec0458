//! What a run did to each object, all its writes to it together.

use std::collections::HashMap;

use crate::model::{
    Change, ChangeId, FieldName, FieldValue, Kind, LiveNumber, LiveRingGroup, ObjectId, ObjectLabel, PlannedRef, Verb,
};

use super::Conflict;

/// A number or a group of the account as it is now.
#[derive(Clone, Copy, Debug)]
pub(super) enum Object<'l> {
    Number(&'l LiveNumber),
    Group(&'l LiveRingGroup),
}

impl Object<'_> {
    /// Whether the field has this value. What the account chose is whatever it is.
    pub(super) fn has(self, field: FieldName, value: &FieldValue) -> bool {
        match (self, value) {
            (_, FieldValue::ChosenByAccount) => true,
            (Self::Number(number), _) => number.has(field, value),
            (Self::Group(group), _) => group.has(field, value),
        }
    }
}

/// What a run did to one object.
#[derive(Clone, Debug)]
pub(super) struct Net<'r> {
    /// The object as the plan calls it.
    pub(super) label: &'r ObjectLabel,
    pub(super) id: ObjectId,
    /// The last change to it.
    pub(super) last: ChangeId,
    pub(super) verb: Verb,
    pub(super) fields: Vec<NetField>,
}

/// A field before the run's first write to it, and what the run left there. Its references have ids.
#[derive(Clone, Debug)]
pub(super) struct NetField {
    pub(super) field: FieldName,
    pub(super) before: FieldValue,
    /// Several if nobody knows whether a write was carried out; the last is that of the last write.
    pub(super) left: Vec<FieldValue>,
}

impl<'r> Net<'r> {
    pub(super) fn new(change: &'r Change, id: ObjectId) -> Self {
        Self { label: &change.object, id, last: change.id, verb: change.verb, fields: Vec::new() }
    }

    /// Takes in one more write to the object. One that nobody knows of leaves what was there as possible.
    pub(super) fn add(&mut self, change: &Change, made: &HashMap<ChangeId, ObjectId>, certain: bool) {
        self.last = change.id;
        if change.verb == Verb::Delete {
            self.verb = Verb::Delete;
        }
        for written in &change.fields {
            let position = self.fields.iter().position(|known| known.field == written.field).unwrap_or_else(|| {
                let before = with_ids(&written.before, made);
                self.fields.push(NetField { field: written.field, left: vec![before.clone()], before });
                self.fields.len() - 1
            });
            if let Some(known) = self.fields.get_mut(position) {
                if certain {
                    known.left.clear();
                }
                known.left.push(with_ids(&written.after, made));
            }
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.label.kind
    }

    pub(super) fn before(&self, field: FieldName) -> Option<&FieldValue> {
        self.fields.iter().find(|known| known.field == field).map(|known| &known.before)
    }

    /// A reason to leave the object alone.
    pub(super) fn conflict(&self, field: Option<FieldName>, why: impl Into<String>) -> Conflict {
        conflict(self.last, self.label, field, why)
    }
}

pub(super) fn conflict(
    change: ChangeId,
    label: &ObjectLabel,
    field: Option<FieldName>,
    why: impl Into<String>,
) -> Conflict {
    Conflict { change, object: label.clone(), field, left: None, now: None, why: why.into() }
}

/// The value with the ids that the run's own creations gave.
pub(super) fn with_ids(value: &FieldValue, made: &HashMap<ChangeId, ObjectId>) -> FieldValue {
    let known = |reference: &PlannedRef| {
        let made = || reference.created_by.as_ref().and_then(|change| made.get(change)).cloned();
        PlannedRef { id: reference.id.clone().or_else(made), ..reference.clone() }
    };
    match value {
        FieldValue::Reference(reference) => FieldValue::Reference(known(reference)),
        FieldValue::References(references) => FieldValue::References(references.iter().map(known).collect()),
        other => other.clone(),
    }
}
