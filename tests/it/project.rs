//! The project itself: layout, generated documents, README and examples.

mod documents;
mod examples;
mod exit_codes;
mod generated;
mod layout;
mod readme;
