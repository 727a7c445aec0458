//! The GitHub Action from end to end: the steps of `action.yml` with a real bash, the real binary, a real git repository
//! and a real server of the account, against a stub of GitHub that holds every request against what GitHub documents.
#![cfg(unix)]

mod base;
mod checks;
mod github;
mod hostile;
mod install;
mod job;
mod merge;
mod project;
mod pull_request;
mod recipes;
mod release;
mod shape;
mod together;
mod trouble;
