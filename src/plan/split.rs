//! Second writes, where an order of single writes does not exist.
//!
//! Some changes form a cycle: two groups trade extension numbers; a new group takes the number of one that
//! can only be deleted once callers were moved to the new one; two new groups name each other as no-answer
//! target. One object of the cycle must then be written twice. A split is tried only inside a cycle, and the first that
//! breaks it is taken, so an object gets a second write only where that is necessary. A write that is a half already is
//! split again only if no other split will do, and never only to keep a group reachable.

use std::collections::HashSet;

use crate::diff::Difference;
use crate::model::{Capabilities, ExtensionNumber, FieldName, FieldValues, Handle, Reason, Value, Verb, is_emergency};

use super::dependencies::needs;
use super::graph::Graph;
use super::reachability::{self, Outages};
use super::write::{Route, Write};

/// So many members of a cycle are tried before the best so far is taken: a bound on the work for cycles
/// of thousands of writes. Any member of a plain cycle will do, so the first nearly always does.
const TRIED: usize = 64;

/// The ways to split a write, the least intrusive first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SplitKind {
    /// Everything but the no-answer target first.
    NoAnswerLast,
    /// The no-answer target first.
    NoAnswerFirst,
    /// The no-answer target is removed before the deletion.
    Detach,
    /// A new group starts with a number of the account's choice.
    ExtensionLast,
    /// The group gets a free extension number first.
    Park,
}

pub(super) const WAYS: [SplitKind; 5] =
    [SplitKind::NoAnswerLast, SplitKind::NoAnswerFirst, SplitKind::Detach, SplitKind::ExtensionLast, SplitKind::Park];

/// Extension numbers that nothing uses, now or later: the highest of the account's range first.
pub(super) struct FreeExtensions<'d, 'a> {
    difference: &'d Difference<'a>,
    wanted: HashSet<&'d str>,
    next: Option<u64>,
}

impl<'d, 'a> FreeExtensions<'d, 'a> {
    pub(super) fn new(difference: &'d Difference<'a>) -> Self {
        let wanted = difference.desired.ring_groups.iter().filter_map(|group| group.extension.as_ref());
        let (_, most) = difference.directory.live().capabilities.extension_digits;
        let digits = u32::try_from(most.min(8)).unwrap_or(8);
        Self {
            difference,
            wanted: wanted.map(|extension| extension.value.as_str()).collect(),
            next: Some(10u64.pow(digits) - 1),
        }
    }

    /// A number that no write of the plan uses to step aside either.
    pub(super) fn unused(mut self, writes: &[Write]) -> Option<ExtensionNumber> {
        loop {
            let extension = self.take()?;
            if writes.iter().all(|write| write.parked.as_ref() != Some(&extension)) {
                return Some(extension);
            }
        }
    }

    fn take(&mut self) -> Option<ExtensionNumber> {
        let capabilities: &Capabilities = &self.difference.directory.live().capabilities;
        while let Some(number) = self.next {
            self.next = number.checked_sub(1);
            let extension: ExtensionNumber = number.to_string().parse().ok()?;
            let free = self.difference.directory.by_extension(extension.as_str()).is_empty()
                && self.difference.directory.unreadable_extension(&extension).is_none()
                && !self.wanted.contains(extension.as_str());
            if !capabilities.extension_fits(&extension) && extension.as_str().len() < capabilities.extension_digits.0 {
                return None;
            }
            if free && capabilities.extension_fits(&extension) && !is_emergency(&extension, None) {
                return Some(extension);
            }
        }
        None
    }
}

/// Splits one write of the cycle, or says that no extension number is free for it.
pub(super) fn split(
    writes: &mut Vec<Write>,
    cycle: &[usize],
    spare: &mut FreeExtensions<'_, '_>,
) -> Result<(), NoSpare> {
    let inside: Vec<Write> = cycle.iter().filter_map(|&index| writes.get(index)).cloned().collect();
    let halves_so_far = halved(writes);
    let (split, whole): (Vec<usize>, Vec<usize>) =
        (0..inside.len()).partition(|&position| cycle.get(position).is_some_and(|index| halves_so_far.contains(index)));
    let best = best(cycle, &inside, &whole).or_else(|| best(cycle, &inside, &split));
    let Some((position, way)) = best else { return Err(NoSpare) };
    let Some(write) = cycle.get(position).and_then(|&index| writes.get_mut(index)) else { return Err(NoSpare) };
    let aside = if way == SplitKind::Park { Some(spare.take().ok_or(NoSpare)?) } else { None };
    let index = cycle.get(position).copied().unwrap_or_default();
    if let Some((first, mut second)) = split_write(write, way, aside) {
        *write = first;
        second.after = Some(index);
        writes.push(second);
    }
    Ok(())
}

/// The member of a cycle, of these, whose split leaves the fewest writes on it, and the way to split it.
fn best(cycle: &[usize], inside: &[Write], members: &[usize]) -> Option<(usize, SplitKind)> {
    let mut best: Option<(usize, usize, SplitKind)> = None;
    for way in WAYS {
        for &position in members.iter().take(TRIED) {
            let Some(left) = writes_left_on_cycles(cycle, inside, position, way) else { continue };
            if left == 0 {
                return Some((position, way));
            }
            if best.is_none_or(|(fewest, ..)| left < fewest) {
                best = Some((left, position, way));
            }
        }
    }
    best.map(|(_, position, way)| (position, way))
}

pub(super) fn halved(writes: &[Write]) -> HashSet<usize> {
    let seconds = (0..).zip(writes).filter_map(|(index, write)| Some([index, write.after?]));
    seconds.flatten().collect()
}

/// Splits one of the contested writes so that fewer groups are unreachable meanwhile, if that can be done.
pub(super) fn split_for_reach(
    difference: &Difference<'_>,
    writes: &[Write],
    outages: &Outages,
) -> Option<(Vec<Write>, Graph, Outages)> {
    let halved = halved(writes);
    let whole = |index: &usize| !halved.contains(index) && writes.get(*index).is_some_and(|one| one.group.is_some());
    let groups = || outages.contested.iter().copied().filter(whole);
    for way in WAYS {
        for index in groups().take(TRIED) {
            let aside = if way == SplitKind::Park { FreeExtensions::new(difference).unused(writes) } else { None };
            let Some((first, mut second)) = writes.get(index).and_then(|write| split_write(write, way, aside)) else {
                continue;
            };
            let mut writes = writes.to_vec();
            if let Some(slot) = writes.get_mut(index) {
                *slot = first;
            }
            second.after = Some(index);
            writes.push(second);
            let mut graph = needs(&writes);
            if graph.sorted().len() < writes.len() {
                continue;
            }
            let better = reachability::add_reachability_edges(difference, &writes, &mut graph);
            if better.groups() < outages.groups() {
                return Some((writes, graph, better));
            }
        }
    }
    None
}

/// There is no free extension number to step aside to.
pub(super) struct NoSpare;

/// How many of the writes still lie on a cycle if this one is split so; `None` if it cannot be.
fn writes_left_on_cycles(cycle: &[usize], inside: &[Write], position: usize, way: SplitKind) -> Option<usize> {
    let aside = if way == SplitKind::Park { "99999999".parse().ok() } else { None };
    let (first, mut second) = split_write(inside.get(position)?, way, aside)?;
    let mut writes = inside.to_vec();
    *writes.get_mut(position)? = first;
    // Earlier splits name writes by their place in the whole plan; here only this cycle counts.
    for write in &mut writes {
        write.after = write.after.and_then(|after| cycle.binary_search(&after).ok());
    }
    second.after = Some(position);
    writes.push(second);
    let graph: Graph = needs(&writes);
    Some(graph.cycles().iter().map(Vec::len).sum())
}

fn only(field: FieldName, value: Value<Handle>) -> FieldValues<Handle> {
    FieldValues::from_iter([(field, value)])
}

/// The two writes that one becomes; `None` if it cannot be split in this way.
pub(super) fn split_write(write: &Write, way: SplitKind, aside: Option<ExtensionNumber>) -> Option<(Write, Write)> {
    let mut first = write.clone();
    let mut second = write.clone();
    match (way, write.verb) {
        (SplitKind::NoAnswerLast, Verb::Create | Verb::Update) => {
            let target = first.fields.remove(FieldName::NoAnswer)?;
            if write.verb == Verb::Create {
                write.route.and_then(|route| route.after)?;
                first.fields.insert(FieldName::NoAnswer, Value::None);
            }
            first.route = None;
            second.fields = only(FieldName::NoAnswer, target);
            second.detached = write.verb == Verb::Create;
            becomes_update(&mut second);
        }
        (SplitKind::NoAnswerFirst, Verb::Update) => {
            first.fields = only(FieldName::NoAnswer, second.fields.remove(FieldName::NoAnswer)?);
            releases_nothing(&mut first);
            second.route = None;
        }
        (SplitKind::Detach, Verb::Delete) => {
            let before = write.route.and_then(|route| route.before)?;
            first.verb = Verb::Update;
            first.fields = only(FieldName::NoAnswer, Value::None);
            releases_nothing(&mut first);
            first.route = Some(Route { before: Some(before), after: None });
            second.route = None;
            second.detached = true;
        }
        (SplitKind::ExtensionLast, Verb::Create) => {
            write.fields.extension()?;
            let extension = first.fields.insert(FieldName::Extension, Value::ChosenByAccount)?;
            first.takes_extension = None;
            second.fields = only(FieldName::Extension, extension);
            second.takes_extension.clone_from(&write.takes_extension);
            second.route = None;
            becomes_update(&mut second);
            second.takes_extension.clone_from(&write.takes_extension);
        }
        (SplitKind::Park, Verb::Update | Verb::Delete) => {
            let freed = write.frees_extension.clone()?;
            first.verb = Verb::Update;
            first.fields = aside.iter().map(|aside| (FieldName::Extension, Value::Extension(aside.clone()))).collect();
            first.takes_extension = None;
            first.frees_extension = Some(freed);
            first.takes_name = None;
            first.frees_name = None;
            first.route = None;
            first.releases = Vec::new();
            second.frees_extension = None;
            second.parked = aside;
        }
        _ => return None,
    }
    if write.verb != Verb::Create
        && (first.fields.is_empty() || (second.verb != Verb::Delete && second.fields.is_empty()))
    {
        return None;
    }
    first.reason = match way {
        SplitKind::Park | SplitKind::ExtensionLast => Reason::ExtensionCycle,
        _ => Reason::NoAnswerCycle,
    };
    Some((first, second))
}

fn becomes_update(write: &mut Write) {
    write.verb = Verb::Update;
    releases_nothing(write);
}

fn releases_nothing(write: &mut Write) {
    write.takes_extension = None;
    write.frees_extension = None;
    write.takes_name = None;
    write.frees_name = None;
    write.releases = Vec::new();
}
