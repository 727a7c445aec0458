//! Objects of an account that the model cannot hold.

use std::collections::{HashMap, HashSet};

use super::{ExtensionNumber, Kind, LiveAccount, NameKey, ObjectId, ObjectRef};

/// A number or a ring group with a value that has no place in the model: a number that is not an E.164 number, a ring
/// mode that this version does not know.
///
/// It is left as it is. Its name and its extension number are taken, and what it points at is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub kind: Kind,
    /// The vendor's id.
    pub id: ObjectId,
    /// The number or the name as the account has it: untrusted text.
    pub name: Box<str>,
    pub extension: Option<ExtensionNumber>,
    /// What it points at.
    pub targets: Vec<ObjectRef>,
    /// Why it cannot be read, as the end of a sentence: untrusted text.
    pub why: Box<str>,
}

/// Look-ups into what cannot be read.
#[derive(Debug, Default)]
pub(super) struct Unread<'a> {
    numbers: HashMap<&'a str, &'a Unreadable>,
    names: HashMap<NameKey, &'a Unreadable>,
    extensions: HashMap<&'a ExtensionNumber, &'a Unreadable>,
}

impl<'a> Unread<'a> {
    pub(super) fn new(live: &'a LiveAccount) -> Self {
        let mut unread = Self::default();
        for one in &live.unreadable {
            match one.kind {
                Kind::Number => {
                    unread.numbers.entry(&one.name).or_insert(one);
                }
                Kind::RingGroup => {
                    unread.names.entry(NameKey::of(&one.name)).or_insert(one);
                }
                _ => {}
            }
            if let Some(extension) = &one.extension {
                unread.extensions.entry(extension).or_insert(one);
            }
        }
        unread
    }

    pub(super) fn number(&self, number: &str) -> Option<&'a Unreadable> {
        self.numbers.get(number).copied()
    }

    pub(super) fn group(&self, name: &NameKey) -> Option<&'a Unreadable> {
        self.names.get(name).copied()
    }

    pub(super) fn extension(&self, extension: &ExtensionNumber) -> Option<&'a Unreadable> {
        self.extensions.get(extension).copied()
    }
}

impl LiveAccount {
    /// The first id that a list repeats, where at least one of the two objects cannot be read.
    pub(super) fn repeated_unreadable(&self) -> Option<(Kind, ObjectId)> {
        if self.unreadable.is_empty() {
            return None;
        }
        let mut seen = HashSet::new();
        for one in &self.unreadable {
            if !seen.insert((one.kind, &one.id)) {
                return Some((one.kind, one.id.clone()));
            }
        }
        let numbers = self.numbers.iter().map(|number| (Kind::Number, &number.id));
        let groups = self.ring_groups.iter().map(|group| (Kind::RingGroup, &group.id));
        numbers.chain(groups).find(|one| seen.contains(one)).map(|(kind, id)| (kind, id.clone()))
    }
}
