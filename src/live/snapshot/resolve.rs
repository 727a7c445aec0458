//! From reference texts to the objects that they mean.

use foldhash::HashMap;

use crate::model::{Directory, Found, Incomplete, Kind, Live, ObjectId, ObjectRef, Reference, ReferenceError};
use crate::text::shown;

use super::SnapshotError;
use super::document::{Document, TextId};

/// The prefix of a reference to something that is not modelled, or is gone.
pub(super) const OTHER: &str = "other/";

/// A reference that stands for one which is not resolved yet.
pub(super) fn nowhere() -> ObjectRef {
    ObjectRef { kind: Kind::Other, id: ObjectId::from("") }
}

/// Connects the objects of a document.
pub(super) fn resolve(document: Document) -> Result<Live, SnapshotError> {
    let Document { mut live, texts, to, members, no_answer, keys } = document;
    let texts = texts.in_order();
    let meanings = meanings(&live, &texts);
    let mean = |id: TextId, key: &dyn Fn() -> String| match meanings.get(id as usize) {
        Some(Ok(reference)) => Ok(reference.clone()),
        Some(Err(why)) => Err(SnapshotError::Value { key: key(), why: why.clone() }),
        None => Err(SnapshotError::Value { key: key(), why: "it is lost".to_owned() }),
    };
    for (number, to) in live.numbers.iter_mut().zip(to) {
        let key = || format!("numbers.\"{}\".to", number.number);
        number.to = to.map(|text| mean(text, &key)).transpose()?;
    }
    for ((group, members), no_answer) in live.ring_groups.iter_mut().zip(members).zip(no_answer) {
        let key = || format!("ring_groups.{}.members", group.name);
        group.members = members.into_iter().map(|text| mean(text, &key)).collect::<Result<_, _>>()?;
        let key = || format!("ring_groups.{}.no_answer", group.name);
        group.no_answer = no_answer.map(|text| mean(text, &key)).transpose()?;
    }
    for (receptionist, targets) in live.receptionists.iter_mut().zip(keys) {
        for ((pressed, target), text) in receptionist.keys.iter_mut().zip(targets) {
            let key = || format!("receptionists.{}.keys.{}", shown(&receptionist.name, 80), shown(pressed, 80));
            *target = mean(text, &key)?;
        }
    }
    live.completed().map_err(|Incomplete::Repeated { kind, id }| {
        let key = format!("{}s", if kind == Kind::Device { Kind::User } else { kind });
        SnapshotError::Value { key, why: format!("`{}` stands there twice", shown(&id, 80)) }
    })
}

/// What each text means.
///
/// Nearly all are a kind and a key, which is how ids are made here, so nearly all are found by one look-up;
/// a directory of names, e-mail addresses and extension numbers is only made of the kinds that need one.
fn meanings(live: &Live, texts: &[Box<str>]) -> Vec<Result<ObjectRef, String>> {
    let ids = ids(live);
    let mut directories: HashMap<Kind, Directory<'_>> = HashMap::default();
    texts
        .iter()
        .map(|text| {
            if let Some(id) = text.strip_prefix(OTHER) {
                return Ok(ObjectRef { kind: Kind::Other, id: ObjectId(id.into()) });
            }
            let reference: Reference = text
                .parse()
                .map_err(|why: ReferenceError| format!("`{}`: {}", shown(text, 80), shown(&why.to_string(), 200)))?;
            let by_extension = matches!(reference.selector, crate::model::Selector::Extension(_));
            // All digits is an extension number first, whatever the keys are.
            if !by_extension && let Some(id) = ids.get(&**text) {
                return Ok(ObjectRef { kind: reference.kind, id: (*id).clone() });
            }
            let kind = if reference.kind == Kind::Voicemail { Kind::User } else { reference.kind };
            let directory = directories.entry(kind).or_insert_with(|| Directory::of(live, &[kind]));
            find(directory, &reference).map_err(|why| format!("`{}`: {why}", shown(text, 80)))
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
            Err(format!("it could be any of {}", shown(&all.join(", "), 300)))
        }
    }
}

/// The ids that are also reference texts.
fn ids(live: &Live) -> HashMap<&str, &ObjectId> {
    let users = live.users.iter().flat_map(|user| std::iter::once(&user.id).chain(&user.voicemail));
    let groups = live.ring_groups.iter().map(|group| &group.id);
    let receptionists = live.receptionists.iter().map(|receptionist| &receptionist.id);
    let conferences = live.conferences.iter().map(|conference| &conference.id);
    let devices = live.devices.iter().map(|device| &device.id);
    users.chain(groups).chain(receptionists).chain(conferences).chain(devices).map(|id| (&*id.0, id)).collect()
}
