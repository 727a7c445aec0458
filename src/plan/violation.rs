//! What a guard has found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ChangeId, Place};

/// A guard's finding: the plan may be right, but it is applied only with an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuardViolation {
    /// Which guard.
    pub guard: Guard,
    /// Why it holds them back, as one sentence without a full stop. It may have names from the account, so it is
    /// untrusted text.
    pub message: String,
    /// The changes that it holds back, in the order of the plan.
    pub changes: Vec<ChangeId>,
    /// Where the policy says so; absent for a default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

crate::model::words! {
    /// A guard.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Guard {
        /// More changes of a verb and kind than one run may make.
        Cap = "cap",
        /// A change of where a protected number leads, or of a protected ring group.
        Protected = "protected",
        /// The files declare nothing, or next to nothing, and pruning would empty the account.
        NearlyEmpty = "nearly-empty",
        /// An object outside of what these files own.
        Scope = "scope",
        /// A new destination outside of the account that `policy.external` does not list.
        External = "external",
        /// What guarded the account before this change should be known, and is not.
        Base = "base",
        /// No window for changes is open.
        Window = "window",
        /// The policy suspends all changes.
        Suspended = "suspended",
        /// A policy protects what the account does not have, so it may be any of the objects that change.
        UnknownProtected = "unknown-protected",
        /// Another owner manages the account, or a part of it that these files have as well.
        Owner = "owner",
    }
}

impl Guard {
    /// Whether an approval of the plan passes it. An approval is about the changes, not about the owner of the account,
    /// which has an option of its own: `--take-over`.
    pub fn is_approvable(self) -> bool {
        self != Self::Owner
    }

    /// Whether it depends on the time: closed windows and suspensions.
    pub fn is_freeze(self) -> bool {
        matches!(self, Self::Window | Self::Suspended)
    }
}
