//! The engine: carries out a plan.
//!
//! Invariants: a change starts only when everything that it depends on has been applied; its attempt is kept
//! in the journal before its request leaves; every change is accounted for exactly once; what fails stops only
//! what depends on it; changes that are ready start in the order of the plan. Told to stop, or with a journal
//! that fails, or with an account that is out of reach, it starts nothing more. Retries, pacing and
//! preconditions are the provider's.

mod events;
mod lock;
mod outage;
mod outcome;
mod recorder;
mod resolved_ids;
mod schedule;
mod shutdown;

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::ledger::Halt;
use crate::model::{Change, ChangeId};
use crate::plan::Plan;
use crate::providers::{BoxFuture, Provider, WriteError, WriteReceipt};

pub use events::Events;
pub use lock::{Lock, LockError};
pub use outcome::{Outcome, Status};
pub use recorder::{Clock, Recorder};
pub use shutdown::{ShutdownHandle, ShutdownSignal, Urgency};

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

/// Somebody who wants to know how it goes, such as a progress bar.
pub trait Observer {
    /// A change is about to be written. Its references are still those of the plan.
    fn started(&self, _change: &Change) {}

    /// A change has come to its end, or will never start.
    fn finished(&self, _change: &Change, _status: &Status) {}
}

/// Nobody.
impl Observer for () {}

/// What keeps the truth about a run.
pub trait Journal: Sync {
    /// Keeps that the request of a change is about to leave. It leaves when this is done, and never if this
    /// fails, with the reason.
    fn attempt(&self, change: ChangeId) -> BoxFuture<'_, Result<(), String>>;

    /// Keeps what became of a change.
    fn finished(&self, change: ChangeId, status: &Status);
}

/// Keeps nothing.
impl Journal for () {
    fn attempt(&self, _change: ChangeId) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn finished(&self, _change: ChangeId, _status: &Status) {}
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
    let changes = &plan.changes;
    let mut graph = Graph::new(changes);
    let mut known = ResolvedIds::new(changes);
    let mut fates = RunState { changes, statuses: vec![None; changes.len()], observer, journal };
    // Which requests may have left: what is under way when the run ends at once is unknown, or was not attempted.
    let sent: Vec<AtomicBool> = changes.iter().map(|_| AtomicBool::new(false)).collect();
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
            && let (Some(change), Some(sent)) = (changes.get(position), sent.get(position))
        {
            observer.started(change);
            let prepared = known.resolve(change);
            running.push(async move {
                let end = match prepared {
                    Ok(prepared) => send(provider, journal, change.id, &prepared, sent).await,
                    Err(why) => End::Settled(Err(WriteError::Unsupported(why))),
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
        match end {
            End::Unrecorded(why) => {
                halt.get_or_insert(Halt::Unrecorded(why));
                fates.settle(position, Status::NotAttempted);
            }
            End::Settled(end) => {
                if let Ok(written) = &end {
                    known.record(change, written);
                }
                if let (None, Some(why)) = (&halt, reach.tripped(end.as_ref())) {
                    halt = Some(Halt::Unreachable(why));
                }
                let applied = end.is_ok();
                fates.settle(position, end.into());
                fates.followed(&mut graph, position, applied);
            }
        }
    }
    drop(running);
    fates.finish(&graph, &sent, halt)
}

/// Why nothing is written: what is not claimed may be managed by somebody else.
fn not_claimed(error: WriteError) -> Halt {
    match error {
        WriteError::Owned(_) => Halt::Owned(error.to_string()),
        error => Halt::Unclaimed(error.to_string()),
    }
}

/// How a change that was started ended.
enum End {
    Settled(Result<WriteReceipt, WriteError>),
    /// It could not be kept that it is attempted, so it was not.
    Unrecorded(String),
}

async fn send(provider: &dyn Provider, journal: &dyn Journal, id: ChangeId, change: &Change, sent: &AtomicBool) -> End {
    if let Err(why) = journal.attempt(id).await {
        return End::Unrecorded(why);
    }
    sent.store(true, Ordering::Relaxed);
    End::Settled(provider.write(change).await)
}

/// What has become of each change so far.
struct RunState<'a, O: ?Sized> {
    changes: &'a [Change],
    statuses: Vec<Option<Status>>,
    observer: &'a O,
    journal: &'a dyn Journal,
}

impl<O: Observer + ?Sized> RunState<'_, O> {
    fn settle(&mut self, position: usize, status: Status) {
        if let (Some(slot), Some(change)) = (self.statuses.get_mut(position), self.changes.get(position)) {
            self.journal.finished(change.id, &status);
            self.observer.finished(change, &status);
            *slot = Some(status);
        }
    }

    /// Lets start what waited for a change, or never.
    fn followed(&mut self, graph: &mut Graph, position: usize, applied: bool) {
        if applied {
            graph.applied(position);
        } else if let Some(because) = self.changes.get(position).map(|change| change.id) {
            for skipped in graph.stopped(position) {
                self.settle(skipped, Status::Skipped { because });
            }
        }
    }

    /// Accounts for what is left.
    fn finish(mut self, graph: &Graph, sent: &[AtomicBool], halt: Option<Halt>) -> Outcome {
        for (position, sent) in sent.iter().enumerate() {
            if self.statuses.get(position).is_some_and(Option::is_some) {
                continue;
            }
            let status = match &halt {
                Some(_) if sent.load(Ordering::Relaxed) => {
                    Status::Unknown("the run was stopped while its request was under way".to_owned())
                }
                Some(_) => Status::NotAttempted,
                // It waits for something that never comes: the plan is not a plan.
                None => Status::Skipped { because: graph.waits_for(self.changes, position) },
            };
            self.settle(position, status);
        }
        let ids = self.changes.iter().map(|change| change.id);
        Outcome { changes: ids.zip(self.statuses.into_iter().flatten()).collect(), halt }
    }
}
