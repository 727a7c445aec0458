//! A key for every object, under which the snapshot has it and its references name it.

use std::collections::{HashMap, HashSet};

use crate::model::{Kind, LiveAccount, Name, NameKey, ObjectId, ObjectRef};

use super::resolve::OTHER;

/// The keys of one account's objects.
pub(super) struct Keys<'a> {
    keys: HashMap<(Kind, &'a str), String>,
}

impl<'a> Keys<'a> {
    /// Gives each object the key that a person would write, or one that is made up where that would be misread.
    pub(super) fn new(live: &'a LiveAccount) -> Self {
        let mut keys = Self { keys: HashMap::new() };
        let mut taken = Taken::default();
        for user in &live.users {
            let email = user.email.as_deref();
            let wanted = match email {
                Some(email) if email.contains('@') => email,
                // A key with an `@` is an e-mail address, so such a name cannot be one.
                _ if user.name.contains('@') => "",
                _ => &user.name,
            };
            let key = free(Kind::User, wanted, &mut taken);
            if let Some(ObjectId(voicemail)) = &user.voicemail {
                // The first one names a shared mailbox.
                keys.keys.entry((Kind::Voicemail, voicemail)).or_insert_with(|| key.clone());
            }
            keys.keys.insert((Kind::User, &user.id.0), key);
        }
        for mailbox in &live.mailboxes {
            keys.keys.insert((Kind::Voicemail, &mailbox.id.0), free(Kind::User, &mailbox.name, &mut taken));
        }
        keys.add(Kind::RingGroup, live.ring_groups.iter().map(|group| (&group.id, group.name.as_str())));
        keys.add(Kind::Receptionist, live.receptionists.iter().map(|object| (&object.id, &*object.name)));
        keys.add(Kind::Conference, live.conferences.iter().map(|object| (&object.id, &*object.name)));
        keys.add_devices(live);
        keys
    }

    fn add(&mut self, kind: Kind, objects: impl Iterator<Item = (&'a ObjectId, &'a str)>) {
        let mut taken = Taken::default();
        for (id, name) in objects {
            self.keys.insert((kind, &id.0), free(kind, name, &mut taken));
        }
    }

    /// A phone's key is only good for a reference if no other phone has the name, so of several none keeps it.
    fn add_devices(&mut self, live: &'a LiveAccount) {
        let mut names: HashMap<NameKey, usize> = HashMap::new();
        for device in &live.devices {
            *names.entry(NameKey::of(&device.name)).or_default() += 1;
        }
        let mut taken = Taken::default();
        for name in live.devices.iter().map(|device| &*device.name) {
            if names.get(&NameKey::of(name)).is_some_and(|count| *count > 1) {
                taken.keys.insert(name.to_owned());
            }
        }
        for device in &live.devices {
            self.keys.insert((Kind::Device, &device.id.0), free(Kind::Device, &device.name, &mut taken));
        }
    }

    /// The key of an object of this account.
    pub(super) fn of<'s>(&'s self, kind: Kind, id: &'s ObjectId) -> &'s str {
        self.keys.get(&(kind, &*id.0)).map_or("", String::as_str)
    }

    /// A reference that reads back as the same object. What is gone or not modelled keeps its id.
    pub(super) fn reference(&self, reference: &ObjectRef) -> String {
        match self.keys.get(&(reference.kind, &*reference.id.0)) {
            Some(key) => format!("{}/{key}", reference.kind),
            None if reference.kind == Kind::External => format!("external/{}", reference.id),
            None if reference.kind == Kind::Other => format!("{OTHER}{}", reference.id),
            None => format!("{OTHER}{}/{}", reference.kind, reference.id),
        }
    }
}

/// The keys that are given away, and for each text how far its made-up keys got: with as many phones called
/// `desk` as there are users, the count does not start from one again.
#[derive(Default)]
struct Taken {
    keys: HashSet<String>,
    counters: HashMap<String, u64>,
}

/// The wanted key if it can be one and is free, else a made-up one.
fn free(kind: Kind, wanted: &str, taken: &mut Taken) -> String {
    // All digits would be an extension number, and what is no name cannot stand in a reference.
    let digits = wanted.bytes().all(|byte| byte.is_ascii_digit());
    let usable = !digits && wanted.parse::<Name>().is_ok_and(|name| name.as_str() == wanted);
    if usable && taken.keys.insert(wanted.to_owned()) {
        return wanted.to_owned();
    }
    let fits = usable && wanted.chars().count() + 8 <= Name::MOST;
    let counter = taken.counters.entry(if fits { wanted.to_owned() } else { kind.to_string() }).or_default();
    loop {
        *counter += 1;
        let key = if fits { format!("{wanted} ({counter})") } else { format!("{kind}-{counter}") };
        if taken.keys.insert(key.clone()) {
            return key;
        }
    }
}
