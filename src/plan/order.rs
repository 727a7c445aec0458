//! The order of the writes: make before break.
//!
//! Four needs, all of them the account's own integrity rules: an object exists before anything points at it;
//! nothing points at an object when it goes; an extension number is free before it is taken; so is a name.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Rule};
use crate::diff::Difference;
use crate::model::{ExtensionNumber, Handle, Kind, NameKey};

use super::graph::Graph;
use super::reach;
use super::split::{Spare, split, split_for_reach};
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

/// Orders the writes of a difference, with a second write to an object only where a circle forces it.
pub(super) fn order(difference: &Difference<'_>) -> Result<Ordered, Box<Diagnostic>> {
    let mut writes = writes(difference);
    let mut graph = needs(&writes);
    if graph.sorted().len() < writes.len() {
        let mut spare = Spare::new(difference);
        // Each round splits a write of every circle, and a write can be split only so often.
        loop {
            let circles = graph.circles();
            if circles.is_empty() {
                break;
            }
            for circle in circles {
                split(&mut writes, &circle, &mut spare)
                    .map_err(|_| Box::new(no_spare(difference, &writes, &circle)))?;
            }
            graph = needs(&writes);
        }
    }
    let mut gaps = reach::keep(difference, &writes, &mut graph);
    // A second write is the lesser evil if it keeps a group in reach of its callers.
    while gaps.groups() > 0 {
        let Some(better) = split_for_reach(difference, &writes, &gaps) else { break };
        (writes, graph, gaps) = better;
    }
    Ok(arrange(writes, &graph, &gaps.after))
}

/// The graph of what must come before what.
pub(super) fn needs(writes: &[Write]) -> Graph {
    let mut graph = Graph::new(writes.len());
    let mut created: HashMap<Handle, usize> = HashMap::new();
    let mut deleted: HashMap<Handle, usize> = HashMap::new();
    let mut extensions: HashMap<&ExtensionNumber, usize> = HashMap::new();
    let mut names: HashMap<&NameKey, usize> = HashMap::new();
    for (index, write) in writes.iter().enumerate() {
        created.extend(write.creates().map(|handle| (handle, index)));
        deleted.extend(write.deletes().map(|handle| (handle, index)));
        extensions.extend(write.frees_extension.as_ref().map(|extension| (extension, index)));
        names.extend(write.frees_name.as_ref().map(|name| (name, index)));
    }
    for (index, write) in writes.iter().enumerate() {
        let points_at = write.route.and_then(|route| route.after).and_then(|target| created.get(&target));
        let extension = write.takes_extension.as_ref().and_then(|extension| extensions.get(extension));
        let name = write.takes_name.as_ref().and_then(|name| names.get(name));
        for before in [points_at, extension, name, write.after.as_ref()].into_iter().flatten() {
            graph.edge(*before, index);
        }
        let pointed_at = write.route.and_then(|route| route.before).and_then(|target| deleted.get(&target));
        if let Some(&after) = pointed_at {
            graph.edge(index, after);
        }
    }
    graph
}

fn arrange(mut writes: Vec<Write>, graph: &Graph, gaps: &[(usize, Handle)]) -> Ordered {
    let order = graph.sorted();
    let before = graph.predecessors();
    let mut position = vec![0; writes.len()];
    for (place, &node) in order.iter().enumerate() {
        if let Some(slot) = position.get_mut(node) {
            *slot = place;
        }
    }
    let at = |node: &usize| position.get(*node).copied().unwrap_or_default();
    let depends_on = order
        .iter()
        .map(|&node| {
            let mut list: Vec<usize> = before.get(node).into_iter().flatten().map(at).collect();
            list.sort_unstable();
            list
        })
        .collect();
    let mut unreachable = vec![Vec::new(); writes.len()];
    for (node, group) in gaps {
        if let Some(list) = unreachable.get_mut(at(node)) {
            list.push(*group);
        }
    }
    let mut slots: Vec<Option<Write>> = writes.drain(..).map(Some).collect();
    let writes = order.iter().filter_map(|&node| slots.get_mut(node).and_then(Option::take)).collect();
    Ordered { writes, depends_on, unreachable }
}

fn no_spare(difference: &Difference<'_>, writes: &[Write], circle: &[usize]) -> Diagnostic {
    let group = circle.iter().filter_map(|&index| writes.get(index)).find_map(|write| write.group);
    let name = group.map(|handle| difference.name_after(handle)).unwrap_or_default();
    let kind = Kind::RingGroup;
    Diagnostic::new(
        Rule::EXTENSION_TAKEN,
        None,
        format!("`{kind}/{name}` must step aside, but the account has no free extension number"),
    )
    .hint("free one extension number of the account's range for the time of the change")
}
