//! The commands as users meet them.

mod broken_streams;
mod commands;
mod fleet;
mod written_files;
