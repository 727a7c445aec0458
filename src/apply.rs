//! The engine: carries out a plan.
//!
//! Invariants: a change starts only when everything that it depends on has been applied; every step of it is in
//! the journal before its request leaves; every change is accounted for exactly once; a failure stops only
//! what depends on it; changes that are ready start in the order of the plan. After a signal to stop, with a journal
//! that fails, or with an account that is out of reach, nothing more starts. Retries, pacing and preconditions are
//! the provider's.

mod carry_out;
mod events;
mod lock;
mod outage;
mod outcome;
mod recorder;
mod resolved_ids;
mod schedule;
mod shutdown;

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::ledger::{ChangeOutcome, Halt};
use crate::model::{Change, ChangeId, ObjectId};
use crate::plan::Plan;
use crate::providers::{BoxFuture, Provider, WriteError};

pub use events::Events;
pub use lock::{Lock, LockError};
pub use outcome::Outcome;
pub use recorder::{Clock, Recorder};
pub use shutdown::{ShutdownHandle, ShutdownSignal, Urgency};

use carry_out::{End, Interrupted, Position};
use outage::OutageDetector;
use resolved_ids::ResolvedIds;
use schedule::Graph;

/// How a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The most changes under way at once; at least 1.
    pub concurrency: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { concurrency: 4 }
    }
}

/// Follows a run, such as a progress bar does.
pub trait Observer {
    /// A change is about to be written. Its references are still those of the plan.
    fn started(&self, _change: &Change) {}

    /// A change has come to its end, or will never start.
    fn finished(&self, _change: &Change, _outcome: &ChangeOutcome) {}
}

impl Observer for () {}

/// What keeps the truth about a run.
pub trait Journal: Sync {
    /// Keeps that the request of a step (from 1) of a change is about to leave, and which object the steps before it made.
    /// The request leaves when this is done, and never if this fails, with the reason.
    fn attempt(&self, change: ChangeId, step: u32, id: Option<ObjectId>) -> BoxFuture<'_, Result<(), String>>;

    /// Keeps what became of a change.
    fn finished(&self, change: ChangeId, outcome: &ChangeOutcome);
}

/// Keeps nothing.
impl Journal for () {
    fn attempt(&self, _change: ChangeId, _step: u32, _id: Option<ObjectId>) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn finished(&self, _change: ChangeId, _outcome: &ChangeOutcome) {}
}

/// Carries out a plan without a journal, to its end.
pub async fn execute<O: Observer + ?Sized>(
    plan: &Plan,
    provider: &dyn Provider,
    options: Options,
    observer: &O,
) -> Outcome {
    execute_journaled(plan, provider, options, observer, &(), &ShutdownSignal::never()).await
}

/// Carries out a plan, in time linear in its size.
///
/// What depends on something that the plan does not have, or on a later change, is never started.
pub async fn execute_journaled<O: Observer + ?Sized>(
    plan: &Plan,
    provider: &dyn Provider,
    options: Options,
    observer: &O,
    journal: &dyn Journal,
    stop: &ShutdownSignal,
) -> Outcome {
    provider.begin();
    if !stop.is_asked() {
        provider.clean_up().await;
    }
    let changes = &plan.changes;
    let mut graph = Graph::new(changes);
    let mut known = ResolvedIds::new(changes);
    let mut state = RunState { changes, outcomes: vec![None; changes.len()], observer, journal };
    let positions: Vec<Position> = changes.iter().map(|_| Position::default()).collect();
    let mut running = FuturesUnordered::new();
    let mut halt: Option<Halt> = None;
    let mut reach = OutageDetector::new(options.concurrency);
    if let Some(claim) = plan.claim.as_ref().filter(|_| !stop.is_asked()) {
        halt = tokio::select! {
            biased;
            () = stop.until(Urgency::Immediate) => Some(Halt::StoppedAtOnce),
            claimed = provider.claim(claim) => claimed.err().map(not_claimed),
        };
    }
    loop {
        if halt.is_none() && stop.is_asked() {
            halt = Some(Halt::Stopped);
            provider.stop();
        }
        while halt.is_none()
            && running.len() < options.concurrency.max(1)
            && let Some(position) = graph.next()
            && let (Some(change), Some(reached)) = (changes.get(position), positions.get(position))
        {
            observer.started(change);
            let resolved = known.resolve(change);
            running.push(async move {
                let end = match resolved {
                    Ok(change) => {
                        let left = (0..change.steps.len().max(1)).collect();
                        let run =
                            carry_out::Run { provider, journal, stop, position: reached, change, left, requests: 0 };
                        run.carry_out().await
                    }
                    Err(why) => End::failed(WriteError::Unsupported(why).into(), None),
                };
                (position, change, end)
            });
        }
        let ended = tokio::select! {
            biased;
            () = stop.until(Urgency::Immediate) => {
                halt = Some(Halt::StoppedAtOnce);
                break;
            }
            () = stop.until(Urgency::Finish), if halt.is_none() => {
                halt = Some(Halt::Stopped);
                provider.stop();
                continue;
            }
            ended = running.next() => ended,
        };
        let Some((position, change, end)) = ended else { break };
        if let (None, Some(why)) = (&halt, reach.tripped(end.error.as_ref())) {
            halt = Some(Halt::Unreachable(why));
        }
        let outcome = match end.result {
            Ok(written) => {
                known.record(change, &written);
                ChangeOutcome::Applied { id: written.id, revision: written.revision, requests: written.requests }
            }
            Err(Interrupted::Outcome(outcome)) => outcome,
            Err(Interrupted::Unrecorded(outcome, why)) => {
                halt.get_or_insert(Halt::Unrecorded(why));
                state.settle(position, outcome);
                continue;
            }
        };
        let applied = outcome.is_applied();
        state.settle(position, outcome);
        state.followed(&mut graph, position, applied);
    }
    drop(running);
    state.finish(&graph, &positions, halt)
}

/// Nothing is written to an account that is not claimed: another owner may manage it.
fn not_claimed(error: WriteError) -> Halt {
    match error {
        WriteError::Owned(_) => Halt::Owned(error.to_string()),
        error => Halt::Unclaimed(error.to_string()),
    }
}

/// What has become of each change so far.
struct RunState<'a, O: ?Sized> {
    changes: &'a [Change],
    outcomes: Vec<Option<ChangeOutcome>>,
    observer: &'a O,
    journal: &'a dyn Journal,
}

impl<O: Observer + ?Sized> RunState<'_, O> {
    fn settle(&mut self, position: usize, outcome: ChangeOutcome) {
        if let (Some(slot), Some(change)) = (self.outcomes.get_mut(position), self.changes.get(position)) {
            self.journal.finished(change.id, &outcome);
            self.observer.finished(change, &outcome);
            *slot = Some(outcome);
        }
    }

    /// Makes what waited for a change ready, or skips it.
    fn followed(&mut self, graph: &mut Graph, position: usize, applied: bool) {
        if applied {
            graph.applied(position);
        } else if let Some(because) = self.changes.get(position).map(|change| change.id) {
            for skipped in graph.stopped(position) {
                self.settle(skipped, ChangeOutcome::Skipped { because });
            }
        }
    }

    /// Accounts for what is left.
    fn finish(mut self, graph: &Graph, positions: &[Position], halt: Option<Halt>) -> Outcome {
        for (index, (change, position)) in self.changes.iter().zip(positions).enumerate() {
            if self.outcomes.get(index).is_some_and(Option::is_some) {
                continue;
            }
            let outcome = match &halt {
                Some(_) => position.interrupted(change).unwrap_or(ChangeOutcome::NotAttempted),
                // It waits for something that never comes: the plan is not a plan.
                None => ChangeOutcome::Skipped { because: graph.waits_for(self.changes, index) },
            };
            self.settle(index, outcome);
        }
        let ids = self.changes.iter().map(|change| change.id);
        Outcome { changes: ids.zip(self.outcomes.into_iter().flatten()).collect(), halt }
    }
}
