//! Objects by what people call them: names, and the e-mail addresses of users.
//!
//! A table is made on the first look-up that it could answer. Nearly all references to users are e-mail
//! addresses, so texts with an `@` have tables of their own: those of people's names are then never made, and a
//! large account has as many users as a plan has look-ups.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::hash_map;

use foldhash::{HashMap, HashSet};

use super::super::{Kind, LiveAccount, NameKey};

/// Look-ups by text.
#[derive(Debug)]
pub(super) struct Texts<'a> {
    live: &'a LiveAccount,
    /// By kind, in the order of [`Kind`].
    tables: [Tables<'a>; Kind::COUNT],
}

#[derive(Debug, Default)]
struct Tables<'a> {
    addresses: OnceCell<Table<'a>>,
    names: OnceCell<Table<'a>>,
}

/// The keys are those of [`NameKey`], borrowed where the text is its own.
#[derive(Debug, Default)]
struct Table<'a> {
    entries: HashMap<Cow<'a, str>, Entry>,
    several: Vec<Vec<u32>>,
}

/// Most keys name one object; the entry of a clash says where the positions are in [`Table::several`]. It is this small
/// because a large account has a million of them.
#[derive(Clone, Copy, Debug)]
enum Entry {
    One(u32),
    Several(u32),
}

impl<'a> Texts<'a> {
    pub(super) fn new(live: &'a LiveAccount) -> Self {
        Self { live, tables: Default::default() }
    }

    /// The positions of the objects of a kind that are called so.
    pub(super) fn find(&self, kind: Kind, key: &str) -> &[u32] {
        let has_at = key.contains('@');
        self.tables.get(kind as usize).map_or(&[], |tables| tables.of(self.live, kind, has_at).find(key))
    }

    /// Which of some keys objects of a kind have. For the few new names of a large account that is cheaper than a table.
    pub(super) fn taken<'k>(&self, kind: Kind, keys: &HashSet<&'k str>) -> HashSet<&'k str> {
        let mut taken = HashSet::default();
        each(self.live, kind, |_, text| taken.extend(keys.get(&*NameKey::folded(text)).copied()));
        taken
    }

    /// Everything that objects of a kind are called.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let tables = self.tables.get(kind as usize);
        let both = tables.map(|tables| [true, false].map(|has_at| tables.of(self.live, kind, has_at)));
        both.into_iter().flatten().flat_map(|table| table.entries.keys()).map(AsRef::as_ref)
    }
}

impl<'a> Tables<'a> {
    fn of(&self, live: &'a LiveAccount, kind: Kind, has_at: bool) -> &Table<'a> {
        let cell = if has_at { &self.addresses } else { &self.names };
        cell.get_or_init(|| Table::of(live, kind, has_at))
    }
}

impl<'a> Table<'a> {
    fn of(live: &'a LiveAccount, kind: Kind, has_at: bool) -> Self {
        let mut table = Self::default();
        // Makes room at once: tables that grow step by step take twice as long, and twice the memory meanwhile.
        table.entries.reserve(live.count(kind));
        each(live, kind, |index, text| {
            // Folding makes an `@` of signs that only look like one, so the key decides; of ASCII it makes none.
            if text.is_ascii() && text.contains('@') != has_at {
                return;
            }
            let key = NameKey::folded(text);
            if key.contains('@') == has_at {
                table.add(key, index);
            }
        });
        table
    }

    fn add(&mut self, key: Cow<'a, str>, index: u32) {
        match self.entries.entry(key) {
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(Entry::One(index));
            }
            hash_map::Entry::Occupied(mut occupied) => match *occupied.get() {
                Entry::One(first) if first == index => {}
                Entry::One(first) => {
                    let at = u32::try_from(self.several.len()).unwrap_or(u32::MAX);
                    self.several.push(vec![first, index]);
                    occupied.insert(Entry::Several(at));
                }
                Entry::Several(at) => {
                    if let Some(all) = self.several.get_mut(at as usize) {
                        all.push(index);
                    }
                }
            },
        }
    }

    fn find(&self, key: &str) -> &[u32] {
        match self.entries.get(key) {
            None => &[],
            Some(Entry::One(index)) => std::slice::from_ref(index),
            Some(Entry::Several(at)) => self.several.get(*at as usize).map_or(&[], Vec::as_slice),
        }
    }
}

/// Hands over every text that finds an object of a kind, by positions.
fn each<'a>(live: &'a LiveAccount, kind: Kind, mut take: impl FnMut(u32, &'a str)) {
    match kind {
        Kind::RingGroup => (0u32..).zip(&live.ring_groups).for_each(|(index, one)| take(index, one.name.as_str())),
        Kind::User => {
            for (index, user) in (0u32..).zip(&live.users) {
                take(index, &user.name);
                user.email.iter().for_each(|email| take(index, email));
            }
        }
        Kind::Device => (0u32..).zip(&live.devices).for_each(|(index, one)| take(index, &one.name)),
        Kind::Receptionist => (0u32..).zip(&live.receptionists).for_each(|(index, one)| take(index, &one.name)),
        Kind::Conference => (0u32..).zip(&live.conferences).for_each(|(index, one)| take(index, &one.name)),
        Kind::Voicemail => {
            // Those of users are found by what finds the user.
            let first = u32::try_from(live.users.len()).unwrap_or(u32::MAX);
            for (index, mailbox) in (first..).zip(&live.mailboxes) {
                take(index, &mailbox.name);
                mailbox.extension.iter().for_each(|extension| take(index, extension.as_str()));
            }
        }
        Kind::Number | Kind::External | Kind::Other => {}
    }
}
