//! The ring groups to delete.
//!
//! `absent` deletes the groups that it names; one that something still points at is an error. `policy.prune` deletes the
//! groups of the scope that no file mentions and nothing points at. A group that stays keeps its own targets.

use std::collections::HashSet;

use foldhash::HashMap;

use crate::diag::{Diagnostic, Findings, Rule, attribute, first_few};
use crate::model::{Declaration, Desired, Directory, Found, Handle, Kind};
use crate::routing::{Edge, RoutingGraph};

use super::delta::Deletion;
use super::matching::Matching;
use super::resolve::Resolver;

/// At most so many referrers are named; the rest are counted.
const NAMED: usize = 3;

/// The live groups that `absent` names.
pub(super) fn absent(
    desired: &Desired,
    directory: &Directory<'_>,
    matching: &Matching,
    diagnostics: &mut Findings,
) -> Vec<Deletion> {
    let mut deletions = Vec::new();
    for (at, absent) in (0u32..).zip(&desired.absent) {
        let mut found = Vec::new();
        let span = absent.reference.span;
        match directory.find(&absent.reference.value) {
            Found::None => match directory.unreadable(&absent.reference.value) {
                // The group is deleted already.
                None => {}
                Some(one) => {
                    let message = format!("the ring group `{}` of the account cannot be read: {}", one.name, one.why);
                    let finding = Diagnostic::new(Rule::UNREADABLE_OBJECT, Some(span), message);
                    found.push(finding.hint("delete it in the account, or remove it from the files"));
                }
            },
            Found::Several(handles) => found.push(Diagnostic::new(
                Rule::AMBIGUOUS_REFERENCE,
                Some(span),
                format!("`{}` could be any of {} groups", absent.reference.value, handles.len()),
            )),
            Found::One(handle) => match matching.desired_of.get(handle.index as usize).copied().flatten() {
                None => deletions.push(Deletion { handle, span, absent: Some(at) }),
                Some(wanted) => {
                    let mut diagnostic = Diagnostic::new(
                        Rule::STILL_IN_USE,
                        Some(span),
                        format!("`{}` is both declared and absent", absent.reference.value),
                    );
                    if let Some(group) = desired.ring_groups.get(wanted as usize) {
                        diagnostic = diagnostic.related(group.name.span, "declared here");
                    }
                    found.push(diagnostic.of(Declaration::RingGroup(wanted)).hint("remove one of the two"));
                }
            },
        }
        attribute(&mut found, Declaration::Absent(at));
        diagnostics.extend(found);
    }
    deletions.sort_unstable_by_key(|deletion| deletion.handle);
    deletions.dedup_by_key(|deletion| deletion.handle);
    deletions
}

/// All deletions, by handle, without those of groups that something still points at in the end.
pub(super) fn decide(
    resolver: &Resolver<'_, '_>,
    desired_routing: &RoutingGraph<'_, '_>,
    mut deletions: Vec<Deletion>,
    diagnostics: &mut Findings,
) -> Vec<Deletion> {
    let prune = resolver.desired.policy.prune_ring_groups;
    if deletions.is_empty() && prune.is_none() {
        return deletions;
    }
    if let Some(span) = prune {
        let asked: HashSet<Handle> = deletions.iter().map(|deletion| deletion.handle).collect();
        let unwanted = (0u32..).zip(&resolver.matching.desired_of).filter(|(_, desired)| desired.is_none());
        let candidates = unwanted.map(|(index, _)| Handle { kind: Kind::RingGroup, index });
        let live = &resolver.directory.live().ring_groups;
        let scope = resolver.desired.policy.guards.scope.ring_groups.as_ref();
        let owned = |handle: &Handle| {
            let name = live.get(handle.index as usize).map(|group| group.name.key());
            scope.is_none_or(|(owned, _)| name.is_some_and(|name| owned.contains(&name)))
        };
        let pruned = candidates.filter(|handle| !asked.contains(handle) && owned(handle));
        deletions.extend(pruned.map(|handle| Deletion { handle, span, absent: None }));
        deletions.sort_unstable_by_key(|deletion| deletion.handle);
    }
    let mut going: HashMap<Handle, Deletion> =
        deletions.into_iter().map(|deletion| (deletion.handle, deletion)).collect();
    keep_referenced(desired_routing, &mut going, diagnostics);
    let mut deletions: Vec<Deletion> = going.into_values().collect();
    deletions.sort_unstable_by_key(|deletion| deletion.handle);
    deletions
}

/// Takes out what something still points at: silently if only `policy.prune` asks for its deletion, else with an error.
/// A group that stays keeps what it points at.
fn keep_referenced(
    desired_routing: &RoutingGraph<'_, '_>,
    going: &mut HashMap<Handle, Deletion>,
    diagnostics: &mut Findings,
) {
    let mut referrers: HashMap<Handle, Vec<Edge<'_>>> = HashMap::default();
    let mut edges_of: HashMap<Handle, Vec<Edge<'_>>> = HashMap::default();
    for edge in desired_routing.referrers(Kind::RingGroup, |to| going.contains_key(&to)) {
        if going.contains_key(&edge.from) {
            edges_of.entry(edge.from).or_default().push(edge);
        } else {
            referrers.entry(edge.to).or_default().push(edge);
        }
    }
    let mut staying: Vec<Handle> = referrers.keys().copied().collect();
    while let Some(group) = staying.pop() {
        if going.get(&group).is_some_and(|deletion| deletion.absent.is_none()) {
            going.remove(&group);
            for edge in edges_of.remove(&group).into_iter().flatten() {
                referrers.entry(edge.to).or_default().push(edge);
                staying.push(edge.to);
            }
        }
    }
    let mut blocked: Vec<Deletion> =
        going.values().copied().filter(|one| referrers.contains_key(&one.handle)).collect();
    blocked.sort_unstable_by_key(|deletion| deletion.handle);
    for deletion in blocked {
        let edges = referrers.remove(&deletion.handle).unwrap_or_default();
        let mut names: Vec<String> = edges.iter().map(|edge| desired_routing.referrer(edge)).collect();
        names.sort_unstable();
        let finding = in_use(deletion, &names);
        diagnostics.push(match deletion.absent {
            Some(at) => finding.of(Declaration::Absent(at)),
            None => finding,
        });
    }
}

fn in_use(deletion: Deletion, referrers: &[String]) -> Diagnostic {
    let named = first_few(referrers, NAMED, ", ");
    Diagnostic::new(
        Rule::STILL_IN_USE,
        Some(deletion.span),
        format!("the group cannot be deleted: {named} would point at nothing"),
    )
    .hint("map them elsewhere in the same change")
}
