//! Random edits of the office, of every kind that a file can have.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::office::{Destination, Office, RingGroup, users};

/// Groups lead on to groups of a later level only, so that no call goes round.
const LEVELS: [&str; 3] = ["first", "second", "third"];
const NUMBERS: usize = 12;

pub struct Editor {
    random: Rng,
    /// Of the last group, so that no name comes twice.
    serial: usize,
}

/// An office after an edit, and how a file says so.
pub struct Edit {
    pub office: Office,
    pub sections: String,
}

pub fn numbers() -> impl Iterator<Item = String> {
    (0..NUMBERS).map(|index| format!("+331426853{index:02}"))
}

impl Editor {
    pub fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), serial: 0 }
    }

    /// A number below this.
    pub fn below(&mut self, end: usize) -> usize {
        self.random.usize(..end)
    }

    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// The office before any edit: all numbers lead to a user.
    pub fn first() -> Office {
        Office {
            numbers: numbers().map(|number| (number, Destination::User("201".to_owned()))).collect(),
            ..Office::default()
        }
    }

    /// One to four changes at a time.
    pub fn edit(&mut self, before: &Office) -> Edit {
        let mut office = before.clone();
        let mut renamed = BTreeMap::new();
        for _ in 0..=self.below(4) {
            self.change(&mut office, before, &mut renamed);
        }
        let gone = before
            .ring_groups
            .keys()
            .filter(|name| !office.ring_groups.contains_key(*name) && !renamed.values().any(|former| former == *name));
        let absent: Vec<String> = gone.cloned().collect();
        let sections = office.sections(&renamed, &absent);
        Edit { office, sections }
    }

    fn change(&mut self, office: &mut Office, before: &Office, renamed: &mut BTreeMap<String, String>) {
        let number = self.pick(&office.numbers.keys().cloned().collect::<Vec<_>>());
        let groups: Vec<String> = office.ring_groups.keys().cloned().collect();
        let kind = self.below(10);
        if groups.len() < 4 || (kind == 9 && groups.len() < 12) {
            let level = self.below(LEVELS.len());
            let name = self.name(level);
            let group = self.group(office, &name);
            office.ring_groups.insert(name.clone(), group);
            office.numbers.insert(number, Destination::RingGroup(name));
            return;
        }
        let name = self.pick(&groups);
        let mut group = office.ring_groups[&name].clone();
        match kind {
            0..=2 => {
                let to = self.destination(office, 0, true);
                office.numbers.insert(number, to);
            }
            3 => drop(office.labels.insert(number, format!("Line {}", self.below(1000)))),
            4 => group.members = self.members(),
            5 => group.is_simultaneous = !group.is_simultaneous,
            6 => group.no_answer = self.destination(office, level(&name) + 1, false),
            7 => {
                group.ring_for = 3 + self.below(3);
                group.extension = self.extension(office);
            }
            // A group that is new in this edit has no former name.
            8 if before.ring_groups.contains_key(&name) && !renamed.contains_key(&name) => {
                let new = self.name(level(&name));
                replace(office, &name, &Destination::RingGroup(new.clone()));
                office.ring_groups.remove(&name);
                office.ring_groups.insert(new.clone(), group);
                renamed.insert(new, name);
                return;
            }
            _ if !renamed.contains_key(&name) => {
                let to = self.destination(office, level(&name) + 1, false);
                replace(office, &name, &to);
                office.ring_groups.remove(&name);
                return;
            }
            _ => return,
        }
        office.ring_groups.insert(name, group);
    }

    fn name(&mut self, level: usize) -> String {
        self.serial += 1;
        format!("{}-{}", LEVELS[level], self.serial)
    }

    fn group(&mut self, office: &Office, name: &str) -> RingGroup {
        RingGroup {
            members: self.members(),
            is_simultaneous: self.random.bool(),
            ring_for: 3 + self.below(3),
            no_answer: self.destination(office, level(name) + 1, false),
            extension: self.extension(office),
        }
    }

    fn members(&mut self) -> Vec<String> {
        let mut all = users();
        self.random.shuffle(&mut all);
        let is_long = self.below(6) == 0;
        if is_long {
            // One Dial has no room for the last four.
            all.sort_unstable_by(|one, other| other.cmp(one));
        }
        let count = if is_long { 5 } else { 1 + self.below(3) };
        all[..count].iter().map(|&user| user.to_owned()).collect()
    }

    fn extension(&mut self, office: &Office) -> String {
        let free = |extension: &String| office.ring_groups.values().all(|group| group.extension != *extension);
        loop {
            let extension = format!("3{:02}", self.below(100));
            if free(&extension) {
                return extension;
            }
        }
    }

    /// A destination of a number or of a group without an answer; groups of this level and later ones.
    fn destination(&mut self, office: &Office, least: usize, is_number: bool) -> Destination {
        let groups: Vec<&String> = office.ring_groups.keys().filter(|name| level(name) >= least).collect();
        match self.below(12) {
            0..=5 if !groups.is_empty() => Destination::RingGroup(self.pick(&groups).clone()),
            6 => Destination::Receptionist,
            7 if is_number => Destination::Conference,
            8 => Destination::Mailbox,
            9 => Destination::Outside(format!("+3319999990{}", self.below(10))),
            10 => Destination::None,
            _ => Destination::User(self.pick(&users()).to_owned()),
        }
    }
}

fn level(name: &str) -> usize {
    LEVELS.iter().position(|level| name.starts_with(level)).unwrap()
}

/// Leads everything that leads to a group to another destination.
fn replace(office: &mut Office, group: &str, to: &Destination) {
    let is_it = |destination: &Destination| *destination == Destination::RingGroup(group.to_owned());
    let groups = office.ring_groups.values_mut().map(|group| &mut group.no_answer);
    for destination in office.numbers.values_mut().chain(groups).filter(|destination| is_it(destination)) {
        *destination = to.clone();
    }
}
