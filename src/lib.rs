//! Strowger: a declarative GitOps reconciler for business phone accounts.
//!
//! The map, from the inside out. The core is pure (no clock, no file, no network, no printing):
//! [`model`] has the valid domain types, and only they are compared and planned; [`diag`] has the findings
//! that an operator can act on; [`render`] turns values into text, and [`text`] makes any text safe to show or
//! to write as YAML.
//!
//! The edges: [`live`] reads and writes accounts, [`apply`] carries a plan out.

pub mod apply;
pub mod diag;
pub mod live;
pub mod model;
pub mod plan;
pub mod render;
pub mod text;
