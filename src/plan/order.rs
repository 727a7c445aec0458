//! The order of the writes: make before break.

use std::collections::{HashMap, HashSet};

use crate::diag::{Diagnostic, Rule};
use crate::diff::Difference;
use crate::model::{Handle, Kind};

use super::dependencies::needs;
use super::graph::Graph;
use super::min_splits;
use super::reachability;
use super::split::{FreeExtensions, split, split_for_reach};
use super::write::{Write, writes};

/// Writes in a safe order.
pub(super) struct Ordered {
    /// The writes; each depends only on earlier ones.
    pub(super) writes: Vec<Write>,
    /// For each write, the positions of those that must come before it.
    pub(super) depends_on: Vec<Vec<usize>>,
    /// For each write, the groups that no caller can reach until a later one.
    pub(super) unreachable: Vec<Vec<Handle>>,
}

/// Orders the writes of a difference, with a second write to an object only where a cycle forces it.
pub(super) fn order(difference: &Difference<'_>) -> Result<Ordered, Box<Diagnostic>> {
    let mut writes = writes(difference);
    let mut graph = needs(&writes);
    if graph.sorted().len() < writes.len() {
        writes = break_cycles(difference, &writes)?;
        graph = needs(&writes);
    }
    let mut outages = reachability::add_reachability_edges(difference, &writes, &mut graph);
    // A second write is better than a group that callers cannot reach.
    while outages.groups() > 0 {
        let Some(better) = split_for_reach(difference, &writes, &outages) else { break };
        (writes, graph, outages) = better;
    }
    if writes.iter().any(|write| !write.releases.is_empty()) {
        graph = release_first(&writes, graph);
    }
    Ok(arrange(writes, &graph, &outages.after))
}

/// The graph in which a group goes after the groups whose member it was are written, if that closes no cycle. No second
/// write can break such a cycle, and then the account decides.
fn release_first(writes: &[Write], graph: Graph) -> Graph {
    let deleted: HashMap<Handle, usize> =
        writes.iter().enumerate().filter_map(|(index, write)| Some((write.deletes()?, index))).collect();
    let mut released = graph.clone();
    for (index, write) in writes.iter().enumerate() {
        for &after in write.releases.iter().filter_map(|group| deleted.get(group)) {
            released.edge(index, after);
        }
    }
    if released.sorted().len() == writes.len() { released } else { graph }
}

/// The writes without cycles.
fn break_cycles(difference: &Difference<'_>, whole: &[Write]) -> Result<Vec<Write>, Box<Diagnostic>> {
    let mut spare = FreeExtensions::new(difference);
    let mut writes = whole.to_vec();
    // Each round splits a write of every cycle, and a write can be split only so often.
    loop {
        let cycles = needs(&writes).cycles();
        if cycles.is_empty() {
            break;
        }
        for cycle in cycles {
            split(&mut writes, &cycle, &mut spare).map_err(|_| Box::new(no_spare(difference, &writes, &cycle)))?;
        }
    }
    // A half that was split again: its second half follows a write that follows another one, or that two writes follow.
    let mut split_so_far = HashSet::new();
    let written_three_times = writes
        .iter()
        .filter_map(|write| write.after)
        .any(|after| !split_so_far.insert(after) || writes.get(after).is_some_and(|first| first.after.is_some()));
    let better =
        if written_three_times { min_splits::search(difference, whole, writes.len() - whole.len()) } else { None };
    Ok(better.unwrap_or(writes))
}

#[expect(clippy::indexing_slicing, reason = "a node of the graph is the position of a write")]
fn arrange(writes: Vec<Write>, graph: &Graph, outages: &[(usize, Handle)]) -> Ordered {
    let order = graph.sorted();
    let before = graph.predecessors();
    assert_eq!(order.len(), writes.len(), "the graph has no cycles left");
    let mut position = vec![0; writes.len()];
    for (place, &node) in order.iter().enumerate() {
        position[node] = place;
    }
    let sorted = |nodes: &Vec<usize>| {
        let mut places: Vec<usize> = nodes.iter().map(|&node| position[node]).collect();
        places.sort_unstable();
        places
    };
    let depends_on = order.iter().map(|&node| sorted(&before[node])).collect();
    let mut unreachable = vec![Vec::new(); writes.len()];
    for &(node, group) in outages {
        unreachable[position[node]].push(group);
    }
    let mut placed: Vec<(usize, Write)> = position.into_iter().zip(writes).collect();
    placed.sort_unstable_by_key(|(place, _)| *place);
    Ordered { writes: placed.into_iter().map(|(_, write)| write).collect(), depends_on, unreachable }
}

fn no_spare(difference: &Difference<'_>, writes: &[Write], cycle: &[usize]) -> Diagnostic {
    let group = cycle.iter().filter_map(|&index| writes.get(index)).find_map(|write| write.group);
    let name = group.map(|handle| difference.name_after(handle)).unwrap_or_default();
    let kind = Kind::RingGroup;
    Diagnostic::new(
        Rule::EXTENSION_TAKEN,
        None,
        format!("`{kind}/{name}` must step aside, but the account has no free extension number"),
    )
    .hint("free one extension number of the account's range for the time of the change")
}
