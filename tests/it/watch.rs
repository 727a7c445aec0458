//! The loop that keeps accounts in sync.

mod adopt;

mod chaos;
mod cycle;
mod degraded;
mod deletions;
mod files;
mod git;
mod portal;
mod status_store;
mod systemd;
