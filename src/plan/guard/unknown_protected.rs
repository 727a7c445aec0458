//! Protection of what the account does not have.
//!
//! A group that was renamed in the portal, or a number with a wrong digit: what the policy protects is there under
//! another name, and any change may be of it. So every change waits, as it does where a policy cannot be read. A
//! `renamed_from` of the files counts for their own policy only: it could pass another group for the one that was
//! protected before.

use std::collections::{BTreeMap, HashSet};

use crate::diag::first_few;
use crate::model::{NameKey, Span};

use super::{Guard, GuardContext, GuardViolation, NAMED, PolicySource};

/// A block of all changes for each policy that protects what is not there.
pub(super) fn evaluate(case: &GuardContext<'_>) -> Vec<GuardViolation> {
    if case
        .policies
        .iter()
        .all(|policy| policy.guards.protect.groups.is_empty() && policy.guards.protect.numbers.is_empty())
    {
        return Vec::new();
    }
    let Known { live, renamed, declared } = known(case);
    let mut blocks = Vec::new();
    // What the files protect is not reported again for the base revisions.
    let mut said: HashSet<String> = HashSet::new();
    for policy in &case.policies {
        let mut unknown: BTreeMap<String, Span> = BTreeMap::new();
        let protect = &policy.guards.protect;
        for (number, span) in &protect.numbers {
            if case.live.numbers.binary_search_by_key(number, |live| live.number).is_err() {
                unknown.insert(number.to_string(), *span);
            }
        }
        for (key, entry) in &protect.groups {
            let aliases = protect.aliases.iter().filter(|(_, meant)| *meant == key).map(|(alias, _)| alias);
            // What these files only just make or rename can be what they protect, but not what was protected before.
            let is_own = policy.revision.is_none() && (declared.contains(key) || renamed.contains(key));
            if !is_own && !std::iter::once(key).chain(aliases).any(|key| live.contains(key)) {
                unknown.insert(entry.value.to_string(), entry.span);
            }
        }
        unknown.retain(|what, _| said.insert(what.clone()));
        blocks.extend(block(case, *policy, &unknown));
    }
    blocks
}

fn block(
    case: &GuardContext<'_>,
    policy: PolicySource<'_>,
    unknown: &BTreeMap<String, Span>,
) -> Option<GuardViolation> {
    let (_, first) = unknown.first_key_value()?;
    let names: Vec<&str> = unknown.keys().map(String::as_str).collect();
    let message = format!(
        "`protect` lists {}, which the account does not have, so any change may be of it",
        first_few(&names, NAMED, ", ")
    );
    let changes = case.changes.iter().map(|change| change.id).collect();
    Some(GuardViolation { changes, ..case.block(Guard::UnknownProtected, policy, Some(*first), message) })
}

/// Names and extension numbers of ring groups.
#[derive(Default)]
struct Known {
    /// Those that the account has.
    live: HashSet<NameKey>,
    /// Those before a rename that the files declare and the account shows.
    renamed: HashSet<NameKey>,
    /// Those that the files declare.
    declared: HashSet<NameKey>,
}

fn known(case: &GuardContext<'_>) -> Known {
    let mut known = Known::default();
    if case.policies.iter().all(|policy| policy.guards.protect.groups.is_empty()) {
        return known;
    }
    for group in &case.live.ring_groups {
        known.live.insert(group.name.key());
        known.live.extend(group.extension.as_ref().map(|extension| NameKey::of(extension.as_str())));
    }
    for group in &case.desired.ring_groups {
        let name = group.name.value.key();
        if let Some(former) = group.renamed_from.as_ref().filter(|_| known.live.contains(&name)) {
            known.renamed.insert(former.value.key());
        }
        known.declared.insert(name);
        known.declared.extend(group.extension.as_ref().map(|extension| NameKey::of(extension.value.as_str())));
    }
    known
}
