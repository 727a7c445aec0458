//! Who manages an account, or a part of it: the owners that the account knows, and the one that a run is of.
//!
//! Two owners whose scopes overlap would undo each other's work. What an account says of its owners is untrusted text.

use std::fmt;
use std::str::FromStr;

use super::{ObjectId, Scope};

/// What an owner calls itself: 1 to 200 visible ASCII characters, so that no two look the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerName(Box<str>);

/// Why a text is not the name of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of an owner has 1 to 200 visible ASCII characters")]
pub struct OwnerNameError;

/// A claim that an account knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveClaim {
    /// The vendor's id.
    pub id: ObjectId,
    /// The owner. Untrusted text.
    pub owner: Box<str>,
    /// What the owner calls the account. Untrusted text.
    pub account: Box<str>,
    /// What is claimed; everything, if the account says it in a way that this version does not know.
    pub scope: Scope,
    /// Since when, as the account says it. Untrusted text.
    pub since: Box<str>,
}

/// A claim to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub owner: OwnerName,
    /// What its files call the account.
    pub account: Box<str>,
    pub scope: Scope,
    /// The claims of other owners that end with it.
    pub take_over: Vec<LiveClaim>,
}

impl OwnerName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OwnerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for OwnerName {
    type Err = OwnerNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sound = (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        sound.then(|| Self(text.into())).ok_or(OwnerNameError)
    }
}

impl LiveClaim {
    /// Whether this is what the claim asks for.
    pub fn fulfils(&self, claim: &Claim) -> bool {
        *self.owner == *claim.owner.as_str() && self.account == claim.account && self.scope.is_same(&claim.scope)
    }

    /// Whether it is of another owner, and of something that the scope has as well.
    pub fn conflicts(&self, owner: Option<&OwnerName>, scope: &Scope) -> bool {
        owner.is_none_or(|owner| *self.owner != *owner.as_str()) && !self.scope.is_disjoint(scope)
    }
}
