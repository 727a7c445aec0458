//! From the written document to a checked seed.

use std::collections::{HashMap, HashSet};

use super::document::{Document, Entries};
use super::index::Index;
use super::{Bridge, Device, Extension, Fault, Location, Number, Receptionist, RingGroup, Seed, User, document};
use crate::sandbox::collection::{Target, TargetKind};
use crate::sandbox::kinds::{limits, pin_digest};
use crate::sandbox::text;

/// The location of users without one.
const OFFICE: &str = "Office";

pub(super) fn resolve(document: Document) -> Result<Seed, Fault> {
    check_account(&document)?;
    let locations = locations(document.locations)?;
    // First all objects, then their references, because a reference may point forward.
    let mut index = Index::default();
    let bases =
        bases(&mut index, &document.users, &document.receptionists, &document.conferences, &document.ring_groups)?;
    let mut bases = bases.into_iter();
    let (users, devices) = users(document.users, &mut bases, &mut index, &locations)?;
    let receptionists = receptionists(document.receptionists, &mut bases, &index)?;
    let (conferences, bridges) = conferences(document.conferences, &mut bases, &index)?;
    let ring_groups = ring_groups(document.ring_groups, &mut bases, &index)?;
    let numbers = numbers(document.numbers, &index)?;
    let account = document.account;
    check_default(&account.default_number, &numbers)?;
    Ok(Seed {
        name: account.name,
        country: account.country,
        default_number: account.default_number,
        locations,
        users,
        devices,
        receptionists,
        conferences,
        bridges,
        ring_groups,
        numbers,
    })
}

fn check_account(document: &Document) -> Result<(), Fault> {
    let account = &document.account;
    text::name(&account.name)
        .map_err(|detail| Fault::new(&["account", "name"], format!("the name {detail}"), "choose another name"))?;
    account
        .country
        .as_ref()
        .map_or(Ok(()), |country| text::country(country))
        .map_err(|detail| Fault::new(&["account", "country"], format!("the country {detail}"), "write for example FR"))
}

fn check_default(default: &str, numbers: &[Number]) -> Result<(), Fault> {
    let path = &["account", "default_number"];
    match numbers.iter().find(|number| number.e164 == default) {
        None => Err(Fault::new(path, format!("{default} is not among the numbers"), "add it to `numbers`")),
        Some(number) if number.destination.is_none() => Err(Fault::new(
            &["numbers", default, "to"],
            "the default number leads to nothing",
            "map it, for example to a receptionist",
        )),
        Some(_) => Ok(()),
    }
}

fn locations(entries: Entries<document::Location>) -> Result<Vec<Location>, Fault> {
    let mut seen = HashSet::new();
    let mut locations = Vec::new();
    for (label, location) in entries.0 {
        let path = ["locations", &label];
        text::name(&label)
            .map_err(|detail| Fault::new(&path, format!("the label {detail}"), "choose another label"))?;
        text::label(&location.address)
            .map_err(|detail| Fault::new(&path, format!("the address {detail}"), "shorten or clean it"))?;
        if !seen.insert(text::name_key(&label)) {
            return Err(Fault::new(&path, format!("the location {label:?} comes twice"), "keep one of the two"));
        }
        locations.push(Location { label, address: location.address });
    }
    if locations.is_empty() {
        locations.push(Location { label: OFFICE.to_owned(), address: String::new() });
    }
    Ok(locations)
}

/// Gives every extension its key, in the order in which they will be loaded.
fn bases(
    index: &mut Index,
    users: &Entries<document::User>,
    receptionists: &Entries<document::Receptionist>,
    conferences: &Entries<document::Conference>,
    groups: &Entries<document::RingGroup>,
) -> Result<Vec<Extension>, Fault> {
    let mut bases: Vec<Extension> = Vec::new();
    let mut add = |index: &mut Index, kind, name: &Option<String>, extension: &str, path: &[&str; 2]| {
        let key = i64::try_from(bases.len()).unwrap_or(i64::MAX) + 1;
        let target = Target { kind, key };
        let [_, entry] = path;
        let name = name.as_deref().unwrap_or(entry);
        index.add(target, name, extension, path)?;
        bases.push(Extension { key, name: name.to_owned(), digits: extension.to_owned() });
        Ok(target)
    };
    for (email, user) in &users.0 {
        let path = ["users", email];
        let target = add(index, TargetKind::User, &user.name, &user.extension, &path)?;
        index.add_email(target, email, &path)?;
    }
    // A reference may also use the key of an entry; names take precedence, so they come first.
    let mut keys = Vec::new();
    for (key, receptionist) in &receptionists.0 {
        let path = ["receptionists", key];
        let (name, extension) = (&receptionist.name, &receptionist.extension);
        keys.push((add(index, TargetKind::Receptionist, name, extension, &path)?, key));
    }
    for (key, conference) in &conferences.0 {
        let path = ["conferences", key];
        keys.push((add(index, TargetKind::Conference, &conference.name, &conference.extension, &path)?, key));
    }
    for (key, group) in &groups.0 {
        keys.push((add(index, TargetKind::RingGroup, &group.name, &group.extension, &["ring_groups", key])?, key));
    }
    for (target, key) in keys {
        index.add_key(target, key);
    }
    Ok(bases)
}

fn users(
    entries: Entries<document::User>,
    bases: &mut impl Iterator<Item = Extension>,
    index: &mut Index,
    locations: &[Location],
) -> Result<(Vec<User>, Vec<Device>), Fault> {
    let places: HashMap<String, i64> =
        (1..).zip(locations).map(|(key, place)| (text::name_key(&place.label), key)).collect();
    let mut users = Vec::new();
    let mut devices: Vec<Device> = Vec::new();
    for ((email, user), base) in entries.0.into_iter().zip(bases) {
        let location = match &user.location {
            None => 1,
            Some(label) => *places.get(&text::name_key(label)).ok_or_else(|| {
                Fault::new(
                    &["users", &email, "location"],
                    format!("the location {label:?} does not exist"),
                    "add it to `locations`",
                )
            })?,
        };
        let to = user.forwarding.to;
        check_forwarding(&email, &user.forwarding.mode, to.as_deref())?;
        let mut kinds = HashSet::new();
        for (key, document::Device(device)) in user.devices.0 {
            let path = ["users", &email, "devices", &key];
            let name = device.name.unwrap_or_else(|| key.clone());
            // Phones of unknown kinds get the only kind of which a user may have several.
            let kind = device.kind.unwrap_or_else(|| limits::DEVICE_OF_MANY.to_owned());
            one_of(&kind, limits::DEVICE_KINDS, &path)?;
            if !kinds.insert(kind.clone()) && kind != limits::DEVICE_OF_MANY {
                return Err(Fault::new(
                    &path,
                    format!("a second {kind}"),
                    "a user has at most one of each kind but mobile_app",
                ));
            }
            let key = i64::try_from(devices.len()).unwrap_or(i64::MAX) + 1;
            index.add_device(Target { kind: TargetKind::Device, key }, &name, &path)?;
            devices.push(Device { user: base.key, name, kind });
        }
        users.push(User {
            base,
            email,
            location,
            voicemail: user.voicemail,
            forwarding_mode: user.forwarding.mode,
            forwarding_to: to,
        });
    }
    Ok((users, devices))
}

fn check_forwarding(email: &str, mode: &str, to: Option<&str>) -> Result<(), Fault> {
    one_of(mode, limits::FORWARDING, &["users", email, "forwarding", "mode"])?;
    // An exported snapshot has whether calls are forwarded, but not where to.
    if let Some(to) = to {
        text::e164(to).map_err(|detail| {
            Fault::new(&["users", email, "forwarding", "to"], format!("{to:?} {detail}"), "correct it")
        })?;
    }
    Ok(())
}

fn receptionists(
    entries: Entries<document::Receptionist>,
    bases: &mut impl Iterator<Item = Extension>,
    index: &Index,
) -> Result<Vec<Receptionist>, Fault> {
    let mut receptionists = Vec::new();
    for ((name, entry), base) in entries.0.into_iter().zip(bases) {
        text::timezone(&entry.timezone).map_err(|detail| {
            Fault::new(&["receptionists", &name, "timezone"], format!("{:?} {detail}", entry.timezone), "correct it")
        })?;
        let mut keys = Vec::new();
        for (digit, reference) in entry.keys.0 {
            let path = ["receptionists", &name, "keys", &digit];
            one_of(&digit, limits::DIGITS, &path)?;
            let target = index.find(&reference, limits::KEY_TARGETS, &path)?;
            keys.push((digit, target));
        }
        receptionists.push(Receptionist { base, timezone: entry.timezone, keys });
    }
    Ok(receptionists)
}

fn conferences(
    entries: Entries<document::Conference>,
    bases: &mut impl Iterator<Item = Extension>,
    index: &Index,
) -> Result<(Vec<Extension>, Vec<Bridge>), Fault> {
    let mut conferences = Vec::new();
    let mut bridges: Vec<Bridge> = Vec::new();
    let mut rooms = HashSet::new();
    for ((conference, entry), base) in entries.0.into_iter().zip(bases) {
        for (name, bridge) in entry.bridges.0 {
            let path = ["conferences", &conference, "bridges", &name];
            text::name(&name)
                .map_err(|detail| Fault::new(&path, format!("the name {detail}"), "choose another name"))?;
            text::room(&bridge.number).map_err(|detail| {
                Fault::new(&path, format!("the number {detail}"), "write it in quotes, such as \"1234\"")
            })?;
            if let Some(pin) = &bridge.pin {
                text::pin(&pin.0)
                    .map_err(|detail| Fault::new(&path, format!("the PIN {detail}"), "write it in quotes"))?;
            }
            if !rooms.insert(bridge.number.clone()) {
                return Err(Fault::new(
                    &path,
                    format!("room {} is used twice", bridge.number),
                    "room numbers are unique",
                ));
            }
            let assigned_to = match &bridge.assigned_to {
                None => None,
                Some(reference) => Some(index.find(reference, &[TargetKind::User], &path)?.key),
            };
            let pin = bridge.pin.map(|pin| pin_digest(&pin.0));
            bridges.push(Bridge { conference: base.key, name, number: bridge.number, pin, assigned_to });
        }
        conferences.push(base);
    }
    Ok((conferences, bridges))
}

fn ring_groups(
    entries: Entries<document::RingGroup>,
    bases: &mut impl Iterator<Item = Extension>,
    index: &Index,
) -> Result<Vec<RingGroup>, Fault> {
    let mut groups = Vec::new();
    for ((name, entry), base) in entries.0.into_iter().zip(bases) {
        let at = |field| ["ring_groups", name.as_str(), field];
        one_of(&entry.ring, limits::RING_MODES, &at("ring"))?;
        let seconds = seconds(&entry.ring_for, &at("ring_for"))?;
        let members = members(&entry.members, index, &at("members"))?;
        // An exported snapshot has `none` for a missing destination.
        let no_answer = match entry.no_answer.as_ref().filter(|target| target.as_str() != "none") {
            None => None,
            Some(reference) => Some(index.find(reference, limits::NO_ANSWER_KINDS, &at("no_answer"))?),
        };
        if no_answer == Some(Target { kind: TargetKind::RingGroup, key: base.key }) {
            return Err(Fault::new(&at("no_answer"), "the group is its own no-answer target", "name another target"));
        }
        groups.push(RingGroup { base, ring: entry.ring, seconds, members, no_answer });
    }
    Ok(groups)
}

fn members(references: &[String], index: &Index, path: &[&str]) -> Result<Vec<Target>, Fault> {
    if references.is_empty() || references.len() > limits::MAX_MEMBERS {
        let message = format!("a group has 1 to {} members, not {}", limits::MAX_MEMBERS, references.len());
        return Err(Fault::new(path, message, "add or remove members"));
    }
    let mut members = Vec::with_capacity(references.len());
    for (position, reference) in references.iter().enumerate() {
        let position = position.to_string();
        let at = [path, &[&position]].concat();
        let member = index.find(reference, limits::MEMBER_KINDS, &at)?;
        if members.contains(&member) {
            return Err(Fault::new(&at, format!("{reference} is a member already"), "remove one of the two"));
        }
        members.push(member);
    }
    Ok(members)
}

fn seconds(text: &str, path: &[&str]) -> Result<i64, Fault> {
    let (min, max, _) = limits::RING_FOR;
    let number = text.strip_suffix('s').unwrap_or(text);
    number.trim().parse().ok().filter(|seconds| (min..=max).contains(seconds)).ok_or_else(|| {
        Fault::new(
            path,
            format!("{text:?} is not a ring time"),
            format!("write seconds from {min}s to {max}s, such as 20s"),
        )
    })
}

fn numbers(entries: Entries<document::Number>, index: &Index) -> Result<Vec<Number>, Fault> {
    let mut numbers = Vec::with_capacity(entries.0.len());
    for (number, entry) in entries.0 {
        let at = |field| ["numbers", number.as_str(), field];
        text::e164(&number).map_err(|detail| {
            Fault::new(&["numbers", &number], format!("{number:?} {detail}"), "write it with + and country code")
        })?;
        text::label(&entry.label)
            .map_err(|detail| Fault::new(&at("label"), format!("the label {detail}"), "shorten or clean it"))?;
        one_of(&entry.kind, limits::NUMBER_KINDS, &at("kind"))?;
        let destination = match entry.to.as_str() {
            "none" => None,
            reference => Some(index.find(reference, limits::DESTINATIONS, &at("to"))?.key),
        };
        let owner = match &entry.owner {
            None => None,
            Some(reference) => {
                Some(index.find(reference, &[TargetKind::User, TargetKind::Conference], &at("owner"))?.key)
            }
        };
        numbers.push(Number {
            e164: number,
            kind: entry.kind,
            label: entry.label,
            destination,
            emergency_callback: entry.emergency_callback,
            owner,
        });
    }
    Ok(numbers)
}

fn one_of(value: &str, allowed: &[&str], path: &[&str]) -> Result<(), Fault> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(Fault::new(path, format!("{value:?} is not possible here"), format!("write one of {}", allowed.join(", "))))
}
