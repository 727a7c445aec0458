//! The integration tests, by topic, in one binary: `cargo test --test it TOPIC::` runs those of a topic.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unchecked_time_subtraction,
    reason = "a test asserts by failing"
)]
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "some topics, and so their helpers, are for Linux"))]

mod action;
mod apply;
mod calls;
mod cli;
mod cmd;
mod config;
mod formats;
mod git;
mod guards;
mod init;
mod laws;
mod plan;
mod project;
mod provider;
mod render;
mod rollback;
mod sandbox;
mod secrets;
mod status;
mod support;
mod watch;
