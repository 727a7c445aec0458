//! The snapshot's document, read in one pass: objects are built as they come, and references get their meaning as
//! soon as it is known ([`References`]). Nothing is kept of fields that the model has no place for.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::model::{
    Capabilities, ExtensionNumber, Kind, LiveAccount, LiveConference, LiveDevice, LiveMailbox, LiveNumber,
    LiveReceptionist, LiveRingGroup, LiveUser, ObjectId, ObjectRef, RingFor,
};
use crate::text::sanitized;

use super::entries::Entries;
use super::fields::{Account, Conference, Device, Mailbox, Number, Receptionist, RingGroup, Text, User, UserMailbox};
use super::references::{References, Slot};
use super::{Format, SnapshotError};

/// The objects, and beside them the references that wait for their meaning.
#[derive(Default)]
pub(super) struct Document {
    pub(super) live: LiveAccount,
    pub(super) references: References,
}

impl Document {
    /// Gives back what the lists took in advance.
    fn shrink(&mut self) {
        let Self { live, references } = self;
        live.numbers.shrink_to_fit();
        live.ring_groups.shrink_to_fit();
        live.users.shrink_to_fit();
        live.devices.shrink_to_fit();
        references.waiting.shrink_to_fit();
    }
}

/// Where the next object of a list will stand. The largest file that is read has fewer than `u32` can count.
fn position<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

/// Reads a document.
pub(super) fn read(text: &str, format: Format) -> Result<Document, SnapshotError> {
    let mut document = match format {
        Format::Yaml => {
            super::yaml::read(text, Root).map_err(|error| syntax(error.place.unwrap_or((1, 1)), &error.why))
        }
        Format::Json => {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            Root.deserialize(&mut deserializer)
                .and_then(|document| deserializer.end().map(|()| document))
                .map_err(|error| syntax((error.line(), error.column()), &error.to_string()))
        }
    }?;
    document.shrink();
    Ok(document)
}

/// The JSON reader puts the place at the end of the message as well.
fn syntax((line, column): (usize, usize), message: &str) -> SnapshotError {
    let said = format!(" at line {line} column {column}");
    let why = message.strip_suffix(&said).unwrap_or(message);
    SnapshotError::Syntax { line, column, why: sanitized(why, 400) }
}

/// The whole document.
struct Root;

impl<'de> DeserializeSeed<'de> for Root {
    type Value = Document;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Document, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Root {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a snapshot: `snapshot: 1`, then `account`, `users`, `ring_groups`, `numbers`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut builder = Builder::new();
        builder.document.live.capabilities = Capabilities::of_snapshot();
        let mut version = false;
        let mut seen: Vec<Cow<'_, str>> = Vec::new();
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            match &*key {
                "snapshot" => match map.next_value::<u64>()? {
                    1 => version = true,
                    other => {
                        return Err(A::Error::custom(format_args!(
                            "this is a snapshot of version {other}, and only version 1 can be read"
                        )));
                    }
                },
                "account" => builder.account(map.next_value()?).map_err(A::Error::custom)?,
                "users" => map.next_value_seed(Entries::new(|key, user| builder.user(key, user)))?,
                "devices" => {
                    map.next_value_seed(Entries::new(|key, device: Device<'_, _>| builder.device(None, key, &device)))?;
                }
                "receptionists" => map.next_value_seed(Entries::new(|key, value| builder.receptionist(key, value)))?,
                "conferences" => map.next_value_seed(Entries::new(|key, value| builder.conference(key, value)))?,
                "mailboxes" => map.next_value_seed(Entries::new(|key, value| builder.mailbox(key, value)))?,
                "ring_groups" => map.next_value_seed(Entries::new(|key, group| builder.ring_group(key, group)))?,
                "numbers" => map.next_value_seed(Entries::new(|key, number| builder.number(key, number)))?,
                // Places are no part of what can be planned.
                "locations" => drop(map.next_value::<IgnoredAny>()?),
                unknown => {
                    return Err(A::Error::custom(format_args!("a snapshot has no `{}`", sanitized(unknown, 80))));
                }
            }
            if seen.contains(&key) {
                return Err(A::Error::custom(format_args!("`{key}` is given twice")));
            }
            seen.push(key);
        }
        if version {
            builder.settle(0).map_err(A::Error::custom)?;
            builder.check_shared_mailboxes().map_err(A::Error::custom)?;
            Ok(builder.document)
        } else {
            Err(A::Error::custom("this is no snapshot: `snapshot: 1` is missing"))
        }
    }
}

/// So many references are looked up at once.
const BATCH: usize = 256;

/// Takes entries in.
struct Builder<'de> {
    document: Document,
    /// References of objects that were taken in; each has [`Self::nowhere`] in its slot.
    read: Vec<(Slot, Cow<'de, str>)>,
    nowhere: ObjectRef,
    /// Users who share a mailbox, each with the key of its owner.
    shares: Vec<(Box<str>, Box<str>)>,
}

#[expect(clippy::unnecessary_wraps, reason = "entries of all sections are taken in the same way")]
impl<'de> Builder<'de> {
    fn new() -> Self {
        let nowhere = ObjectRef { kind: Kind::Other, id: ObjectId::from("") };
        Self { document: Document::default(), read: Vec::with_capacity(BATCH), nowhere, shares: Vec::new() }
    }

    fn reference(&mut self, slot: Slot, Text(text): Text<'de>) -> ObjectRef {
        self.read.push((slot, text));
        self.nowhere.clone()
    }

    /// The word `none` is no reference.
    fn optional(&mut self, slot: Slot, text: Option<Text<'de>>) -> Option<ObjectRef> {
        text.filter(|text| text.as_str() != "none").map(|text| self.reference(slot, text))
    }

    /// Gives the references of whole objects their meanings, once there are enough of them.
    fn settle(&mut self, enough: usize) -> Result<(), String> {
        if self.read.len() < enough {
            return Ok(());
        }
        self.document.references.settle(&mut self.document.live, &mut self.read)
    }

    /// A shared mailbox is a user's own, or one of `mailboxes`.
    fn check_shared_mailboxes(&self) -> Result<(), String> {
        if self.shares.is_empty() {
            return Ok(());
        }
        let sharing: HashSet<ObjectId> = self.shares.iter().map(|(user, _)| id("user", user)).collect();
        let live = &self.document.live;
        let own =
            live.users.iter().filter(|user| !sharing.contains(&user.id)).filter_map(|user| user.voicemail.as_ref());
        let known: HashSet<&ObjectId> = own.chain(live.mailboxes.iter().map(|mailbox| &mailbox.id)).collect();
        match self.shares.iter().find(|(_, owner)| !known.contains(&id("voicemail", owner))) {
            None => Ok(()),
            Some((user, owner)) => {
                let (user, owner) = (sanitized(user, 80), sanitized(owner, 80));
                Err(format!("users.{user}.voicemail: there is no mailbox `voicemail/{owner}` in the snapshot"))
            }
        }
    }

    fn account(&mut self, account: Account<'_, IgnoredAny>) -> Result<(), String> {
        let live = &mut self.document.live.account;
        live.name = account.name.0.as_ref().into();
        live.id = account.id.unwrap_or(account.name).0.into();
        live.default_number = match account.default_number {
            None => None,
            Some(Text(text)) => Some(text.parse().map_err(|why| format!("account.default_number: {why}"))?),
        };
        Ok(())
    }

    fn user(&mut self, key: &str, user: User<'_, IgnoredAny, ExtensionNumber>) -> Result<(), String> {
        let email = user.email.map_or_else(|| key.contains('@').then(|| key.into()), |Text(email)| Some(email.into()));
        let name = user.name.map_or_else(|| key.into(), |Text(name)| name.into());
        let always_forwarded = user.forwarding.is_some_and(|forwarding| forwarding.mode.as_str() == "enabled");
        let voicemail = match user.voicemail {
            None | Some(UserMailbox::Own(true)) => Some(id("voicemail", key)),
            Some(UserMailbox::Own(false)) => None,
            Some(UserMailbox::Shared(owner)) => {
                self.shares.push((key.into(), owner.clone()));
                Some(id("voicemail", &owner))
            }
        };
        let owner = id("user", key);
        for (device_key, device) in user.devices.0 {
            self.device(Some(&owner), device_key.as_str(), &device)?;
        }
        let user = LiveUser { id: owner, name, email, extension: user.extension, voicemail, always_forwarded };
        self.document.live.users.push(user);
        Ok(())
    }

    fn device(&mut self, owner: Option<&ObjectId>, key: &str, device: &Device<'_, IgnoredAny>) -> Result<(), String> {
        let name = device.name.as_ref().map_or(key, Text::as_str).into();
        // Every desk has a phone called `desk`, so that key alone is no id; one with a name of its own is meant
        // to be one.
        let id = match owner {
            Some(owner) if device.name.is_none() => id("device", &format!("{key} of {owner}")),
            _ => id("device", key),
        };
        self.document.live.devices.push(LiveDevice { id, name, owner: owner.cloned() });
        Ok(())
    }

    fn receptionist(&mut self, key: &str, value: Receptionist<'de, IgnoredAny, ExtensionNumber>) -> Result<(), String> {
        let name = value.name.map_or_else(|| key.into(), |Text(name)| name.into());
        let receptionist = position(&self.document.live.receptionists);
        let keys = (0u32..).zip(value.keys.0).map(|(key, (pressed, target))| {
            (pressed.0.into(), self.reference(Slot::Key { receptionist, key }, target))
        });
        let keys = keys.collect();
        let id = id("receptionist", key);
        self.document.live.receptionists.push(LiveReceptionist { id, name, extension: value.extension, keys });
        Ok(())
    }

    fn conference(&mut self, key: &str, value: Conference<'_, IgnoredAny, ExtensionNumber>) -> Result<(), String> {
        let name = value.name.map_or_else(|| key.into(), |Text(name)| name.into());
        let conference = LiveConference { id: id("conference", key), name, extension: value.extension };
        self.document.live.conferences.push(conference);
        Ok(())
    }

    fn mailbox(&mut self, key: &str, value: Mailbox<'_, ExtensionNumber>) -> Result<(), String> {
        let name = value.name.map_or_else(|| key.into(), |Text(name)| name.into());
        let mailbox = LiveMailbox { id: id("voicemail", key), name, extension: value.extension };
        self.document.live.mailboxes.push(mailbox);
        Ok(())
    }

    fn ring_group(&mut self, key: &str, group: RingGroup<'de, ExtensionNumber>) -> Result<(), String> {
        self.settle(BATCH)?;
        let name = group.name.as_ref().map_or(key, Text::as_str);
        let name = name.parse().map_err(|why| format!("ring_groups.{}: {why}", sanitized(key, 80)))?;
        let position = position(&self.document.live.ring_groups);
        let members = (0u32..).zip(group.members);
        let members =
            members.map(|(member, text)| self.reference(Slot::Member { group: position, member }, text)).collect();
        let no_answer = self.optional(Slot::NoAnswer { group: position }, group.no_answer);
        let ring_for = match group.ring_for.as_ref().map(Text::as_str) {
            None => Some(self.document.live.capabilities.ring_for_default),
            Some("none") => None,
            Some(text) => {
                let parsed = text.parse::<RingFor>();
                Some(parsed.map_err(|why| format!("ring_groups.{}.ring_for: {why}", sanitized(key, 80)))?)
            }
        };
        self.document.live.ring_groups.push(LiveRingGroup {
            id: id("ring_group", key),
            name,
            extension: group.extension,
            ring: group.ring.unwrap_or_default(),
            members,
            ring_for,
            no_answer,
            revision: None,
            document: None,
        });
        Ok(())
    }

    fn number(&mut self, key: &str, number: Number<'de, IgnoredAny>) -> Result<(), String> {
        self.settle(BATCH)?;
        let parsed = key.parse().map_err(|why| format!("numbers.{}: {why}", sanitized(key, 80)))?;
        let slot = Slot::To { number: position(&self.document.live.numbers) };
        let to = self.optional(slot, number.to);
        self.document.live.numbers.push(LiveNumber {
            id: id("number", key),
            number: parsed,
            to,
            label: number.label.map(|Text(label)| label.into()).unwrap_or_default(),
            emergency_callback: number.emergency_callback,
            revision: None,
            document: None,
        });
        Ok(())
    }
}

fn id(kind: &str, key: &str) -> ObjectId {
    ObjectId([kind, "/", key].concat().into())
}
