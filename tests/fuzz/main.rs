//! Hostile input for everything that reads: the operator's files, saved plans, ledgers, snapshots, seeds, and the
//! answers of a server.
//!
//! Mutations of a checked-in corpus, on stable Rust, without instrumentation. A plain `cargo test` tries the
//! same two thousand a target each time; `STROWGER_FUZZ=600 cargo test --test fuzz -- --nocapture` new ones for ten
//! minutes, and `STROWGER_FUZZ_SEED=N cargo test --test fuzz NAME` replays an input. What was found once joins the
//! corpus.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test asserts by failing, and these report figures"
)]

mod account;
mod config;
mod harness;
mod mutate;
mod office;
mod plans;
mod room;
