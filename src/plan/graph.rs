//! A directed graph over writes, by position, and the two questions that are asked of it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Edges `from → to`: `from` must be applied before `to`.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    next: Vec<Vec<u32>>,
}

impl Graph {
    pub(super) fn new(nodes: usize) -> Self {
        Self { next: vec![Vec::new(); nodes] }
    }

    pub(super) fn edge(&mut self, from: usize, to: usize) {
        if from != to
            && let (Some(list), Ok(to)) = (self.next.get_mut(from), u32::try_from(to))
        {
            list.push(to);
        }
    }

    pub(super) fn after(&self, from: usize) -> impl Iterator<Item = usize> {
        self.next.get(from).into_iter().flatten().map(|&to| to as usize)
    }

    /// For each node, what must come before it, sorted and without repeats.
    pub(super) fn predecessors(&self) -> Vec<Vec<usize>> {
        let mut before = vec![Vec::new(); self.next.len()];
        for from in 0..self.next.len() {
            for to in self.after(from) {
                if let Some(list) = before.get_mut(to) {
                    list.push(from);
                }
            }
        }
        for list in &mut before {
            list.sort_unstable();
            list.dedup();
        }
        before
    }

    /// The nodes in an order that respects the edges, the smallest ready node first. What lies on a cycle,
    /// or behind one, is left out.
    pub(super) fn sorted(&self) -> Vec<usize> {
        let mut waits = vec![0u32; self.next.len()];
        for from in 0..self.next.len() {
            for to in self.after(from) {
                if let Some(count) = waits.get_mut(to) {
                    *count += 1;
                }
            }
        }
        let ready = waits.iter().enumerate().filter(|(_, count)| **count == 0).map(|(node, _)| Reverse(node));
        let mut ready: BinaryHeap<Reverse<usize>> = ready.collect();
        let mut order = Vec::with_capacity(self.next.len());
        while let Some(Reverse(node)) = ready.pop() {
            order.push(node);
            for to in self.after(node) {
                if let Some(count) = waits.get_mut(to) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(Reverse(to));
                    }
                }
            }
        }
        order
    }

    /// The sets of nodes that lie on common cycles, each sorted, in the order of their first nodes.
    /// (Tarjan's algorithm without recursion: a chain of a million groups must not exhaust the stack.)
    pub(super) fn cycles(&self) -> Vec<Vec<usize>> {
        let mut search = Search {
            graph: self,
            number: vec![0; self.next.len()],
            low: vec![0; self.next.len()],
            on_stack: vec![false; self.next.len()],
            stack: Vec::new(),
            count: 0,
            found: Vec::new(),
        };
        for node in 0..self.next.len() {
            search.from(node);
        }
        let mut found = search.found;
        found.sort_unstable();
        found
    }
}

struct Search<'g> {
    graph: &'g Graph,
    /// The order of discovery, from 1; 0 is not yet seen.
    number: Vec<u32>,
    low: Vec<u32>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    count: u32,
    found: Vec<Vec<usize>>,
}

#[expect(clippy::indexing_slicing, reason = "every node is below the length that all the lists were made with")]
impl Search<'_> {
    fn from(&mut self, root: usize) {
        if self.number[root] != 0 {
            return;
        }
        self.enter(root);
        let mut path: Vec<(usize, usize)> = vec![(root, 0)];
        while let Some(top) = path.last_mut() {
            let (node, position) = *top;
            if let Some(&next) = self.graph.next[node].get(position) {
                top.1 += 1;
                let next = next as usize;
                if self.number[next] == 0 {
                    self.enter(next);
                    path.push((next, 0));
                } else if self.on_stack[next] {
                    self.low[node] = self.low[node].min(self.number[next]);
                }
            } else {
                path.pop();
                if let Some(&(parent, _)) = path.last() {
                    self.low[parent] = self.low[parent].min(self.low[node]);
                }
                if self.low[node] == self.number[node] {
                    self.leave(node);
                }
            }
        }
    }

    fn enter(&mut self, node: usize) {
        self.count += 1;
        self.number[node] = self.count;
        self.low[node] = self.count;
        self.on_stack[node] = true;
        self.stack.push(node);
    }

    fn leave(&mut self, root: usize) {
        let mut cycle = Vec::new();
        while let Some(node) = self.stack.pop() {
            self.on_stack[node] = false;
            cycle.push(node);
            if node == root {
                break;
            }
        }
        if cycle.len() > 1 {
            cycle.sort_unstable();
            self.found.push(cycle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        let mut graph = Graph::new(nodes);
        for &(from, to) in edges {
            graph.edge(from, to);
        }
        graph
    }

    #[test]
    fn the_order_respects_the_edges_and_prefers_the_smallest() {
        assert_eq!(graph(4, &[(3, 0), (2, 1)]).sorted(), [2, 1, 3, 0]);
    }

    #[test]
    fn cycles_are_found_and_nothing_else() {
        let graph = graph(7, &[(0, 1), (1, 2), (2, 1), (2, 3), (4, 5), (5, 6), (6, 4)]);
        assert_eq!(graph.cycles(), [vec![1, 2], vec![4, 5, 6]]);
        assert_eq!(graph.sorted(), [0]);
    }

    #[test]
    fn a_very_long_chain_needs_no_stack() {
        let length = 200_000;
        let mut edges: Vec<(usize, usize)> = (1..length).map(|node| (node - 1, node)).collect();
        edges.push((length - 1, 0));
        assert_eq!(graph(length, &edges).cycles().len(), 1);
    }
}
