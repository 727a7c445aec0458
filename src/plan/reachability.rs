//! Keeps every ring group reachable that is reachable before and after the plan.
//!
//! A caller reaches a group from a number, over receptionist keys and no-answer targets. For each group that
//! loses all the paths it had, one path that it has now and one that it will have are chosen, those with the
//! fewest changed steps; every write that makes the new path must come before every write that breaks the
//! old one. Until the first of the latter the old path stands; from then on the new one does.
//!
//! Where such wishes contradict each other (two numbers trade places), a small [`search`](super::order_search)
//! looks for any order that works. If there is none, and a second write to one group does not help either,
//! the group is without a caller's path for one step; the plan says so. No number is ever without a
//! destination for it.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::diff::Difference;
use crate::model::{Handle, Kind};

use super::graph::Graph;
use super::order_search::{self, Problem, Step};
use super::write::{Subject, Write, is_station};

/// A pair of paths with more pairs of writes than this is held by a chain instead of by every pair.
const PAIRS: usize = 10_000;

/// A group to protect, and the writes that make its new path and break its old one.
#[derive(Debug)]
struct ReachConstraint {
    group: Handle,
    makes: Vec<usize>,
    breaks: Vec<usize>,
}

/// What could not be kept.
#[derive(Debug, Default)]
pub(super) struct Outages {
    /// Writes after which a group may be out of reach until a later write.
    pub(super) after: Vec<(usize, Handle)>,
    /// The writes that contradict each other.
    pub(super) contested: Vec<usize>,
}

impl Outages {
    /// How many groups are out of reach for a while.
    pub(super) fn groups(&self) -> usize {
        self.after.iter().map(|(_, group)| group).collect::<BTreeSet<_>>().len()
    }
}

/// Adds the edges, and returns what could not be kept.
pub(super) fn add_reachability_edges(difference: &Difference<'_>, writes: &[Write], graph: &mut Graph) -> Outages {
    let mut map = Map::new(difference, writes);
    let wishes = map.wishes();
    if wishes.is_empty() {
        return Outages::default();
    }
    let mut guarded = graph.clone();
    for wish in &wishes {
        for (from, to) in wish.edges() {
            guarded.edge(from, to);
        }
    }
    if guarded.sorted().len() == writes.len() {
        *graph = guarded;
        return Outages::default();
    }
    let cycles = guarded.cycles();
    let after = settle(&map, wishes, &cycles, graph);
    Outages { after, contested: cycles.into_iter().flatten().collect() }
}

/// Undoes the cycles that wishes made, giving up as few groups as it can.
fn settle(
    map: &Map<'_, '_>,
    wishes: Vec<ReachConstraint>,
    cycles: &[Vec<usize>],
    graph: &mut Graph,
) -> Vec<(usize, Handle)> {
    let small = map.writes.len() <= order_search::MOST;
    let scopes: Vec<Vec<usize>> = if small { vec![(0..map.writes.len()).collect()] } else { cycles.to_vec() };
    let mut settled = graph.clone();
    let mut gaps = Vec::new();
    let scope_of: HashMap<usize, usize> =
        scopes.iter().enumerate().flat_map(|(scope, nodes)| nodes.iter().map(move |&node| (node, scope))).collect();
    let mut inside: Vec<Vec<ReachConstraint>> = scopes.iter().map(|_| Vec::new()).collect();
    for wish in wishes {
        let mut touched = wish.makes.iter().chain(&wish.breaks).map(|node| scope_of.get(node).copied());
        let first = touched.next().flatten();
        if let Some(list) =
            first.filter(|_| touched.all(|scope| scope == first)).and_then(|scope| inside.get_mut(scope))
        {
            list.push(wish);
            continue;
        }
        // Partly elsewhere: what lies inside one cycle is given up, the rest holds.
        let same = |(from, to): &(usize, usize)| scope_of.contains_key(from) && scope_of.get(from) == scope_of.get(to);
        let (inner, outer): (Vec<_>, Vec<_>) = wish.edges().into_iter().partition(same);
        for (from, to) in outer {
            settled.edge(from, to);
        }
        if !inner.is_empty() {
            gaps.extend(wish.breaks.iter().map(|&node| (node, wish.group)));
        }
    }
    for (nodes, wishes) in scopes.iter().zip(&inside) {
        let (order, given_up) = order_within(map, graph, nodes, wishes);
        for pair in order.windows(2) {
            if let [from, to] = pair {
                settled.edge(*from, *to);
            }
        }
        gaps.extend(given_up.into_iter().flat_map(|wish| wish.breaks.iter().map(|&node| (node, wish.group))));
    }
    gaps.sort_unstable();
    gaps.dedup();
    if settled.sorted().len() == map.writes.len() {
        *graph = settled;
    }
    gaps
}

/// An order of these writes that keeps all wishes but those that are given up: none, else one, else all.
fn order_within<'w>(
    map: &Map<'_, '_>,
    graph: &Graph,
    nodes: &[usize],
    wishes: &'w [ReachConstraint],
) -> (Vec<usize>, Vec<&'w ReachConstraint>) {
    if nodes.len() <= order_search::MOST {
        let steps: Vec<Step> = nodes.iter().map(|&node| map.step(node)).collect();
        let before = |node: usize| {
            let earlier = nodes.iter().enumerate().filter(|&(_, &other)| graph.after(other).any(|after| after == node));
            earlier.fold(0u32, |mask, (position, _)| mask | (1 << position))
        };
        let needs: Vec<u32> = nodes.iter().map(|&node| before(node)).collect();
        let problem = Problem { steps: &steps, needs: &needs, fixed: &map.fixed };
        let choices = std::iter::once(None).chain((0..wishes.len()).map(Some));
        for left_out in choices {
            let protected: Vec<u32> = wishes
                .iter()
                .enumerate()
                .filter(|(index, _)| Some(*index) != left_out)
                .map(|(_, wish)| map.station(wish.group))
                .collect();
            if let Some(order) = problem.solve(&protected) {
                let order = order.into_iter().filter_map(|position| nodes.get(position).copied()).collect();
                return (order, left_out.and_then(|index| wishes.get(index)).into_iter().collect());
            }
        }
    }
    (Vec::new(), wishes.iter().collect())
}

impl ReachConstraint {
    /// What must come before what.
    fn edges(&self) -> Vec<(usize, usize)> {
        if self.makes.len().saturating_mul(self.breaks.len()) <= PAIRS {
            let pairs = self.makes.iter().flat_map(|&make| self.breaks.iter().map(move |&break_| (make, break_)));
            return pairs.filter(|(make, break_)| make != break_).collect();
        }
        let makes: BTreeSet<usize> = self.makes.iter().copied().collect();
        let breaks: BTreeSet<usize> = self.breaks.iter().copied().collect();
        let only_makes = makes.difference(&breaks);
        let chain: Vec<usize> =
            only_makes.chain(makes.intersection(&breaks)).chain(breaks.difference(&makes)).copied().collect();
        chain.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?))).collect()
    }
}

/// Who hands callers to whom, before and after.
struct Map<'m, 'd> {
    difference: &'m Difference<'d>,
    writes: &'m [Write],
    groups: u32,
    stations: usize,
    /// For each number delta and each group, the write that changes where it points.
    writer: foldhash::HashMap<Source, usize>,
    /// Unchanged hand-overs between stations that are not reachable by unchanged steps alone.
    fixed: Vec<(Option<u32>, u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Number(u32),
    Station(u32),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    Before,
    After,
}

/// The best known way to a station: how many changed steps, from where, by which write.
type SplitKind = (u32, Option<u32>, Option<usize>);

impl<'m, 'd> Map<'m, 'd> {
    fn new(difference: &'m Difference<'d>, writes: &'m [Write]) -> Self {
        let live = difference.directory.live();
        let groups = difference.live_groups() + difference.created.len();
        let mut map = Self {
            difference,
            writes,
            groups: u32::try_from(groups).unwrap_or(u32::MAX),
            stations: groups + live.receptionists.len(),
            writer: foldhash::HashMap::default(),
            fixed: Vec::new(),
        };
        for (index, write) in writes.iter().enumerate().filter(|(_, write)| write.route.is_some()) {
            let source = match (write.subject, write.group) {
                (_, Some(group)) => Some(Source::Station(group.index)),
                (Subject::Number(delta), None) => difference.numbers.get(delta).map(|delta| Source::Number(delta.live)),
                _ => None,
            };
            map.writer.extend(source.map(|source| (source, index)));
        }
        map
    }

    fn station(&self, handle: Handle) -> u32 {
        if handle.kind == Kind::Receptionist { self.groups.saturating_add(handle.index) } else { handle.index }
    }

    fn target(&self, handle: Option<Handle>) -> Option<u32> {
        handle.filter(|&handle| is_station(handle)).map(|handle| self.station(handle))
    }

    /// The changed pointer of a write: who hands callers to whom, before and after. A number is a source of
    /// its own; so is, for the search, a station that is reachable whatever the order.
    fn step(&self, node: usize) -> Step {
        let write = self.writes.get(node);
        let route = write.and_then(|write| write.route);
        Step {
            from: write.and_then(|write| write.group).map(|group| group.index),
            before: self.target(route.and_then(|route| route.before)),
            after: self.target(route.and_then(|route| route.after)),
        }
    }

    /// The groups that keep none of their paths, with the writes on one path of each side.
    fn wishes(&mut self) -> Vec<ReachConstraint> {
        let breaking =
            self.writes.iter().any(|write| write.route.is_some_and(|route| route.before.is_some_and(is_station)));
        if !breaking {
            return Vec::new();
        }
        let before = self.ways(Time::Before);
        let after = self.ways(Time::After);
        let mut wishes = Vec::new();
        for group in 0..self.groups {
            let (Some(Some(old)), Some(Some(new))) = (before.get(group as usize), after.get(group as usize)) else {
                continue;
            };
            if old.0 > 0 && new.0 > 0 {
                let group = Handle { kind: Kind::RingGroup, index: group };
                let index = group.index;
                wishes.push(ReachConstraint { group, makes: path(&after, index), breaks: path(&before, index) });
            }
        }
        if !wishes.is_empty() {
            self.fix(&before);
        }
        wishes
    }

    /// Where a source points at that time, and the write that changes it.
    fn pointer(&self, source: Source, unchanged: Option<Handle>, time: Time) -> (Option<u32>, Option<usize>) {
        let writer = self.writer.get(&source).copied();
        let route = writer.and_then(|writer| self.writes.get(writer)).and_then(|write| write.route);
        let target = match (route, time) {
            (None, _) => unchanged,
            (Some(route), Time::Before) => route.before,
            (Some(route), Time::After) => route.after,
        };
        (self.target(target), writer)
    }

    fn hand_overs(&self, station: u32, time: Time) -> Vec<(u32, Option<usize>)> {
        let live = self.difference.directory.live();
        let directory = &self.difference.directory;
        if let Some(receptionist) = station.checked_sub(self.groups) {
            let keys = live.receptionists.get(receptionist as usize).into_iter().flat_map(|one| &one.keys);
            return keys.filter_map(|(_, target)| Some((self.target(directory.by_id(target))?, None))).collect();
        }
        let group = live.ring_groups.get(station as usize);
        let unchanged = group.and_then(|group| group.no_answer.as_ref()).and_then(|target| directory.by_id(target));
        let (target, writer) = self.pointer(Source::Station(station), unchanged, time);
        target.map(|target| (target, writer)).into_iter().collect()
    }

    /// For each station the way with the fewest changed steps (a breadth-first search with steps of 0 or 1).
    fn ways(&self, time: Time) -> Vec<Option<SplitKind>> {
        let mut ways: Vec<Option<SplitKind>> = vec![None; self.stations];
        let mut queue: VecDeque<(u32, u32)> = VecDeque::new();
        for (index, _) in (0u32..).zip(&self.difference.directory.live().numbers) {
            let unchanged = self.difference.directory.destination(index);
            let (Some(target), writer) = self.pointer(Source::Number(index), unchanged, time) else { continue };
            improve(&mut ways, &mut queue, target, (u32::from(writer.is_some()), None, writer));
        }
        while let Some((station, cost)) = queue.pop_front() {
            if ways.get(station as usize).copied().flatten().is_none_or(|way| way.0 != cost) {
                continue;
            }
            for (target, writer) in self.hand_overs(station, time) {
                let way = (cost + u32::from(writer.is_some()), Some(station), writer);
                improve(&mut ways, &mut queue, target, way);
            }
        }
        ways
    }

    /// Notes the unchanged hand-overs that the search must know, and the stations that are always reachable.
    fn fix(&mut self, before: &[Option<SplitKind>]) {
        let mut fixed = Vec::new();
        for (station, way) in (0u32..).zip(before) {
            if way.is_some_and(|way| way.0 == 0) {
                fixed.push((None, station));
                continue;
            }
            let unchanged = self.hand_overs(station, Time::Before);
            fixed.extend(unchanged.iter().filter(|(_, writer)| writer.is_none()).map(|(to, _)| (Some(station), *to)));
        }
        self.fixed = fixed;
    }
}

fn improve(ways: &mut [Option<SplitKind>], queue: &mut VecDeque<(u32, u32)>, target: u32, way: SplitKind) {
    if let Some(slot) = ways.get_mut(target as usize)
        && slot.is_none_or(|known| way.0 < known.0)
    {
        *slot = Some(way);
        if way.2.is_some() { queue.push_back((target, way.0)) } else { queue.push_front((target, way.0)) }
    }
}

/// The changed steps on the way to a station, the last first.
fn path(ways: &[Option<SplitKind>], station: u32) -> Vec<usize> {
    let mut writes = Vec::new();
    let mut at = Some(station);
    while let Some((_, from, writer)) = at.and_then(|station| ways.get(station as usize).copied().flatten()) {
        writes.extend(writer);
        at = from;
    }
    writes
}
