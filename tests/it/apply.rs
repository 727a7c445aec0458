//! Carrying out a plan: order, failures, interruptions, and what the ledger says afterwards.

mod crash_matrix;
mod doubt;
mod e2e;
mod engine;
mod runs;
mod soak;

use strowger::apply::Outcome;
use strowger::ledger::ChangeOutcome;

/// What became of the changes that were not applied.
fn not_applied(outcome: &Outcome) -> Vec<&ChangeOutcome> {
    let outcomes = outcome.changes.iter().map(|(_, outcome)| outcome);
    outcomes.filter(|outcome| !matches!(outcome, ChangeOutcome::Applied { .. })).collect()
}
