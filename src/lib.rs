//! Strowger: a declarative GitOps reconciler for business phone accounts.
//!
//! The map, from the inside out. The core is pure (no clock, no file, no network, no printing):
//! [`model`] has the valid domain types; [`diag`] has the findings that an operator can act on; [`check`] turns raw
//! documents into the model; [`routing`] is the graph of who hands callers to whom; [`diff`] compares the desired
//! account with the live one; [`plan`] orders the writes so that every prefix of the plan is safe; [`ledger`] is what a
//! run leaves behind; [`rollback`] finds the changes that take a run back; [`render`] shows all of it; [`text`] makes
//! untrusted text safe to show.
//!
//! Around the core: [`config`] reads files and git, [`providers`] talk to live accounts, [`apply`] executes plans,
//! [`sandbox`] is the embedded phone account, and [`watch`] keeps accounts in sync with their files. Both servers,
//! the sandbox's and the watcher's, accept connections through `serve`.
//!
//! At the edge, [`cli`] runs the commands; each ends with an [`exit`] code.

pub mod apply;
pub mod check;
pub mod cli;
pub mod config;
pub mod diag;
pub mod diff;
pub mod exit;
pub mod ledger;
pub mod model;
pub mod plan;
pub mod providers;
pub mod render;
pub mod rollback;
pub mod routing;
pub mod sandbox;
mod serve;
pub mod text;
pub mod watch;
