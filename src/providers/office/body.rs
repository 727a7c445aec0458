//! From a change to the document that asks for it.

use serde_json::{Map, Value, json};

use crate::model::{Change, FieldName, FieldValue, Kind, PlannedRef, Verb, WritableKind};
use crate::providers::WriteError;

/// The merge patch or the new object that a change asks for; nothing for a deletion.
pub(super) fn body(change: &Change) -> Result<Option<Vec<u8>>, WriteError> {
    if change.verb == Verb::Delete {
        return Ok(None);
    }
    let mut document = Map::new();
    for field in &change.fields {
        // What the account chooses, or what a new object does not have, is left out.
        let absent = match field.after {
            FieldValue::ChosenByAccount => true,
            FieldValue::None => change.verb == Verb::Create && field.field != FieldName::NoAnswer,
            _ => false,
        };
        if !absent {
            document.insert(key(change.object.kind, field.field)?.to_owned(), value(field.field, &field.after)?);
        }
    }
    serde_json::to_vec(&document).map(Some).map_err(|error| WriteError::Unsupported(error.to_string()))
}

/// The collection that has objects of a kind, if changes to it can be sent at all.
pub(super) fn collection(change: &Change) -> Result<&'static str, WriteError> {
    let kind = change.object.kind;
    match (kind, change.verb) {
        (WritableKind::Number, verb @ (Verb::Create | Verb::Delete)) => {
            Err(WriteError::Unsupported(format!("the Account API has no {verb:?} of a {kind}").to_lowercase()))
        }
        (WritableKind::Number, Verb::Update) | (WritableKind::RingGroup, _) => Ok(kind.section()),
    }
}

/// The field as the Account API spells it.
fn key(kind: WritableKind, field: FieldName) -> Result<&'static str, WriteError> {
    match field {
        field if field.spec().kind != kind => {
            Err(WriteError::Unsupported(format!("a {kind} has no field `{}`", field.as_str())))
        }
        FieldName::To => Ok("destination"),
        field => Ok(field.as_str()),
    }
}

fn value(field: FieldName, value: &FieldValue) -> Result<Value, WriteError> {
    Ok(match value {
        // A label is always a text over there; none is the empty one.
        FieldValue::None if field == FieldName::Label => json!(""),
        FieldValue::None | FieldValue::ChosenByAccount => Value::Null,
        FieldValue::Text(text) => json!(text),
        FieldValue::Name(name) => json!(name.as_str()),
        FieldValue::Extension(extension) => json!(extension.as_str()),
        FieldValue::Ring(mode) => json!(mode.as_str()),
        FieldValue::RingFor(duration) => json!(duration.seconds()),
        FieldValue::Reference(to) => reference(to)?,
        FieldValue::References(all) => Value::Array(all.iter().map(reference).collect::<Result<_, _>>()?),
    })
}

fn reference(reference: &PlannedRef) -> Result<Value, WriteError> {
    match &reference.id {
        Some(id) if reference.kind != Kind::Other => Ok(json!({ "kind": reference.kind.as_str(), "id": *id.0 })),
        _ => Err(WriteError::Unsupported(format!(
            "`{}/{}` has no id that the account knows",
            reference.kind, reference.name
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_removed_by_an_empty_text_and_a_destination_by_null() {
        let change: Change = serde_json::from_value(json!({
            "id": 1, "verb": "update", "object": {"kind": "number", "id": "num_1", "name": "+33142685300"},
            "fields": [
                {"field": "to", "before": "none", "after": "none"},
                {"field": "label", "before": {"text": "Accueil"}, "after": "none"},
            ],
            "reason": "declared", "calls": 1,
        }))
        .unwrap();
        let body: Value = serde_json::from_slice(&body(&change).unwrap().unwrap()).unwrap();
        assert_eq!(body, json!({"destination": null, "label": ""}));
    }
}
