//! One write to the account, as the plan lists it and a provider carries it out.
//!
//! A change is self-contained: it can be stored, shown and applied without the files or the account that it
//! came from. It holds no secret, because nothing that it is made of can hold one.

use serde::{Deserialize, Serialize};

use super::{E164, FieldName, FieldValue, Kind, ObjectId, Place, Revision, Step, VendorDocument, WritableKind};

/// A change's position in its plan, from 1. A change depends only on changes with smaller numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct ChangeId(pub u32);

super::words! {
    /// What a change does to its object.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Verb {
        /// The object is made.
        Create = "create",
        /// Some of its fields get other values.
        Update = "update",
        /// The object is removed.
        Delete = "delete",
    }
}

/// The object that a change writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ObjectLabel {
    pub kind: WritableKind,
    /// The vendor's id; absent for an object that this change creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ObjectId>,
    /// The number, or the name that it has before the change.
    pub name: String,
}

/// A reference inside a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedRef {
    /// The kind of the object that is pointed at.
    pub kind: Kind,
    /// Its vendor id; absent if an earlier change of the plan creates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ObjectId>,
    /// What people call it: an e-mail address, a name, or the id if it is gone.
    pub name: String,
    /// The change that creates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<ChangeId>,
}

/// One field of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FieldChange {
    /// The field.
    pub field: FieldName,
    /// Its value before.
    pub before: FieldValue,
    /// Its value after.
    pub after: FieldValue,
}

/// Why a change is in the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The file asks for it.
    Declared,
    /// `renamed_from` asks for another name on the same group.
    Renamed,
    /// `absent` asks for the deletion.
    Absent,
    /// `policy.prune` asks for the deletion.
    Pruned,
    /// Extension numbers go round in a cycle, so one group steps aside first.
    ExtensionCycle,
    /// No-answer targets go round in a cycle, so one is left out first.
    NoAnswerCycle,
}

/// The SHA-256 of a live object's modelled fields, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct PreImage(pub String);

/// One write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// The position in the plan.
    pub id: ChangeId,
    /// What is done.
    pub verb: Verb,
    /// To what.
    pub object: ObjectLabel,
    /// The fields, in a fixed order; of a creation and a deletion, all of them.
    pub fields: Vec<FieldChange>,
    /// Why.
    pub reason: Reason,
    /// Where the file asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What must have been applied first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<ChangeId>,
    /// What the live object must still be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<PreImage>,
    /// The version that was read, for the vendor's own precondition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// Groups that no caller can reach between this write and the next, because numbers trade places and
    /// no order avoids it. No number is without a destination meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreachable_meanwhile: Vec<String>,
    /// Whether calls to the number may fail while its destination is written, because the vendor does not do that in one
    /// step.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gap: bool,
    /// How many API calls it costs.
    pub calls: u32,
    /// The vendor calls that it takes, in order; empty if it is a single one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// The object as the vendor stores it. Not part of a saved plan: applying one reads the account again.
    #[serde(skip)]
    pub document: Option<VendorDocument>,
}

impl Change {
    /// The value that this change gives a field, if it writes it.
    pub fn after(&self, field: FieldName) -> Option<&FieldValue> {
        self.fields.iter().find(|change| change.field == field).map(|change| &change.after)
    }

    /// The number that is written, if the object is one.
    pub fn number(&self) -> Option<E164> {
        (self.object.kind == WritableKind::Number).then(|| self.object.name.parse().ok()).flatten()
    }

    /// Every reference that the change writes.
    pub fn references_mut(&mut self) -> impl Iterator<Item = &mut PlannedRef> {
        self.fields.iter_mut().flat_map(|field| match &mut field.after {
            FieldValue::Reference(reference) => std::slice::from_mut(reference).iter_mut(),
            FieldValue::References(references) => references.iter_mut(),
            _ => [].iter_mut(),
        })
    }
}
