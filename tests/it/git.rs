//! Git as a source of files that may be hostile or damaged.

mod hostile;
mod mirror;
