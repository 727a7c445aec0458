//! A policy of the base revision that cannot be read.
//!
//! It is unknown what that policy would have held back, so every change waits for an approval. Without this guard, a
//! pipeline without history would run without guards.

use crate::model::Base;

use super::{Guard, GuardContext, GuardViolation};

/// A block of all changes for each policy that is not known.
pub(super) fn evaluate(case: &GuardContext<'_>) -> Vec<GuardViolation> {
    let unread = case.desired.base.iter().filter_map(|base| match base {
        Base::Unread(why) => Some(why),
        Base::Read(_) => None,
    });
    let all = || case.changes.iter().map(|change| change.id).collect();
    unread
        .map(|why| GuardViolation { guard: Guard::Base, message: why.to_string(), changes: all(), place: None })
        .collect()
}
