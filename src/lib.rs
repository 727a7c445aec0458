//! Strowger: a declarative GitOps reconciler for business phone accounts.
//!
//! The map, from the inside out. The core is pure (no clock, no file, no network, no printing):
//! [`model`] has the valid domain types, and only they are compared and planned; [`diag`] has the findings
//! that an operator can act on; [`check`] turns raw documents into the model; [`render`] turns values into
//! text. At the edge, [`config`] reads files and [`cli`] runs commands, each of which ends with an [`exit`] code.

pub mod check;
pub mod cli;
pub mod config;
pub mod diag;
pub mod exit;
pub mod model;
pub mod render;
