//! Which ring groups go.
//!
//! `absent` deletes what it names, or says who still points at it. `policy.prune` deletes what no file
//! mentions, the scope owns and nothing points at; what is still in use stays, and so does what it points at.

use std::collections::{HashMap, HashSet};

use crate::diag::{Diagnostic, Rule};
use crate::model::{Desired, Directory, Found, Handle, Kind};

use super::delta::{Deletion, GroupDelta, NumberDelta};
use super::matching::Matching;
use super::resolve::Resolver;

/// At most so many referrers are named; the rest are counted.
const NAMED: usize = 3;

/// The live groups that `absent` names.
pub(super) fn absent(
    desired: &Desired,
    directory: &Directory<'_>,
    matching: &Matching,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Deletion> {
    let mut deletions = Vec::new();
    for absent in &desired.absent {
        let span = absent.reference.span;
        match directory.find(&absent.reference.value) {
            // Already gone: that is what was asked for.
            Found::None => {}
            Found::Several(handles) => diagnostics.push(Diagnostic::new(
                Rule::AMBIGUOUS_REFERENCE,
                Some(span),
                format!("`{}` could be any of {} groups", absent.reference.value, handles.len()),
            )),
            Found::One(handle) => match matching.desired_of.get(handle.index as usize).copied().flatten() {
                None => deletions.push(Deletion { handle, span, pruned: false }),
                Some(wanted) => {
                    let mut diagnostic = Diagnostic::new(
                        Rule::STILL_IN_USE,
                        Some(span),
                        format!("`{}` is both declared and absent", absent.reference.value),
                    );
                    if let Some(group) = desired.ring_groups.get(wanted as usize) {
                        diagnostic = diagnostic.related(group.name.span, "declared here");
                    }
                    diagnostics.push(diagnostic.hint("remove one of the two"));
                }
            },
        }
    }
    deletions.sort_unstable_by_key(|deletion| deletion.handle);
    deletions.dedup_by_key(|deletion| deletion.handle);
    deletions
}

/// All deletions, by handle, after a look at who points at what in the end.
pub(super) fn decide(
    resolver: &Resolver<'_, '_>,
    groups: &[GroupDelta],
    numbers: &[NumberDelta],
    mut deletions: Vec<Deletion>,
    diagnostics: &mut Vec<Diagnostic>,
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
        deletions.extend(pruned.map(|handle| Deletion { handle, span, pruned: true }));
        deletions.sort_unstable_by_key(|deletion| deletion.handle);
    }
    let after = After::new(resolver, groups, numbers);
    let mut going: HashMap<Handle, Deletion> =
        deletions.into_iter().map(|deletion| (deletion.handle, deletion)).collect();
    after.spare(&mut going, diagnostics);
    let mut deletions: Vec<Deletion> = going.into_values().collect();
    deletions.sort_unstable_by_key(|deletion| deletion.handle);
    deletions
}

/// Who points at ring groups once everything else is applied.
struct After {
    /// Target → referrers that are not ring groups, as people read them.
    outside: HashMap<Handle, Vec<String>>,
    /// Group → its no-answer target.
    no_answer: Vec<(Handle, String, Handle)>,
}

impl After {
    fn new(resolver: &Resolver<'_, '_>, groups: &[GroupDelta], numbers: &[NumberDelta]) -> Self {
        let live = resolver.directory.live();
        let mut after = Self { outside: HashMap::new(), no_answer: Vec::new() };
        let moved: HashMap<u32, Option<Handle>> =
            numbers.iter().filter_map(|delta| delta.to.map(|to| (delta.live, to))).collect();
        for (index, number) in (0u32..).zip(&live.numbers) {
            let to = match moved.get(&index) {
                Some(to) => *to,
                None => resolver.directory.destination(index),
            };
            if let Some(to) = to.filter(|to| to.kind == Kind::RingGroup) {
                after.outside.entry(to).or_default().push(format!("number {}", number.number));
            }
        }
        for receptionist in &live.receptionists {
            for (key, target) in &receptionist.keys {
                if let Some(to) = resolver.live(target).filter(|to| to.kind == Kind::RingGroup) {
                    let text = format!("receptionist/{} (key {key})", receptionist.name);
                    after.outside.entry(to).or_default().push(text);
                }
            }
        }
        let changed: HashMap<Handle, Option<Handle>> =
            groups.iter().filter_map(|delta| delta.fields.no_answer.map(|to| (delta.handle, to))).collect();
        for (index, group) in (0u32..).zip(&live.ring_groups) {
            let handle = Handle { kind: Kind::RingGroup, index };
            let to = match changed.get(&handle) {
                Some(to) => *to,
                None => group.no_answer.as_ref().and_then(|to| resolver.live(to)),
            };
            if let Some(to) = to.filter(|to| to.kind == Kind::RingGroup) {
                after.no_answer.push((handle, format!("ring_group/{} (no_answer)", group.name), to));
            }
        }
        for delta in groups.iter().filter(|delta| delta.handle.index as usize >= live.ring_groups.len()) {
            if let (Some(Some(to)), Some(name)) = (delta.fields.no_answer, &delta.fields.name) {
                after.no_answer.push((delta.handle, format!("ring_group/{name} (no_answer)"), to));
            }
        }
        after
    }

    /// Takes out what something still points at: silently if it was only to be pruned, else with an error.
    /// A group that stays keeps its own no-answer target alive.
    fn spare(&self, going: &mut HashMap<Handle, Deletion>, diagnostics: &mut Vec<Diagnostic>) {
        let mut pointed: HashMap<Handle, Vec<&str>> = HashMap::new();
        for (target, referrers) in &self.outside {
            pointed.entry(*target).or_default().extend(referrers.iter().map(String::as_str));
        }
        let mut forward: HashMap<Handle, (&str, Handle)> = HashMap::new();
        for (from, text, to) in &self.no_answer {
            if going.contains_key(from) {
                forward.insert(*from, (text, *to));
            } else {
                pointed.entry(*to).or_default().push(text);
            }
        }
        let mut staying: Vec<Handle> = going.keys().copied().filter(|handle| pointed.contains_key(handle)).collect();
        while let Some(handle) = staying.pop() {
            if going.get(&handle).is_some_and(|deletion| deletion.pruned) {
                going.remove(&handle);
                if let Some((text, to)) = forward.get(&handle) {
                    pointed.entry(*to).or_default().push(text);
                    staying.push(*to);
                }
            }
        }
        let mut blocked: Vec<Deletion> =
            going.values().copied().filter(|one| pointed.contains_key(&one.handle)).collect();
        blocked.sort_unstable_by_key(|deletion| deletion.handle);
        for deletion in blocked {
            let mut referrers = pointed.remove(&deletion.handle).unwrap_or_default();
            referrers.sort_unstable();
            diagnostics.push(in_use(deletion, &referrers));
        }
    }
}

fn in_use(deletion: Deletion, referrers: &[&str]) -> Diagnostic {
    let named: Vec<&str> = referrers.iter().copied().take(NAMED).collect();
    let more = match referrers.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Diagnostic::new(
        Rule::STILL_IN_USE,
        Some(deletion.span),
        format!("the group cannot be deleted: {}{more} would point at nothing", named.join(", ")),
    )
    .hint("map them elsewhere in the same change")
}
