//! What a plan leaves out, object by object.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{E164, Kind, Place};

/// A declared object that the plan leaves as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// The kind of the object.
    pub kind: Kind,
    /// The number, or the name: the account's if the object exists, else the files'.
    pub name: String,
    /// Why, for programs.
    pub cause: Cause,
    /// Why, as one sentence without a full stop. It may hold names from the account, so it is untrusted text.
    pub reason: String,
    /// The rule that the declaration breaks, if it is invalid itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where the files declare it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

crate::model::words! {
    /// Why an object is left out.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Cause {
        /// Its declaration is invalid.
        Invalid = "invalid",
        /// It depends on something else that is left out.
        Depends = "depends",
        /// It would be deleted or unassigned, and nothing is while a declaration is invalid.
        Degraded = "degraded",
        /// A guard on single objects holds it back.
        Blocked = "blocked",
    }
}

impl Skipped {
    /// The number, if the object is one.
    pub fn number(&self) -> Option<E164> {
        (self.kind == Kind::Number).then(|| self.name.parse().ok()).flatten()
    }
}
