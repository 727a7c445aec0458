//! Objects by the vendor's id.
//!
//! A provider that shares one allocation between an object's id and the references to it spares the comparison
//! of texts: the address is looked up first, and the table of texts is made when somebody asks for an address
//! that is not an object's own. For a million numbers that is the difference between one visit to memory for
//! each reference and four.

use std::cell::OnceCell;

use foldhash::HashMap;

use super::super::{Kind, Live, ObjectId, ObjectRef};
use super::Handle;

/// Every object that a reference can point at.
#[derive(Debug)]
pub(super) struct Ids<'a> {
    live: &'a Live,
    by_address: HashMap<usize, Handle>,
    by_text: OnceCell<HashMap<(Kind, ObjectId), u32>>,
    /// Nothing points at a number, so only some ask for one.
    numbers: OnceCell<HashMap<ObjectId, u32>>,
}

impl<'a> Ids<'a> {
    /// Indexes the account now.
    pub(super) fn new(live: &'a Live) -> Self {
        let mut ids = Self::on_demand(live);
        ids.by_address.reserve(all(live).count());
        ids.by_address.extend(all(live).map(|(kind, id, index)| (address(id), Handle { kind, index })));
        ids
    }

    /// Indexes the account when somebody asks.
    pub(super) fn on_demand(live: &'a Live) -> Self {
        Self { live, by_address: HashMap::default(), by_text: OnceCell::new(), numbers: OnceCell::new() }
    }

    /// The object that a reference points at; `None` if it is gone or not modelled.
    pub(super) fn find(&self, reference: &ObjectRef) -> Option<Handle> {
        let kind = reference.kind;
        if kind == Kind::Other {
            return None;
        }
        // A user and their mailbox may share one id.
        let here = self.by_address.get(&address(&reference.id)).copied().filter(|handle| handle.kind == kind);
        here.or_else(|| {
            let index = *self.texts().get(&(kind, reference.id.clone()))?;
            Some(Handle { kind, index })
        })
    }

    /// The position of a number; `None` if it is gone.
    pub(super) fn number(&self, id: &ObjectId) -> Option<u32> {
        let numbers = || (0u32..).zip(&self.live.numbers).map(|(index, number)| (number.id.clone(), index)).collect();
        self.numbers.get_or_init(numbers).get(id).copied()
    }

    fn texts(&self) -> &HashMap<(Kind, ObjectId), u32> {
        self.by_text.get_or_init(|| all(self.live).map(|(kind, id, index)| ((kind, id.clone()), index)).collect())
    }
}

/// Where the text of an id is kept. While the account is borrowed no other text can come to be there.
fn address(ObjectId(id): &ObjectId) -> usize {
    std::sync::Arc::as_ptr(id).cast::<u8>().addr()
}

fn all(live: &Live) -> impl Iterator<Item = (Kind, &ObjectId, u32)> {
    let groups = (0u32..).zip(&live.ring_groups).map(|(index, group)| (Kind::RingGroup, &group.id, index));
    let users = (0u32..).zip(&live.users).flat_map(|(index, user)| {
        let mailbox = user.voicemail.as_ref().map(|id| (Kind::Voicemail, id, index));
        std::iter::once((Kind::User, &user.id, index)).chain(mailbox)
    });
    let devices = (0u32..).zip(&live.devices).map(|(index, device)| (Kind::Device, &device.id, index));
    let receptionists =
        (0u32..).zip(&live.receptionists).map(|(index, receptionist)| (Kind::Receptionist, &receptionist.id, index));
    let conferences =
        (0u32..).zip(&live.conferences).map(|(index, conference)| (Kind::Conference, &conference.id, index));
    groups.chain(users).chain(devices).chain(receptionists).chain(conferences)
}

#[cfg(test)]
mod tests {
    use super::super::super::LiveUser;
    use super::*;

    fn account() -> Live {
        let user = |id: &str| LiveUser {
            id: id.into(),
            name: id.into(),
            email: None,
            extension: None,
            voicemail: Some(id.into()),
            always_forwarded: false,
        };
        Live { users: vec![user("a"), user("b")], ..Live::default() }
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
