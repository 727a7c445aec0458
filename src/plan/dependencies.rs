//! What must come before what.
//!
//! Four rules, all of them the account's own: an object exists before anything points at it; nothing points at an object
//! when it is deleted; an extension number is free before it is taken; so is a name.

use std::collections::HashMap;

use crate::model::{ExtensionNumber, Handle, NameKey};

use super::graph::Graph;
use super::write::Write;

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
