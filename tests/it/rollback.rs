//! Taking a run back.

mod commands;
mod laws;
