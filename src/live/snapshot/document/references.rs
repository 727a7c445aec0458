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
    ids: HashSet<Arc<str>>,
    taken: Taken,
    /// Those that wait for their objects.
    pub(in crate::live::snapshot) waiting: Vec<(Slot, TextId)>,
    texts: Texts,
    nowhere: Option<ObjectRef>,
}

/// How many objects of each list have their ids in the table.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Taken {
    users: usize,
    devices: usize,
    ring_groups: usize,
    receptionists: usize,
    conferences: usize,
}

/// Distinct texts.
#[derive(Default)]
struct Texts {
    ids: HashMap<Box<str>, TextId>,
}

impl References {
    /// What a reference means, or something that stands for it while it waits.
    pub(super) fn read(&mut self, live: &Live, slot: Slot, text: &str) -> Result<ObjectRef, String> {
        self.take_in(live);
        if let Some(reference) = self.plain(text) {
            return Ok(reference);
        }
        self.waiting.push((slot, self.texts.id(text)?));
        let nowhere = || ObjectRef { kind: Kind::Other, id: ObjectId::from("") };
        Ok(self.nowhere.get_or_insert_with(nowhere).clone())
    }

    /// Takes in the ids of the objects that were read since the last time, many of them at once.
    pub(in crate::live::snapshot) fn take_in(&mut self, live: &Live) {
        let now = Taken::all_of(live);
        let before = std::mem::replace(&mut self.taken, now);
        if before == now {
            return;
        }
        let users = since(&live.users, before.users);
        let devices = since(&live.devices, before.devices);
        let groups = since(&live.ring_groups, before.ring_groups);
        let receptionists = since(&live.receptionists, before.receptionists);
        let conferences = since(&live.conferences, before.conferences);
        let smaller = groups.len() + receptionists.len() + conferences.len();
        self.ids.reserve(2 * users.len() + devices.len() + smaller);
        let users = users.iter().flat_map(|user| std::iter::once(&user.id).chain(&user.voicemail));
        let ids = users.chain(devices.iter().map(|device| &device.id)).chain(groups.iter().map(|group| &group.id));
        let ids = ids.chain(receptionists.iter().map(|receptionist| &receptionist.id));
        let ids = ids.chain(conferences.iter().map(|conference| &conference.id));
        self.ids.extend(ids.map(|id| id.0.clone()));
    }

    /// The object whose id this text is.
    pub(in crate::live::snapshot) fn by_id(&self, text: &str) -> Option<ObjectId> {
        self.ids.get(text).cloned().map(ObjectId)
    }

    /// The same, if nothing else could be meant and the text is certainly a reference: an extension number comes
    /// before any key, and what a reference cannot have in it is an error.
    fn plain(&self, text: &str) -> Option<ObjectRef> {
        let (word, selector) = text.split_once('/')?;
        let first = selector.bytes().next()?;
        let is_plain = first.is_ascii_graphic()
            && !first.is_ascii_digit()
            && selector.len() <= Name::MOST
            && selector.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        Some(ObjectRef { kind: Kind::parse(word).filter(|_| is_plain)?, id: self.by_id(text)? })
    }

    /// The texts of those that wait, in the order of their ids.
    pub(in crate::live::snapshot) fn texts(&mut self) -> Vec<Box<str>> {
        std::mem::take(&mut self.texts).in_order()
    }
}

impl Taken {
    fn all_of(live: &Live) -> Self {
        Self {
            users: live.users.len(),
            devices: live.devices.len(),
            ring_groups: live.ring_groups.len(),
            receptionists: live.receptionists.len(),
            conferences: live.conferences.len(),
        }
    }
}

fn since<T>(list: &[T], taken: usize) -> &[T] {
    list.get(taken..).unwrap_or_default()
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
