//! The engine: carries out a plan.
//!
//! Invariants: a change starts only when everything that it depends on has been applied; every change is
//! accounted for exactly once; what fails stops only what depends on it; changes that are ready start in the
//! order of the plan. Retries, pacing and preconditions are the provider's.

mod graph;
mod known;

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::live::{Provider, WriteError, Written};
use crate::model::{Change, ChangeId};
use crate::plan::Plan;

use graph::Graph;
use known::Known;

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

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was carried out.
    Applied(Written),
    /// It certainly was not carried out.
    Failed(WriteError),
    /// Its object had moved, so nothing was written; what moved.
    Stale(String),
    /// Nobody knows; the next plan tells.
    Unknown(String),
    /// It was not started, because this change was not applied.
    Skipped {
        /// The first cause, not the last link of the chain.
        because: ChangeId,
    },
}

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What became of each change, in the order of the plan.
    pub changes: Vec<(ChangeId, Status)>,
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

impl Outcome {
    /// Whether every change was carried out.
    pub fn is_complete(&self) -> bool {
        self.changes.iter().all(|(_, status)| matches!(status, Status::Applied(_)))
    }

    /// How many changes were carried out.
    pub fn applied(&self) -> usize {
        self.changes.iter().filter(|(_, status)| matches!(status, Status::Applied(_))).count()
    }

    /// How many requests the applied changes took.
    pub fn requests(&self) -> u64 {
        let applied = self.changes.iter().map(|(_, status)| match status {
            Status::Applied(written) => written.requests,
            _ => 0,
        });
        applied.sum()
    }
}

/// Carries out a plan, in time linear in its size.
///
/// What depends on something that the plan does not have, or on a later change, is never started.
pub async fn execute<O: Observer + ?Sized>(
    plan: &Plan,
    provider: &dyn Provider,
    options: Options,
    observer: &O,
) -> Outcome {
    let changes = &plan.changes;
    let mut graph = Graph::new(changes);
    let mut known = Known::new(changes);
    let mut statuses: Vec<Option<Status>> = vec![None; changes.len()];
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < options.concurrency.max(1)
            && let Some(position) = graph.next()
            && let Some(change) = changes.get(position)
        {
            observer.started(change);
            let prepared = known.prepared(change);
            running.push(async move {
                let status = match prepared {
                    Ok(change) => status(provider.write(&change).await),
                    Err(why) => Status::Failed(WriteError::Unfit(why)),
                };
                (position, change, status)
            });
        }
        let Some((position, change, status)) = running.next().await else { break };
        if let Status::Applied(written) = &status {
            known.learn(change, written);
            graph.applied(position);
        } else {
            for skipped in graph.stopped(position) {
                settle(&mut statuses, observer, changes, skipped, Status::Skipped { because: change.id });
            }
        }
        settle(&mut statuses, observer, changes, position, status);
    }
    // What is left waits for something that never comes: the plan is not a plan.
    for position in 0..changes.len() {
        if statuses.get(position).is_some_and(Option::is_none) {
            let because = graph.waits_for(changes, position);
            settle(&mut statuses, observer, changes, position, Status::Skipped { because });
        }
    }
    let ids = changes.iter().map(|change| change.id);
    Outcome { changes: ids.zip(statuses.into_iter().flatten()).collect() }
}

fn settle<O: Observer + ?Sized>(
    statuses: &mut [Option<Status>],
    observer: &O,
    changes: &[Change],
    position: usize,
    status: Status,
) {
    if let (Some(slot), Some(change)) = (statuses.get_mut(position), changes.get(position)) {
        observer.finished(change, &status);
        *slot = Some(status);
    }
}

fn status(result: Result<Written, WriteError>) -> Status {
    match result {
        Ok(written) => Status::Applied(written),
        Err(WriteError::Stale(what)) => Status::Stale(what),
        Err(WriteError::Unknown(why)) => Status::Unknown(why),
        Err(error) => Status::Failed(error),
    }
}
