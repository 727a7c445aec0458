//! Two accounts of one run with one address: their plans would contradict each other, and a guard of one would not
//! hold for the other.

use std::collections::{BTreeSet, HashMap};

use crate::check::address::Address;
use crate::diag::{Diagnostic, Rule};

use super::account::{Account, Loaded};

/// Refuses the accounts that share an address, unless what they own is apart: none of them is the right one.
pub(super) fn refuse(loaded: &mut Loaded) {
    let Loaded { accounts, invalid, diagnostics, .. } = loaded;
    let mut shared: HashMap<Address, Vec<usize>> = HashMap::new();
    let mut refused = BTreeSet::new();
    for (at, account) in accounts.iter().enumerate() {
        let Some(address) = account.address() else { continue };
        let same = shared.entry(address).or_default();
        let overlaps =
            |first: &&usize| accounts.get(**first).is_some_and(|first| !scope(first).is_disjoint(scope(account)));
        let before = same.iter().filter(overlaps).copied().collect::<Vec<_>>();
        if let Some(first) = before.first().and_then(|first| accounts.get(*first)) {
            diagnostics.push(finding(account, first));
            refused.extend(before);
            refused.insert(at);
        }
        same.push(at);
    }
    for (at, account) in std::mem::take(accounts).into_iter().enumerate() {
        if refused.contains(&at) { invalid.push(account.invalid()) } else { accounts.push(account) }
    }
}

fn scope(account: &Account) -> &crate::model::Scope {
    &account.desired.policy.guards.scope
}

fn finding(account: &Account, first: &Account) -> Diagnostic {
    let (name, first_name) = (&account.settings.name, &first.settings.name);
    let message = format!("`{name}` and `{first_name}` are one account: they have the same address");
    Diagnostic::new(Rule::ONE_ACCOUNT_TWICE, Some(account.settings.provider_span), message)
        .related(first.settings.provider_span, format!("`{first_name}` is reached here"))
        .hint(
            "remove one of them or correct its address; to share an account, give each a `policy.scope` with both \
             lists, so that no two overlap",
        )
}
