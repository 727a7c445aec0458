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
        let live = account.ring_groups.get(handle.index as usize);
        let to_write = |field| {
            let declared = declared(resolver, group, handle, field, &mut found);
            let value = match live {
                Some(live) => declared.filter(|value| differs(resolver, live, (group, handle), field, value)),
                None => declared.or_else(|| default(field, &account.capabilities)),
            };
            Some((field, value?))
        };
        let fields: FieldValues<Handle> = WritableKind::RingGroup.fields().filter_map(to_write).collect();
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

/// The declared value of a field, unless the policy ignores it or its target is not found.
fn declared(
    resolver: &Resolver<'_, '_>,
    group: &DesiredRingGroup,
    handle: Handle,
    field: FieldName,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Value<Handle>> {
    if resolver.ignores(handle, field) {
        return None;
    }
    let (value, span) = if field == FieldName::Members {
        (Value::References(members(resolver, group, diagnostics)), group.members_span)
    } else {
        let Spanned { value, span } = Declared::RingGroup(group).field(field)?;
        let value = value.try_map(|target| resolver.resolve(target, span));
        (value.map_err(|diagnostic| diagnostics.push(*diagnostic)).ok()?, span)
    };
    diagnostics.extend(limit(&resolver.directory.live().capabilities, group, handle, &value, span));
    Some(value)
}

/// Whether a field of an existing group has another value than the declared one.
fn differs<'a>(
    resolver: &Resolver<'_, 'a>,
    live: &'a LiveRingGroup,
    (group, handle): (&DesiredRingGroup, Handle),
    field: FieldName,
    declared: &Value<Handle>,
) -> bool {
    match (LiveObject::RingGroup(live).field(field), declared) {
        (Some(Value::References(members)), Value::References(declared)) => {
            let ring = group.ring.filter(|_| !resolver.ignores(handle, FieldName::Ring));
            let mode = ring.map_or(live.ring, |ring| ring.value);
            !same_members(resolver, mode, &members, declared)
        }
        // A target that is gone or not modelled has no handle, and so never equals a declared one.
        (Some(live), declared) => live.try_map(|target| resolver.live(target).ok_or(())).as_ref() != Ok(declared),
        (None, _) => false,
    }
}

/// The value of a field of a new group whose file has none.
fn default(field: FieldName, capabilities: &Capabilities) -> Option<Value<Handle>> {
    Some(match field {
        FieldName::Extension => Value::ChosenByAccount,
        FieldName::Ring => Value::Ring(RingMode::default()),
        FieldName::Members => Value::References(Vec::new()),
        FieldName::RingFor => Value::RingFor(capabilities.ring_for_default),
        FieldName::NoAnswer => Value::None,
        FieldName::Name | FieldName::To | FieldName::Label => return None,
    })
}

/// The finding on a value that the account does not accept.
fn limit(
    capabilities: &Capabilities,
    group: &DesiredRingGroup,
    handle: Handle,
    value: &Value<Handle>,
    span: Span,
) -> Option<Diagnostic> {
    let what = match value {
        Value::Reference(target) if *target == handle => {
            let message = format!("the ring group `{}` is its own no-answer target", group.name.value);
            return Some(Diagnostic::new(Rule::SELF_NO_ANSWER, Some(span), message));
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
    Some(unsupported(span, &what))
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
