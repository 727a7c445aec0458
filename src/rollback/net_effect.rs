//! What a run did to each object, all its writes to it together.

use std::collections::HashMap;

use crate::model::{
    Change, ChangeId, FieldChange, FieldName, FieldValue, LiveObject, ObjectId, ObjectLabel, Verb, WritableKind,
};

use super::Conflict;

/// Whether a field of an object has this value. What the account chose is whatever it is.
pub(super) fn has(object: LiveObject<'_>, field: FieldName, value: &FieldValue) -> bool {
    *value == FieldValue::ChosenByAccount || object.has(field, value)
}

/// What a run did to one object.
#[derive(Clone, Debug)]
pub(super) struct NetEffect<'r> {
    /// The object as the plan calls it.
    pub(super) label: &'r ObjectLabel,
    pub(super) id: ObjectId,
    pub(super) last: ChangeId,
    pub(super) verb: Verb,
    pub(super) fields: Vec<NetField>,
}

/// A field before the run's first write to it, and what the run left there. Its references have ids.
#[derive(Clone, Debug)]
pub(super) struct NetField {
    pub(super) field: FieldName,
    pub(super) before: FieldValue,
    /// Several if it is unknown whether a write was carried out; the last is that of the last write.
    pub(super) left: Vec<FieldValue>,
}

impl<'r> NetEffect<'r> {
    pub(super) fn new(change: &'r Change, id: ObjectId) -> Self {
        Self { label: &change.object, id, last: change.id, verb: change.verb, fields: Vec::new() }
    }

    /// Takes in one more write to the object. One whose outcome is unknown leaves what was there as possible. Of the
    /// fields that it did not come to, a creation has written none, and an update may have emptied some first.
    pub(super) fn add(
        &mut self,
        change: &Change,
        unwritten: &[FieldName],
        made: &HashMap<ChangeId, ObjectId>,
        certain: bool,
    ) {
        self.last = change.id;
        if change.verb == Verb::Delete {
            self.verb = Verb::Delete;
        }
        for written in &change.fields {
            let is_unwritten = unwritten.contains(&written.field);
            if is_unwritten && change.verb == Verb::Create {
                continue;
            }
            let position = self.fields.iter().position(|known| known.field == written.field).unwrap_or_else(|| {
                let before = written.before.with_ids(made);
                self.fields.push(NetField { field: written.field, left: vec![before.clone()], before });
                self.fields.len() - 1
            });
            if let Some(known) = self.fields.get_mut(position) {
                if certain {
                    known.left.clear();
                }
                if is_unwritten {
                    known.left.push(emptied(written.field));
                }
                known.left.push(written.after.with_ids(made));
            }
        }
    }

    /// Takes in a deletion of which some steps were carried out: some fields may be empty now.
    pub(super) fn add_reduction(&mut self, change: &Change, made: &HashMap<ChangeId, ObjectId>) {
        let emptied = |field: &FieldChange| FieldChange { after: emptied(field.field), ..field.clone() };
        let fields = change.fields.iter().map(emptied).collect();
        if self.verb == Verb::Delete {
            self.verb = Verb::Update;
        }
        self.add(&Change { verb: Verb::Update, fields, ..change.clone() }, &[], made, false);
    }

    pub(super) fn kind(&self) -> WritableKind {
        self.label.kind
    }

    /// A reason to leave the object alone.
    pub(super) fn conflict(&self, field: Option<FieldName>, why: impl Into<String>) -> Conflict {
        conflict(self.last, self.label, field, why)
    }
}

/// A field without a value.
fn emptied(field: FieldName) -> FieldValue {
    if field == FieldName::Members { FieldValue::References(Vec::new()) } else { FieldValue::None }
}

pub(super) fn conflict(
    change: ChangeId,
    label: &ObjectLabel,
    field: Option<FieldName>,
    why: impl Into<String>,
) -> Conflict {
    Conflict { change, object: label.clone(), field, left: None, now: None, why: why.into() }
}
