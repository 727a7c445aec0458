//! From reference texts to the objects that they mean.

use crate::model::{
    Directory, Found, Incomplete, Kind, LiveAccount, ObjectId, ObjectRef, Reference, ReferenceError, Selector,
};
use crate::text::sanitized;

use super::SnapshotError;
use super::document::Document;
use super::references::{References, Slot};

/// The prefix of a reference to something that is not modelled, or is gone.
pub(super) const OTHER: &str = "other/";

/// Connects the objects of a document.
pub(super) fn resolve(document: Document) -> Result<LiveAccount, SnapshotError> {
    let Document { mut live, mut references } = document;
    let texts = references.texts();
    let meanings = meanings(&live, &mut references, &texts);
    for (slot, text) in references.waiting {
        let meaning = match meanings.get(text as usize) {
            Some(Ok(reference)) => reference.clone(),
            Some(Err(why)) => return Err(SnapshotError::Value { key: key(&live, slot), why: why.clone() }),
            None => return Err(SnapshotError::Value { key: key(&live, slot), why: "it is lost".to_owned() }),
        };
        if let Some(place) = slot.of(&mut live) {
            *place = meaning;
        }
    }
    live.validated().map_err(|Incomplete::Repeated { kind, id }| {
        let key = format!("{}s", if kind == Kind::Device { Kind::User } else { kind });
        SnapshotError::Value { key, why: format!("`{}` is given twice", sanitized(&id, 80)) }
    })
}

/// The keys of the document that lead to a slot.
fn key(live: &LiveAccount, slot: Slot) -> String {
    let group = |index: u32| live.ring_groups.get(index as usize).map(|group| &group.name);
    let found = match slot {
        Slot::To { number } => {
            live.numbers.get(number as usize).map(|number| format!("numbers.\"{}\".to", number.number))
        }
        Slot::Member { group: index, .. } => group(index).map(|name| format!("ring_groups.{name}.members")),
        Slot::NoAnswer { group: index } => group(index).map(|name| format!("ring_groups.{name}.no_answer")),
        Slot::Key { receptionist, key } => live.receptionists.get(receptionist as usize).map(|receptionist| {
            let pressed = receptionist.keys.get(key as usize).map_or("", |(pressed, _)| pressed);
            format!("receptionists.{}.keys.{}", sanitized(&receptionist.name, 80), sanitized(pressed, 80))
        }),
    };
    found.unwrap_or_default()
}

/// What each text means that had to wait: an object's id, or else what it finds in the account.
fn meanings(live: &LiveAccount, references: &mut References, texts: &[Box<str>]) -> Vec<Result<ObjectRef, String>> {
    let directory = Directory::new(live);
    texts
        .iter()
        .map(|text| {
            if let Some(id) = text.strip_prefix(OTHER) {
                return Ok(ObjectRef { kind: Kind::Other, id: ObjectId(id.into()) });
            }
            let reference: Reference = text.parse().map_err(|why: ReferenceError| {
                format!("`{}`: {}", sanitized(text, 80), sanitized(&why.to_string(), 200))
            })?;
            if let Selector::Number(number) = reference.selector {
                return Ok(ObjectRef { kind: Kind::External, id: ObjectId(number.to_string().into()) });
            }
            let by_extension = matches!(reference.selector, Selector::Extension(_));
            // All digits is an extension number first, whatever the keys are.
            if !by_extension && let Some(id) = references.by_id(live, reference.kind, text) {
                return Ok(ObjectRef { kind: reference.kind, id });
            }
            find(&directory, &reference).map_err(|why| format!("`{}`: {why}", sanitized(text, 80)))
        })
        .collect()
}

fn find(directory: &Directory<'_>, reference: &Reference) -> Result<ObjectRef, String> {
    match directory.find(reference) {
        Found::One(handle) => {
            let id = directory.id(handle).cloned().ok_or("there is no such object")?;
            Ok(ObjectRef { kind: reference.kind, id })
        }
        Found::None => Err("there is no such object in the snapshot".to_owned()),
        Found::Several(all) => {
            let all: Vec<_> = all.iter().filter_map(|handle| directory.id(*handle)).map(ToString::to_string).collect();
            Err(format!("it could be any of {}", sanitized(&all.join(", "), 300)))
        }
    }
}
