//! What the references of a document mean.
//!
//! An object's id is its section's word and its key, which is also how nearly every reference is written, and
//! objects nearly always stand before what points at them. Such a reference gets the object's own id soon after it
//! is read, at the price of one look-up; every other one waits until all objects are known.

use std::borrow::Cow;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use crate::diag::Rule;
use crate::model::{Kind, LiveAccount, Name, ObjectId, ObjectRef};

use super::problem::Problem;

/// A reference text, by its position in [`Texts`].
pub(super) type TextId = u32;

/// Where a reference is, by positions in the lists of the account.
#[derive(Clone, Copy)]
pub(super) enum Slot {
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
pub(super) struct References {
    /// By kind, in the order of [`Kind`].
    known: [Known; Kind::COUNT],
    /// Those that wait for their objects.
    pub(super) waiting: Vec<(Slot, TextId)>,
    texts: Texts,
}

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

impl Slot {
    /// The reference at this place.
    pub(super) fn of(self, live: &mut LiveAccount) -> Option<&mut ObjectRef> {
        match self {
            Self::To { number } => live.numbers.get_mut(number as usize)?.to.as_mut(),
            Self::Member { group, member } => {
                live.ring_groups.get_mut(group as usize)?.members.get_mut(member as usize)
            }
            Self::NoAnswer { group } => live.ring_groups.get_mut(group as usize)?.no_answer.as_mut(),
            Self::Key { receptionist, key } => {
                let keys = &mut live.receptionists.get_mut(receptionist as usize)?.keys;
                keys.get_mut(key as usize).map(|(_, target)| target)
            }
        }
    }
}

impl References {
    /// Gives references their meanings, as far as they have one already.
    ///
    /// All are looked up before any is used: in a large account each look-up waits for memory, and the machine waits
    /// for several at once only if little else comes between them.
    pub(super) fn settle(
        &mut self,
        live: &mut LiveAccount,
        read: &mut Vec<(Slot, Cow<'_, str>)>,
    ) -> Result<(), Problem> {
        let kinds: Vec<Option<Kind>> = read.iter().map(|(_, text)| plain(text)).collect();
        for kind in kinds.iter().flatten() {
            self.take_in(live, *kind);
        }
        let known = &self.known;
        let look_up = |(kind, (_, text)): (Option<Kind>, &(Slot, Cow<'_, str>))| {
            let kind = kind?;
            Some((kind, known.get(kind as usize)?.ids.get(&**text)?))
        };
        let found: Vec<Option<(Kind, &Arc<str>)>> = kinds.into_iter().zip(&*read).map(look_up).collect();
        for ((slot, text), found) in read.drain(..).zip(found) {
            match (found, slot.of(live)) {
                (Some((kind, id)), Some(place)) => *place = ObjectRef { kind, id: ObjectId(id.clone()) },
                _ => self.waiting.push((slot, self.texts.id(&text)?)),
            }
        }
        Ok(())
    }

    /// The object of a kind whose id this text is, if it was read.
    pub(super) fn by_id(&mut self, live: &LiveAccount, kind: Kind, text: &str) -> Option<ObjectId> {
        self.take_in(live, kind);
        self.known.get(kind as usize)?.ids.get(text).cloned().map(ObjectId)
    }

    /// The texts of those that wait, in the order of their ids.
    pub(super) fn texts(&mut self) -> Vec<Box<str>> {
        std::mem::take(&mut self.texts).in_order()
    }

    /// Takes in the objects that were read since the last time, most often all of a section at once.
    fn take_in(&mut self, live: &LiveAccount, kind: Kind) {
        let Some(Known { ids, taken }) = self.known.get_mut(kind as usize) else { return };
        let from = std::mem::replace(taken, live.count(kind));
        if from < *taken {
            ids.reserve(*taken - from);
            // Mailboxes come after users, whose number may have grown.
            let from = if kind == Kind::Voicemail { 0 } else { from };
            live.each_id(kind, from, |_, id| {
                ids.insert(id.0.clone());
            });
        }
    }
}

/// The kind of a text that is certainly a reference and means the object whose id it is, if there is one: an extension
/// number comes before any key, and what a reference cannot have in it is an error.
fn plain(text: &str) -> Option<Kind> {
    let (word, selector) = text.split_once('/')?;
    let first = selector.bytes().next()?;
    let is_plain = first.is_ascii_graphic()
        && !first.is_ascii_digit()
        && selector.len() <= Name::MOST
        && selector.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    Kind::parse(word).filter(|_| is_plain)
}

impl Texts {
    fn id(&mut self, text: &str) -> Result<TextId, Problem> {
        if let Some(id) = self.ids.get(text) {
            return Ok(*id);
        }
        let id = TextId::try_from(self.ids.len()).map_err(|_| {
            Problem::new(Rule::FILE_TOO_LARGE, "there are too many references", "take a snapshot of fewer objects")
        })?;
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
