//! The account's telephone directory: finds live objects by id and by what people write.
//!
//! A [`Handle`] is a small, copyable name for an object of one [`LiveAccount`] (or, past the live ring
//! groups, for a group that a plan is about to create), so that the diff of a large account compares
//! integers instead of strings.

mod externals;
mod ids;
mod texts;

use std::cell::OnceCell;

use foldhash::{HashMap, HashSet};

use super::unreadable::{Unread, Unreadable};
use super::{
    ExtensionNumber, Kind, LiveAccount, LiveMailbox, LiveNumber, LiveObject, NameKey, ObjectId, ObjectRef, Reference,
    Selector, WritableKind,
};

use externals::Externals;
use ids::Ids;
use texts::Texts;

/// An object of one live account: its kind and its position in that kind's list.
///
/// A user's mailbox has the position of the user, or of the first of those who share it; other mailboxes follow. A ring
/// group at or past the end of the live list is one that the plan creates. Outside numbers have positions of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle {
    pub kind: Kind,
    /// The position.
    pub index: u32,
}

impl Handle {
    /// The first objects of a kind.
    pub fn first(kind: Kind, count: usize) -> impl Iterator<Item = Self> {
        (0u32..).take(count).map(move |index| Self { kind, index })
    }
}

/// What a selector finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Exactly one object.
    One(Handle),
    /// The reference is ambiguous.
    Several(Vec<Handle>),
    /// Nothing.
    None,
}

/// Look-ups into one live account, by id and by selector.
#[derive(Debug)]
pub struct Directory<'a> {
    live: &'a LiveAccount,
    ids: Ids<'a>,
    texts: Texts<'a>,
    extensions: OnceCell<HashMap<&'a str, Holders>>,
    unread: OnceCell<Unread<'a>>,
    /// For each number where it goes; everybody asks.
    destinations: OnceCell<Vec<Option<Handle>>>,
    externals: Externals,
}

/// Nearly every extension number has one holder.
#[derive(Debug)]
enum Holders {
    One(Handle),
    #[expect(clippy::box_collection, reason = "the many others are a third smaller for it")]
    Several(Box<Vec<Handle>>),
}

impl<'a> Directory<'a> {
    /// The directory of an account. Each part of it is made on first use, in time linear in the size of
    /// the account.
    pub fn new(live: &'a LiveAccount) -> Self {
        Self {
            live,
            ids: Ids::new(live),
            texts: Texts::new(live),
            extensions: OnceCell::new(),
            unread: OnceCell::new(),
            destinations: OnceCell::new(),
            externals: Externals::default(),
        }
    }

    /// The account that is indexed.
    pub fn live(&self) -> &'a LiveAccount {
        self.live
    }

    /// The object with this id; `None` if it is gone or not modelled.
    pub fn by_id(&self, reference: &ObjectRef) -> Option<Handle> {
        match reference.kind {
            Kind::External => Some(self.externals.handle(&reference.id)),
            _ => self.ids.find(reference),
        }
    }

    /// The number or the ring group with this id; `None` if it is gone.
    pub fn object(&self, kind: WritableKind, id: &ObjectId) -> Option<LiveObject<'a>> {
        match kind {
            WritableKind::Number => self.live.numbers.get(self.ids.number(id)? as usize).map(LiveObject::Number),
            WritableKind::RingGroup => {
                let handle = self.by_id(&ObjectRef { kind: kind.into(), id: id.clone() })?;
                self.live.ring_groups.get(handle.index as usize).map(LiveObject::RingGroup)
            }
        }
    }

    /// Where the number at this position of the live list goes; `None` if nowhere, or to what is not modelled.
    pub fn destination(&self, number: u32) -> Option<Handle> {
        let to = |number: &LiveNumber| number.to.as_ref().and_then(|to| self.by_id(to));
        let destinations = self.destinations.get_or_init(|| self.live.numbers.iter().map(to).collect());
        destinations.get(number as usize).copied().flatten()
    }

    /// The objects of any kind that have this extension number.
    pub fn by_extension(&self, extension: &str) -> &[Handle] {
        match self.extensions.get_or_init(|| extensions(self.live)).get(extension) {
            None => &[],
            Some(Holders::One(handle)) => std::slice::from_ref(handle),
            Some(Holders::Several(all)) => all,
        }
    }

    /// The number that the account has, and that cannot be managed.
    pub fn unreadable_number(&self, number: &str) -> Option<&'a Unreadable> {
        self.unread.get_or_init(|| Unread::new(self.live)).number(number)
    }

    /// The ring group that has this name and cannot be read.
    pub fn unreadable_group(&self, name: &NameKey) -> Option<&'a Unreadable> {
        self.unread.get_or_init(|| Unread::new(self.live)).group(name)
    }

    /// What a reference to a ring group means, if that cannot be read.
    pub fn unreadable(&self, reference: &Reference) -> Option<&'a Unreadable> {
        let by_extension = match &reference.selector {
            Selector::Extension(extension) => self.unreadable_extension(extension),
            _ => None,
        };
        let by_extension = by_extension.filter(|one| one.kind == reference.kind);
        by_extension.or_else(|| self.unreadable_group(&reference.selector.key()))
    }

    /// What has this extension number and cannot be read.
    pub fn unreadable_extension(&self, extension: &ExtensionNumber) -> Option<&'a Unreadable> {
        self.unread.get_or_init(|| Unread::new(self.live)).extension(extension)
    }

    /// What a reference means in this account.
    ///
    /// A mailbox is found by what finds its user, else by its own name or number. All digits is an extension number
    /// first, and a name only if no object of that kind has the extension.
    pub fn find(&self, reference: &Reference) -> Found {
        if let Selector::Number(number) = reference.selector {
            return Found::One(self.externals.handle(&ObjectId(number.to_string().into())));
        }
        match self.find_object(reference) {
            Found::None if reference.kind == Kind::Voicemail => {
                match self.folded(Kind::Voicemail, &reference.selector.folded()) {
                    Found::One(handle) => self.mailbox_with(self.id(handle)),
                    found => found,
                }
            }
            found => found,
        }
    }

    fn find_object(&self, reference: &Reference) -> Found {
        let kind = match reference.kind {
            Kind::Voicemail => Kind::User,
            kind => kind,
        };
        if let Selector::Extension(extension) = &reference.selector {
            let same_kind: Vec<Handle> =
                self.by_extension(extension.as_str()).iter().copied().filter(|handle| handle.kind == kind).collect();
            match same_kind.as_slice() {
                [] => {}
                [one] => return self.as_kind(reference.kind, one.index),
                _ => return Found::Several(same_kind),
            }
        }
        match self.texts.find(kind, &reference.selector.folded()) {
            [index] => self.as_kind(reference.kind, *index),
            all => several(kind, all),
        }
    }

    /// The objects of a kind that have this name.
    pub fn named(&self, kind: Kind, name: &NameKey) -> Found {
        self.folded(kind, name.as_str())
    }

    /// The same, for the text of a key ([`Selector::folded`], `Name::folded`).
    pub fn folded(&self, kind: Kind, name: &str) -> Found {
        match self.texts.find(kind, name) {
            [index] => Found::One(Handle { kind, index: *index }),
            all => several(kind, all),
        }
    }

    /// Which of some names objects of a kind have, each as a key.
    pub fn taken<'k>(&self, kind: Kind, names: &HashSet<&'k str>) -> HashSet<&'k str> {
        self.texts.taken(kind, names)
    }

    fn as_kind(&self, kind: Kind, index: u32) -> Found {
        if kind != Kind::Voicemail {
            return Found::One(Handle { kind, index });
        }
        self.mailbox_with(self.live.users.get(index as usize).and_then(|user| user.voicemail.as_ref()))
    }

    /// The one handle of a mailbox, whichever of its names found it.
    fn mailbox_with(&self, id: Option<&ObjectId>) -> Found {
        let found = id.and_then(|id| self.by_id(&ObjectRef { kind: Kind::Voicemail, id: id.clone() }));
        found.map_or(Found::None, Found::One)
    }

    /// The mailbox at a position, if it is not a user's.
    fn mailbox(&self, index: usize) -> Option<&'a LiveMailbox> {
        self.live.mailboxes.get(index.checked_sub(self.live.users.len())?)
    }

    /// The site of an object, where the account has sites.
    pub fn site(&self, handle: Handle) -> Option<&'a str> {
        if self.live.sites.is_empty() {
            return None;
        }
        let id = self.id(handle)?.clone();
        self.live.sites.get(&ObjectRef { kind: handle.kind, id }).map(|site| &**site)
    }

    /// The vendor's id of an object of the account; `None` for a group that the plan creates, and for an outside number.
    pub fn id(&self, handle: Handle) -> Option<&'a ObjectId> {
        let index = handle.index as usize;
        match handle.kind {
            Kind::RingGroup => self.live.ring_groups.get(index).map(|group| &group.id),
            Kind::User => self.live.users.get(index).map(|user| &user.id),
            Kind::Voicemail => match self.live.users.get(index) {
                Some(user) => user.voicemail.as_ref(),
                None => self.mailbox(index).map(|mailbox| &mailbox.id),
            },
            Kind::Device => self.live.devices.get(index).map(|device| &device.id),
            Kind::Receptionist => self.live.receptionists.get(index).map(|receptionist| &receptionist.id),
            Kind::Conference => self.live.conferences.get(index).map(|conference| &conference.id),
            Kind::Number => self.live.numbers.get(index).map(|number| &number.id),
            Kind::External | Kind::Other => None,
        }
    }

    /// What a reference to this object has as its id; `None` for a group that the plan creates.
    pub fn target_id(&self, handle: Handle) -> Option<ObjectId> {
        match handle.kind {
            Kind::External => self.externals.id(handle.index),
            _ => self.id(handle).cloned(),
        }
    }

    /// A selector that people can read and that finds this object and no other, if there is one: a user's
    /// e-mail address, else the name, else the extension number, else the id.
    pub fn label(&self, handle: Handle) -> String {
        let index = handle.index as usize;
        let live = self.live;
        let found = match handle.kind {
            Kind::User | Kind::Voicemail => match live.users.get(index) {
                Some(user) => Some(([user.email.as_deref(), Some(&*user.name)], user.extension.as_ref())),
                None => self.mailbox(index).map(|one| ([Some(&*one.name), None], one.extension.as_ref())),
            },
            Kind::RingGroup => {
                live.ring_groups.get(index).map(|one| ([Some(one.name.as_str()), None], one.extension.as_ref()))
            }
            Kind::Device => live.devices.get(index).map(|one| ([Some(&*one.name), None], None)),
            Kind::Receptionist => {
                live.receptionists.get(index).map(|one| ([Some(&*one.name), None], one.extension.as_ref()))
            }
            Kind::Conference => {
                live.conferences.get(index).map(|one| ([Some(&*one.name), None], one.extension.as_ref()))
            }
            Kind::Number => return live.numbers.get(index).map(|one| one.number.to_string()).unwrap_or_default(),
            Kind::External | Kind::Other => None,
        };
        let (texts, extension) = found.unwrap_or_default();
        let candidates = texts.into_iter().flatten().chain(extension.map(ExtensionNumber::as_str));
        for text in candidates {
            if Reference::parse(handle.kind, text).is_ok_and(|reference| self.find(&reference) == Found::One(handle)) {
                return text.to_owned();
            }
        }
        self.target_id(handle).map(|id| id.to_string()).unwrap_or_default()
    }

    /// Every selector text of a kind, for "did you mean".
    pub fn texts(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let of_users = (kind == Kind::Voicemail).then(|| self.texts.all(Kind::User));
        self.texts.all(kind).chain(of_users.into_iter().flatten())
    }
}

fn several(kind: Kind, all: &[u32]) -> Found {
    if all.is_empty() { Found::None } else { Found::Several(all.iter().map(|&index| Handle { kind, index }).collect()) }
}

/// Who has which extension number: users first, who keep theirs, so that a finding never asks to rename a group instead.
fn extensions(live: &LiveAccount) -> HashMap<&str, Holders> {
    let groups = numbered(&live.ring_groups).map(|(index, one)| (Kind::RingGroup, index, &one.extension));
    let users = numbered(&live.users).map(|(index, one)| (Kind::User, index, &one.extension));
    let receptionists = numbered(&live.receptionists).map(|(index, one)| (Kind::Receptionist, index, &one.extension));
    let conferences = numbered(&live.conferences).map(|(index, one)| (Kind::Conference, index, &one.extension));
    let mut table: HashMap<&str, Holders> = HashMap::default();
    for (kind, index, extension) in users.chain(groups).chain(receptionists).chain(conferences) {
        let Some(extension) = extension else { continue };
        let handle = Handle { kind, index };
        table
            .entry(extension.as_str())
            .and_modify(|holders| match holders {
                Holders::One(first) => *holders = Holders::Several(Box::new(vec![*first, handle])),
                Holders::Several(all) => all.push(handle),
            })
            .or_insert(Holders::One(handle));
    }
    table
}

fn numbered<T>(list: &[T]) -> impl Iterator<Item = (u32, &T)> {
    (0u32..).zip(list)
}
