//! The GitHub Action from end to end: the steps of `action.yml` with a real bash, the real binary, a real git repository
//! and a real server of the account, against a stub of GitHub that holds every request against what GitHub documents.
#![cfg(unix)]
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test asserts by failing, a skipped one says why, and helpers are shared with others"
)]

#[path = "action/checks.rs"]
mod checks;
#[path = "support/commands.rs"]
mod commands;
#[path = "support/git.rs"]
mod git;
#[path = "action/github.rs"]
mod github;
#[path = "action/hostile.rs"]
mod hostile;
#[path = "action/install.rs"]
mod install;
#[path = "action/job.rs"]
mod job;
#[path = "action/merge.rs"]
mod merge;
#[path = "action/project.rs"]
mod project;
#[path = "action/pull_request.rs"]
mod pull_request;
#[path = "action/recipes.rs"]
mod recipes;
#[path = "action/release.rs"]
mod release;
#[path = "action/shape.rs"]
mod shape;
#[path = "action/together.rs"]
mod together;
#[path = "action/trouble.rs"]
mod trouble;
