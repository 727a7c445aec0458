//! Plans: whole, in part, reviewed, and saved.

mod callers;
mod partial;
mod reviewed;
mod saved;
