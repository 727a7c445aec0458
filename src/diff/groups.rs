//! The fields of ring groups that must be written.

use crate::diag::{Diagnostic, Findings, Rule, attribute};
use crate::model::{
    Capabilities, Declaration, Declared, DesiredRingGroup, ExtensionChoice, FieldName, FieldValues, Handle, Kind,
    LiveAccount, LiveObject, LiveRingGroup, Name, ObjectRef, RingMode, Span, Spanned, Value, WritableKind,
};

use super::delta::GroupDelta;
use super::resolve::{Resolver, unsupported};

/// The groups to make or to change, by handle.
pub(super) fn compare(resolver: &Resolver<'_, '_>, diagnostics: &mut Findings) -> Vec<GroupDelta> {
    let mut deltas = Vec::new();
    let account = resolver.directory.live();
    let pairs = resolver.desired.ring_groups.iter().zip(&resolver.matching.handles);
    for (index, (group, &handle)) in (0u32..).zip(pairs) {
        let mut found = Vec::new();
        let mut fields = declared(resolver, group, handle, &mut found);
        match account.ring_groups.get(handle.index as usize) {
            Some(live) => keep_differing(resolver, &mut fields, live),
            None => add_defaults(&mut fields, &account.capabilities),
        }
        found.extend(extension_choice(account, group, handle, &fields));
        let no_answer = fields.no_answer().flatten().zip(group.no_answer.as_ref());
        found.extend(no_answer.and_then(|(to, written)| resolver.own_number(*to, written.span)));
        found.extend(other_sites(resolver, group, handle, &fields));
        if let Some(name) = fields.name() {
            name_fits(name, group.name.span, &account.capabilities, &mut found);
        }
        attribute(&mut found, Declaration::RingGroup(index));
        diagnostics.extend(found);
        if !fields.is_empty() {
            let renamed = fields.name().is_some();
            deltas.push(GroupDelta { handle, desired: index, renamed, fields });
        }
    }
    deltas.sort_unstable_by_key(|delta| delta.handle);
    deltas
}

/// The declared fields of a group, except those that the policy ignores and those whose targets are not found.
fn declared(
    resolver: &Resolver<'_, '_>,
    group: &DesiredRingGroup,
    handle: Handle,
    diagnostics: &mut Vec<Diagnostic>,
) -> FieldValues<Handle> {
    let declared = Declared::RingGroup(group);
    let mut fields = FieldValues::default();
    for field in declared.kind().fields().filter(|field| !resolver.ignores(handle, *field)) {
        let Some(written) = declared.field(field) else { continue };
        let value = match field {
            FieldName::Members => Ok(Value::References(members(resolver, group, diagnostics))),
            _ => written.value.try_map(|target| resolver.resolve(target, written.span)),
        };
        match value {
            Ok(value) => {
                let value = Spanned { value, span: written.span };
                diagnostics.extend(limit(&resolver.directory.live().capabilities, group, handle, &value));
                fields.insert(field, value.value);
            }
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    fields
}

/// Keeps the fields in which an existing group differs.
fn keep_differing<'a>(resolver: &Resolver<'_, 'a>, fields: &mut FieldValues<Handle>, live: &'a LiveRingGroup) {
    let mode = match fields.get(FieldName::Ring) {
        Some(Value::Ring(mode)) => *mode,
        _ => live.ring,
    };
    let live = LiveObject::RingGroup(live);
    fields.retain(|field, declared| match (live.field(field), declared) {
        (None, _) => false,
        (Some(Value::References(live)), Value::References(declared)) => !same_members(resolver, mode, &live, declared),
        (Some(live), declared) => live.map(|target| resolver.live(target)) != declared.map(|target| Some(*target)),
    });
}

/// Completes the fields of a group that does not exist yet.
fn add_defaults(fields: &mut FieldValues<Handle>, capabilities: &Capabilities) {
    let managed: Vec<FieldName> = fields.fields().collect();
    for field in WritableKind::RingGroup.fields().filter(|field| !managed.contains(field)) {
        let default = match field {
            FieldName::Extension => Value::ChosenByAccount,
            FieldName::Ring => Value::Ring(RingMode::default()),
            FieldName::Members => Value::References(Vec::new()),
            FieldName::RingFor => Value::RingFor(capabilities.ring_for_default),
            FieldName::NoAnswer => Value::None,
            FieldName::Name | FieldName::To | FieldName::Label => continue,
        };
        fields.insert(field, default);
    }
}

/// The finding on a value that the account does not accept.
fn limit(
    capabilities: &Capabilities,
    group: &DesiredRingGroup,
    handle: Handle,
    value: &Spanned<Value<Handle>>,
) -> Option<Diagnostic> {
    let what = match &value.value {
        Value::Reference(target) if *target == handle => {
            let message = format!("the ring group `{}` is its own no-answer target", group.name.value);
            return Some(Diagnostic::new(Rule::SELF_NO_ANSWER, Some(value.span), message));
        }
        Value::Reference(target) if !capabilities.no_answer.contains(&target.kind) => {
            format!("hand an unanswered call to {}", target.kind.with_article())
        }
        Value::References(_) => {
            let most = capabilities.members_most.filter(|most| group.members.len() > *most)?;
            format!("have more than {most} members in a ring group")
        }
        Value::Ring(mode) if !capabilities.ring_modes.contains(mode) => format!("ring {mode}"),
        Value::RingFor(duration) => {
            let range = capabilities.ring_for_least..=capabilities.ring_for_most;
            let step = capabilities.ring_for_step;
            if !range.contains(duration) {
                format!("ring for {duration}, only for {} to {}", range.start(), range.end())
            } else if duration.seconds() % step == 0 {
                return None;
            } else {
                format!("ring for {duration}, only for multiples of {step}s")
            }
        }
        Value::Extension(extension) if !capabilities.extension_fits(extension) => {
            let (least, most) = capabilities.extension_digits;
            format!("give out the extension {extension} ({least} to {most} digits, not reserved)")
        }
        _ => return None,
    };
    Some(unsupported(value.span, &what))
}

/// The finding on an extension number that this account does not let anyone choose, or not any more.
fn extension_choice(
    account: &LiveAccount,
    group: &DesiredRingGroup,
    handle: Handle,
    fields: &FieldValues<Handle>,
) -> Option<Diagnostic> {
    fields.extension()?;
    let exists = account.ring_groups.get(handle.index as usize).is_some();
    let (needed, what) = if exists {
        (ExtensionChoice::Always, "change the extension number of a ring group")
    } else {
        (ExtensionChoice::Creation, "choose the extension number of a ring group")
    };
    let span = group.extension.as_ref().map(|extension| extension.span)?;
    (account.capabilities.extension_choice < needed)
        .then(|| unsupported(span, what).hint("remove the field: the account gives out the number"))
}

/// Findings on targets at another site than the group.
fn other_sites(
    resolver: &Resolver<'_, '_>,
    group: &DesiredRingGroup,
    handle: Handle,
    fields: &FieldValues<Handle>,
) -> Vec<Diagnostic> {
    let no_answer = group.no_answer.as_ref().map_or(group.name.span, |target| target.span);
    let targets = fields.no_answer().flatten().map(|to| (*to, no_answer));
    let members = fields.members().into_iter().flatten().map(|to| (*to, group.members_span));
    targets.into_iter().chain(members).filter_map(|(to, span)| resolver.other_site(handle, to, span)).collect()
}

fn name_fits(name: &Name, span: Span, capabilities: &Capabilities, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(most) = capabilities.name_most
        && name.as_str().chars().count() > most
    {
        diagnostics.push(unsupported(span, &format!("give a group a name of more than {most} characters")));
    }
}

/// Whether the live members are the wanted ones: in order where order matters, else as a set.
fn same_members<'a>(resolver: &Resolver<'_, 'a>, mode: RingMode, live: &[&'a ObjectRef], wanted: &[Handle]) -> bool {
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
                diagnostics
                    .push(unsupported(member.span, &format!("put {} into a ring group", handle.kind.with_article())));
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
