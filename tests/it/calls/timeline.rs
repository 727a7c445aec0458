//! Which state was in force when, object by object, and which ways it allowed a call to go.
//!
//! While a change is under way, each number and each ring group may be as before or as after, but whole. When none is, only the
//! state in force counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use super::call::{Call, Moment};
use super::judge::Path;
use super::office::{Destination, Office, RingGroup, answers, phone};

/// The versions of all objects of one kind, the oldest first; None while there was no such object.
type Versions<T> = BTreeMap<String, Vec<Version<T>>>;

#[derive(Debug)]
struct Version<T> {
    value: Option<T>,
    from: Moment,
    until: Moment,
}

#[derive(Debug)]
pub struct Timeline {
    numbers: Versions<Destination>,
    ring_groups: Versions<RingGroup>,
}

pub fn now() -> Moment {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64()
}

impl Timeline {
    /// A state that is in force, and was before.
    pub fn new(office: &Office) -> Self {
        let mut new = Self { numbers: BTreeMap::new(), ring_groups: BTreeMap::new() };
        new.begin_at(office, Moment::NEG_INFINITY);
        new.end_at(Moment::NEG_INFINITY);
        new
    }

    /// A change to another state begins: to be called before anything is written.
    pub fn begin(&mut self, after: &Office) {
        self.begin_at(after, now());
    }

    /// All that was begun is done: to be called when everything is written.
    pub fn end(&mut self) {
        self.end_at(now());
    }

    fn begin_at(&mut self, after: &Office, now: Moment) {
        begin(&mut self.numbers, &after.numbers, now);
        begin(&mut self.ring_groups, &after.ring_groups, now);
    }

    fn end_at(&mut self, now: Moment) {
        end(&mut self.numbers, now);
        end(&mut self.ring_groups, now);
    }

    /// All ways that a call was allowed to go.
    pub fn paths(&self, call: &Call) -> Vec<Path> {
        let mut found = Vec::new();
        for number in in_force(&self.numbers, &call.number, call.between(0)) {
            match number {
                Some(destination) => self.follow(destination, Path::default(), call, &mut found),
                None => found.push(Path { status: 404, ..Path::default() }),
            }
        }
        found
    }

    /// Adds all ways that lead on from a destination.
    fn follow(&self, destination: &Destination, mut path: Path, call: &Call, found: &mut Vec<Path>) {
        let is_first = path.rings.is_empty();
        (path.status, path.by) = match destination {
            Destination::RingGroup(name) => {
                let rung = path.rings.iter().map(BTreeSet::len).sum();
                for group in in_force(&self.ring_groups, name, call.between(rung)).flatten() {
                    let mut path = path.clone();
                    if ring(group, &mut path) {
                        found.push(path);
                    } else {
                        self.follow(&group.no_answer, path, call, found);
                    }
                }
                return;
            }
            // A mailbox has the call if the phone does not.
            Destination::User(extension) => {
                path.rings.push(BTreeSet::from([phone(extension).to_owned()]));
                (200, None)
            }
            Destination::Outside(number) => {
                path.rings.push(BTreeSet::from([number.clone()]));
                (200, None)
            }
            // Its answer still names the phone that rang last.
            Destination::Mailbox => (200, is_first.then_some("")),
            Destination::Receptionist => (200, Some("ivr-main")),
            Destination::Conference => (200, Some("conference-800")),
            // A number that is not in use, or a group in which no phone answers.
            Destination::None => (if is_first { 404 } else { 480 }, None),
        };
        found.push(path);
    }
}

/// Rings the phones of a group; whether one answers.
fn ring(group: &RingGroup, path: &mut Path) -> bool {
    let phones = group.members.iter().map(|member| phone(member));
    if group.is_simultaneous {
        path.rings.push(phones.clone().map(str::to_owned).collect());
    } else {
        for phone in phones.clone() {
            path.rings.push(BTreeSet::from([phone.to_owned()]));
            if answers(phone) {
                break;
            }
        }
    }
    path.status = 200;
    phones.into_iter().any(answers)
}

fn begin<T: Clone + PartialEq>(versions: &mut Versions<T>, after: &BTreeMap<String, T>, now: Moment) {
    let names: BTreeSet<String> = versions.keys().chain(after.keys()).cloned().collect();
    for name in names {
        let all = versions.entry(name.clone()).or_default();
        let value = after.get(&name).cloned();
        if all.is_empty() && now > Moment::NEG_INFINITY {
            all.push(Version { value: None, from: Moment::NEG_INFINITY, until: Moment::INFINITY });
        }
        if all.last().is_none_or(|version| version.value != value) {
            all.push(Version { value, from: now, until: Moment::INFINITY });
        }
    }
}

fn end<T>(versions: &mut Versions<T>, now: Moment) {
    for all in versions.values_mut() {
        let last = all.len() - 1;
        for version in &mut all[..last] {
            version.until = version.until.min(now);
        }
    }
}

/// The versions of an object that were in force at some moment of a time.
fn in_force<'a, T>(
    versions: &'a Versions<T>,
    name: &str,
    (from, until): (Moment, Moment),
) -> impl Iterator<Item = Option<&'a T>> {
    let all = versions.get(name).map(Vec::as_slice).unwrap_or_default();
    all.iter()
        .filter(move |version| version.from <= until && from <= version.until)
        .map(|version| version.value.as_ref())
}
