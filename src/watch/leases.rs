//! Which live account each loop manages, so that no two loops undo each other's changes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::check::address::Address;
use crate::config::Account;
use crate::model::Scope;
use crate::providers::{FetchedAccount, Identity};

use super::handle::{Handle, Reason};

/// The identity of the live account that was read.
pub fn identity(account: &Account, read: &FetchedAccount) -> Identity<Address> {
    let remote = account.settings.provider.endpoint().is_some();
    Identity::new(read, account.address(), remote)
}

/// The live accounts of all loops, by account name.
#[derive(Default)]
pub(super) struct Claims {
    claims: Mutex<HashMap<Box<str>, Claim>>,
}

struct Claim {
    identity: Identity<Address>,
    scope: Scope,
    handle: Handle,
    /// Another account that is the same live account.
    conflict: Option<Box<str>>,
}

impl Claims {
    /// Records what was read; returns the name of another account that is the same live account with an overlapping
    /// scope. The loop of that one is woken, so that it reports the conflict, too.
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
        let conflict = same.map(|(other, _)| other.clone()).min();
        if let Some(other) = conflict.as_ref().and_then(|other| claims.get_mut(other))
            && other.conflict.as_deref() != Some(name)
        {
            other.conflict = Some(name.into());
            other.handle.resume(Reason::Files);
        }
        claims.insert(name.into(), Claim { identity, scope, handle: handle.clone(), conflict: conflict.clone() });
        conflict
    }

    pub(super) fn release(&self, name: &str) {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}
