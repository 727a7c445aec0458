//! Tokens go to the account and nowhere else.

mod accept;
mod commands;
mod written;
