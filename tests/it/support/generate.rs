//! Pairs of accounts: one that is live, and a wish that the account can be brought to.
//!
//! The wish is made by changing the live account at random: renames and chains of them, extension numbers
//! that go round in circles or come from a group that goes, new groups that point at each other, deletions
//! with callers moved away, numbers sent anywhere. What the checks would refuse is not generated.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use proptest::prelude::*;
use strowger::model::{
    Absent, AccountInfo, Capabilities, Desired, DesiredNumber, DesiredRingGroup, Kind, LiveAccount, LiveConference,
    LiveMailbox, LiveNumber, LiveReceptionist, LiveRingGroup, LiveUser, ObjectId, ObjectRef, Policy, Reference,
    RingFor, RingMode, Selector, Span, Spanned,
};

#[derive(Clone, Copy, Debug)]
pub enum Size {
    Tiny,
    Medium,
    Large,
}

#[derive(Clone)]
pub struct Pair {
    pub live: LiveAccount,
    pub desired: Desired,
    /// What makes the same pair again.
    seed: (Size, u64),
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the pair of {:?}", self.seed)
    }
}

pub fn pair(size: Size) -> impl Strategy<Value = Pair> {
    any::<u64>().prop_map(move |seed| pair_of(size, seed))
}

/// The pair that a failed case names.
pub fn pair_of(size: Size, seed: u64) -> Pair {
    Maker::new(size, seed).make((size, seed))
}

/// A pair that an embedded account can have: it has no outside numbers, and no mailboxes but those of users.
pub fn embedded_pair(size: Size) -> impl Strategy<Value = Pair> {
    any::<u64>().prop_map(move |seed| Maker { is_embedded: true, ..Maker::new(size, seed) }.make((size, seed)))
}

/// How many objects differ, counted from the two sides without the planner's code.
pub fn differing(pair: &Pair) -> usize {
    let texts = Texts::new(&pair.live);
    let mut count = 0;
    for wanted in &pair.desired.numbers {
        let live = pair.live.numbers.iter().find(|number| number.number == wanted.number).unwrap();
        let to = wanted.to.value.as_ref().map(ToString::to_string);
        let label = wanted.label.as_ref().is_none_or(|label| label.value == live.label);
        count += usize::from(texts.after(live.to.as_ref(), &pair.desired) != to || !label);
    }
    for wanted in &pair.desired.ring_groups {
        let source = wanted.renamed_from.as_ref().map_or(&wanted.name.value, |old| &old.value);
        let Some(live) = pair.live.ring_groups.iter().find(|group| group.name == *source) else {
            count += 1;
            continue;
        };
        let members: BTreeSet<String> = wanted.members.iter().map(|member| member.value.to_string()).collect();
        let order: Vec<String> = wanted.members.iter().map(|member| member.value.to_string()).collect();
        let live_order: Vec<String> = live.members.iter().map(|member| texts.now(member)).collect();
        let ring = wanted.ring.map_or(live.ring, |ring| ring.value);
        let same_members = match ring {
            RingMode::Sequential => order == live_order,
            RingMode::Simultaneous => members == live_order.iter().cloned().collect(),
        };
        let same = wanted.name.value == live.name
            && wanted.extension.as_ref().is_none_or(|extension| Some(&extension.value) == live.extension.as_ref())
            && ring == live.ring
            && same_members
            && wanted.ring_for.as_ref().is_none_or(|ring_for| Some(ring_for.value) == live.ring_for)
            && wanted.no_answer.as_ref().is_none_or(|target| {
                target.value.as_ref().map(ToString::to_string) == texts.after(live.no_answer.as_ref(), &pair.desired)
            });
        count += usize::from(!same);
    }
    count + pair.desired.absent.len()
}

/// What live references are called.
struct Texts(BTreeMap<ObjectRef, String>);

impl Texts {
    fn new(live: &LiveAccount) -> Self {
        let mut texts = BTreeMap::new();
        let mut add = |kind, id: &ObjectId, text: String| texts.insert(ObjectRef { kind, id: id.clone() }, text);
        for user in &live.users {
            let email = user.email.clone().unwrap();
            add(Kind::User, &user.id, format!("user/{email}"));
            add(Kind::Voicemail, user.voicemail.as_ref().unwrap(), format!("voicemail/{email}"));
        }
        for mailbox in &live.mailboxes {
            add(Kind::Voicemail, &mailbox.id, format!("voicemail/{}", mailbox.name));
        }
        for number in OUTSIDE {
            add(Kind::External, &number.into(), format!("external/{number}"));
        }
        for group in &live.ring_groups {
            add(Kind::RingGroup, &group.id, format!("ring_group/{}", group.name));
        }
        for one in &live.receptionists {
            add(Kind::Receptionist, &one.id, format!("receptionist/{}", one.name));
        }
        for one in &live.conferences {
            add(Kind::Conference, &one.id, format!("conference/{}", one.name));
        }
        Self(texts)
    }

    fn now(&self, target: &ObjectRef) -> String {
        self.0[target].clone()
    }

    /// The reference as the wish writes it: renamed groups by their new names.
    fn after(&self, target: Option<&ObjectRef>, desired: &Desired) -> Option<String> {
        let now = self.now(target?);
        let renamed = desired
            .ring_groups
            .iter()
            .find(|group| group.renamed_from.as_ref().is_some_and(|old| format!("ring_group/{}", old.value) == now));
        Some(renamed.map_or(now, |group| format!("ring_group/{}", group.name.value)))
    }
}

/// Numbers outside of the account.
const OUTSIDE: [&str; 2] = ["+33612345678", "+33612345679"];

/// A mailbox that is not a user's.
const MAILBOX: &str = "mbx_1";

/// A group while the wish is being made.
#[derive(Clone)]
struct Wish {
    /// The live group that it is, if any.
    live: Option<usize>,
    name: String,
    managed: bool,
    extension: Option<String>,
}

struct Maker {
    is_embedded: bool,
    random: Rng,
    groups: usize,
    numbers: usize,
    users: usize,
}

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned { value, span: Span::default() }
}

impl Maker {
    fn new(size: Size, seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let (groups, numbers, users) = match size {
            Size::Tiny => (random.usize(0..5), random.usize(1..5), 2),
            Size::Medium => (random.usize(0..12), random.usize(1..20), random.usize(1..5)),
            Size::Large => (random.usize(60..160), random.usize(100..300), 20),
        };
        Self { is_embedded: false, random, groups, numbers, users }
    }

    fn make(mut self, seed: (Size, u64)) -> Pair {
        let live = self.live();
        let desired = self.wish(&live);
        Pair { live: live.validated().unwrap(), desired, seed }
    }

    fn live(&mut self) -> LiveAccount {
        let users: Vec<LiveUser> = (0..self.users).map(user).collect();
        let conferences =
            vec![LiveConference { id: "cnf_1".into(), name: "salle".into(), extension: "900".parse().ok() }];
        let mut ring_groups = Vec::new();
        for index in 0..self.groups {
            let members = self.members(&users);
            ring_groups.push(LiveRingGroup {
                id: group_id(index),
                name: format!("g{index}").parse().unwrap(),
                extension: (300 + index).to_string().parse().ok(),
                ring: if self.random.bool() { RingMode::Simultaneous } else { RingMode::Sequential },
                members,
                ring_for: RingFor::from_seconds(self.random.u64(5..60)).ok(),
                no_answer: self.live_target(index, &users),
                revision: None,
                document: None,
            });
        }
        let keys = (0..self.random.usize(0..3))
            .filter(|_| self.groups > 0)
            .map(|key| {
                let target = ObjectRef { kind: Kind::RingGroup, id: group_id(self.random.usize(..self.groups.max(1))) };
                (key.to_string().into(), target)
            })
            .collect();
        let receptionists =
            vec![LiveReceptionist { id: "rcp_1".into(), name: "main".into(), extension: "901".parse().ok(), keys }];
        let mut numbers = Vec::new();
        for index in 0..self.numbers {
            let to = match self.random.u8(..12) {
                0 if index > 0 => None,
                3 if !self.is_embedded => Some(ObjectRef { kind: Kind::Voicemail, id: MAILBOX.into() }),
                4 if !self.is_embedded => {
                    Some(ObjectRef { kind: Kind::External, id: OUTSIDE[self.random.usize(..2)].into() })
                }
                1 => Some(ObjectRef { kind: Kind::Receptionist, id: "rcp_1".into() }),
                2 => Some(ObjectRef { kind: Kind::Conference, id: "cnf_1".into() }),
                _ if self.groups > 0 => {
                    Some(ObjectRef { kind: Kind::RingGroup, id: group_id(self.random.usize(..self.groups)) })
                }
                _ => Some(ObjectRef { kind: Kind::User, id: users[0].id.clone() }),
            };
            numbers.push(LiveNumber {
                id: format!("num_{index}").as_str().into(),
                number: format!("+3314268{index:04}").parse().unwrap(),
                to,
                label: format!("line {}", self.random.u8(..3)).into(),
                emergency_callback: false,
                revision: None,
                document: None,
            });
        }
        LiveAccount {
            account: AccountInfo {
                id: "a".into(),
                name: "a".into(),
                default_number: Some(numbers[0].number),
                owners: None,
            },
            capabilities: Capabilities {
                destinations: Kind::DESTINATIONS.to_vec(),
                no_answer: Kind::NO_ANSWER.to_vec(),
                ..Capabilities::default()
            },
            numbers,
            ring_groups,
            users,
            devices: Vec::new(),
            receptionists,
            conferences,
            mailboxes: if self.is_embedded {
                Vec::new()
            } else {
                vec![LiveMailbox { id: MAILBOX.into(), name: "night".into(), extension: None }]
            },
            ..LiveAccount::default()
        }
    }

    fn members(&mut self, users: &[LiveUser]) -> Vec<ObjectRef> {
        let mut chosen: Vec<&LiveUser> = users.iter().collect();
        self.random.shuffle(&mut chosen);
        chosen.truncate(self.random.usize(1..=users.len().min(4)));
        chosen.iter().map(|user| ObjectRef { kind: Kind::User, id: user.id.clone() }).collect()
    }

    fn live_target(&mut self, own: usize, users: &[LiveUser]) -> Option<ObjectRef> {
        match self.random.u8(..8) {
            0 => None,
            3 if !self.is_embedded => Some(ObjectRef { kind: Kind::Voicemail, id: MAILBOX.into() }),
            4 if !self.is_embedded => {
                Some(ObjectRef { kind: Kind::External, id: OUTSIDE[self.random.usize(..2)].into() })
            }
            1 => Some(ObjectRef { kind: Kind::User, id: users[0].id.clone() }),
            2 => Some(ObjectRef { kind: Kind::Voicemail, id: users[0].voicemail.clone()? }),
            _ => {
                let other = self.random.usize(..self.groups);
                (other != own).then(|| ObjectRef { kind: Kind::RingGroup, id: group_id(other) })
            }
        }
    }

    fn wish(&mut self, live: &LiveAccount) -> Desired {
        let going = self.going(live);
        let mut wishes: Vec<Wish> = (0..live.ring_groups.len())
            .filter(|index| !going.contains(index))
            .map(|index| Wish {
                live: Some(index),
                name: live.ring_groups[index].name.to_string(),
                managed: self.random.u8(..4) > 0,
                extension: None,
            })
            .collect();
        self.rename(&mut wishes);
        for index in 0..self.random.usize(..3) {
            wishes.push(Wish { live: None, name: format!("new{index}"), managed: true, extension: None });
        }
        self.renumber(live, &going, &mut wishes);
        let numbers = self.wanted_numbers(live, &going, &wishes);
        let mut ring_groups: Vec<DesiredRingGroup> = Vec::new();
        for wish in wishes.clone() {
            // Whoever hands on to a group that goes must be written.
            let forced = wish.live.is_some_and(|index| hands_on_to(&live.ring_groups[index], &going));
            if wish.managed || forced {
                ring_groups.push(self.wanted_group(live, &wish, &wishes, forced));
            }
        }
        ring_groups.sort_by_key(|group| group.name.value.key());
        let absent = going.iter().map(|&index| {
            let name = live.ring_groups[index].name.clone();
            Absent { reference: spanned(Reference { kind: Kind::RingGroup, selector: Selector::Name(name) }) }
        });
        let mut policy = Policy::default();
        policy.guards.external.countries.insert("FR".into());
        Desired {
            account: "a".into(),
            files: vec!["a.yaml".into()],
            numbers,
            ring_groups,
            absent: absent.collect(),
            policy,
            ..Desired::default()
        }
    }

    /// Groups to delete: none that a receptionist key names, for nobody can move that.
    fn going(&mut self, live: &LiveAccount) -> BTreeSet<usize> {
        let held: BTreeSet<&ObjectId> =
            live.receptionists.iter().flat_map(|one| one.keys.iter().map(|(_, target)| &target.id)).collect();
        (0..live.ring_groups.len())
            .filter(|&index| self.random.u8(..5) == 0 && !held.contains(&live.ring_groups[index].id))
            .collect()
    }

    /// Fresh names, and chains in which one takes the name that another gives up.
    fn rename(&mut self, wishes: &mut [Wish]) {
        let mut freed: Vec<String> = Vec::new();
        for (index, wish) in wishes.iter_mut().enumerate().filter(|(_, wish)| wish.managed) {
            if self.random.u8(..4) == 0 {
                let fresh = freed.pop().filter(|_| self.random.bool()).unwrap_or_else(|| format!("renamed{index}"));
                freed.push(std::mem::replace(&mut wish.name, fresh));
            }
        }
    }

    /// Extension numbers: kept, new, from a group that goes, or passed round among several.
    fn renumber(&mut self, live: &LiveAccount, going: &BTreeSet<usize>, wishes: &mut [Wish]) {
        let extension = |index: usize| live.ring_groups[index].extension.as_ref().unwrap().to_string();
        let mut free: Vec<String> = going.iter().map(|&index| extension(index)).collect();
        free.extend((0..3).map(|index| format!("80{index}")));
        let round: Vec<usize> = (0..wishes.len())
            .filter(|&at| wishes[at].live.is_some() && wishes[at].managed && self.random.u8(..3) == 0)
            .collect();
        let mut given: Vec<String> = round.iter().map(|&at| extension(wishes[at].live.unwrap())).collect();
        if self.random.bool() {
            // Somebody in the round gets a new number, somebody's number becomes free for a new group.
            if let (Some(last), Some(fresh)) = (given.last_mut(), free.pop()) {
                free.push(std::mem::replace(last, fresh));
            }
        }
        given.rotate_right(usize::from(!round.is_empty()));
        for (&at, number) in round.iter().zip(given) {
            wishes[at].extension = Some(number);
        }
        for wish in wishes.iter_mut().filter(|wish| wish.live.is_none()) {
            if self.random.bool() && !free.is_empty() {
                wish.extension = Some(free.swap_remove(self.random.usize(..free.len())));
            }
        }
    }

    fn wanted_numbers(&mut self, live: &LiveAccount, going: &BTreeSet<usize>, wishes: &[Wish]) -> Vec<DesiredNumber> {
        let mut numbers = Vec::new();
        for (index, number) in live.numbers.iter().enumerate() {
            let gone = number.to.as_ref().is_some_and(|to| going.iter().any(|&group| to.id == group_id(group)));
            if !gone && self.random.u8(..4) == 0 {
                continue;
            }
            let to = match self.random.u8(..10) {
                0 if index > 0 => None,
                4 if !self.is_embedded => Some("voicemail/night".to_owned()),
                5 if !self.is_embedded => Some(format!("external/{}", OUTSIDE[self.random.usize(..2)])),
                1 => Some("receptionist/main".to_owned()),
                2 => Some("conference/salle".to_owned()),
                3 => Some("user/u0@example.org".to_owned()),
                _ => self.choose(wishes).map(|wish| format!("ring_group/{}", wish.name)),
            };
            let to = to.or_else(|| (index == 0).then(|| "receptionist/main".to_owned()));
            numbers.push(DesiredNumber {
                number: number.number,
                span: Span::default(),
                to: spanned(to.map(|text| text.parse().unwrap())),
                label: self.random.bool().then(|| spanned(format!("line {}", self.random.u8(..3)).into())),
            });
        }
        numbers
    }

    fn choose<'w>(&mut self, wishes: &'w [Wish]) -> Option<&'w Wish> {
        (!wishes.is_empty()).then(|| &wishes[self.random.usize(..wishes.len())])
    }

    fn wanted_group(&mut self, live: &LiveAccount, wish: &Wish, wishes: &[Wish], forced: bool) -> DesiredRingGroup {
        let old = wish.live.map(|index| &live.ring_groups[index]);
        let keep = old.is_some() && self.random.bool();
        let members = match old {
            Some(old) if keep => old.members.clone(),
            _ => self.members(&live.users),
        };
        let texts = Texts::new(live);
        let no_answer = (forced || self.random.bool()).then(|| {
            let target = self.choose(wishes).filter(|other| other.name != wish.name && self.random.u8(..4) > 0);
            let outside = !self.is_embedded && self.random.u8(..4) == 0;
            let target = target.map(|other| format!("ring_group/{}", other.name));
            let target = target.or_else(|| outside.then(|| format!("external/{}", OUTSIDE[0])));
            spanned(target.map(|text| text.parse().unwrap()))
        });
        let name = wish.name.parse().unwrap();
        DesiredRingGroup {
            renamed_from: old.filter(|old| old.name != name).map(|old| spanned(old.name.clone())),
            name: spanned(name),
            extension: wish.extension.as_ref().map(|extension| spanned(extension.parse().unwrap())),
            ring: (!keep && self.random.bool()).then(|| spanned(RingMode::Sequential)),
            members: members.iter().map(|member| spanned(texts.now(member).parse().unwrap())).collect(),
            members_span: Span::default(),
            ring_for: (!keep && self.random.bool()).then(|| spanned(RingFor::from_seconds(30).unwrap())),
            no_answer,
        }
    }
}

fn hands_on_to(group: &LiveRingGroup, going: &BTreeSet<usize>) -> bool {
    group.no_answer.as_ref().is_some_and(|target| going.iter().any(|&index| target.id == group_id(index)))
}

fn group_id(index: usize) -> ObjectId {
    format!("grp_{index:03}").as_str().into()
}

fn user(index: usize) -> LiveUser {
    LiveUser {
        id: format!("usr_{index}").as_str().into(),
        name: format!("User {index}").into(),
        email: Some(format!("u{index}@example.org").into()),
        extension: (200 + index).to_string().parse().ok(),
        voicemail: Some(format!("vmb_{index}").as_str().into()),
        always_forwarded: false,
    }
}
