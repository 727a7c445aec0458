//! Guards: what they block, how an approval releases it, and what must not evade them.

mod approvals;
mod commands;
mod evasions;
mod freeze;
mod owners;
mod plan;
