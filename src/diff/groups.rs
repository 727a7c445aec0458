//! The fields of ring groups that must be written.

use crate::diag::{Diagnostic, Findings, Rule, attribute};
use crate::model::{
    Capabilities, Declaration, DesiredRingGroup, ExtensionNumber, Handle, Ignorable, Kind, LiveRingGroup, Name,
    ObjectRef, RingFor, RingMode, Span, Spanned,
};

use super::delta::{GroupDelta, GroupFields};
use super::resolve::Resolver;

/// The groups to make or to change, by handle.
pub(super) fn compare(resolver: &Resolver<'_, '_>, diagnostics: &mut Findings) -> Vec<GroupDelta> {
    let mut deltas = Vec::new();
    let live = &resolver.directory.live().ring_groups;
    let pairs = resolver.desired.ring_groups.iter().zip(&resolver.matching.handles);
    for (index, (group, &handle)) in (0u32..).zip(pairs) {
        let mut found = Vec::new();
        let declared = Declared::resolve(resolver, group, handle, &mut found);
        let fields = match live.get(handle.index as usize) {
            Some(live) => declared.changes_to(resolver, live),
            None => declared.creation(&resolver.directory.live().capabilities),
        };
        if let Some(name) = &fields.name {
            name_fits(name, group.name.span, &resolver.directory.live().capabilities, &mut found);
        }
        attribute(&mut found, Declaration::RingGroup(index));
        diagnostics.extend(found);
        if !fields.is_empty() {
            let renamed = fields.name.is_some();
            deltas.push(GroupDelta { handle, desired: index, renamed, fields });
        }
    }
    deltas.sort_unstable_by_key(|delta| delta.handle);
    deltas
}

/// The declared values of a group. A field that the policy ignores counts as not declared.
struct Declared<'a> {
    group: &'a DesiredRingGroup,
    extension: Option<&'a Spanned<ExtensionNumber>>,
    ring: Option<Spanned<RingMode>>,
    members: Option<Vec<Handle>>,
    ring_for: Option<Spanned<RingFor>>,
    no_answer: Option<Option<Handle>>,
}

impl<'a> Declared<'a> {
    fn resolve(
        resolver: &Resolver<'_, 'a>,
        group: &'a DesiredRingGroup,
        handle: Handle,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let managed = |field| !resolver.ignores(handle, field);
        let members = managed(Ignorable::GroupMembers).then(|| members(resolver, group, diagnostics));
        let no_answer = group.no_answer.as_ref().filter(|_| managed(Ignorable::GroupNoAnswer));
        let target = no_answer.and_then(|target| resolver.target(target, diagnostics));
        if let (Some(Some(target)), Some(written)) = (target, no_answer) {
            let capabilities = &resolver.directory.live().capabilities;
            if target == handle {
                diagnostics.push(Diagnostic::new(
                    Rule::SELF_NO_ANSWER,
                    Some(written.span),
                    format!("the ring group `{}` is its own no-answer target", group.name.value),
                ));
            } else if !capabilities.no_answer.contains(&target.kind) {
                diagnostics.push(unsupported(
                    written.span,
                    &format!("hand an unanswered call to a {}", target.kind.as_str().replace('_', " ")),
                ));
            }
        }
        let declared = Self {
            group,
            extension: resolver.extension(group, handle),
            ring: group.ring.filter(|_| managed(Ignorable::GroupRing)),
            members,
            ring_for: group.ring_for.filter(|_| managed(Ignorable::GroupRingFor)),
            no_answer: target,
        };
        declared.check_limits(&resolver.directory.live().capabilities, diagnostics);
        declared
    }

    /// The fields that an existing group must get.
    fn changes_to(self, resolver: &Resolver<'_, 'a>, live: &'a LiveRingGroup) -> GroupFields {
        let ring = self.ring.map(|ring| ring.value);
        let mode = ring.unwrap_or(live.ring);
        let members = self.members.filter(|wanted| !same_members(resolver, mode, &live.members, wanted));
        let same_target = match (&live.no_answer, self.no_answer) {
            (_, None) | (None, Some(None)) => true,
            (Some(reference), Some(Some(handle))) => resolver.live(reference) == Some(handle),
            _ => false,
        };
        let name = &self.group.name.value;
        GroupFields {
            name: (*name != live.name).then(|| name.clone()),
            extension: differing(self.extension, live.extension.as_ref()),
            ring: ring.filter(|&ring| ring != live.ring),
            members,
            ring_for: differing(self.ring_for.as_ref(), live.ring_for.as_ref()),
            no_answer: if same_target { None } else { self.no_answer },
        }
    }

    /// All the fields of a group that does not exist yet. An extension number that the file does not name is
    /// left to the account.
    fn creation(self, capabilities: &Capabilities) -> GroupFields {
        GroupFields {
            name: Some(self.group.name.value.clone()),
            extension: self.extension.map(|extension| extension.value.clone()),
            ring: Some(self.ring.map_or_else(RingMode::default, |ring| ring.value)),
            members: Some(self.members.unwrap_or_default()),
            ring_for: Some(self.ring_for.map_or(capabilities.ring_for_default, |ring_for| ring_for.value)),
            no_answer: Some(self.no_answer.flatten()),
        }
    }

    fn check_limits(&self, capabilities: &Capabilities, diagnostics: &mut Vec<Diagnostic>) {
        if let Some(ring) = &self.ring
            && !capabilities.ring_modes.contains(&ring.value)
        {
            diagnostics.push(unsupported(ring.span, &format!("ring {}", ring.value)));
        }
        if let Some(most) = capabilities.members_most
            && self.members.is_some()
            && self.group.members.len() > most
        {
            let span = self.group.members_span;
            diagnostics.push(unsupported(span, &format!("have more than {most} members in a ring group")));
        }
        if let Some(ring_for) = &self.ring_for {
            let range = capabilities.ring_for_least..=capabilities.ring_for_most;
            if !range.contains(&ring_for.value) {
                let what = format!("ring for {}, only for {} to {}", ring_for.value, range.start(), range.end());
                diagnostics.push(unsupported(ring_for.span, &what));
            }
        }
        if let Some(extension) = self.extension
            && !capabilities.extension_fits(&extension.value)
        {
            let (least, most) = capabilities.extension_digits;
            let what = format!("give out the extension {} ({least} to {most} digits, not reserved)", extension.value);
            diagnostics.push(unsupported(extension.span, &what));
        }
    }
}

fn name_fits(name: &Name, span: Span, capabilities: &Capabilities, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(most) = capabilities.name_most
        && name.as_str().chars().count() > most
    {
        diagnostics.push(unsupported(span, &format!("give a group a name of more than {most} characters")));
    }
}

fn differing<T: Clone + PartialEq>(wanted: Option<&Spanned<T>>, live: Option<&T>) -> Option<T> {
    wanted.map(|wanted| &wanted.value).filter(|wanted| Some(*wanted) != live).cloned()
}

/// Whether the live members are the wanted ones: in order where order matters, else as a set.
fn same_members<'a>(resolver: &Resolver<'_, 'a>, mode: RingMode, live: &'a [ObjectRef], wanted: &[Handle]) -> bool {
    if live.len() != wanted.len() {
        return false;
    }
    // A member that is gone or not modelled has no handle, and so never equals a wanted one.
    let Some(mut live) = live.iter().map(|member| resolver.live(member)).collect::<Option<Vec<Handle>>>() else {
        return false;
    };
    if mode == RingMode::Sequential || live == wanted {
        return live == wanted;
    }
    let mut wanted = wanted.to_vec();
    live.sort_unstable();
    wanted.sort_unstable();
    live == wanted
}

fn members(resolver: &Resolver<'_, '_>, group: &DesiredRingGroup, diagnostics: &mut Vec<Diagnostic>) -> Vec<Handle> {
    let capabilities = &resolver.directory.live().capabilities;
    let mut handles: Vec<(Handle, Span)> = Vec::with_capacity(group.members.len());
    for member in &group.members {
        match resolver.resolve(&member.value, member.span) {
            Ok(handle) if !capabilities.members.contains(&handle.kind) => {
                diagnostics.push(unsupported(member.span, &format!("put a {} into a ring group", handle.kind)));
            }
            Ok(handle) => handles.push((handle, member.span)),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    report_repeats(resolver, group, &handles, diagnostics);
    for (handle, span) in &handles {
        report_forwarding(resolver, *handle, *span, diagnostics);
    }
    handles.into_iter().map(|(handle, _)| handle).collect()
}

/// Only the account shows that two references are one member: `user/202` and the user's e-mail address.
fn report_repeats(
    resolver: &Resolver<'_, '_>,
    group: &DesiredRingGroup,
    handles: &[(Handle, Span)],
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut sorted = handles.to_vec();
    sorted.sort_unstable();
    for pair in sorted.windows(2) {
        if let [(first, earlier), (second, later)] = pair
            && first == second
        {
            diagnostics.push(
                Diagnostic::new(
                    Rule::DUPLICATE_MEMBER,
                    Some(*later),
                    format!(
                        "`{}/{}` is already a member of `{}`",
                        first.kind,
                        resolver.directory.label(*first),
                        group.name.value
                    ),
                )
                .related(*earlier, "first named here"),
            );
        }
    }
}

fn report_forwarding(resolver: &Resolver<'_, '_>, member: Handle, span: Span, diagnostics: &mut Vec<Diagnostic>) {
    let forwarded = member.kind == Kind::User
        && resolver.directory.live().users.get(member.index as usize).is_some_and(|user| user.always_forwarded);
    if forwarded {
        diagnostics.push(
            Diagnostic::new(
                Rule::ALWAYS_FORWARDED_MEMBER,
                Some(span),
                format!(
                    "`user/{}` forwards every call, so none of their phones ring",
                    resolver.directory.label(member)
                ),
            )
            .hint("turn call forwarding off for this user, or name one of their devices as the member"),
        );
    }
}

fn unsupported(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Rule::UNSUPPORTED_BY_PROVIDER, Some(span), format!("this account cannot {what}"))
}
