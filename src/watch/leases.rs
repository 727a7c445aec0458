//! Which live accounts the loops are at, so that no two of them take back what the other does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::check::address::Address;
use crate::config::Account;
use crate::model::Scope;
use crate::providers::{FetchedAccount, Identity};

use super::handle::Handle;
use super::wake::Reason;

/// Which live account was read.
pub fn identity(account: &Account, read: &FetchedAccount) -> Identity<Address> {
    let remote = account.settings.provider.endpoint().is_some();
    Identity::new(read, account.address(), remote)
}

/// The live accounts of all loops, by the names of the accounts.
#[derive(Default)]
pub(super) struct Claims {
    claims: Mutex<HashMap<Box<str>, Claim>>,
}

struct Claim {
    identity: Identity<Address>,
    scope: Scope,
    handle: Handle,
    /// The account that is the same one.
    with: Option<Box<str>>,
}

impl Claims {
    /// Notes what was read; returns the name of another account that is the same live account, unless what the two own
    /// is apart. The other one is woken, to learn it as well.
    pub(super) fn claim(
        &self,
        name: &str,
        account: &Account,
        read: &FetchedAccount,
        handle: &Handle,
    ) -> Option<Box<str>> {
        let (identity, scope) = (identity(account, read), account.desired.policy.guards.scope.clone());
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let same = claims.iter().filter(|(other, claim)| {
            ***other != *name && claim.identity.is_same(&identity) && !claim.scope.is_disjoint(&scope)
        });
        let with = same.map(|(other, _)| other.clone()).min();
        if let Some(other) = with.as_ref().and_then(|other| claims.get_mut(other))
            && other.with.as_deref() != Some(name)
        {
            other.with = Some(name.into());
            other.handle.resume(Reason::Files);
        }
        claims.insert(name.into(), Claim { identity, scope, handle: handle.clone(), with: with.clone() });
        with
    }

    /// The account is not watched any longer.
    pub(super) fn release(&self, name: &str) {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}
