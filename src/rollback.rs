//! The desired state that takes a run back, from what the run did and the account as it is now.
//!
//! It is an ordinary [`Desired`], so order, guards, digest and preconditions are those of any plan. An object is part of
//! it only if every field that the run wrote still has the value that the run left, or already the one before. Every
//! other object is a [`Conflict`]: it is listed with its reason and left alone, together with what cannot be taken back
//! without it.

mod after_rollback;
mod effects;
mod live_index;
mod net_effect;
mod reversal;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::Run;
use crate::model::{ChangeId, Desired, FieldName, FieldValue, LiveAccount, ObjectLabel, Span};

use effects::Effects;
use reversal::Reversals;

/// What takes a run back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// The desired state, without the objects in conflict.
    pub desired: Desired,
    /// What is left alone, in the order of the run's changes.
    pub conflicts: Vec<Conflict>,
}

/// Why an object is left alone; one of perhaps several reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// The run's last change to the object.
    pub change: ChangeId,
    /// The object, as the run's plan called it.
    pub object: ObjectLabel,
    /// The field that stands in the way, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<FieldName>,
    /// What the run left there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<FieldValue>,
    /// What is there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<FieldValue>,
    /// The reason, as a sentence without a full stop. It may hold names from the account: untrusted text.
    pub why: String,
}

/// Finds what takes the run back.
///
/// `template` gives the account's name, its files and its policy, also that of earlier revisions; what it declares
/// is not used, and nothing is pruned. `span` is the place that every object gets.
pub fn rollback(run: &Run, live: &LiveAccount, template: Desired, span: Span) -> Rollback {
    let past = Effects::new(run, live);
    let mut conflicts = past.conflicts.clone();
    let mut reversals = Reversals::new(&past, &template.policy, &mut conflicts);
    reversals.remove_conflicting(&mut conflicts);
    let Desired { numbers, ring_groups, absent, .. } = reversals.desired(span);
    let mut desired = Desired { numbers, ring_groups, absent, ..template };
    desired.policy.prune_ring_groups = None;
    conflicts.sort_by_key(|conflict| conflict.change);
    Rollback { desired, conflicts }
}
