//! What each format makes of plans and findings, and what untrusted text cannot do in any of them.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test asserts by failing"
)]

mod blocked;
mod github;
mod markdown;
mod nasty;
mod runbook;
mod runner;
mod sample;
mod sarif;
mod unplanned;
mod untrusted;
