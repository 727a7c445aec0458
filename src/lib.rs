//! Strowger: a declarative GitOps reconciler for business phone accounts.
//!
//! The map, from the inside out. The core is pure (no clock, no file, no network, no printing):
//! [`model`] has the valid domain types, and only they are compared and planned; [`diag`] has the findings
//! that an operator can act on; [`check`] turns raw documents into the model; [`diff`] compares both sides
//! of an account; [`plan`] orders the writes so that every prefix is safe; [`record`] is what a run leaves
//! behind, and [`rollback`] finds what takes it back; [`render`] shows all of it; [`text`] makes any text safe to
//! show or to write as YAML.
//!
//! Around it: [`config`] reads files, [`providers`] talks to accounts, [`apply`] carries plans out, [`sandbox`] is
//! the embedded phone account, [`watch`] keeps accounts as their files ask for as long as it runs.
//!
//! Both servers, the embedded account's and the loop's, accept connections through `serve`.
//!
//! At the edge [`cli`] runs the commands, each of which ends with an [`exit`] code.

pub mod apply;
pub mod check;
pub mod cli;
pub mod config;
pub mod diag;
pub mod diff;
pub mod exit;
pub mod providers;
pub mod model;
pub mod plan;
pub mod record;
pub mod render;
pub mod sandbox;
mod serve;
pub mod text;
pub mod rollback;
pub mod watch;
