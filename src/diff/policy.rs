//! What can be said about the policy once the account is known.

use std::collections::HashSet;

use crate::diag::{Diagnostic, Findings, Rule};
use crate::model::{Desired, Directory, Found, NameKey};

/// Reports files that declare nothing of an account that has something, and protection of what does not exist.
pub(super) fn check(desired: &Desired, directory: &Directory<'_>, diagnostics: &mut Findings) {
    let live = directory.live();
    let declared = desired.numbers.len() + desired.ring_groups.len() + desired.absent.len();
    if declared == 0 && live.numbers.len() + live.ring_groups.len() > 0 {
        let message = format!(
            "the files of `{}` declare nothing, and the account has {} numbers and {} ring groups",
            desired.account,
            live.numbers.len(),
            live.ring_groups.len()
        );
        diagnostics.push(
            Diagnostic::new(Rule::NOTHING_LEFT, desired.policy.prune_ring_groups, message)
                .hint("if a file was lost, restore it; `strowger export` writes what the account has"),
        );
    }
    protected(desired, directory, diagnostics);
}

fn protected(desired: &Desired, directory: &Directory<'_>, diagnostics: &mut Findings) {
    let protect = &desired.policy.guards.protect;
    let mut report = |span, what: String| {
        let message = format!("`policy.protect` lists {what}, which neither the account nor the files have");
        let hint = "write it as the account has it now, or remove the entry";
        diagnostics.push(Diagnostic::new(Rule::UNKNOWN_PROTECTED, Some(span), message).hint(hint));
    };
    for (number, span) in &protect.numbers {
        if directory.live().numbers.binary_search_by_key(number, |live| live.number).is_err() {
            report(*span, number.to_string());
        }
    }
    if protect.groups.is_empty() {
        return;
    }
    let names = desired.ring_groups.iter().map(|group| group.name.value.key());
    let extensions = desired.ring_groups.iter().filter_map(|group| group.extension.as_ref());
    let declared: HashSet<NameKey> =
        names.chain(extensions.map(|extension| NameKey::of(extension.value.as_str()))).collect();
    for (key, reference) in &protect.groups {
        let exists = directory.find(&reference.value) != Found::None || directory.unreadable_group(key).is_some();
        if !exists && !declared.contains(key) {
            report(reference.span, format!("`{}`", reference.value));
        }
    }
}
