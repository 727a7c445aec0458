//! Two accounts of one run with one address: their plans would contradict each other, and a guard of one would not
//! hold for the other.

use std::collections::{BTreeSet, HashMap};

use crate::check::address::Address;

use super::account::Loaded;

/// Refuses the accounts that share an address, unless what they own is apart: none of them is the right one.
pub(super) fn refuse(loaded: &mut Loaded) {
    let Loaded { accounts, invalid, diagnostics, .. } = loaded;
    let mut shared: HashMap<Address, Vec<usize>> = HashMap::new();
    let mut refused = BTreeSet::new();
    for (at, account) in accounts.iter().enumerate() {
        let Some(address) = account.address() else { continue };
        let same = shared.entry(address).or_default();
        let overlaps =
            |first: &&usize| accounts.get(**first).is_some_and(|first| !first.scope().is_disjoint(account.scope()));
        let before = same.iter().filter(overlaps).copied().collect::<Vec<_>>();
        if let Some(first) = before.first().and_then(|first| accounts.get(*first)) {
            diagnostics.push(account.same_as(first, "one account: they have the same address"));
            refused.extend(before);
            refused.insert(at);
        }
        same.push(at);
    }
    for (at, account) in std::mem::take(accounts).into_iter().enumerate() {
        if refused.contains(&at) { invalid.push(account.invalid()) } else { accounts.push(account) }
    }
}
