//! Two accounts of one run with one address: their plans would contradict each other, and a guard of one would not
//! hold for the other.

use std::collections::HashMap;

use crate::check::address::Address;
use crate::diag::{Diagnostic, Rule};

use super::load::{Account, Loaded};

/// Leaves out every account at the address of an earlier one, unless what the two own is apart, and reports it.
pub(super) fn refuse(loaded: &mut Loaded) {
    let mut kept: HashMap<Address, Vec<usize>> = HashMap::new();
    let mut accounts: Vec<Account> = Vec::with_capacity(loaded.accounts.len());
    for account in std::mem::take(&mut loaded.accounts) {
        let same = account.address().map(|address| kept.entry(address).or_default());
        let overlaps = |first: &&Account| !scope(first).is_disjoint(scope(&account));
        let first = same.iter().flat_map(|same| same.iter()).filter_map(|at| accounts.get(*at)).find(overlaps);
        if let Some(first) = first {
            loaded.diagnostics.push(finding(&account, first));
            continue;
        }
        if let Some(same) = same {
            same.push(accounts.len());
        }
        accounts.push(account);
    }
    loaded.accounts = accounts;
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
