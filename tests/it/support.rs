//! What tests of several topics share: the real binary, servers, repositories, and generated accounts.

pub mod account;
pub mod accounts;
pub mod commands;
pub mod door;
pub mod generate;
pub mod git;
pub mod hostile;
pub mod postgres;
pub mod process;
pub mod repository;
pub mod sandbox;
#[cfg(unix)]
pub mod telephony;
pub mod terminal;
