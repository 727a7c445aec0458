//! Values as text: for terminals, pipes, programs and pages. Pure.

pub mod diagnostics;
mod fields;
pub mod human;
pub mod json;
pub mod markdown;
mod summary;
