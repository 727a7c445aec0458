//! The value of a field, over whatever a reference is at that stage: one of the file, a live id, a handle of the
//! planner, or one that a plan can carry out of the process.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{ChangeId, ExtensionNumber, FieldName, Name, ObjectId, PlannedRef, RingFor, RingMode};

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FieldValue")]
pub enum Value<R> {
    /// There is none: an unassigned number, a group without a no-answer target, an object not yet made.
    None,
    /// The account chooses: the extension number of a new group whose file names none.
    ChosenByAccount,
    /// A label.
    Text(String),
    /// A name.
    Name(#[schemars(with = "String")] Name),
    /// An extension number.
    Extension(#[schemars(with = "String")] ExtensionNumber),
    /// A ring mode.
    Ring(RingMode),
    /// A duration in whole seconds, such as `20s`.
    RingFor(#[schemars(with = "String")] RingFor),
    /// One object.
    Reference(R),
    /// Several objects, in order.
    References(Vec<R>),
}

/// The value of a field before or after a change.
pub type FieldValue = Value<PlannedRef>;

impl<R> Value<R> {
    /// A label; the empty one is none.
    pub fn text(text: &str) -> Self {
        if text.is_empty() { Self::None } else { Self::Text(text.to_owned()) }
    }

    /// The references in it, in order.
    pub fn references(&self) -> &[R] {
        match self {
            Self::Reference(target) => std::slice::from_ref(target),
            Self::References(targets) => targets,
            _ => &[],
        }
    }

    /// The one object that it refers to.
    pub fn into_reference(self) -> Option<R> {
        match self {
            Self::Reference(target) => Some(target),
            _ => None,
        }
    }

    /// The same value with other references, or the first error.
    pub fn try_map<'v, S, E>(&'v self, mut other: impl FnMut(&'v R) -> Result<S, E>) -> Result<Value<S>, E> {
        Ok(match self {
            Self::Reference(target) => Value::Reference(other(target)?),
            Self::References(targets) => Value::References(targets.iter().map(other).collect::<Result<_, _>>()?),
            Self::None => Value::None,
            Self::ChosenByAccount => Value::ChosenByAccount,
            Self::Text(text) => Value::Text(text.clone()),
            Self::Name(name) => Value::Name(name.clone()),
            Self::Extension(extension) => Value::Extension(extension.clone()),
            Self::Ring(ring) => Value::Ring(*ring),
            Self::RingFor(duration) => Value::RingFor(*duration),
        })
    }

    /// The same value with other references.
    #[must_use]
    pub fn map<'v, S>(&'v self, mut other: impl FnMut(&'v R) -> S) -> Value<S> {
        let Ok(mapped) = self.try_map(|reference| Ok::<_, std::convert::Infallible>(other(reference)));
        mapped
    }
}

impl FieldValue {
    /// The same value with the ids that the changes of its plan have given, as far as they have.
    #[must_use]
    pub fn with_ids(&self, made: &HashMap<ChangeId, ObjectId>) -> Self {
        self.map(|target| {
            let made = || target.created_by.and_then(|change| made.get(&change)).cloned();
            PlannedRef { id: target.id.clone().or_else(made), ..target.clone() }
        })
    }
}

impl<R> From<Option<R>> for Value<R> {
    fn from(target: Option<R>) -> Self {
        target.map_or(Self::None, Self::Reference)
    }
}

/// The values of some fields of one object; a field that is missing stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldValues<R>(BTreeMap<FieldName, Value<R>>);

impl<R> Default for FieldValues<R> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<R> FromIterator<(FieldName, Value<R>)> for FieldValues<R> {
    fn from_iter<I: IntoIterator<Item = (FieldName, Value<R>)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<R> FieldValues<R> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, field: FieldName) -> Option<&Value<R>> {
        self.0.get(&field)
    }

    pub fn insert(&mut self, field: FieldName, value: Value<R>) -> Option<Value<R>> {
        self.0.insert(field, value)
    }

    pub fn remove(&mut self, field: FieldName) -> Option<Value<R>> {
        self.0.remove(&field)
    }

    pub fn iter(&self) -> impl Iterator<Item = (FieldName, &Value<R>)> {
        self.0.iter().map(|(field, value)| (*field, value))
    }

    /// The fields, in the order of plans.
    pub fn fields(&self) -> impl Iterator<Item = FieldName> + '_ {
        self.0.keys().copied()
    }

    pub fn name(&self) -> Option<&Name> {
        match self.get(FieldName::Name)? {
            Value::Name(name) => Some(name),
            _ => None,
        }
    }

    pub fn extension(&self) -> Option<&ExtensionNumber> {
        match self.get(FieldName::Extension)? {
            Value::Extension(extension) => Some(extension),
            _ => None,
        }
    }

    /// The members, if they are written.
    pub fn members(&self) -> Option<&[R]> {
        self.get(FieldName::Members).map(Value::references)
    }

    /// The no-answer target, if it is written; an inner `None` ends the call.
    pub fn no_answer(&self) -> Option<Option<&R>> {
        self.get(FieldName::NoAnswer).map(|value| value.references().first())
    }
}
