//! Findings on what callers meet in the ring groups: the values of the files, and those of the account where the files
//! have none. `check` has reported what the files alone show, so that is left out here.

use crate::diag::caller::{Step, cycle, long_wait};
use crate::diag::{Diagnostic, Findings, Severity};
use crate::model::{
    Declaration, DesiredRingGroup, FieldName, Handle, Reference, RingForScope, RingMode, Selector, Spanned,
};
use crate::routing::RoutingGraph;

use super::delta::GroupDelta;
use super::resolve::Resolver;

/// Reports callers who go round in a cycle, and callers who wait too long. Linear in the size of the account.
pub(super) fn check<'a>(
    resolver: &Resolver<'_, 'a>,
    groups: &[GroupDelta],
    desired_routing: &RoutingGraph<'_, 'a>,
    diagnostics: &mut Findings,
) {
    waits(resolver, diagnostics);
    let callers = Callers { resolver, groups, desired_routing };
    diagnostics.extend(desired_routing.cycles().iter().filter_map(|cycle| callers.finding(cycle)));
}

struct Callers<'c, 'a> {
    resolver: &'c Resolver<'c, 'a>,
    groups: &'c [GroupDelta],
    desired_routing: &'c RoutingGraph<'c, 'a>,
}

impl<'a> Callers<'_, 'a> {
    /// An error if the plan closes the cycle; a warning if the account has it already and a file declares a part of it.
    fn finding(&self, members: &[Handle]) -> Option<Diagnostic> {
        // A group that is its own target is reported by another rule.
        if members.len() < 2 || members.iter().all(|&group| self.already_reported(group)) {
            return None;
        }
        let step = |&group| Step { name: self.name(group), span: self.no_answer(group).map(|to| to.span) };
        let mut finding = cycle(members.iter().map(step).collect())?;
        let declared = members.iter().filter_map(|group| self.resolver.matching.desired(*group));
        finding.concerns = declared.map(Declaration::RingGroup).collect();
        if !members.iter().any(|&group| self.writes_no_answer(group)) {
            finding.severity = Severity::Warning;
        }
        Some(finding)
    }

    fn writes_no_answer(&self, group: Handle) -> bool {
        let found = self.groups.binary_search_by_key(&group, |delta| delta.handle);
        found.is_ok_and(|at| self.groups.get(at).is_some_and(|delta| delta.fields.no_answer().is_some()))
    }

    fn declared(&self, group: Handle) -> Option<&'a DesiredRingGroup> {
        let position = self.resolver.matching.desired(group)?;
        self.resolver.desired.ring_groups.get(position as usize)
    }

    fn name(&self, group: Handle) -> &'a str {
        let live = || self.resolver.directory.live().ring_groups.get(group.index as usize).map(|group| &group.name);
        self.declared(group).map(|group| &group.name.value).or_else(live).map_or("", |name| name.as_str())
    }

    /// The `no_answer` of the files, unless the policy ignores that field.
    fn no_answer(&self, group: Handle) -> Option<&'a Spanned<Option<Reference>>> {
        self.declared(group)?.no_answer.as_ref().filter(|_| !self.resolver.ignores(group, FieldName::NoAnswer))
    }

    /// Whether the files alone show where this group's unanswered calls go: its `no_answer` has the name of a declared
    /// group, or the extension number that the files give that group.
    fn already_reported(&self, group: Handle) -> bool {
        let Some(reference) = self.no_answer(group).and_then(|target| target.value.as_ref()) else { return false };
        let target = self.desired_routing.target(group).and_then(|to| self.declared(to));
        target.is_some_and(|target| match &reference.selector {
            Selector::Extension(extension) => target.extension.as_ref().is_some_and(|own| own.value == *extension),
            selector => target.name.value.key() == selector.key(),
        })
    }
}

/// Groups that ring one phone after the other for too long, where the files leave the mode or the duration to
/// the account.
fn waits(resolver: &Resolver<'_, '_>, diagnostics: &mut Findings) {
    let live = resolver.directory.live();
    let pairs = resolver.desired.ring_groups.iter().zip(&resolver.matching.handles);
    for (index, (group, &handle)) in (0u32..).zip(pairs) {
        let existing = live.ring_groups.get(handle.index as usize);
        let ring = group.ring.filter(|_| !resolver.ignores(handle, FieldName::Ring));
        let mode = ring.map(|ring| ring.value).or(existing.map(|group| group.ring)).unwrap_or_default();
        if mode != RingMode::Sequential {
            continue;
        }
        let duration = group.ring_for.filter(|_| !resolver.ignores(handle, FieldName::RingFor));
        let kept = existing.map_or(Some(live.capabilities.ring_for_default), |group| group.ring_for);
        let Some(ring_for) = duration.map(|ring_for| ring_for.value).or(kept) else {
            continue;
        };
        let members = match existing.filter(|_| resolver.ignores(handle, FieldName::Members)) {
            Some(existing) => existing.members.len(),
            None => group.members.len(),
        };
        let already_reported = group.ring.is_some_and(|ring| ring.value == RingMode::Sequential)
            && group.ring_for.is_some_and(|own| long_wait(own.span, group.members.len(), own.value).is_some());
        if !already_reported {
            let span = duration.map(|it| it.span).or(ring.map(|it| it.span)).unwrap_or(group.members_span);
            // A duration of the whole group is one wait.
            let waits = if live.capabilities.ring_for_scope == RingForScope::Group { 1 } else { members };
            let finding = long_wait(span, waits, ring_for);
            diagnostics.extend(finding.map(|finding| finding.of(Declaration::RingGroup(index))));
        }
    }
}
