//! What a guard holds back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ChangeId, Place};

/// A guard's finding: the plan may be right, but nobody applies it without having said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// Which guard.
    pub guard: Guard,
    /// What it has against the changes, as one sentence without a full stop. It may hold names from the
    /// account, so it is untrusted text.
    pub message: String,
    /// The changes that it holds back, in the order of the plan.
    pub changes: Vec<ChangeId>,
    /// Where the policy says so; absent for a default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// More changes of a verb and kind than one run may make.
    Cap,
    /// A change of where a protected number leads, or of a protected ring group.
    Protected,
    /// The files declare nothing, or next to nothing, and pruning would empty the account.
    NearlyEmpty,
    /// An object outside of what these files own.
    Scope,
    /// What guarded the account before this change should be known, and is not.
    Base,
    /// No window for changes is open.
    Window,
    /// The policy suspends all changes.
    Suspended,
    /// A policy protects what the account does not have, so that nobody knows what is meant.
    UnknownProtected,
    /// Another owner manages the account, or a part of it that these files have as well.
    Owner,
}

impl Guard {
    /// The guard as documents and messages call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cap => "cap",
            Self::Protected => "protected",
            Self::NearlyEmpty => "nearly-empty",
            Self::Scope => "scope",
            Self::Base => "base",
            Self::Window => "window",
            Self::Suspended => "suspended",
            Self::UnknownProtected => "unknown-protected",
            Self::Owner => "owner",
        }
    }

    /// Whether an approval of the plan passes it. Who owns the account is no question of what the plan does to it: that
    /// has a word of its own, `--take-over`.
    pub fn is_approvable(self) -> bool {
        self != Self::Owner
    }

    /// Whether it depends on the time: closed windows and suspensions.
    pub fn is_freeze(self) -> bool {
        matches!(self, Self::Window | Self::Suspended)
    }
}
