//! The snapshot's document, read in one pass: objects are built as they come, and references get their meaning as
//! soon as it is known ([`References`]). Nothing is kept of fields that the model has no place for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::diag::Rule;
use crate::model::{
    Capabilities, ExtensionNumber, Kind, LiveAccount, LiveConference, LiveDevice, LiveMailbox, LiveNumber,
    LiveReceptionist, LiveRingGroup, LiveUser, ObjectId, ObjectRef, RingFor,
};
use crate::text::sanitized;

use super::entries::Entries;
use super::fields::{
    Account, Conference, Device, KEYS, Mailbox, Number, Receptionist, RingGroup, Text, User, UserMailbox,
};
use super::problem::Problem;
use super::references::{References, Slot};
use super::{Format, SnapshotError};

/// The objects, and beside them the references that wait for their meaning.
#[derive(Default)]
pub(super) struct Document {
    pub(super) live: LiveAccount,
    pub(super) references: References,
    /// Users who share a mailbox, each with the key of its owner.
    pub(super) shares: Vec<(Box<str>, Box<str>)>,
}

impl Document {
    /// Gives back what the lists took in advance.
    fn shrink(&mut self) {
        let Self { live, references, .. } = self;
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
        Format::Yaml => yaml(text),
        Format::Json => {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            Root.deserialize(&mut deserializer)
                .and_then(|document| deserializer.end().map(|()| document))
                .map_err(|error| json_error(text, &error))
        }
    }?;
    document.shrink();
    Ok(document)
}

fn yaml(text: &str) -> Result<Document, SnapshotError> {
    super::yaml::read(text, Root).map_err(|error| SnapshotError::at(error.place.unwrap_or((1, 1)), error.problem))
}

/// The JSON reader says what is wrong in words of its own. JSON is YAML as well, so the YAML reader finds the same
/// problem, unless it accepts what JSON does not.
fn json_error(text: &str, error: &serde_json::Error) -> SnapshotError {
    if error.is_data()
        && let Err(found) = yaml(text)
    {
        return found;
    }
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&place).unwrap_or(&message);
    let rule = if error.is_data() { Rule::WRONG_TYPE } else { Rule::YAML_SYNTAX };
    let hint = if error.is_data() { "put text and digits in quotes" } else { "correct the JSON at this place" };
    let problem = Problem::of(message).unwrap_or_else(|| Problem::new(rule, message, hint));
    SnapshotError::at((error.line().max(1), error.column().max(1)), problem)
}

/// An extension number of a snapshot.
struct Extension(ExtensionNumber);

impl<'de> Deserialize<'de> for Extension {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Extension;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Extension, E> {
                text.parse().map(Extension).map_err(|why| {
                    let message = format!("`{}`: {why}", sanitized(text, 80));
                    let hint = "write its digits in quotes, such as `\"201\"`";
                    E::custom(Problem::new(Rule::BAD_EXTENSION, message, hint))
                })
            }
        }
        deserializer.deserialize_str(Digits)
    }
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
                        let message = format!("this is a snapshot of version {other}, and only version 1 can be read");
                        let hint = "write `snapshot: 1`, or use a newer Strowger";
                        return Err(A::Error::custom(Problem::new(Rule::UNSUPPORTED_VERSION, message, hint)));
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
                unknown => return Err(A::Error::custom(Problem::unknown_field(unknown, &KEYS))),
            }
            if seen.contains(&key) {
                return Err(A::Error::custom(Problem::twice(&key)));
            }
            seen.push(key);
        }
        if version {
            builder.settle(0).map_err(A::Error::custom)?;
            Ok(builder.document)
        } else {
            Err(A::Error::custom(Problem::missing_field("snapshot")))
        }
    }
}

/// The remedy for a number in another form.
const E164_HINT: &str = "write `+`, the country code and the number, such as `\"+33142685300\"`";
/// So many references are looked up at once.
const BATCH: usize = 256;

/// Takes entries in.
struct Builder<'de> {
    document: Document,
    /// References of objects that were taken in; each has [`Self::nowhere`] in its slot.
    read: Vec<(Slot, Cow<'de, str>)>,
    nowhere: ObjectRef,
}

#[expect(clippy::unnecessary_wraps, reason = "entries of all sections are taken in the same way")]
impl<'de> Builder<'de> {
    fn new() -> Self {
        let nowhere = ObjectRef { kind: Kind::Other, id: ObjectId::from("") };
        Self { document: Document::default(), read: Vec::with_capacity(BATCH), nowhere }
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
    fn settle(&mut self, enough: usize) -> Result<(), Problem> {
        if self.read.len() < enough {
            return Ok(());
        }
        self.document.references.settle(&mut self.document.live, &mut self.read)
    }

    fn account(&mut self, account: Account<'_, IgnoredAny>) -> Result<(), Problem> {
        let live = &mut self.document.live.account;
        live.name = account.name.0.as_ref().into();
        live.id = account.id.unwrap_or(account.name).0.into();
        live.default_number = match account.default_number {
            None => None,
            Some(Text(text)) => Some(text.parse().map_err(|why| {
                let message = format!("the default number `{}`: {why}", sanitized(&text, 80));
                Problem::new(Rule::NOT_E164, message, E164_HINT)
            })?),
        };
        Ok(())
    }

    fn user(&mut self, key: &str, user: User<'_, IgnoredAny, Extension>) -> Result<(), Problem> {
        let email = user.email.map_or_else(|| key.contains('@').then(|| key.into()), |Text(email)| Some(email.into()));
        let name = user.name.map_or_else(|| key.into(), |Text(name)| name.into());
        let always_forwarded = user.forwarding.is_some_and(|forwarding| forwarding.mode.as_str() == "enabled");
        let voicemail = match user.voicemail {
            None | Some(UserMailbox::Own(true)) => Some(id("voicemail", key)),
            Some(UserMailbox::Own(false)) => None,
            Some(UserMailbox::Shared(owner)) => {
                self.document.shares.push((key.into(), owner.clone()));
                Some(id("voicemail", &owner))
            }
        };
        let owner = id("user", key);
        for (device_key, device) in user.devices.0 {
            self.device(Some(&owner), device_key.as_str(), &device)?;
        }
        let user = LiveUser {
            id: owner,
            name,
            email,
            extension: user.extension.map(|Extension(digits)| digits),
            voicemail,
            always_forwarded,
        };
        self.document.live.users.push(user);
        Ok(())
    }

    fn device(&mut self, owner: Option<&ObjectId>, key: &str, device: &Device<'_, IgnoredAny>) -> Result<(), Problem> {
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

    fn receptionist(&mut self, key: &str, value: Receptionist<'de, IgnoredAny, Extension>) -> Result<(), Problem> {
        let name = value.name.map_or_else(|| key.into(), |Text(name)| name.into());
        let receptionist = position(&self.document.live.receptionists);
        let keys = (0u32..).zip(value.keys.0).map(|(key, (pressed, target))| {
            (pressed.0.into(), self.reference(Slot::Key { receptionist, key }, target))
        });
        let keys = keys.collect();
        let id = id("receptionist", key);
        self.document.live.receptionists.push(LiveReceptionist {
            id,
            name,
            extension: value.extension.map(|Extension(digits)| digits),
            keys,
        });
        Ok(())
    }

    fn conference(&mut self, key: &str, value: Conference<'_, IgnoredAny, Extension>) -> Result<(), Problem> {
        let name = value.name.map_or_else(|| key.into(), |Text(name)| name.into());
        let conference = LiveConference {
            id: id("conference", key),
            name,
            extension: value.extension.map(|Extension(digits)| digits),
        };
        self.document.live.conferences.push(conference);
        Ok(())
    }

    fn mailbox(&mut self, key: &str, value: Mailbox<'_, Extension>) -> Result<(), Problem> {
        let name = value.name.map_or_else(|| key.into(), |Text(name)| name.into());
        let mailbox =
            LiveMailbox { id: id("voicemail", key), name, extension: value.extension.map(|Extension(digits)| digits) };
        self.document.live.mailboxes.push(mailbox);
        Ok(())
    }

    fn ring_group(&mut self, key: &str, group: RingGroup<'de, Extension>) -> Result<(), Problem> {
        self.settle(BATCH)?;
        let name = group.name.as_ref().map_or(key, Text::as_str);
        let name = name.parse().map_err(|why| {
            let message = format!("the ring group `{}`: {why}", sanitized(key, 80));
            Problem::new(Rule::BAD_NAME, message, "give it a `name` of 1 to 128 characters")
        })?;
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
                Some(parsed.map_err(|why| {
                    let message = format!("`ring_for` of `{}`: {why}", sanitized(key, 80));
                    Problem::new(Rule::BAD_DURATION, message, "write a duration such as `20s`, or `none`")
                })?)
            }
        };
        self.document.live.ring_groups.push(LiveRingGroup {
            id: id("ring_group", key),
            name,
            extension: group.extension.map(|Extension(digits)| digits),
            ring: group.ring.unwrap_or_default(),
            members,
            ring_for,
            no_answer,
            revision: None,
            document: None,
        });
        Ok(())
    }

    fn number(&mut self, key: &str, number: Number<'de, IgnoredAny>) -> Result<(), Problem> {
        self.settle(BATCH)?;
        let parsed = key.parse().map_err(|why| {
            let message = format!("`{}` is not an E.164 number: {why}", sanitized(key, 80));
            Problem::new(Rule::NOT_E164, message, E164_HINT)
        })?;
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
