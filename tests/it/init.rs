//! The first run.

mod flags;
mod terminal;
