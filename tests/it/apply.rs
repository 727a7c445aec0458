//! Carrying out a plan: order, failures, interruptions, and what the ledger says afterwards.

mod crash_matrix;
mod doubt;
mod e2e;
mod engine;
mod runs;
mod soak;
