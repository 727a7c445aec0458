//! A policy before this change that should be known and is not.
//!
//! What it would have held back is anybody's guess, so every change waits until somebody has read the plan. A
//! guard that falls silent where history is missing would be off in the very pipelines that it is for.

use crate::model::Base;

use super::{Block, Guard, GuardContext};

/// A block of all changes for each policy that is not known.
pub(super) fn evaluate(case: &GuardContext<'_>) -> Vec<Block> {
    let unread = case.desired.base.iter().filter_map(|base| match base {
        Base::Unread(why) => Some(why),
        Base::Read(_) => None,
    });
    let all = || case.changes.iter().map(|change| change.id).collect();
    unread.map(|why| Block { guard: Guard::Base, message: why.to_string(), changes: all(), place: None }).collect()
}
