//! From a live account to its snapshot: what [`parse`](super::parse) reads back as the same account, up to
//! ids and revisions.
//!
//! Sections and entries come in the order of their keys, so the same account gives the same bytes. What the
//! model does not have (locations, time zones, kinds of phone) is not in it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use crate::model::{
    ExtensionNumber, FieldName, Kind, LiveAccount, LiveDevice, LiveNumber, LiveObject, LiveRingGroup, LiveUser,
    RingMode, Value,
};
use crate::text::{quoted, sanitized, yaml};

use super::keys::Keys;

/// The account as YAML.
pub fn write(live: &LiveAccount) -> String {
    let keys = Keys::new(live);
    let mut out = String::from("snapshot: 1\naccount:");
    let mut account = Fields::default();
    account.text("name", &live.account.name);
    if live.account.id != live.account.name {
        account.text("id", &live.account.id);
    }
    if let Some(number) = live.account.default_number {
        account.text("default_number", &number.to_string());
    }
    account.end(&mut out);

    for one in &live.unreadable {
        let name = sanitized(&format!("{}/{}", one.kind, one.name), 120);
        let _ = writeln!(out, "# {name} is left out: {}", sanitized(&one.why, 1_000));
    }

    let mut devices: HashMap<_, Vec<&LiveDevice>> = HashMap::new();
    for device in &live.devices {
        let owner = device.owner.as_ref().filter(|owner| !keys.of(Kind::User, owner).is_empty());
        devices.entry(owner).or_default().push(device);
    }
    let users = live.users.iter().map(|user| {
        let key = keys.of(Kind::User, &user.id);
        (key, self::user(user, key, devices.get(&Some(&user.id)).map_or(&[], Vec::as_slice), &keys))
    });
    section(&mut out, "users", users);
    let ownerless = devices.get(&None).map_or(&[][..], Vec::as_slice);
    section(
        &mut out,
        "devices",
        ownerless.iter().map(|device| {
            let key = keys.of(Kind::Device, &device.id);
            (key, self::device(device, key))
        }),
    );
    section(
        &mut out,
        "receptionists",
        live.receptionists.iter().map(|receptionist| {
            let key = keys.of(Kind::Receptionist, &receptionist.id);
            let mut fields = named(&receptionist.name, key, receptionist.extension.as_ref());
            if !receptionist.keys.is_empty() {
                let mut targets = Fields::default();
                for (pressed, target) in &receptionist.keys {
                    targets.raw(&quoted(pressed), &yaml(&keys.reference(target)));
                }
                fields.raw("keys", &targets.braced());
            }
            (key, fields)
        }),
    );
    section(
        &mut out,
        "conferences",
        live.conferences.iter().map(|conference| {
            let key = keys.of(Kind::Conference, &conference.id);
            (key, named(&conference.name, key, conference.extension.as_ref()))
        }),
    );
    section(
        &mut out,
        "mailboxes",
        live.mailboxes.iter().map(|mailbox| {
            let key = keys.of(Kind::Voicemail, &mailbox.id);
            (key, named(&mailbox.name, key, mailbox.extension.as_ref()))
        }),
    );
    section(
        &mut out,
        "ring_groups",
        live.ring_groups.iter().map(|group| {
            let key = keys.of(Kind::RingGroup, &group.id);
            (key, ring_group(group, key, &keys))
        }),
    );
    out.push_str("numbers:\n");
    for number in &live.numbers {
        let _ = write!(out, "  \"{}\":", number.number);
        self::number(number, &keys).end(&mut out);
    }
    out
}

/// A section with its entries in the order of their keys; nothing if there are none.
fn section<'a>(out: &mut String, name: &str, entries: impl Iterator<Item = (&'a str, Fields)>) {
    let entries: BTreeMap<_, _> = entries.collect();
    if entries.is_empty() {
        return;
    }
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(out, "{name}:");
    for (key, fields) in entries {
        let _ = write!(out, "  {}:", yaml(key));
        fields.end(out);
    }
}

fn user(user: &LiveUser, key: &str, devices: &[&LiveDevice], keys: &Keys<'_>) -> Fields {
    let mut fields = named(&user.name, key, user.extension.as_ref());
    let email = user.email.as_deref();
    // A key with an `@` already says the address.
    if let Some(email) = email.filter(|email| *email != key || !key.contains('@')) {
        fields.text("email", email);
    }
    match &user.voicemail {
        None => fields.raw("voicemail", "false"),
        Some(mailbox) => match keys.of(Kind::Voicemail, mailbox) {
            owner if owner == key => {}
            owner => fields.text("voicemail", &format!("voicemail/{owner}")),
        },
    }
    if user.always_forwarded {
        fields.raw("forwarding", "{ mode: enabled }");
    }
    let phones: BTreeMap<_, _> = devices.iter().map(|device| (keys.of(Kind::Device, &device.id), *device)).collect();
    if !phones.is_empty() {
        let mut list = Fields::default();
        for (key, device) in phones {
            list.raw(&yaml(key), &self::device(device, key).braced());
        }
        fields.raw("devices", &list.braced());
    }
    fields
}

/// The model does not know what kind of phone it is, so the snapshot does not say.
fn device(device: &LiveDevice, key: &str) -> Fields {
    let mut fields = Fields::default();
    if *device.name != *key {
        fields.text("name", &device.name);
    }
    fields
}

fn ring_group(group: &LiveRingGroup, key: &str, keys: &Keys<'_>) -> Fields {
    let mut fields = Fields::default();
    fields.all(LiveObject::RingGroup(group), key, keys);
    fields
}

fn number(number: &LiveNumber, keys: &Keys<'_>) -> Fields {
    let mut fields = Fields::default();
    fields.all(LiveObject::Number(number), "", keys);
    if number.emergency_callback {
        fields.raw("emergency_callback", "true");
    }
    fields
}

fn named(name: &str, key: &str, extension: Option<&ExtensionNumber>) -> Fields {
    let mut fields = Fields::default();
    if name != key {
        fields.text("name", name);
    }
    if let Some(extension) = extension {
        fields.raw("extension", &quoted(extension.as_str()));
    }
    fields
}

/// The fields of one entry, in flow style.
#[derive(Default)]
struct Fields(String);

impl Fields {
    /// All fields of an object that a change can write, but for what the key and the defaults say already.
    fn all(&mut self, object: LiveObject<'_>, key: &str, keys: &Keys<'_>) {
        for field in object.kind().fields() {
            let name = field.as_str();
            match object.field(field).unwrap_or(Value::None) {
                Value::None if matches!(field, FieldName::To | FieldName::RingFor) => self.raw(name, "none"),
                Value::None | Value::ChosenByAccount => {}
                Value::Name(text) if text.as_str() == key => {}
                Value::Ring(mode) if mode == RingMode::default() => {}
                Value::Text(text) => self.text(name, &text),
                Value::Name(text) => self.text(name, text.as_str()),
                Value::Extension(digits) => self.raw(name, &quoted(digits.as_str())),
                Value::Ring(mode) => self.raw(name, mode.as_str()),
                Value::RingFor(duration) => self.raw(name, &duration.to_string()),
                Value::Reference(target) => self.text(name, &keys.reference(target)),
                Value::References(targets) => {
                    let list: Vec<_> = targets.iter().map(|one| yaml(&keys.reference(one)).into_owned()).collect();
                    self.raw(name, &format!("[{}]", list.join(", ")));
                }
            }
        }
    }

    fn text(&mut self, key: &str, value: &str) {
        self.raw(key, &yaml(value));
    }

    fn raw(&mut self, key: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        self.0.push_str(key);
        self.0.push_str(": ");
        self.0.push_str(value);
    }

    fn braced(&self) -> String {
        if self.0.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", self.0) }
    }

    fn end(&self, out: &mut String) {
        out.push(' ');
        out.push_str(&self.braced());
        out.push('\n');
    }
}
