//! Names and extension numbers are unique in an account, once the file is true.

use foldhash::{HashMap, HashSet};

use crate::diag::{Diagnostic, Findings, Rule};
use crate::model::{Declaration, DesiredRingGroup, Handle, Kind, NameKey, Span};

use super::resolve::Resolver;

/// Reports extension numbers and names that something else keeps.
pub(super) fn check(resolver: &Resolver<'_, '_>, diagnostics: &mut Findings) {
    let mut given: HashMap<&str, (Span, u32)> = HashMap::default();
    for (index, (group, &handle)) in (0u32..).zip(resolver.desired.ring_groups.iter().zip(&resolver.matching.handles)) {
        let own = Declaration::RingGroup(index);
        if let Some(extension) = resolver.extension(group, handle) {
            if let Some((first, other)) = given.insert(extension.value.as_str(), (extension.span, index)) {
                let text = format!("extension {} is given twice", extension.value);
                diagnostics.push(
                    Diagnostic::new(Rule::EXTENSION_TAKEN, Some(extension.span), text)
                        .related(first, "first given here")
                        .of(own)
                        .of(Declaration::RingGroup(other)),
                );
            }
            let live = resolver.directory.live().ring_groups.get(handle.index as usize);
            let has = live.is_some_and(|live| live.extension.as_ref() == Some(&extension.value));
            if let Some(one) = resolver.directory.unreadable_extension(&extension.value).filter(|_| !has) {
                let text = format!(
                    "extension {} belongs to `{}/{}`, which cannot be read",
                    extension.value, one.kind, one.name
                );
                let finding = Diagnostic::new(Rule::EXTENSION_TAKEN, Some(extension.span), text);
                diagnostics.push(finding.hint("choose a free extension number").of(own));
            }
            if let Some(holder) = keeper(resolver, extension.value.as_str(), handle) {
                diagnostics.push(taken(resolver, group, extension.span, holder).of(own));
            }
        }
    }
    names(resolver, diagnostics);
}

/// Who has the extension now and keeps it.
fn keeper(resolver: &Resolver<'_, '_>, extension: &str, wanted_by: Handle) -> Option<Handle> {
    resolver.directory.by_extension(extension).iter().copied().find(|&holder| {
        if holder == wanted_by {
            return false;
        }
        if holder.kind != Kind::RingGroup {
            return true;
        }
        match resolver.matching.desired_of.get(holder.index as usize).copied().flatten() {
            // It gives the number up if its own block asks for another.
            Some(desired) => resolver.desired.ring_groups.get(desired as usize).is_some_and(|group| {
                resolver.extension(group, holder).is_none_or(|own| own.value.as_str() == extension)
            }),
            None => !resolver.is_absent(holder),
        }
    })
}

fn taken(resolver: &Resolver<'_, '_>, group: &DesiredRingGroup, span: Span, holder: Handle) -> Diagnostic {
    let label = resolver.directory.label(holder);
    let extension = group.extension.as_ref().map(|extension| extension.value.to_string()).unwrap_or_default();
    let diagnostic = Diagnostic::new(
        Rule::EXTENSION_TAKEN,
        Some(span),
        format!("extension {extension} belongs to `{}/{label}`", holder.kind),
    );
    let unmanaged = resolver.matching.desired_of.get(holder.index as usize).copied().flatten().is_none();
    if holder.kind == Kind::RingGroup && unmanaged {
        diagnostic.hint(format!("if that is the same group, add `renamed_from: {label}`"))
    } else {
        diagnostic.hint("choose a free extension number")
    }
}

/// Reports the new names of groups that something else has.
fn names(resolver: &Resolver<'_, '_>, diagnostics: &mut Findings) {
    let live = &resolver.directory.live().ring_groups;
    let pairs = resolver.desired.ring_groups.iter().zip(&resolver.matching.handles);
    let new: Vec<(u32, &DesiredRingGroup, NameKey)> = (0u32..)
        .zip(pairs)
        .map(|(at, (group, handle))| (at, group, live.get(handle.index as usize).map(|existing| &existing.name)))
        // Nearly every name is written as the account has it.
        .filter(|(_, group, existing)| *existing != Some(&group.name.value))
        .map(|(at, group, existing)| (at, group, existing, group.name.value.key()))
        .filter(|(_, _, existing, key)| existing.is_none_or(|existing| existing.key() != *key))
        .map(|(at, group, _, key)| (at, group, key))
        .collect();
    if new.is_empty() {
        return;
    }
    let keys: HashSet<&str> = new.iter().map(|(_, _, key)| key.as_str()).collect();
    let taken =
        [Kind::User, Kind::Receptionist, Kind::Conference].map(|kind| (kind, resolver.directory.taken(kind, &keys)));
    for (at, group, key) in &new {
        for (kind, _) in taken.iter().filter(|(_, taken)| taken.contains(key.as_str())) {
            diagnostics.push(
                Diagnostic::new(
                    Rule::NAME_TAKEN,
                    Some(group.name.span),
                    format!("a {kind} of the account is already called `{}`", group.name.value),
                )
                .hint("names are unique among all extensions of an account: choose another")
                .of(Declaration::RingGroup(*at)),
            );
        }
    }
}
