//! The first run.

mod flags;
mod spreadsheet;
mod terminal;
