//! Which ring groups and receptionists callers can reach.

use std::collections::VecDeque;

use crate::model::{Handle, Kind};

use super::{Edge, EdgeLabel, RoutingGraph};

/// The inner nodes that a caller of some number can reach, each with the path that has the fewest changed edges.
#[derive(Debug)]
pub struct Reachable<'a> {
    groups: usize,
    /// By node: groups, then receptionists.
    last: Vec<Option<LastEdge<'a>>>,
}

/// The last edge of the best path to a node, and the changed edges of the whole path.
#[derive(Clone, Copy, Debug)]
struct LastEdge<'a> {
    edge: Edge<'a>,
    changed: u32,
}

/// Whether an object hands callers on. At any other object a call ends.
pub fn is_inner(kind: Kind) -> bool {
    matches!(kind, Kind::RingGroup | Kind::Receptionist)
}

impl<'a> RoutingGraph<'_, 'a> {
    /// What callers can reach, preferring edges for which `is_changed` is false.
    pub fn reachable(&self, is_changed: impl Fn(&Edge<'a>) -> bool) -> Reachable<'a> {
        let groups = self.groups();
        let nodes = groups + self.directory.live().receptionists.len();
        let mut reachable = Reachable { groups, last: vec![None; nodes] };
        // A breadth-first search in which an unchanged edge costs nothing: its node goes to the front.
        let mut queue: VecDeque<(Handle, u32)> = VecDeque::new();
        let improve = |reachable: &mut Reachable<'a>, queue: &mut VecDeque<_>, before: u32, edge: Edge<'a>| {
            let is_changed = is_changed(&edge);
            let changed = before + u32::from(is_changed);
            if let Some(slot) = reachable.position(edge.to).and_then(|at| reachable.last.get_mut(at))
                && slot.is_none_or(|known| changed < known.changed)
            {
                *slot = Some(LastEdge { edge, changed });
                if is_changed { queue.push_back((edge.to, changed)) } else { queue.push_front((edge.to, changed)) }
            }
        };
        let unreadable = Handle::first(Kind::Other, self.directory.live().unreadable.len());
        let unreadable = unreadable.flat_map(|from| self.edges_from(from, is_inner));
        // A caller of an unreadable group came to it from elsewhere.
        let unreadable = unreadable.filter(|edge| edge.label == EdgeLabel::Destination);
        for edge in self.destinations(is_inner).chain(unreadable) {
            improve(&mut reachable, &mut queue, 0, edge);
        }
        while let Some((node, changed)) = queue.pop_front() {
            if reachable.changed(node) == Some(changed) {
                for edge in self.edges_from(node, is_inner) {
                    improve(&mut reachable, &mut queue, changed, edge);
                }
            }
        }
        reachable
    }

    /// The edges of a node to other inner nodes.
    pub fn inner_edges(&self, from: Handle) -> impl Iterator<Item = Edge<'a>> {
        self.edges_from(from, is_inner)
    }
}

impl<'a> Reachable<'a> {
    fn position(&self, node: Handle) -> Option<usize> {
        let index = node.index as usize;
        match node.kind {
            Kind::RingGroup => Some(index),
            Kind::Receptionist => Some(self.groups + index),
            _ => None,
        }
    }

    fn last(&self, node: Handle) -> Option<&LastEdge<'a>> {
        self.last.get(self.position(node)?)?.as_ref()
    }

    /// How many changed edges the best path to a node has; `None` if callers cannot reach it.
    pub fn changed(&self, node: Handle) -> Option<u32> {
        self.last(node).map(|last| last.changed)
    }

    /// The edges of the best path to a node, the last one first.
    pub fn path(&self, node: Handle) -> impl Iterator<Item = Edge<'a>> {
        std::iter::successors(self.last(node), |last| self.last(last.edge.from)).map(|last| last.edge)
    }
}
