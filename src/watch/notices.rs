//! Telling others what happens to accounts: each event is posted to every receiver.
//!
//! Invariants: the loop never waits for a receiver (what does not fit into a receiver's queue is dropped and counted);
//! a receiver is told everything in the order in which it happened, and of the same thing once an hour, unless
//! something else came between; an address is a secret, and receivers are told apart by their number.

mod deduplicator;
mod message;
mod queue;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::providers::Webhook;

use super::status::{Event, StatusStore};
use deduplicator::Deduplicator;
use message::Notice;
use queue::Queue;

pub use message::Form;

/// So many notices wait for one receiver.
const QUEUE: usize = 1000;

/// Somebody who is told.
pub struct Receiver {
    /// Where.
    pub webhook: Webhook,
    /// How.
    pub form: Form,
}

/// How long a receiver is waited for.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The most attempts at one notice.
    pub attempts: u32,
    /// The first pause; each further one is twice as long, and all are shortened at random by up to half.
    pub first_pause: Duration,
    /// The longest pause, also if the receiver asks for more.
    pub longest_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 8, first_pause: Duration::from_secs(1), longest_pause: Duration::from_secs(300) }
    }
}

/// What became of the notices to one receiver. All only grow.
#[derive(Debug, Default)]
pub struct DeliveryCounters {
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    retried: AtomicU64,
}

/// A [`DeliveryCounters`] at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryStats {
    /// The receiver took them.
    pub delivered: u64,
    /// The receiver refused them, or patience ran out.
    pub failed: u64,
    /// They did not fit into the queue.
    pub dropped: u64,
    /// Attempts after the first.
    pub retried: u64,
}

impl DeliveryCounters {
    /// What became of them so far.
    pub fn read(&self) -> DeliveryStats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DeliveryStats {
            delivered: of(&self.delivered),
            failed: of(&self.failed),
            dropped: of(&self.dropped),
            retried: of(&self.retried),
        }
    }
}

/// Everybody who is told.
#[derive(Debug, Default)]
pub struct Notices {
    tallies: Vec<Arc<DeliveryCounters>>,
    /// Who takes events in; ends when this is dropped.
    listener: Option<oneshot::Sender<()>>,
    workers: Vec<JoinHandle<()>>,
}

impl Notices {
    /// Tells these receivers everything that happens from now on. Must be called where a runtime is running.
    pub fn start(board: &StatusStore, receivers: Vec<Receiver>, patience: RetryPolicy) -> Self {
        if receivers.is_empty() {
            return Self::default();
        }
        let mut notices = Self::default();
        let mut queues = Vec::new();
        for (index, receiver) in receivers.into_iter().enumerate() {
            let tally = Arc::new(DeliveryCounters::default());
            let (sender, waiting) = mpsc::channel(QUEUE);
            queues.push((sender, Arc::clone(&tally)));
            notices.tallies.push(Arc::clone(&tally));
            let queue = Queue { number: index + 1, receiver, patience, tally, waiting };
            notices.workers.push(tokio::spawn(queue.run()));
        }
        let (listener, ended) = oneshot::channel();
        tokio::spawn(listen(board.events(), queues, ended));
        notices.listener = Some(listener);
        notices
    }

    /// What became of the notices to each receiver, in their order.
    pub fn tallies(&self) -> Vec<Arc<DeliveryCounters>> {
        self.tallies.clone()
    }

    /// Takes in what has happened so far, and gives the receivers this long to take what waits.
    pub async fn end(self, grace: Duration) {
        let deadline = Instant::now() + grace;
        drop(self.listener);
        for worker in self.workers {
            let stop = worker.abort_handle();
            if tokio::time::timeout_at(deadline, worker).await.is_err() {
                stop.abort();
            }
        }
    }
}

async fn listen(
    mut events: broadcast::Receiver<(Arc<str>, Event)>,
    queues: Vec<(mpsc::Sender<Arc<Notice>>, Arc<DeliveryCounters>)>,
    mut ended: oneshot::Receiver<()>,
) {
    let (mut sieve, mut count) = (Deduplicator::default(), 0_u64);
    // Events of another start of this process have other ids.
    let start = format!("{:016x}", fastrand::u64(..));
    loop {
        let received = tokio::select! {
            biased;
            // First, so that what was told before the end is passed on.
            received = events.recv() => received,
            _ = &mut ended => return,
        };
        let (account, event) = match received {
            Ok(event) => event,
            Err(RecvError::Lagged(missed)) => {
                for (_, tally) in &queues {
                    tally.dropped.fetch_add(missed, Ordering::Relaxed);
                }
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        if !sieve.passes(&account, &event, Instant::now()) {
            continue;
        }
        count += 1;
        let notice = Arc::new(Notice { id: format!("{start}-{count}"), account, event });
        for (sender, tally) in &queues {
            if sender.try_send(Arc::clone(&notice)).is_err() {
                tally.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
