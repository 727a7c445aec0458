//! The state of an account as its provider read it.
//!
//! A provider hands over a *complete* account or an error: a plan is never built on part of one. A
//! reference may point at something that is gone (some vendors delete what others point to) or at a kind
//! that is not modelled; both can be read and shown. Ids are the vendor's own and mean nothing to the core.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Capabilities, E164, ExtensionNumber, Kind, LiveClaim, Name, RingFor, RingMode, Unreadable};

/// The vendor's own name for an object. Shared: everything that points at the object repeats it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct ObjectId(pub Arc<str>);

/// What identifies one version of an object at the vendor: an `ETag`, a revision, or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Revision(pub Box<str>);

/// The object as the vendor stores it, kept so that a write loses nothing that is not modelled.
///
/// Opaque outside its provider. It is never shown or saved, because a vendor's document may hold a password; users, whose
/// documents do, have none.
#[derive(Clone, PartialEq, Eq)]
pub struct VendorDocument(pub Arc<str>);

/// A reference between live objects, by the vendor's ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// The kind of the object that is pointed at.
    pub kind: Kind,
    pub id: ObjectId,
}

/// Facts on the account itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountInfo {
    /// The vendor's id, so that a plan for one account is never applied to another.
    pub id: Box<str>,
    pub name: Box<str>,
    /// The main number.
    pub default_number: Option<E164>,
    /// Who claims it; `None` if the account does not know of owners.
    pub owners: Option<Vec<LiveClaim>>,
}

/// A phone number of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveNumber {
    /// The vendor's id, which may be its own spelling of the number; a spelling beside the id is in the document.
    pub id: ObjectId,
    pub number: E164,
    /// Where its calls go; `None` if it is unassigned.
    pub to: Option<ObjectRef>,
    /// The text beside it; empty if there is none.
    pub label: Box<str>,
    /// Whether help calls this number back.
    pub emergency_callback: bool,
    pub revision: Option<Revision>,
    /// What else the vendor stores with it.
    pub document: Option<VendorDocument>,
}

/// A ring group of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveRingGroup {
    pub id: ObjectId,
    /// Its name, as the account spells it.
    pub name: Name,
    pub extension: Option<ExtensionNumber>,
    pub ring: RingMode,
    /// In order.
    pub members: Vec<ObjectRef>,
    /// `None` if it rings without end.
    pub ring_for: Option<RingFor>,
    /// `None` if an unanswered call ends.
    pub no_answer: Option<ObjectRef>,
    pub revision: Option<Revision>,
    /// What else the vendor stores with it.
    pub document: Option<VendorDocument>,
}

/// A person's extension. Strowger reads it and never writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveUser {
    pub id: ObjectId,
    pub name: Box<str>,
    pub email: Option<Box<str>>,
    pub extension: Option<ExtensionNumber>,
    /// The mailbox, if there is one. Several users may share it.
    pub voicemail: Option<ObjectId>,
    /// Whether every call is forwarded, so that none of the person's phones ring.
    pub always_forwarded: bool,
}

/// One phone. Strowger reads it and never writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveDevice {
    pub id: ObjectId,
    pub name: Box<str>,
    /// The user that has it.
    pub owner: Option<ObjectId>,
}

/// An auto-attendant. Strowger reads it and never writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveReceptionist {
    pub id: ObjectId,
    pub name: Box<str>,
    pub extension: Option<ExtensionNumber>,
    /// Where each key leads: the key as dialled, then the target.
    pub keys: Vec<(Box<str>, ObjectRef)>,
}

/// A conference line. Strowger reads it and never writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveConference {
    pub id: ObjectId,
    pub name: Box<str>,
    pub extension: Option<ExtensionNumber>,
}

/// A mailbox that is not a user's own: of a ring group, or of the account. Strowger reads it and never writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveMailbox {
    pub id: ObjectId,
    /// Of the mailbox, or of the group that has it.
    pub name: Box<str>,
    /// Its number, which may also be a user's extension number.
    pub extension: Option<ExtensionNumber>,
}

/// The whole account, as read at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveAccount {
    pub account: AccountInfo,
    /// What it accepts.
    pub capabilities: Capabilities,
    pub numbers: Vec<LiveNumber>,
    pub ring_groups: Vec<LiveRingGroup>,
    pub users: Vec<LiveUser>,
    pub devices: Vec<LiveDevice>,
    pub receptionists: Vec<LiveReceptionist>,
    pub conferences: Vec<LiveConference>,
    pub mailboxes: Vec<LiveMailbox>,
    /// The site, or location, of an object, where the vendor has several.
    pub sites: BTreeMap<ObjectRef, Box<str>>,
    /// Numbers and ring groups that have no place in the lists above.
    pub unreadable: Vec<Unreadable>,
}

/// Why what was read cannot be a whole account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// A list gave one object twice, as lists do when the account changes between two pages.
    #[error("the account listed {kind} {id} twice")]
    Repeated { kind: Kind, id: Box<str> },
}

impl LiveAccount {
    /// Puts the lists in a stable order and refuses an account that lists an object twice.
    pub fn validated(mut self) -> Result<Self, Incomplete> {
        self.numbers.sort_unstable_by_key(|number| number.number);
        ensure_unique(Kind::Number, self.numbers.iter().map(|number| &number.id))?;
        self.separate_repeated_numbers();
        sort(Kind::RingGroup, &mut self.ring_groups, |group| &group.id)?;
        sort(Kind::User, &mut self.users, |user| &user.id)?;
        sort(Kind::Device, &mut self.devices, |device| &device.id)?;
        sort(Kind::Receptionist, &mut self.receptionists, |receptionist| &receptionist.id)?;
        sort(Kind::Conference, &mut self.conferences, |conference| &conference.id)?;
        sort(Kind::Voicemail, &mut self.mailboxes, |mailbox| &mailbox.id)?;
        self.unreadable.sort_unstable_by(|one, other| (one.kind, &one.id).cmp(&(other.kind, &other.id)));
        if let Some((kind, id)) = self.repeated_unreadable() {
            return Err(Incomplete::Repeated { kind, id: (&*id.0).into() });
        }
        Ok(self)
    }

    /// Numbers that the account has more than once, as on two trunks, cannot be managed: which one takes a call is not
    /// known.
    fn separate_repeated_numbers(&mut self) {
        if self.numbers.is_sorted_by(|left, right| left.number < right.number) {
            return;
        }
        let mut counts: BTreeMap<E164, usize> = BTreeMap::new();
        for number in &self.numbers {
            *counts.entry(number.number).or_default() += 1;
        }
        let is_repeated = |number: &LiveNumber| counts.get(&number.number).is_some_and(|count| *count > 1);
        let (repeated, once): (Vec<_>, Vec<_>) = self.numbers.drain(..).partition(is_repeated);
        self.numbers = once;
        self.unreadable.extend(repeated.into_iter().map(|number| Unreadable {
            kind: Kind::Number,
            id: number.id,
            name: number.number.to_string().into(),
            extension: None,
            targets: number.to.into_iter().collect(),
            why: "the account has this number more than once, as on two trunks".into(),
        }));
    }

    /// How many objects of a kind may be referred to by position. The mailboxes of users have the positions of their
    /// users, and the other mailboxes follow.
    pub fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Number => self.numbers.len(),
            Kind::RingGroup => self.ring_groups.len(),
            Kind::User => self.users.len(),
            Kind::Voicemail => self.users.len() + self.mailboxes.len(),
            Kind::Device => self.devices.len(),
            Kind::Receptionist => self.receptionists.len(),
            Kind::Conference => self.conferences.len(),
            Kind::External | Kind::Other => 0,
        }
    }

    /// Hands over the ids of the objects of a kind, but for numbers, each with its position, from a position on.
    pub fn each_id<'l>(&'l self, kind: Kind, from: usize, mut take: impl FnMut(u32, &'l ObjectId)) {
        fn rest<T>(list: &[T], from: usize) -> impl Iterator<Item = (u32, &T)> {
            // Slice instead of `skip(n)`: callers poll a growing list, and `skip` would be linear each time.
            (u32::try_from(from).unwrap_or(u32::MAX)..).zip(list.get(from..).unwrap_or_default())
        }
        match kind {
            Kind::RingGroup => rest(&self.ring_groups, from).for_each(|(at, group)| take(at, &group.id)),
            Kind::User => rest(&self.users, from).for_each(|(at, user)| take(at, &user.id)),
            Kind::Voicemail => {
                let users = rest(&self.users, from).filter_map(|(at, user)| Some((at, user.voicemail.as_ref()?)));
                users.for_each(|(at, mailbox)| take(at, mailbox));
                let first = u32::try_from(self.users.len()).unwrap_or(u32::MAX);
                let others = rest(&self.mailboxes, from.saturating_sub(self.users.len()));
                others.for_each(|(at, mailbox)| take(first.saturating_add(at), &mailbox.id));
            }
            Kind::Device => rest(&self.devices, from).for_each(|(at, device)| take(at, &device.id)),
            Kind::Receptionist => rest(&self.receptionists, from).for_each(|(at, one)| take(at, &one.id)),
            Kind::Conference => rest(&self.conferences, from).for_each(|(at, one)| take(at, &one.id)),
            Kind::Number | Kind::External | Kind::Other => {}
        }
    }

    /// How many objects were read.
    pub fn objects(&self) -> usize {
        self.numbers.len()
            + self.ring_groups.len()
            + self.users.len()
            + self.receptionists.len()
            + self.conferences.len()
            + self.unreadable.len()
    }
}

/// Refuses a list in which an id is given twice.
fn ensure_unique<'l>(kind: Kind, mut ids: impl Iterator<Item = &'l ObjectId> + Clone) -> Result<(), Incomplete> {
    // Ids that grow with the list, as those of snapshots do, are compared without a table.
    if ids.clone().is_sorted_by(|left, right| left < right) {
        return Ok(());
    }
    let most = ids.size_hint().1.unwrap_or_default();
    let mut seen = HashSet::with_capacity_and_hasher(most, foldhash::fast::RandomState::default());
    let twice = ids.find(|id| !seen.insert(&*id.0));
    twice.map_or(Ok(()), |id| Err(Incomplete::Repeated { kind, id: (&*id.0).into() }))
}

fn sort<T>(kind: Kind, list: &mut [T], id: impl Fn(&T) -> &ObjectId) -> Result<(), Incomplete> {
    // Most lists come in order, and then one look at each id is enough.
    if list.is_sorted_by(|left, right| id(left) < id(right)) {
        return Ok(());
    }
    list.sort_unstable_by(|left, right| id(left).cmp(id(right)));
    let twice = list.windows(2).find_map(|pair| match pair {
        [left, right] if id(left) == id(right) => Some(&*id(left).0),
        _ => None,
    });
    twice.map_or(Ok(()), |id| Err(Incomplete::Repeated { kind, id: id.into() }))
}

impl fmt::Debug for VendorDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VendorDocument({} bytes)", self.0.len())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ObjectId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}
