//! From a live account to its snapshot: what [`parse`](super::parse) reads back as the same account, up to
//! ids and revisions.
//!
//! Sections and entries come in the order of their keys, so the same account gives the same bytes. What the
//! model does not have (locations, time zones, kinds of phone) is not in it.

mod keys;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use crate::model::{ExtensionNumber, Kind, LiveAccount, LiveDevice, LiveNumber, LiveRingGroup, LiveUser, RingMode};
use crate::text::{quoted, sanitized, yaml};

use keys::Keys;

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
    if user.voicemail.is_none() {
        fields.raw("voicemail", "false");
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
    let mut fields = named(group.name.as_str(), key, group.extension.as_ref());
    if group.ring != RingMode::default() {
        fields.raw("ring", group.ring.as_str());
    }
    let members: Vec<_> = group.members.iter().map(|member| yaml(&keys.reference(member)).into_owned()).collect();
    fields.raw("members", &format!("[{}]", members.join(", ")));
    fields.raw("ring_for", &group.ring_for.map_or_else(|| "none".to_owned(), |ring_for| ring_for.to_string()));
    if let Some(no_answer) = &group.no_answer {
        fields.text("no_answer", &keys.reference(no_answer));
    }
    fields
}

fn number(number: &LiveNumber, keys: &Keys<'_>) -> Fields {
    let mut fields = Fields::default();
    match &number.to {
        Some(to) => fields.text("to", &keys.reference(to)),
        None => fields.raw("to", "none"),
    }
    if !number.label.is_empty() {
        fields.text("label", &number.label);
    }
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
