//! Objects by the vendor's id.
//!
//! A provider that shares one allocation between an object's id and the references to it spares the comparison
//! of texts: the address is looked up first, and the table of texts is made on the first look-up of an address
//! that is not an object's own. For a million numbers that is the difference between one visit to memory for
//! each reference and four.

use std::cell::OnceCell;
use std::hash::Hash;

use foldhash::HashMap;

use super::super::{Kind, LiveAccount, ObjectId, ObjectRef};
use super::Handle;

/// Every object that a reference can point at.
#[derive(Debug)]
pub(super) struct Ids<'a> {
    live: &'a LiveAccount,
    /// By kind, in the order of [`Kind`]; each table is made on the first look-up of its kind.
    tables: [Tables; Kind::COUNT],
    /// Nothing points at a number, so only some ask for one.
    numbers: OnceCell<HashMap<ObjectId, u32>>,
}

#[derive(Debug, Default)]
struct Tables {
    addresses: OnceCell<HashMap<usize, u32>>,
    texts: OnceCell<HashMap<ObjectId, u32>>,
}

impl<'a> Ids<'a> {
    pub(super) fn new(live: &'a LiveAccount) -> Self {
        Self { live, tables: Default::default(), numbers: OnceCell::new() }
    }

    /// The object that a reference points at; `None` if it is gone or not modelled.
    pub(super) fn find(&self, reference: &ObjectRef) -> Option<Handle> {
        let kind = reference.kind;
        let tables = self.tables.get(kind as usize)?;
        let by_text = || {
            let texts = tables.texts.get_or_init(|| table(self.live, kind, ObjectId::clone));
            texts.get(&reference.id).copied()
        };
        // Each of those who share a mailbox may keep its id at an address of their own.
        let index = if kind == Kind::Voicemail {
            by_text()
        } else {
            let addresses = tables.addresses.get_or_init(|| table(self.live, kind, address));
            addresses.get(&address(&reference.id)).copied().or_else(by_text)
        }?;
        Some(Handle { kind, index })
    }

    /// The position of a number; `None` if it is gone.
    pub(super) fn number(&self, id: &ObjectId) -> Option<u32> {
        let numbers = || (0u32..).zip(&self.live.numbers).map(|(index, number)| (number.id.clone(), index)).collect();
        self.numbers.get_or_init(numbers).get(id).copied()
    }
}

/// Where the text of an id is kept. While the account is borrowed no other text can come to be there.
fn address(ObjectId(id): &ObjectId) -> usize {
    std::sync::Arc::as_ptr(id).cast::<u8>().addr()
}

/// The positions of the objects of a kind.
fn table<K: Eq + Hash>(live: &LiveAccount, kind: Kind, key: impl Fn(&ObjectId) -> K) -> HashMap<K, u32> {
    let mut table = HashMap::with_capacity_and_hasher(live.count(kind), foldhash::fast::RandomState::default());
    live.each_id(kind, 0, |index, id| {
        // The first user of a shared mailbox gives it its position.
        table.entry(key(id)).or_insert(index);
    });
    table
}

#[cfg(test)]
mod tests {
    use super::super::super::LiveUser;
    use super::*;

    fn account() -> LiveAccount {
        let user = |id: &str| LiveUser {
            id: id.into(),
            name: id.into(),
            email: None,
            extension: None,
            voicemail: Some(id.into()),
            always_forwarded: false,
        };
        LiveAccount { users: vec![user("a"), user("b")], ..LiveAccount::default() }
    }

    #[test]
    fn an_id_is_found_by_its_text_wherever_it_is_kept() {
        let live = account();
        let ids = Ids::new(&live);
        for id in [live.users.get(1).map(|user| user.id.clone()), Some("b".into())].into_iter().flatten() {
            let found = ids.find(&ObjectRef { kind: Kind::User, id: id.clone() });
            assert_eq!(found, Some(Handle { kind: Kind::User, index: 1 }));
            let found = ids.find(&ObjectRef { kind: Kind::Voicemail, id: id.clone() });
            assert_eq!(found, Some(Handle { kind: Kind::Voicemail, index: 1 }));
            assert_eq!(ids.find(&ObjectRef { kind: Kind::Device, id }), None);
        }
        assert_eq!(ids.find(&ObjectRef { kind: Kind::User, id: "c".into() }), None);
    }
}
