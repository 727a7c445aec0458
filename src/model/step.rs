//! The vendor calls of one change.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Change, FieldName, LiveObject};

/// One vendor call of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Step {
    /// What it does, such as `put members`. Unique within its change.
    pub name: Box<str>,
    /// The fields of the change that it writes; none if it only prepares for another step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldName>,
    /// How many requests it costs, with the readings that go with it.
    pub calls: u32,
}

/// Divides a change into the calls of one vendor. Pure, so that a plan shows and prices the real calls.
type Division = fn(&Change, Option<LiveObject<'_>>) -> Vec<Step>;

/// How a vendor's changes divide into steps.
#[derive(Clone, Copy)]
pub struct Steps(Division);

impl Steps {
    /// A division that takes the change, and its object as it was read unless the change creates it. It returns no step for a
    /// change that is a single call.
    pub fn new(division: Division) -> Self {
        Self(division)
    }

    pub fn of(&self, change: &Change, live: Option<LiveObject<'_>>) -> Vec<Step> {
        (self.0)(change, live)
    }
}

impl Default for Steps {
    /// Every change is a single call.
    fn default() -> Self {
        Self(|_, _| Vec::new())
    }
}

impl PartialEq for Steps {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for Steps {}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Steps")
    }
}
