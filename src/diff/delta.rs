//! The difference, in handles: small, copyable, and free of text that does not change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Desired, Directory, FieldValues, Handle, Kind, Span};
use crate::routing::RoutingGraph;

/// Everything that differs, beside both sides of it.
#[derive(Debug)]
pub struct Difference<'a> {
    /// The desired side.
    pub desired: &'a Desired,
    /// The live side.
    pub directory: Directory<'a>,
    /// The numbers that differ, in the order of the numbers.
    pub numbers: Vec<NumberDelta>,
    /// The ring groups to make or to change, by handle.
    pub groups: Vec<GroupDelta>,
    /// The ring groups to delete, by handle.
    pub deletions: Vec<Deletion>,
    /// The groups to create, as positions in the desired list: the handle of the first is the length of the live list,
    /// and so on.
    pub created: Vec<u32>,
    /// How many managed objects need nothing.
    pub in_sync: usize,
    /// What no file mentions.
    pub unmanaged: Unmanaged,
}

/// A number that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberDelta {
    /// Its position in the live list.
    pub live: u32,
    /// Its position in the desired list.
    pub desired: u32,
    /// The new destination, if that differs.
    pub to: Option<Option<Handle>>,
    /// Whether the label differs.
    pub label: bool,
}

/// A ring group to make, or one that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDelta {
    /// The group; past the end of the live list if it is new.
    pub handle: Handle,
    /// Its position in the desired list.
    pub desired: u32,
    /// Whether the file asks for another name.
    pub renamed: bool,
    /// The fields to write.
    pub fields: FieldValues<Handle>,
}

/// A ring group to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The group.
    pub handle: Handle,
    /// Where the file asks for it.
    pub span: Span,
    /// The position in `absent`; `None` if `policy.prune` asks for it.
    pub absent: Option<u32>,
}

/// How many objects of the account no file mentions. They are left alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unmanaged {
    /// Numbers.
    pub numbers: usize,
    /// Ring groups.
    pub ring_groups: usize,
}

impl<'a> Difference<'a> {
    /// Who hands callers to whom once everything is applied.
    pub fn routing(&self) -> RoutingGraph<'_, 'a> {
        let mut graph = routing(self.desired, &self.directory, &self.created, &self.groups, &self.numbers);
        for deletion in &self.deletions {
            graph.delete(deletion.handle);
        }
        graph
    }

    /// Who hands callers to whom before anything is applied; the groups to create have no edges.
    pub fn live_routing(&self) -> RoutingGraph<'_, 'a> {
        routing(self.desired, &self.directory, &self.created, &[], &[])
    }

    /// How many ring groups the account has now; a handle at or past it is a group to be made.
    pub fn live_groups(&self) -> usize {
        self.directory.live().ring_groups.len()
    }

    /// The group's name once everything is applied.
    pub fn name_after(&self, handle: Handle) -> String {
        let index = handle.index as usize;
        if handle.kind == Kind::RingGroup {
            if let Some(fresh) = index.checked_sub(self.live_groups()) {
                let desired =
                    self.created.get(fresh).and_then(|&desired| self.desired.ring_groups.get(desired as usize));
                return desired.map(|group| group.name.value.to_string()).unwrap_or_default();
            }
            if let Ok(found) = self.groups.binary_search_by_key(&handle, |group| group.handle)
                && let Some(name) = self.groups.get(found).and_then(|group| group.fields.name())
            {
                return name.to_string();
            }
        }
        self.directory.label(handle)
    }
}

/// The graph of the live account with these deltas. The groups to create have no other edges than theirs.
pub(super) fn routing<'g, 'a>(
    desired: &'g Desired,
    directory: &'g Directory<'a>,
    created: &[u32],
    groups: &'g [GroupDelta],
    numbers: &[NumberDelta],
) -> RoutingGraph<'g, 'a> {
    let mut graph = RoutingGraph::live(directory);
    for group in created.iter().filter_map(|&position| desired.ring_groups.get(position as usize)) {
        graph.create(&group.name.value);
    }
    for delta in numbers {
        if let Some(to) = delta.to {
            graph.set_target(Handle { kind: Kind::Number, index: delta.live }, to);
        }
    }
    for GroupDelta { handle, fields, .. } in groups {
        if let Some(target) = fields.no_answer() {
            graph.set_target(*handle, target.copied());
        }
        if let Some(members) = fields.members() {
            graph.set_members(*handle, members);
        }
    }
    graph
}
