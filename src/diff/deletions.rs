//! Which ring groups go.
//!
//! `absent` deletes what it names, or says who still points at it. `policy.prune` deletes what no file
//! mentions, the scope owns and nothing points at; what is still in use stays, and so does what it points at.

use std::collections::HashSet;
use std::fmt;

use foldhash::HashMap;

use crate::diag::{Diagnostic, Findings, Rule, attribute};
use crate::model::{Declaration, Desired, Directory, E164, Found, Handle, Kind, Name, Reference, Selector, Unreadable};

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
    diagnostics: &mut Findings,
) -> Vec<Deletion> {
    let mut deletions = Vec::new();
    for (at, absent) in (0u32..).zip(&desired.absent) {
        let mut found = Vec::new();
        let span = absent.reference.span;
        match directory.find(&absent.reference.value) {
            Found::None => match unreadable(directory, &absent.reference.value) {
                // Already gone: that is what was asked for.
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

/// The group that `absent` names, if it cannot be read.
fn unreadable<'l>(live: &Directory<'l>, reference: &Reference) -> Option<&'l Unreadable> {
    let by_extension = match &reference.selector {
        Selector::Extension(extension) => live.unreadable_extension(extension),
        _ => None,
    };
    let by_extension = by_extension.filter(|one| one.kind == reference.kind);
    by_extension.or_else(|| live.unreadable_group(&reference.selector.key()))
}

/// All deletions, by handle, after a look at who points at what in the end.
pub(super) fn decide(
    resolver: &Resolver<'_, '_>,
    groups: &[GroupDelta],
    numbers: &[NumberDelta],
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
    let after = DesiredRouting::new(resolver, groups, numbers, &going);
    after.keep_referenced(&mut going, diagnostics);
    let mut deletions: Vec<Deletion> = going.into_values().collect();
    deletions.sort_unstable_by_key(|deletion| deletion.handle);
    deletions
}

/// What points at a ring group.
#[derive(Clone, Copy)]
enum Referrer<'a> {
    Number(E164),
    Key { receptionist: &'a str, key: &'a str },
    NoAnswer(&'a Name),
    Unreadable(&'a Unreadable),
}

/// Who points at the groups that shall go once everything else is applied.
struct DesiredRouting<'a> {
    /// For each live group whether it shall go.
    goes: Vec<bool>,
    /// A group that shall go → what stays and points at it.
    pointed: HashMap<Handle, Vec<Referrer<'a>>>,
    /// A group that shall go → its no-answer target, if that shall go as well.
    forward: HashMap<Handle, (&'a Name, Handle)>,
}

impl<'a> DesiredRouting<'a> {
    fn new<'l: 'a>(
        resolver: &Resolver<'_, 'l>,
        groups: &'a [GroupDelta],
        numbers: &[NumberDelta],
        going: &HashMap<Handle, Deletion>,
    ) -> Self {
        let live = resolver.directory.live();
        let goes = (0u32..).zip(&live.ring_groups);
        let goes = goes.map(|(index, _)| going.contains_key(&Handle { kind: Kind::RingGroup, index })).collect();
        let mut after = Self { goes, pointed: HashMap::default(), forward: HashMap::default() };
        // Both lists are in the order of the numbers.
        let mut moved = numbers.iter().filter_map(|delta| Some((delta.live, delta.to?))).peekable();
        for (index, number) in (0u32..).zip(&live.numbers) {
            let to = moved.next_if(|(number, _)| *number == index).map(|(_, to)| to);
            after.point(Referrer::Number(number.number), to.unwrap_or_else(|| resolver.directory.destination(index)));
        }
        for receptionist in &live.receptionists {
            for (key, target) in &receptionist.keys {
                let referrer = Referrer::Key { receptionist: &receptionist.name, key };
                after.point(referrer, resolver.live(target));
            }
        }
        for one in &live.unreadable {
            for target in &one.targets {
                after.point(Referrer::Unreadable(one), resolver.live(target));
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
            after.no_answer(handle, &group.name, to);
        }
        for delta in groups.iter().filter(|delta| delta.handle.index as usize >= live.ring_groups.len()) {
            if let Some(name) = &delta.fields.name {
                after.no_answer(delta.handle, name, delta.fields.no_answer.flatten());
            }
        }
        after
    }

    fn goes(&self, handle: Handle) -> bool {
        handle.kind == Kind::RingGroup && self.goes.get(handle.index as usize).is_some_and(|goes| *goes)
    }

    fn point(&mut self, referrer: Referrer<'a>, to: Option<Handle>) {
        if let Some(to) = to.filter(|to| self.goes(*to)) {
            self.pointed.entry(to).or_default().push(referrer);
        }
    }

    fn no_answer(&mut self, from: Handle, name: &'a Name, to: Option<Handle>) {
        match to.filter(|to| self.goes(*to)) {
            Some(to) if self.goes(from) => {
                self.forward.insert(from, (name, to));
            }
            to => self.point(Referrer::NoAnswer(name), to),
        }
    }

    /// Takes out what something still points at: silently if it was only to be pruned, else with an error.
    /// A group that stays keeps its own no-answer target alive.
    fn keep_referenced(mut self, going: &mut HashMap<Handle, Deletion>, diagnostics: &mut Findings) {
        let mut staying: Vec<Handle> = self.pointed.keys().copied().collect();
        while let Some(handle) = staying.pop() {
            if going.get(&handle).is_some_and(|deletion| deletion.absent.is_none()) {
                going.remove(&handle);
                if let Some((name, to)) = self.forward.get(&handle) {
                    self.pointed.entry(*to).or_default().push(Referrer::NoAnswer(name));
                    staying.push(*to);
                }
            }
        }
        let mut blocked: Vec<Deletion> =
            going.values().copied().filter(|one| self.pointed.contains_key(&one.handle)).collect();
        blocked.sort_unstable_by_key(|deletion| deletion.handle);
        for deletion in blocked {
            let referrers = self.pointed.remove(&deletion.handle).unwrap_or_default();
            let mut referrers: Vec<String> = referrers.iter().map(ToString::to_string).collect();
            referrers.sort_unstable();
            let finding = in_use(deletion, &referrers);
            diagnostics.push(match deletion.absent {
                Some(at) => finding.of(Declaration::Absent(at)),
                None => finding,
            });
        }
    }
}

impl fmt::Display for Referrer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "number {number}"),
            Self::Key { receptionist, key } => write!(f, "receptionist/{receptionist} (key {key})"),
            Self::Unreadable(one) => write!(f, "{}/{}", one.kind, one.name),
            Self::NoAnswer(name) => write!(f, "ring_group/{name} (no_answer)"),
        }
    }
}

fn in_use(deletion: Deletion, referrers: &[String]) -> Diagnostic {
    let named: Vec<&str> = referrers.iter().map(String::as_str).take(NAMED).collect();
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
