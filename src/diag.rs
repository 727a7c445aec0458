//! Findings that the operator can act on: a rule, a place, what is wrong, and the fix.
//!
//! Findings are values. They are collected, never thrown, and sorted before they are shown; rendering is
//! done in `render`. Each [`Rule`] has a stable id, and each id has a page in `docs/rules.md`.

pub mod caller;
mod diagnostic;
mod findings;
mod nearest;
mod rule;
mod severities;
mod sources;

pub use diagnostic::{Diagnostic, Label, attribute, enumerated, first_few, has_errors, list, sort};
pub use findings::{Findings, MOST, more};
pub use nearest::{nearest, nearest_of_any};
pub use rule::{RULES, Rule, Severity};
pub use severities::Severities;
pub use sources::{ReadText, Source, Sources};
