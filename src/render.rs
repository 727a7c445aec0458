//! Values as text: for terminals, pipes, programs and pages. Pure.

pub mod adopt;
mod blocks;
pub mod diagnostics;
pub mod export;
pub mod failed_accounts;
pub(crate) mod fields;
pub mod github;
pub mod html;
pub mod human;
pub mod json;
pub mod markdown;
pub mod repository;
pub mod review;
pub mod runbook;
pub mod sarif;
pub(crate) mod skipped;
pub mod stale;
mod summary;

pub(crate) use failed_accounts::names;
pub(crate) use summary::counted;
