//! What callers will meet in the ring groups: what the files say, over what the account has where they say
//! nothing. What the files alone show was told when they were checked, and is not told twice.

use std::collections::HashSet;

use crate::diag::caller::{Step, cycle, long_wait};
use crate::diag::{Diagnostic, Findings, Severity};
use crate::model::{
    Declaration, DesiredRingGroup, Handle, Ignorable, Kind, Reference, RingMode, Selector, Spanned, cycles,
};

use super::delta::{Deletion, GroupDelta};
use super::resolve::Resolver;

/// Reports callers who go round in a cycle, and callers who wait too long. Linear in the size of the account.
pub(super) fn check(
    resolver: &Resolver<'_, '_>,
    groups: &[GroupDelta],
    deletions: &[Deletion],
    diagnostics: &mut Findings,
) {
    waits(resolver, diagnostics);
    let after = DesiredRouting::new(resolver, groups, deletions);
    diagnostics.extend(cycles(&after.next).iter().filter_map(|cycle| after.finding(cycle)));
}

/// The ring groups once everything else is applied, by the index of their handles.
struct DesiredRouting<'r, 'a> {
    resolver: &'r Resolver<'r, 'a>,
    /// The group that takes the unanswered calls, if it is a group.
    next: Vec<Option<u32>>,
    /// The position of the group in the files.
    desired_of: Vec<Option<u32>>,
    /// The groups whose no-answer target the plan writes.
    written: HashSet<u32>,
}

impl<'r, 'a> DesiredRouting<'r, 'a> {
    fn new(resolver: &'r Resolver<'r, 'a>, groups: &[GroupDelta], deletions: &[Deletion]) -> Self {
        let index = |to: Option<Handle>| to.filter(|to| to.kind == Kind::RingGroup).map(|to| to.index);
        let live = resolver.directory.live().ring_groups.iter();
        let live = live.map(|group| index(group.no_answer.as_ref().and_then(|to| resolver.live(to))));
        let mut next: Vec<Option<u32>> = live.collect();
        let mut desired_of = resolver.matching.desired_of.clone();
        desired_of.extend(resolver.matching.created.iter().copied().map(Some));
        next.resize(desired_of.len(), None);
        let mut written = HashSet::new();
        for delta in groups {
            if let Some(to) = delta.fields.no_answer
                && let Some(slot) = next.get_mut(delta.handle.index as usize)
            {
                *slot = index(to);
                written.insert(delta.handle.index);
            }
        }
        for deletion in deletions {
            if let Some(slot) = next.get_mut(deletion.handle.index as usize) {
                *slot = None;
            }
        }
        Self { resolver, next, desired_of, written }
    }

    /// An error if the plan closes the cycle; a warning if it was there and stays, and a file says so.
    fn finding(&self, members: &[usize]) -> Option<Diagnostic> {
        // A group that is its own target is another rule's.
        if members.len() < 2 || members.iter().all(|&at| self.already_reported(at)) {
            return None;
        }
        let closes = |at: usize| u32::try_from(at).is_ok_and(|at| self.written.contains(&at));
        let steps = members.iter().map(|&at| Step { name: self.name(at), span: self.declared(at).map(|to| to.span) });
        let mut finding = cycle(steps.collect())?;
        let declared = members.iter().filter_map(|&at| self.desired_of.get(at).copied().flatten());
        finding.concerns = declared.map(Declaration::RingGroup).collect();
        if !members.iter().any(|&at| closes(at)) {
            finding.severity = Severity::Warning;
        }
        Some(finding)
    }

    fn group(&self, at: usize) -> Option<&'a DesiredRingGroup> {
        let position = self.desired_of.get(at).copied().flatten()?;
        self.resolver.desired.ring_groups.get(position as usize)
    }

    fn name(&self, at: usize) -> &'a str {
        let live = || self.resolver.directory.live().ring_groups.get(at).map(|group| &group.name);
        self.group(at).map(|group| &group.name.value).or_else(live).map_or("", |name| name.as_str())
    }

    /// What a file says on the group's unanswered calls, unless the policy leaves that to others.
    fn declared(&self, at: usize) -> Option<&'a Spanned<Option<Reference>>> {
        let handle = Handle { kind: Kind::RingGroup, index: u32::try_from(at).ok()? };
        self.group(at)?.no_answer.as_ref().filter(|_| !self.resolver.ignores(handle, Ignorable::GroupNoAnswer))
    }

    /// Whether the files alone show where this group's calls go: it names a declared group by its name, or by
    /// the extension number that the files give that group.
    fn already_reported(&self, at: usize) -> bool {
        let Some(reference) = self.declared(at).and_then(|target| target.value.as_ref()) else { return false };
        let Some(target) = self.next.get(at).copied().flatten().and_then(|to| self.group(to as usize)) else {
            return false;
        };
        match &reference.selector {
            Selector::Extension(extension) => target.extension.as_ref().is_some_and(|own| own.value == *extension),
            selector => target.name.value.key() == selector.key(),
        }
    }
}

/// Groups that ring one phone after the other for too long, where the files leave the mode or the duration to
/// the account.
fn waits(resolver: &Resolver<'_, '_>, diagnostics: &mut Findings) {
    let live = resolver.directory.live();
    let pairs = resolver.desired.ring_groups.iter().zip(&resolver.matching.handles);
    for (index, (group, &handle)) in (0u32..).zip(pairs) {
        let existing = live.ring_groups.get(handle.index as usize);
        let ring = group.ring.filter(|_| !resolver.ignores(handle, Ignorable::GroupRing));
        let mode = ring.map(|ring| ring.value).or(existing.map(|group| group.ring)).unwrap_or_default();
        if mode != RingMode::Sequential {
            continue;
        }
        let duration = group.ring_for.filter(|_| !resolver.ignores(handle, Ignorable::GroupRingFor));
        let kept = existing.map_or(Some(live.capabilities.ring_for_default), |group| group.ring_for);
        let Some(ring_for) = duration.map(|ring_for| ring_for.value).or(kept) else {
            continue;
        };
        let members = match existing.filter(|_| resolver.ignores(handle, Ignorable::GroupMembers)) {
            Some(existing) => existing.members.len(),
            None => group.members.len(),
        };
        let told = group.ring.is_some_and(|ring| ring.value == RingMode::Sequential)
            && group.ring_for.is_some_and(|own| long_wait(own.span, group.members.len(), own.value).is_some());
        if !told {
            let span = duration.map(|it| it.span).or(ring.map(|it| it.span)).unwrap_or(group.members_span);
            let finding = long_wait(span, members, ring_for);
            diagnostics.extend(finding.map(|finding| finding.of(Declaration::RingGroup(index))));
        }
    }
}
