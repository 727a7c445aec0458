//! The guard `owner`, and the claim that is made before the first change.
//!
//! Unlike the other guards it judges who writes, not what is written: it checks the claims that the account has now, no
//! policy loosens it, and no approval passes it.

use crate::diag::first_few;
use crate::model::{AccountInfo, Claim, Desired, LiveClaim, OwnerName};
use crate::text::sanitized;

use super::types::Plan;
use super::violation::{Guard, GuardViolation};

/// At most so many other owners are named; the rest are counted.
const NAMED: usize = 3;
/// At most so many characters of a text of the account.
const MOST: usize = 200;

impl Plan {
    /// Holds all changes back if another owner manages what these files manage, unless the account is taken over. Sets
    /// the claim that is made before the first change. Replaces what an earlier call found.
    pub fn claim(&mut self, desired: &Desired, account: &AccountInfo, take_over: bool) {
        self.blocked.retain(|block| block.guard != Guard::Owner);
        self.claim = None;
        let Some(owners) = account.owners.as_ref().filter(|_| !self.is_empty()) else { return };
        let scope = &desired.policy.guards.scope;
        let owner = desired.owner.as_ref();
        let others = other_claims(desired, account);
        if !may_write(desired, &others, take_over) {
            let changes = self.changes.iter().map(|change| change.id).collect();
            self.blocked.push(GuardViolation {
                guard: Guard::Owner,
                message: message(&others, owner),
                changes,
                place: None,
            });
        } else if let Some(owner) = owner {
            let claim = Claim {
                owner: owner.clone(),
                account: desired.account.clone(),
                scope: scope.clone(),
                take_over: others.iter().copied().cloned().collect(),
            };
            let is_made = others.is_empty() && owners.iter().any(|known| known.fulfils(&claim));
            self.claim = (!is_made).then_some(claim);
        }
    }
}

/// Why another owner's claim blocks all changes to the account, if one does.
pub fn owner_conflict(desired: &Desired, account: &AccountInfo, take_over: bool) -> Option<String> {
    let others = other_claims(desired, account);
    (!may_write(desired, &others, take_over)).then(|| message(&others, desired.owner.as_ref()))
}

fn other_claims<'a>(desired: &Desired, account: &'a AccountInfo) -> Vec<&'a LiveClaim> {
    let (owner, scope) = (desired.owner.as_ref(), &desired.policy.guards.scope);
    account.owners.iter().flatten().filter(|claim| claim.conflicts(owner, scope)).collect()
}

/// Files without an owner cannot take an account over, because a claim needs a name.
fn may_write(desired: &Desired, others: &[&LiveClaim], take_over: bool) -> bool {
    others.is_empty() || (take_over && desired.owner.is_some())
}

fn message(others: &[&LiveClaim], owner: Option<&OwnerName>) -> String {
    let named = others.iter().map(|claim| {
        let part =
            if claim.scope.is_whole() { "the account" } else { "a part of the account that these files have, too," };
        format!(
            "{} manages {part} as `{}` since {}",
            sanitized(&claim.owner, MOST),
            sanitized(&claim.account, MOST),
            sanitized(&claim.since, 40)
        )
    });
    let text = first_few(&named.collect::<Vec<_>>(), NAMED, ", ");
    let remedy = match owner {
        Some(owner) => format!(
            "these files are those of {owner}: add `--take-over` if they manage it from now on, or correct `account.owner` \
             if they are the same owner's"
        ),
        None => "whose these files are is not known (no `origin`, or no whole history, of a git repository): write \
                 `account.owner`"
            .to_owned(),
    };
    format!("{text}; {remedy}")
}
