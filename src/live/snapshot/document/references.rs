//! What the references of a document mean.
//!
//! An object's id is its section's word and its key, which is also how nearly every reference is written, and
//! objects nearly always stand before what points at them. Such a reference gets the object's own id as soon as it
//! is read, at the price of one look-up; every other one waits until all objects are known.

use foldhash::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{Kind, Live, Name, ObjectId, ObjectRef};

/// A reference text, by its position in [`Texts`].
pub(in crate::live::snapshot) type TextId = u32;

/// Where a reference stands, by positions in the lists of the account.
#[derive(Clone, Copy)]
pub(in crate::live::snapshot) enum Slot {
    /// The destination of a number.
    To { number: u32 },
    /// A member of a group.
    Member { group: u32, member: u32 },
    /// Who takes over from a group.
    NoAnswer { group: u32 },
    /// What a receptionist's key leads to.
    Key { receptionist: u32, key: u32 },
}

/// References, and what they can point at.
#[derive(Default)]
pub(in crate::live::snapshot) struct References {
    /// By kind, in the order of [`Kind`].
    known: [Known; KINDS],
    /// Those that wait for their objects.
    pub(in crate::live::snapshot) waiting: Vec<(Slot, TextId)>,
    texts: Texts,
    nowhere: Option<ObjectRef>,
}

const KINDS: usize = Kind::Other as usize + 1;

/// The ids of the objects of a kind, of so many as stood before the last reference to one.
#[derive(Default)]
struct Known {
    ids: HashSet<Arc<str>>,
    taken: usize,
}

/// Distinct texts.
#[derive(Default)]
struct Texts {
    ids: HashMap<Box<str>, TextId>,
}

impl References {
    /// What a reference means, or something that stands for it while it waits.
    pub(super) fn read(&mut self, live: &Live, slot: Slot, text: &str) -> Result<ObjectRef, String> {
        if let Some(reference) = self.plain(live, text) {
            return Ok(reference);
        }
        self.waiting.push((slot, self.texts.id(text)?));
        let nowhere = || ObjectRef { kind: Kind::Other, id: ObjectId::from("") };
        Ok(self.nowhere.get_or_insert_with(nowhere).clone())
    }

    /// The object of a kind whose id this text is, if it was read.
    pub(in crate::live::snapshot) fn by_id(&mut self, live: &Live, kind: Kind, text: &str) -> Option<ObjectId> {
        let known = self.known.get_mut(kind as usize)?;
        known.take_in(live, kind);
        known.ids.get(text).cloned().map(ObjectId)
    }

    /// The same, if nothing else could be meant and the text is certainly a reference: an extension number comes
    /// before any key, and what a reference cannot have in it is an error.
    fn plain(&mut self, live: &Live, text: &str) -> Option<ObjectRef> {
        let (word, selector) = text.split_once('/')?;
        let first = selector.bytes().next()?;
        let is_plain = first.is_ascii_graphic()
            && !first.is_ascii_digit()
            && selector.len() <= Name::MOST
            && selector.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let kind = Kind::parse(word).filter(|_| is_plain)?;
        Some(ObjectRef { kind, id: self.by_id(live, kind, text)? })
    }

    /// The texts of those that wait, in the order of their ids.
    pub(in crate::live::snapshot) fn texts(&mut self) -> Vec<Box<str>> {
        std::mem::take(&mut self.texts).in_order()
    }
}

impl Known {
    /// Takes in the objects that were read since the last time, most often all of a section at once.
    fn take_in(&mut self, live: &Live, kind: Kind) {
        match kind {
            Kind::User => self.add(&live.users, |user| Some(&user.id)),
            Kind::Voicemail => self.add(&live.users, |user| user.voicemail.as_ref()),
            Kind::Device => self.add(&live.devices, |device| Some(&device.id)),
            Kind::RingGroup => self.add(&live.ring_groups, |group| Some(&group.id)),
            Kind::Receptionist => self.add(&live.receptionists, |receptionist| Some(&receptionist.id)),
            Kind::Conference => self.add(&live.conferences, |conference| Some(&conference.id)),
            Kind::Number | Kind::Other => {}
        }
    }

    fn add<T>(&mut self, list: &[T], id: impl Fn(&T) -> Option<&ObjectId>) {
        let new = list.get(self.taken..).unwrap_or_default();
        if !new.is_empty() {
            self.taken = list.len();
            self.ids.reserve(new.len());
            self.ids.extend(new.iter().filter_map(id).map(|id| id.0.clone()));
        }
    }
}

impl Texts {
    fn id(&mut self, text: &str) -> Result<TextId, String> {
        if let Some(id) = self.ids.get(text) {
            return Ok(*id);
        }
        let id = TextId::try_from(self.ids.len()).map_err(|_| "there are too many references".to_owned())?;
        self.ids.insert(text.into(), id);
        Ok(id)
    }

    fn in_order(self) -> Vec<Box<str>> {
        let mut texts = vec![Box::default(); self.ids.len()];
        for (text, id) in self.ids {
            if let Some(slot) = texts.get_mut(id as usize) {
                *slot = text;
            }
        }
        texts
    }
}
