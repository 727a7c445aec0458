//! What of an account an export has. The rest stays unmanaged; what is chosen may still point at it.

use std::collections::HashSet;

use crate::model::{E164, LiveNumber, LiveRingGroup, ObjectId};

/// What of an account is exported; without a list of a kind, everything of that kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub numbers: Option<HashSet<E164>>,
    /// The ring groups, by the vendor's ids: names need not be unique.
    pub ring_groups: Option<HashSet<ObjectId>>,
}

impl Choice {
    pub(super) fn has_number(&self, number: &LiveNumber) -> bool {
        self.numbers.as_ref().is_none_or(|chosen| chosen.contains(&number.number))
    }

    pub(super) fn has_ring_group(&self, group: &LiveRingGroup) -> bool {
        self.ring_groups.as_ref().is_none_or(|chosen| chosen.contains(&group.id))
    }
}
