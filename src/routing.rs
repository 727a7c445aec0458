//! Who hands callers to whom.
//!
//! A number hands its callers to its destination, a receptionist to the targets of its keys, and a ring group to its
//! members and then to its no-answer target. An object that cannot be read refers to its targets as well.
//!
//! A [`RoutingGraph`] starts as the graph of a live account, and writes to it make it that of a desired account. It
//! stores only the writes: everything else is read from the account. Every question takes time linear in the size of the account, and none recurses, because a chain of groups
//! may be as long as a file.

mod cycles;
mod edge;
mod reachable;

pub use cycles::cycles;
pub use edge::{Edge, EdgeLabel};
pub use reachable::{Reachable, is_inner};

use std::borrow::Cow;

use foldhash::{HashMap, HashSet};

use crate::model::{Directory, Handle, Kind, LiveRingGroup, Name, ObjectRef};

/// The edges of an account, as the account has them or as writes leave them.
///
/// A node is the handle of its object. A group that does not exist yet has a handle past the live list. An object that
/// cannot be read is of [`Kind::Other`], with its position among the unreadable ones.
#[derive(Clone, Debug)]
pub struct RoutingGraph<'g, 'a> {
    directory: &'g Directory<'a>,
    /// The names of the groups past the live list.
    created: Vec<&'g Name>,
    /// Written destinations of numbers and no-answer targets of groups.
    targets: HashMap<Handle, Option<Handle>>,
    /// Written members of groups.
    members: HashMap<Handle, Cow<'g, [Handle]>>,
    deleted: HashSet<Handle>,
}

impl<'g, 'a> RoutingGraph<'g, 'a> {
    /// The graph of a live account.
    pub fn live(directory: &'g Directory<'a>) -> Self {
        Self {
            directory,
            created: Vec::new(),
            targets: HashMap::default(),
            members: HashMap::default(),
            deleted: HashSet::default(),
        }
    }

    /// Adds a group without edges, and returns its handle: the next one past the groups that there are.
    pub fn create(&mut self, name: &'g Name) -> Handle {
        let index = u32::try_from(self.groups()).unwrap_or(u32::MAX);
        self.created.push(name);
        Handle { kind: Kind::RingGroup, index }
    }

    /// Sets the destination of a number, or the no-answer target of a group.
    pub fn set_target(&mut self, from: Handle, to: Option<Handle>) {
        self.targets.insert(from, to);
    }

    /// Sets the members of a group.
    pub fn set_members(&mut self, group: Handle, members: impl Into<Cow<'g, [Handle]>>) {
        self.members.insert(group, members.into());
    }

    /// Deletes a group with its edges. An edge to it stays.
    pub fn delete(&mut self, group: Handle) {
        self.deleted.insert(group);
    }

    /// The live group with a handle.
    pub fn live_group(&self, handle: Handle) -> Option<&'a LiveRingGroup> {
        let groups = &self.directory.live().ring_groups;
        groups.get(handle.index as usize).filter(|_| handle.kind == Kind::RingGroup)
    }

    /// How many positions groups have: those of the account, then the created ones.
    pub fn groups(&self) -> usize {
        self.directory.live().ring_groups.len() + self.created.len()
    }

    /// Every edge.
    pub fn edges(&self) -> impl Iterator<Item = Edge<'a>> {
        self.edges_to_kinds(|_| true)
    }

    /// The edges to the objects of a kind that `is_target` accepts: who refers to them.
    pub fn referrers(&self, kind: Kind, is_target: impl Fn(Handle) -> bool) -> impl Iterator<Item = Edge<'a>> {
        self.edges_to_kinds(move |other| other == kind).filter(move |edge| is_target(edge.to))
    }

    /// Every edge to an object of some kinds, in a fixed order.
    fn edges_to_kinds(&self, wanted: impl Fn(Kind) -> bool + Copy) -> impl Iterator<Item = Edge<'a>> {
        let live = self.directory.live();
        let groups = Handle::first(Kind::RingGroup, self.groups());
        let receptionists = Handle::first(Kind::Receptionist, live.receptionists.len());
        let unreadable = Handle::first(Kind::Other, live.unreadable.len());
        let others = groups.chain(receptionists).chain(unreadable);
        self.destinations(wanted).chain(others.flat_map(move |from| self.edges_from(from, wanted)))
    }

    /// The edges of the numbers, which have only one each and are most of an account.
    fn destinations(&self, wanted: impl Fn(Kind) -> bool) -> impl Iterator<Item = Edge<'a>> {
        Handle::first(Kind::Number, self.directory.live().numbers.len()).filter_map(move |from| {
            let to = self.target(from).filter(|to| wanted(to.kind))?;
            Some(Edge { from, label: EdgeLabel::Destination, to })
        })
    }

    /// The edges of an object to objects of some kinds, in the order in which callers meet them. No other target is
    /// looked up, which is what takes time.
    fn edges_from(&self, from: Handle, wanted: impl Fn(Kind) -> bool + Copy) -> impl Iterator<Item = Edge<'a>> {
        let live = self.directory.live();
        let index = from.index as usize;
        let exists = !self.deleted.contains(&from);
        let resolve = move |to: &ObjectRef| self.directory.by_id(to).filter(|_| wanted(to.kind));
        let kept = |kind: Kind| exists && from.kind == kind;

        let live_group = self.live_group(from).filter(|_| exists);
        let written = self.members.get(&from).filter(|_| kept(Kind::RingGroup));
        let live_members = live_group.filter(|_| written.is_none()).into_iter().flat_map(|group| &group.members);
        let members = written.into_iter().flat_map(|members| members.iter().copied());
        let members = members.filter(move |to| wanted(to.kind)).chain(live_members.filter_map(resolve));
        let members = members.map(move |to| Edge { from, label: EdgeLabel::Member, to });

        let label = if from.kind == Kind::Number { EdgeLabel::Destination } else { EdgeLabel::NoAnswer };
        let target = self.target(from).filter(|to| wanted(to.kind)).map(|to| Edge { from, label, to });

        let receptionist = live.receptionists.get(index).filter(|_| kept(Kind::Receptionist));
        let keys = receptionist.into_iter().flat_map(|one| &one.keys);
        let keys = keys.filter_map(move |(key, to)| Some(Edge { from, label: EdgeLabel::Key(key), to: resolve(to)? }));

        let unreadable = live.unreadable.get(index).filter(|_| kept(Kind::Other));
        let unread = unreadable.into_iter().flat_map(move |one| {
            let label = if one.kind == Kind::Number { EdgeLabel::Destination } else { EdgeLabel::Unknown };
            one.targets.iter().filter_map(resolve).map(move |to| Edge { from, label, to })
        });
        members.chain(target).chain(keys).chain(unread)
    }

    /// The destination of a number, or the no-answer target of a group.
    pub fn target(&self, from: Handle) -> Option<Handle> {
        if self.deleted.contains(&from) {
            return None;
        }
        match (self.targets.get(&from), from.kind) {
            (Some(written), _) => *written,
            (None, Kind::Number) => self.directory.destination(from.index),
            (None, Kind::RingGroup) => self.directory.by_id(self.live_group(from)?.no_answer.as_ref()?),
            (None, _) => None,
        }
    }

    /// The path of a caller who is not answered: from a number or a group along destinations and no-answer targets,
    /// until it ends or comes back.
    pub fn walk(&self, from: Handle) -> impl Iterator<Item = Handle> {
        let mut met = HashSet::from_iter([from]);
        std::iter::successors(self.target(from), |at| self.target(*at)).take_while(move |at| met.insert(*at))
    }

    /// The groups whose unanswered calls come back to them, by cycle, each in the order of the calls.
    pub fn cycles(&self) -> Vec<Vec<Handle>> {
        let next = |group| self.target(group).filter(|to| to.kind == Kind::RingGroup).map(|to| to.index);
        let next: Vec<Option<u32>> = Handle::first(Kind::RingGroup, self.groups()).map(next).collect();
        let handle = |at: usize| Handle { kind: Kind::RingGroup, index: u32::try_from(at).unwrap_or(u32::MAX) };
        cycles(&next).into_iter().map(|cycle| cycle.into_iter().map(handle).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LiveAccount, LiveNumber, LiveReceptionist, LiveRingGroup, ObjectId, RingMode, Unreadable};

    fn to(kind: Kind, id: &str) -> ObjectRef {
        ObjectRef { kind, id: id.into() }
    }

    fn group(name: &str, members: &[ObjectRef], no_answer: Option<ObjectRef>) -> LiveRingGroup {
        LiveRingGroup {
            id: ObjectId::from(name),
            name: name.parse().unwrap(),
            extension: None,
            ring: RingMode::Simultaneous,
            members: members.to_vec(),
            ring_for: None,
            no_answer,
            revision: None,
            document: None,
        }
    }

    fn handle(kind: Kind, index: u32) -> Handle {
        Handle { kind, index }
    }

    /// One edge of each label: the number leads to the receptionist, key 1 to `a`, `a` rings `b`, `b` leads to `c`.
    fn account() -> LiveAccount {
        let number = LiveNumber {
            id: "n".into(),
            number: "+33142685300".parse().unwrap(),
            to: Some(to(Kind::Receptionist, "r")),
            label: Box::default(),
            emergency_callback: false,
            revision: None,
            document: None,
        };
        let keys = vec![("1".into(), to(Kind::RingGroup, "a"))];
        let unreadable = Unreadable {
            kind: Kind::RingGroup,
            id: "u".into(),
            name: "odd".into(),
            extension: None,
            targets: vec![to(Kind::RingGroup, "d")],
            why: "its ring mode is not known".into(),
        };
        LiveAccount {
            numbers: vec![number],
            ring_groups: vec![
                group("a", &[to(Kind::RingGroup, "b")], None),
                group("b", &[to(Kind::User, "gone")], Some(to(Kind::RingGroup, "c"))),
                group("c", &[], Some(to(Kind::RingGroup, "b"))),
                group("d", &[], None),
            ],
            receptionists: vec![LiveReceptionist { id: "r".into(), name: "welcome".into(), extension: None, keys }],
            unreadable: vec![unreadable],
            ..LiveAccount::default()
        }
    }

    #[test]
    fn every_kind_of_edge_is_a_referrer_and_is_named_in_one_way() {
        let live = account();
        let directory = Directory::new(&live);
        let graph = RoutingGraph::live(&directory);
        let named: Vec<String> = graph.edges().map(|edge| graph.referrer(&edge)).collect();
        let all = [
            "number +33142685300",
            "ring_group/a (members)",
            "ring_group/b (no_answer)",
            "ring_group/c (no_answer)",
            "receptionist/welcome (key 1)",
            "ring_group/odd",
        ];
        assert_eq!(named, all);
        let b = handle(Kind::RingGroup, 1);
        let named: Vec<String> =
            graph.referrers(Kind::RingGroup, |to| to == b).map(|edge| graph.referrer(&edge)).collect();
        assert_eq!(named, ["ring_group/a (members)", "ring_group/c (no_answer)"]);
    }

    #[test]
    fn callers_reach_what_any_number_leads_to_and_nothing_else() {
        let live = account();
        let directory = Directory::new(&live);
        let mut graph = RoutingGraph::live(&directory);
        let reached = |graph: &RoutingGraph<'_, '_>| {
            let reachable = graph.reachable(|edge| edge.label == EdgeLabel::Member);
            (0..4).map(|index| reachable.changed(handle(Kind::RingGroup, index))).collect::<Vec<_>>()
        };
        assert_eq!(reached(&graph), [Some(0), Some(1), Some(1), None]);
        graph.set_target(handle(Kind::Number, 0), Some(handle(Kind::RingGroup, 2)));
        assert_eq!(reached(&graph), [None, Some(0), Some(0), None]);
        graph.delete(handle(Kind::RingGroup, 2));
        assert_eq!(reached(&graph), [None, None, Some(0), None]);
    }

    #[test]
    fn an_unanswered_call_is_followed_until_it_ends_or_comes_back() {
        let live = account();
        let directory = Directory::new(&live);
        let mut graph = RoutingGraph::live(&directory);
        let (b, c) = (handle(Kind::RingGroup, 1), handle(Kind::RingGroup, 2));
        assert_eq!(graph.walk(b).collect::<Vec<_>>(), [c]);
        assert_eq!(graph.cycles(), [vec![b, c]]);
        let name = "e".parse().unwrap();
        let e = graph.create(&name);
        graph.set_target(c, Some(e));
        assert_eq!(graph.walk(b).collect::<Vec<_>>(), [c, e]);
        assert!(graph.cycles().is_empty());
    }
}
