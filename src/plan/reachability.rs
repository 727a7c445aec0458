//! Keeps every ring group reachable that is reachable before and after the plan.
//!
//! For each group that loses all the paths that it had, one path before the plan and one after it are chosen, each with
//! the fewest changed edges. Every write that makes the new path must come before every write that breaks the old one.
//! So the old path exists until the first of the latter, and the new one from then on.
//!
//! Where such constraints contradict each other (two numbers trade places), a small [`search`](super::order_search)
//! looks for any order that works. If there is none, and a second write to one group does not help either, callers
//! cannot reach the group for one step; the plan says so. No number is ever without a destination for it.

use std::collections::{BTreeSet, HashMap};

use crate::diff::Difference;
use crate::model::{Handle, Kind};
use crate::routing::{Edge, EdgeLabel, Reachable, RoutingGraph, is_inner};

use super::graph::Graph;
use super::order_search::{self, Problem, Step};
use super::write::{Subject, Write};

/// With more pairs of writes than this, a chain of all of them takes the place of an edge for each pair.
const PAIRS: usize = 10_000;

/// A group to protect, and the writes that make its new path and break its old one.
#[derive(Debug)]
struct ReachConstraint {
    group: Handle,
    makes: Vec<usize>,
    breaks: Vec<usize>,
}

/// The groups that cannot be kept reachable.
#[derive(Debug, Default)]
pub(super) struct Outages {
    /// Writes after which a group may be out of reach until a later write.
    pub(super) after: Vec<(usize, Handle)>,
    /// The writes that contradict each other.
    pub(super) contested: Vec<usize>,
}

impl Outages {
    /// How many groups are unreachable for a while.
    pub(super) fn groups(&self) -> usize {
        self.after.iter().map(|(_, group)| group).collect::<BTreeSet<_>>().len()
    }
}

/// Adds the edges, and returns what could not be kept.
pub(super) fn add_reachability_edges(difference: &Difference<'_>, writes: &[Write], graph: &mut Graph) -> Outages {
    let takes_away = |write: &Write| {
        let before = write.route.and_then(|route| route.before);
        before.is_some_and(|to| is_inner(to.kind)) || !write.releases.is_empty()
    };
    if !writes.iter().any(takes_away) {
        return Outages::default();
    }
    let mut edges = ChangedEdges::new(difference, writes);
    let constraints = edges.constraints();
    if constraints.is_empty() {
        return Outages::default();
    }
    let mut constrained = graph.clone();
    for (from, to) in constraints.iter().flat_map(ReachConstraint::edges) {
        constrained.edge(from, to);
    }
    if constrained.sorted().len() == writes.len() {
        *graph = constrained;
        return Outages::default();
    }
    let cycles = constrained.cycles();
    let after = resolve_cycles(&edges, constraints, &cycles, graph);
    Outages { after, contested: cycles.into_iter().flatten().collect() }
}

/// Adds the edges without the cycles that they would close, and returns the outages of the groups that this gives up:
/// as few as it can.
fn resolve_cycles(
    edges: &ChangedEdges<'_, '_>,
    constraints: Vec<ReachConstraint>,
    cycles: &[Vec<usize>],
    graph: &mut Graph,
) -> Vec<(usize, Handle)> {
    let small = edges.writes.len() <= order_search::MOST;
    let scopes: Vec<Vec<usize>> = if small { vec![(0..edges.writes.len()).collect()] } else { cycles.to_vec() };
    let mut constrained = graph.clone();
    let mut outages = Vec::new();
    let scope_of: HashMap<usize, usize> =
        scopes.iter().enumerate().flat_map(|(scope, nodes)| nodes.iter().map(move |&node| (node, scope))).collect();
    let mut inside: Vec<Vec<ReachConstraint>> = scopes.iter().map(|_| Vec::new()).collect();
    for constraint in constraints {
        let mut touched = constraint.makes.iter().chain(&constraint.breaks).map(|node| scope_of.get(node).copied());
        let first = touched.next().flatten();
        if let Some(list) =
            first.filter(|_| touched.all(|scope| scope == first)).and_then(|scope| inside.get_mut(scope))
        {
            list.push(constraint);
            continue;
        }
        // Partly in another scope: the edges inside one scope are given up, the others are added.
        let same = |(from, to): &(usize, usize)| scope_of.contains_key(from) && scope_of.get(from) == scope_of.get(to);
        let (inner, outer): (Vec<_>, Vec<_>) = constraint.edges().into_iter().partition(same);
        for (from, to) in outer {
            constrained.edge(from, to);
        }
        if !inner.is_empty() {
            outages.extend(constraint.outages());
        }
    }
    for (nodes, constraints) in scopes.iter().zip(&inside) {
        let (order, given_up) = order_within(edges, graph, nodes, constraints);
        for pair in order.windows(2) {
            if let [from, to] = pair {
                constrained.edge(*from, *to);
            }
        }
        outages.extend(given_up.into_iter().flat_map(ReachConstraint::outages));
    }
    outages.sort_unstable();
    outages.dedup();
    if constrained.sorted().len() == edges.writes.len() {
        *graph = constrained;
    }
    outages
}

/// An order of these writes that keeps all constraints but those that are given up: none, else one, else all.
fn order_within<'w>(
    edges: &ChangedEdges<'_, '_>,
    graph: &Graph,
    nodes: &[usize],
    constraints: &'w [ReachConstraint],
) -> (Vec<usize>, Vec<&'w ReachConstraint>) {
    if nodes.len() <= order_search::MOST {
        let steps: Vec<Step> = nodes.iter().map(|&node| edges.step(node)).collect();
        let before = |node: usize| {
            let earlier = nodes.iter().enumerate().filter(|&(_, &other)| graph.after(other).any(|after| after == node));
            earlier.fold(0u32, |mask, (position, _)| mask | (1 << position))
        };
        let needs: Vec<u32> = nodes.iter().map(|&node| before(node)).collect();
        let problem = Problem { steps: &steps, needs: &needs, fixed: &edges.fixed };
        let choices = std::iter::once(None).chain((0..constraints.len()).map(Some));
        for left_out in choices {
            let kept = constraints.iter().enumerate().filter(|(index, _)| Some(*index) != left_out);
            let protected: Vec<u32> = kept.map(|(_, constraint)| edges.node(constraint.group)).collect();
            if let Some(order) = problem.solve(&protected) {
                let order = order.into_iter().filter_map(|position| nodes.get(position).copied()).collect();
                return (order, left_out.and_then(|index| constraints.get(index)).into_iter().collect());
            }
        }
    }
    (Vec::new(), constraints.iter().collect())
}

impl ReachConstraint {
    /// The group, after each write that may put it out of reach if the constraint is given up.
    fn outages(&self) -> impl Iterator<Item = (usize, Handle)> {
        self.breaks.iter().map(|&node| (node, self.group))
    }

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

/// The edges that the writes change.
struct ChangedEdges<'c, 'd> {
    difference: &'c Difference<'d>,
    writes: &'c [Write],
    before: RoutingGraph<'c, 'd>,
    after: RoutingGraph<'c, 'd>,
    /// The write that changes the target of a number or a group, or with `true` the members of a group.
    writer: foldhash::HashMap<(Handle, bool), usize>,
    /// The unchanged edges from nodes that are not always reachable, and an edge from `None` to each other node.
    fixed: Vec<(Option<u32>, u32)>,
}

impl<'c, 'd> ChangedEdges<'c, 'd> {
    fn new(difference: &'c Difference<'d>, writes: &'c [Write]) -> Self {
        let (before, after) = (difference.live_routing(), difference.routing());
        let mut edges =
            Self { difference, writes, before, after, writer: foldhash::HashMap::default(), fixed: Vec::new() };
        for (index, write) in writes.iter().enumerate() {
            let Some(from) = edges.source(write) else { continue };
            if write.route.is_some() {
                edges.writer.insert((from, false), index);
            }
            if !write.releases.is_empty() {
                edges.writer.insert((from, true), index);
            }
        }
        edges
    }

    fn source(&self, write: &Write) -> Option<Handle> {
        match write.subject {
            Subject::Number(delta) => {
                let index = self.difference.numbers.get(delta)?.live;
                Some(Handle { kind: Kind::Number, index })
            }
            Subject::Group(_) | Subject::Deletion(_) => write.group,
        }
    }

    /// The write that makes or removes an edge.
    fn writer(&self, edge: &Edge<'_>) -> Option<usize> {
        match edge.label {
            EdgeLabel::Destination | EdgeLabel::NoAnswer => self.writer.get(&(edge.from, false)).copied(),
            EdgeLabel::Member => self.writer.get(&(edge.from, true)).copied(),
            EdgeLabel::Key(_) | EdgeLabel::Unknown => None,
        }
    }

    /// A node as the search numbers it: groups, then receptionists.
    fn node(&self, handle: Handle) -> u32 {
        let groups = u32::try_from(self.before.groups()).unwrap_or(u32::MAX);
        if handle.kind == Kind::Receptionist { groups.saturating_add(handle.index) } else { handle.index }
    }

    /// What a write changes, for the search.
    fn step(&self, index: usize) -> Step {
        let write = self.writes.get(index);
        let source = write.and_then(|write| self.source(write));
        let targets = |graph: &RoutingGraph<'_, '_>| {
            let edges = source.into_iter().flat_map(|from| graph.inner_edges(from));
            edges.filter(|edge| self.writer(edge) == Some(index)).map(|edge| self.node(edge.to)).collect()
        };
        Step {
            from: write.and_then(|write| write.group).map(|group| self.node(group)),
            before: targets(&self.before),
            after: targets(&self.after),
        }
    }

    /// One constraint for each group that is reachable before and after, and keeps none of its paths.
    fn constraints(&mut self) -> Vec<ReachConstraint> {
        let is_changed = |edge: &Edge<'_>| self.writer(edge).is_some();
        let (before, after) = (self.before.reachable(is_changed), self.after.reachable(is_changed));
        let writers = |reachable: &Reachable<'_>, group| {
            reachable.path(group).filter_map(|edge| self.writer(&edge)).collect::<Vec<usize>>()
        };
        let mut constraints = Vec::new();
        for group in Handle::first(Kind::RingGroup, self.before.groups()) {
            let changed = |reachable: &Reachable<'_>| reachable.changed(group).is_some_and(|changed| changed > 0);
            if changed(&before) && changed(&after) {
                let (makes, breaks) = (writers(&after, group), writers(&before, group));
                constraints.push(ReachConstraint { group, makes, breaks });
            }
        }
        if !constraints.is_empty() {
            self.fixed = self.fixed(&before);
        }
        constraints
    }

    fn fixed(&self, before: &Reachable<'_>) -> Vec<(Option<u32>, u32)> {
        let receptionists = self.difference.directory.live().receptionists.len();
        let groups = Handle::first(Kind::RingGroup, self.before.groups());
        let nodes = groups.chain(Handle::first(Kind::Receptionist, receptionists));
        let mut fixed = Vec::new();
        for node in nodes {
            if before.changed(node) == Some(0) {
                fixed.push((None, self.node(node)));
            } else {
                let unchanged = self.before.inner_edges(node).filter(|edge| self.writer(edge).is_none());
                fixed.extend(unchanged.map(|edge| (Some(self.node(node)), self.node(edge.to))));
            }
        }
        fixed
    }
}
