//! From the written document to a checked seed.

use std::collections::{HashMap, HashSet};

use crate::providers::snapshot::fields::{self, Pairs, Text};
use crate::sandbox::collection::{Target, TargetKind};
use crate::sandbox::kinds::{limits, pin_digest};
use crate::sandbox::text;

use super::document::{self, Document};
use super::index::Index;
use super::{Bridge, Device, Extension, Fault, Location, Number, Receptionist, RingGroup, Seed, User, checked};

/// The location of users without one.
const OFFICE: &str = "Office";

/// The keys of extensions, in the order in which they are loaded.
type Keys = std::ops::RangeFrom<i64>;

pub(super) fn resolve(document: Document<'_>) -> Result<Seed, Fault> {
    let account = &document.account;
    checked(text::name(account.name.as_str()), &["account", "name"], "the name", "choose another name")?;
    let country = account.country.as_ref().map(Text::as_str);
    let is_country = country.map_or(Ok(()), text::country);
    checked(is_country, &["account", "country"], "the country", "write for example FR")?;
    let locations = locations(&document.locations)?;
    // First all objects, then their references, because a reference may point forward.
    let mut index = Index::default();
    let extensions = extensions(&mut index, &document)?;
    let mut keys: Keys = 1..;
    let (users, devices) = users(document.users, &mut keys, &mut index, &locations)?;
    let receptionists = receptionists(document.receptionists, &mut keys, &index)?;
    let bridges = bridges(document.conferences, &mut keys, &index)?;
    let ring_groups = ring_groups(document.ring_groups, &mut keys, &index)?;
    let numbers = numbers(document.numbers, &index)?;
    Ok(Seed {
        name: account.name.0.to_string(),
        country: country.map(ToOwned::to_owned),
        default_number: default_number(account.default_number.as_ref(), &numbers)?,
        extensions,
        locations,
        users,
        devices,
        receptionists,
        bridges,
        ring_groups,
        numbers,
    })
}

fn default_number(default: Option<&Text<'_>>, numbers: &[Number]) -> Result<String, Fault> {
    let default = default.ok_or_else(|| missing(&["account"], "default_number"))?.as_str();
    match numbers.iter().find(|number| number.e164 == default) {
        None => Err(Fault::new(
            &["account", "default_number"],
            format!("{default} is not among the numbers"),
            "add it to `numbers`",
        )),
        Some(number) if number.destination.is_none() => Err(Fault::new(
            &["numbers", default, "to"],
            "the default number leads to nothing",
            "map it, for example to a receptionist",
        )),
        Some(_) => Ok(default.to_owned()),
    }
}

fn missing(path: &[&str], field: &str) -> Fault {
    Fault::new(path, format!("missing field `{field}`"), "add it")
}

fn locations(entries: &Pairs<'_, fields::Location<'_>>) -> Result<Vec<Location>, Fault> {
    let mut seen = HashSet::new();
    let mut locations = Vec::new();
    for (label, location) in &entries.0 {
        let (label, address) = (label.as_str(), location.address.as_str());
        let path = ["locations", label];
        checked(text::name(label), &path, "the label", "choose another label")?;
        checked(text::label(address), &path, "the address", "shorten or clean it")?;
        if !seen.insert(text::name_key(label)) {
            return Err(Fault::new(&path, format!("the location {label:?} is given twice"), "keep one of the two"));
        }
        locations.push(Location { label: label.to_owned(), address: address.to_owned() });
    }
    if locations.is_empty() {
        locations.push(Location { label: OFFICE.to_owned(), address: String::new() });
    }
    Ok(locations)
}

/// All extensions, in the order of their keys.
fn extensions(index: &mut Index, document: &Document<'_>) -> Result<Vec<Extension>, Fault> {
    let mut extensions: Vec<Extension> = Vec::new();
    let mut entries = Vec::new();
    let mut add = |path: [&str; 2], kind, name: &Option<Text<'_>>, digits: &Option<Text<'_>>| {
        let target = Target { kind, key: i64::try_from(extensions.len()).unwrap_or(i64::MAX) + 1 };
        let [_, key] = path;
        let name = name.as_ref().map_or(key, Text::as_str);
        let digits = digits.as_ref().ok_or_else(|| missing(&path, "extension"))?.as_str();
        index.add(target, name, digits, &path)?;
        extensions.push(Extension { kind, name: name.to_owned(), digits: digits.to_owned() });
        entries.push((target, key.to_owned()));
        Ok(target)
    };
    let mut emails = Vec::new();
    for (Text(key), user) in &document.users.0 {
        let target = add(["users", key], TargetKind::User, &user.name, &user.extension)?;
        emails.push((target, key, user.email.as_ref().map_or(key, |Text(email)| email)));
    }
    for (Text(key), one) in &document.receptionists.0 {
        add(["receptionists", key], TargetKind::Receptionist, &one.name, &one.extension)?;
    }
    for (Text(key), one) in &document.conferences.0 {
        add(["conferences", key], TargetKind::Conference, &one.name, &one.extension)?;
    }
    for (Text(key), group) in &document.ring_groups.0 {
        add(["ring_groups", key], TargetKind::RingGroup, &group.name, &group.extension)?;
    }
    for (target, key, email) in emails {
        index.add_email(target, email, &["users", key])?;
    }
    // A reference may also use the key of an entry; names take precedence, so they come first.
    for (target, key) in entries {
        index.add_key(target, &key);
    }
    Ok(extensions)
}

fn users(
    entries: Pairs<'_, document::User<'_>>,
    keys: &mut Keys,
    index: &mut Index,
    locations: &[Location],
) -> Result<(Vec<User>, Vec<Device>), Fault> {
    let places: HashMap<String, i64> =
        (1..).zip(locations).map(|(key, place)| (text::name_key(&place.label), key)).collect();
    let mut users = Vec::new();
    let mut devices: Vec<Device> = Vec::new();
    for ((Text(entry), user), key) in entries.0.into_iter().zip(keys) {
        let location = match &user.location {
            None => 1,
            Some(Text(label)) => *places.get(&text::name_key(label)).ok_or_else(|| {
                let path = ["users", &entry, "location"];
                Fault::new(&path, format!("the location {label:?} does not exist"), "add it to `locations`")
            })?,
        };
        let mut kinds = HashSet::new();
        for (Text(name), device) in user.devices.0 {
            let path = ["users", &entry, "devices", &name];
            // Phones of unknown kinds get the only kind of which a user may have several.
            let kind = device.kind.map_or_else(|| limits::DEVICE_OF_MANY.to_owned(), |Text(kind)| kind.into_owned());
            one_of(&kind, limits::DEVICE_KINDS, &path)?;
            if !kinds.insert(kind.clone()) && kind != limits::DEVICE_OF_MANY {
                let remedy = "a user has at most one of each kind but mobile_app";
                return Err(Fault::new(&path, format!("a second {kind}"), remedy));
            }
            let target = Target { kind: TargetKind::Device, key: i64::try_from(devices.len()).unwrap_or(i64::MAX) + 1 };
            let own = device.name.as_ref().map_or(&*name, Text::as_str);
            index.add_device(target, own, &path)?;
            devices.push(Device { user: key, name: own.to_owned(), kind });
        }
        let (forwarding_mode, forwarding_to) = forwarding(&entry, user.forwarding)?;
        let voicemail = match user.voicemail {
            None => true,
            Some(fields::UserMailbox::Own(own)) => own,
            Some(fields::UserMailbox::Shared(_)) => {
                let remedy = "write `true` or `false`";
                let path = ["users", &entry, "voicemail"];
                return Err(Fault::new(&path, "an embedded account has no shared mailboxes".to_owned(), remedy));
            }
        };
        let email = user.email.map_or(entry, |Text(email)| email).into_owned();
        users.push(User { key, email, location, voicemail, forwarding_mode, forwarding_to });
    }
    Ok((users, devices))
}

fn forwarding(
    user: &str,
    forwarding: Option<fields::Forwarding<'_, Text<'_>>>,
) -> Result<(String, Option<String>), Fault> {
    let Some(fields::Forwarding { mode: Text(mode), to }) = forwarding else {
        return Ok(("disabled".to_owned(), None));
    };
    one_of(&mode, limits::FORWARDING, &["users", user, "forwarding", "mode"])?;
    // An exported snapshot has whether calls are forwarded, but not where to.
    if let Some(Text(to)) = &to {
        checked(text::e164(to), &["users", user, "forwarding", "to"], format_args!("{to:?}"), "correct it")?;
    }
    Ok((mode.into_owned(), to.map(|Text(to)| to.into_owned())))
}

fn receptionists(
    entries: Pairs<'_, document::Receptionist<'_>>,
    extension_keys: &mut Keys,
    index: &Index,
) -> Result<Vec<Receptionist>, Fault> {
    let mut receptionists = Vec::new();
    for ((Text(name), entry), key) in entries.0.into_iter().zip(extension_keys) {
        let timezone = entry.timezone.map_or_else(|| "UTC".to_owned(), |Text(zone)| zone.into_owned());
        let path = ["receptionists", &name, "timezone"];
        checked(text::timezone(&timezone), &path, format_args!("{timezone:?}"), "correct it")?;
        let mut keys = Vec::new();
        for (Text(digit), reference) in entry.keys.0 {
            let path = ["receptionists", &name, "keys", &digit];
            one_of(&digit, limits::DIGITS, &path)?;
            let target = index.find(&reference, limits::KEY_TARGETS, &path)?;
            keys.push((digit.into_owned(), target));
        }
        receptionists.push(Receptionist { key, timezone, keys });
    }
    Ok(receptionists)
}

fn bridges(entries: Pairs<'_, document::Conference<'_>>, keys: &mut Keys, index: &Index) -> Result<Vec<Bridge>, Fault> {
    let mut bridges: Vec<Bridge> = Vec::new();
    let mut rooms = HashSet::new();
    for ((Text(key), entry), conference) in entries.0.into_iter().zip(keys) {
        for (Text(name), bridge) in entry.bridges.unwrap_or_default().0 {
            let path = ["conferences", &key, "bridges", &name];
            let number = bridge.number.as_str();
            checked(text::name(&name), &path, "the name", "choose another name")?;
            checked(text::room(number), &path, "the number", "write it in quotes, such as \"1234\"")?;
            if let Some(pin) = &bridge.pin {
                checked(text::pin(pin.as_str()), &path, "the PIN", "write it in quotes")?;
            }
            if !rooms.insert(number.to_owned()) {
                return Err(Fault::new(&path, format!("room {number} is used twice"), "room numbers are unique"));
            }
            let assigned_to = bridge.assigned_to.map(|user| index.find(&user, &[TargetKind::User], &path));
            bridges.push(Bridge {
                conference,
                name: name.into_owned(),
                number: number.to_owned(),
                pin: bridge.pin.map(|pin| pin_digest(pin.as_str())),
                assigned_to: assigned_to.transpose()?.map(|user| user.key),
            });
        }
    }
    Ok(bridges)
}

fn ring_groups(
    entries: Pairs<'_, document::RingGroup<'_>>,
    keys: &mut Keys,
    index: &Index,
) -> Result<Vec<RingGroup>, Fault> {
    let mut groups = Vec::new();
    for ((name, entry), key) in entries.0.into_iter().zip(keys) {
        let at = |field| ["ring_groups", name.as_str(), field];
        let seconds = seconds(entry.ring_for.as_ref().map_or("20s", Text::as_str), &at("ring_for"))?;
        let members = members(&entry.members, index, &at("members"))?;
        let no_answer = optional(entry.no_answer.as_ref(), index, limits::NO_ANSWER_KINDS, &at("no_answer"))?;
        if no_answer == Some(Target { kind: TargetKind::RingGroup, key }) {
            return Err(Fault::new(&at("no_answer"), "the group is its own no-answer target", "name another target"));
        }
        groups.push(RingGroup { key, ring: entry.ring.unwrap_or_default(), seconds, members, no_answer });
    }
    Ok(groups)
}

fn members(references: &[Text<'_>], index: &Index, path: &[&str]) -> Result<Vec<Target>, Fault> {
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
            let message = format!("{} is a member already", reference.as_str());
            return Err(Fault::new(&at, message, "remove one of the two"));
        }
        members.push(member);
    }
    Ok(members)
}

fn seconds(text: &str, path: &[&str]) -> Result<i64, Fault> {
    let (min, max, _) = limits::RING_FOR;
    let number = text.strip_suffix('s').unwrap_or(text);
    number.trim().parse().ok().filter(|seconds| (min..=max).contains(seconds)).ok_or_else(|| {
        let remedy = format!("write seconds from {min}s to {max}s, such as 20s");
        Fault::new(path, format!("{text:?} is not a ring time"), remedy)
    })
}

/// The object that a reference names; nothing for none, and for the word `none`, which exported snapshots have.
fn optional(
    reference: Option<&Text<'_>>,
    index: &Index,
    kinds: &[TargetKind],
    path: &[&str],
) -> Result<Option<Target>, Fault> {
    let reference = reference.filter(|reference| reference.as_str() != "none");
    reference.map(|reference| index.find(reference, kinds, path)).transpose()
}

fn numbers(entries: Pairs<'_, document::Number<'_>>, index: &Index) -> Result<Vec<Number>, Fault> {
    let mut numbers = Vec::with_capacity(entries.0.len());
    for (Text(number), entry) in entries.0 {
        let at = |field| ["numbers", &*number, field];
        let path = ["numbers", &*number];
        checked(text::e164(&number), &path, format_args!("{number:?}"), "write it with + and country code")?;
        let label = entry.label.unwrap_or_default().0.into_owned();
        checked(text::label(&label), &at("label"), "the label", "shorten or clean it")?;
        let kind = entry.kind.map_or_else(|| "local".to_owned(), |Text(kind)| kind.into_owned());
        one_of(&kind, limits::NUMBER_KINDS, &at("kind"))?;
        let destination = optional(entry.to.as_ref(), index, limits::DESTINATIONS, &at("to"))?;
        let owners = [TargetKind::User, TargetKind::Conference];
        let owner = entry.owner.map(|owner| index.find(&owner, &owners, &at("owner"))).transpose()?;
        numbers.push(Number {
            e164: number.into_owned(),
            kind,
            label,
            destination: destination.map(|target| target.key),
            emergency_callback: entry.emergency_callback,
            owner: owner.map(|owner| owner.key),
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
