//! Values as text: for terminals, pipes, programs and pages. Pure.

pub mod adopt;
pub mod diagnostics;
pub mod export;
pub(crate) mod fields;
pub mod github;
mod held;
pub mod html;
pub mod human;
pub mod json;
pub mod markdown;
pub mod moved;
pub mod repository;
pub mod review;
pub mod runbook;
pub mod sarif;
pub(crate) mod skipped;
mod summary;
pub mod unplanned;

pub(crate) use summary::counted;
pub(crate) use unplanned::names;
