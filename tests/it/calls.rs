//! Calls that are placed all the time while the account changes: the real Asterisk, its database, and phones that ring.
//!
//! Every call is judged by the phones that got its INVITE and by how it ended. `scripts/asterisk` has the programs.
#![cfg(target_os = "linux")]

mod bench;
mod cable;
mod call;
mod changes;
mod demo;
mod editor;
mod judge;
mod office;
mod self_test;
mod site;
mod timeline;
