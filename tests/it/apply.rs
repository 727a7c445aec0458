//! Carrying out a plan: order, failures, interruptions, and what the ledger says afterwards.

mod crash_matrix;
mod doubt;
mod e2e;
mod engine;
mod runs;
mod soak;

use strowger::apply::Outcome;
use strowger::ledger::ChangeOutcome;
use strowger::model::Desired;
use strowger::plan::{Plan, plan};
use strowger::providers::Provider;

use crate::laws::severities;

/// The plan for what a provider reads.
async fn planned(desired: &Desired, provider: &dyn Provider) -> Plan {
    let read = provider.read().await.unwrap();
    let (plan, diagnostics) = plan(desired, &read.live, &severities(), read.requests);
    plan.unwrap_or_else(|| panic!("{diagnostics:#?}"))
}

/// What became of the changes that were not applied.
fn not_applied(outcome: &Outcome) -> Vec<&ChangeOutcome> {
    let outcomes = outcome.changes.iter().map(|(_, outcome)| outcome);
    outcomes.filter(|outcome| !matches!(outcome, ChangeOutcome::Applied { .. })).collect()
}
