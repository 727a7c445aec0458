//! The account's telephone directory: finds live objects by id and by what people write.
//!
//! A [`Handle`] is a small, copyable name for an object of one [`Live`] account (or, past the live ring
//! groups, for a group that a plan is about to create), so that the diff of a large account compares
//! integers instead of strings.

mod ids;

use std::borrow::Cow;

use foldhash::HashMap;

use super::{Kind, Live, LiveObject, NameKey, ObjectId, ObjectRef, Reference, Selector};

use ids::Ids;

/// An object of one live account: its kind and its position in that kind's list.
///
/// A voicemail box has the position of its user. A ring group at or past the end of the live list is one
/// that the plan creates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle {
    /// The kind.
    pub kind: Kind,
    /// The position.
    pub index: u32,
}

/// What a selector finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Exactly one object.
    One(Handle),
    /// Several: each could be meant.
    Several(Vec<Handle>),
    /// Nothing.
    None,
}

/// Look-ups into one live account, by id and by selector.
#[derive(Debug)]
pub struct Directory<'a> {
    live: &'a Live,
    ids: Ids<'a>,
    /// By kind, in the order of [`Kind`]; the keys are those of [`NameKey`], borrowed where the text is its own.
    by_text: [HashMap<Cow<'a, str>, Entry>; KINDS],
    several: Vec<Vec<u32>>,
    extensions: HashMap<&'a str, Holders>,
    /// For each number where it goes; found once, because everybody asks.
    destinations: Vec<Option<Handle>>,
}

const KINDS: usize = Kind::Other as usize + 1;

/// Most keys name one object; the entry of a clash says where the positions are in `Directory::several`. Both are
/// this small because a large account has a million of them.
#[derive(Clone, Copy, Debug)]
enum Entry {
    One(u32),
    Several(u32),
}

/// Nearly every extension number has one holder.
#[derive(Debug)]
enum Holders {
    One(Handle),
    #[expect(clippy::box_collection, reason = "the many others are a third smaller for it")]
    Several(Box<Vec<Handle>>),
}

impl<'a> Directory<'a> {
    /// Indexes an account, in time linear in its size.
    pub fn new(live: &'a Live) -> Self {
        let mut directory = Self { ids: Ids::new(live), ..Self::of(live, &Kind::REFERABLE) };
        let destinations = live.numbers.iter().map(|number| number.to.as_ref().and_then(|to| directory.by_id(to)));
        directory.destinations = destinations.collect();
        directory
    }

    /// Indexes the objects of some kinds: nothing else is found. A mailbox is found with the users.
    pub fn of(live: &'a Live, kinds: &[Kind]) -> Self {
        let mut directory = Self {
            live,
            ids: Ids::on_demand(live),
            by_text: Default::default(),
            several: Vec::new(),
            extensions: HashMap::default(),
            destinations: Vec::new(),
        };
        for kind in kinds {
            match kind {
                Kind::RingGroup => directory.ring_groups(),
                Kind::User => directory.users(),
                Kind::Device => directory.devices(),
                Kind::Receptionist => directory.receptionists(),
                Kind::Conference => directory.conferences(),
                Kind::Voicemail | Kind::Number | Kind::Other => {}
            }
        }
        directory
    }

    fn ring_groups(&mut self) {
        let groups = &self.live.ring_groups;
        self.expect(Kind::RingGroup, groups.len());
        for (index, group) in numbered(groups) {
            self.name(Kind::RingGroup, index, group.name.as_str());
            self.extension(Kind::RingGroup, index, group.extension.as_ref());
        }
    }

    fn users(&mut self) {
        let users = &self.live.users;
        self.expect(Kind::User, 2 * users.len());
        for (index, user) in numbered(users) {
            self.name(Kind::User, index, &user.name);
            if let Some(email) = &user.email {
                self.name(Kind::User, index, email);
            }
            self.extension(Kind::User, index, user.extension.as_ref());
        }
    }

    fn devices(&mut self) {
        let devices = &self.live.devices;
        self.expect(Kind::Device, devices.len());
        for (index, device) in numbered(devices) {
            self.name(Kind::Device, index, &device.name);
        }
    }

    fn receptionists(&mut self) {
        for (index, receptionist) in numbered(&self.live.receptionists) {
            self.name(Kind::Receptionist, index, &receptionist.name);
            self.extension(Kind::Receptionist, index, receptionist.extension.as_ref());
        }
    }

    fn conferences(&mut self) {
        for (index, conference) in numbered(&self.live.conferences) {
            self.name(Kind::Conference, index, &conference.name);
            self.extension(Kind::Conference, index, conference.extension.as_ref());
        }
    }

    /// Makes room at once: tables that grow step by step take twice as long, and twice the memory meanwhile.
    fn expect(&mut self, kind: Kind, texts: usize) {
        if let Some(of_kind) = self.by_text.get_mut(kind as usize) {
            of_kind.reserve(texts);
        }
    }

    fn name(&mut self, kind: Kind, index: u32, text: &'a str) {
        let Some(texts) = self.by_text.get_mut(kind as usize) else { return };
        match texts.entry(NameKey::folded(text)) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(Entry::One(index));
            }
            std::collections::hash_map::Entry::Occupied(mut occupied) => match *occupied.get() {
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

    fn extension(&mut self, kind: Kind, index: u32, extension: Option<&'a super::ExtensionNumber>) {
        let Some(extension) = extension else { return };
        let handle = Handle { kind, index };
        self.extensions
            .entry(extension.as_str())
            .and_modify(|holders| match holders {
                Holders::One(first) => *holders = Holders::Several(Box::new(vec![*first, handle])),
                Holders::Several(all) => all.push(handle),
            })
            .or_insert(Holders::One(handle));
    }

    /// The account that is indexed.
    pub fn live(&self) -> &'a Live {
        self.live
    }

    /// The object with this id; `None` if it is gone or not modelled.
    pub fn by_id(&self, reference: &ObjectRef) -> Option<Handle> {
        self.ids.find(reference)
    }

    /// The number or the ring group with this id; `None` if it is gone or of another kind.
    pub fn object(&self, kind: Kind, id: &ObjectId) -> Option<LiveObject<'a>> {
        match kind {
            Kind::Number => self.live.numbers.get(self.ids.number(id)? as usize).map(LiveObject::Number),
            Kind::RingGroup => {
                let handle = self.by_id(&ObjectRef { kind, id: id.clone() })?;
                self.live.ring_groups.get(handle.index as usize).map(LiveObject::Group)
            }
            _ => None,
        }
    }

    /// Where the number at this position of the live list goes; `None` if nowhere, or to what is not modelled.
    pub fn destination(&self, number: u32) -> Option<Handle> {
        self.destinations.get(number as usize).copied().flatten()
    }

    /// The objects of any kind that have this extension number.
    pub fn by_extension(&self, extension: &str) -> &[Handle] {
        match self.extensions.get(extension) {
            None => &[],
            Some(Holders::One(handle)) => std::slice::from_ref(handle),
            Some(Holders::Several(all)) => all,
        }
    }

    /// What a reference means in this account.
    ///
    /// A voicemail box is found by what finds its user. All digits is an extension number first, and a name
    /// only if no object of that kind has the extension.
    pub fn find(&self, reference: &Reference) -> Found {
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
        match self.entry(kind, &NameKey::folded(reference.selector.as_str())) {
            Some(Entry::One(index)) => self.as_kind(reference.kind, index),
            found => self.clash(kind, found),
        }
    }

    /// The objects of a kind that have this name.
    pub fn named(&self, kind: Kind, name: &NameKey) -> Found {
        match self.entry(kind, name.as_str()) {
            Some(Entry::One(index)) => Found::One(Handle { kind, index }),
            found => self.clash(kind, found),
        }
    }

    fn clash(&self, kind: Kind, found: Option<Entry>) -> Found {
        let Some(Entry::Several(at)) = found else { return Found::None };
        let all = self.several.get(at as usize).into_iter().flatten();
        Found::Several(all.map(|&index| Handle { kind, index }).collect())
    }

    fn entry(&self, kind: Kind, key: &str) -> Option<Entry> {
        self.by_text.get(kind as usize)?.get(key).copied()
    }

    fn as_kind(&self, kind: Kind, index: u32) -> Found {
        let boxless =
            kind == Kind::Voicemail && self.live.users.get(index as usize).is_none_or(|user| user.voicemail.is_none());
        if boxless { Found::None } else { Found::One(Handle { kind, index }) }
    }

    /// The vendor's id of an object; `None` for a group that the plan creates.
    pub fn id(&self, handle: Handle) -> Option<&'a ObjectId> {
        let index = handle.index as usize;
        match handle.kind {
            Kind::RingGroup => self.live.ring_groups.get(index).map(|group| &group.id),
            Kind::User => self.live.users.get(index).map(|user| &user.id),
            Kind::Voicemail => self.live.users.get(index).and_then(|user| user.voicemail.as_ref()),
            Kind::Device => self.live.devices.get(index).map(|device| &device.id),
            Kind::Receptionist => self.live.receptionists.get(index).map(|receptionist| &receptionist.id),
            Kind::Conference => self.live.conferences.get(index).map(|conference| &conference.id),
            Kind::Number => self.live.numbers.get(index).map(|number| &number.id),
            Kind::Other => None,
        }
    }

    /// A selector that people can read and that finds this object and no other, if there is one: a user's
    /// e-mail address, else the name, else the extension number, else the id.
    pub fn label(&self, handle: Handle) -> String {
        let index = handle.index as usize;
        let (texts, extension): ([Option<&str>; 2], _) = match handle.kind {
            Kind::User | Kind::Voicemail => match self.live.users.get(index) {
                Some(user) => ([user.email.as_deref(), Some(&user.name)], user.extension.as_ref()),
                None => ([None, None], None),
            },
            Kind::RingGroup => match self.live.ring_groups.get(index) {
                Some(group) => ([Some(group.name.as_str()), None], group.extension.as_ref()),
                None => ([None, None], None),
            },
            Kind::Device => ([self.live.devices.get(index).map(|device| &*device.name), None], None),
            Kind::Receptionist => match self.live.receptionists.get(index) {
                Some(receptionist) => ([Some(&*receptionist.name), None], receptionist.extension.as_ref()),
                None => ([None, None], None),
            },
            Kind::Conference => match self.live.conferences.get(index) {
                Some(conference) => ([Some(&*conference.name), None], conference.extension.as_ref()),
                None => ([None, None], None),
            },
            Kind::Number => {
                return self.live.numbers.get(index).map(|number| number.number.to_string()).unwrap_or_default();
            }
            Kind::Other => ([None, None], None),
        };
        let candidates = texts.into_iter().flatten().chain(extension.map(super::ExtensionNumber::as_str));
        for text in candidates {
            if let Ok(selector) = Selector::parse(text)
                && self.find(&Reference { kind: handle.kind, selector }) == Found::One(handle)
            {
                return text.to_owned();
            }
        }
        self.id(handle).map(ToString::to_string).unwrap_or_default()
    }

    /// Every selector text of a kind, for "did you mean".
    pub fn texts(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let kind = if kind == Kind::Voicemail { Kind::User } else { kind };
        self.by_text.get(kind as usize).into_iter().flat_map(HashMap::keys).map(AsRef::as_ref)
    }
}

fn numbered<T>(list: &[T]) -> impl Iterator<Item = (u32, &T)> {
    (0u32..).zip(list)
}
