//! Plans: whole, in part, reviewed, and saved.

mod callers;
mod fields;
mod partial;
mod reviewed;
mod saved;
mod vendors;
