//! Values as text: for terminals, pipes, programs and pages. Pure.

pub mod diagnostics;
pub mod export;
pub(crate) mod fields;
pub mod human;
pub mod json;
pub mod markdown;
pub mod moved;
mod summary;

pub(crate) use summary::counted;
