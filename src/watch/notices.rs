//! Notifications: each event is posted to every webhook.
//!
//! Invariants: the loops never wait for a receiver (a notice that does not fit into a receiver's queue is dropped and
//! counted); a receiver gets notices in the order of the events, and a repeated one at most once an hour; the address of a
//! receiver is a secret, so logs and metrics identify receivers by number.

mod deduplicator;
mod message;
mod queue;

use std::sync::{Arc, Mutex, PoisonError};
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

pub use message::NotifyFormat;

/// How many notices are queued for one receiver.
const QUEUE: usize = 1000;

pub struct Receiver {
    pub webhook: Webhook,
    pub format: NotifyFormat,
}

#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The most attempts for one notice.
    pub attempts: u32,
    /// The first pause. Pauses double, and jitter shortens each by up to half.
    pub first_pause: Duration,
    /// The longest pause, even if `Retry-After` asks for more.
    pub longest_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 8, first_pause: Duration::from_secs(1), longest_pause: Duration::from_secs(300) }
    }
}

/// Counters for the notices to one receiver.
#[derive(Debug, Default)]
pub struct DeliveryCounters(Mutex<DeliveryStats>);

/// The values of [`DeliveryCounters`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryStats {
    pub delivered: u64,
    /// Rejected, or the attempts were used up.
    pub failed: u64,
    /// Did not fit into the queue.
    pub dropped: u64,
    /// Attempts after the first.
    pub retried: u64,
}

impl DeliveryCounters {
    pub fn read(&self) -> DeliveryStats {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, change: impl FnOnce(&mut DeliveryStats)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[derive(Debug, Default)]
pub struct Notices {
    delivery_counters: Vec<Arc<DeliveryCounters>>,
    /// The listener ends when this is dropped.
    listener: Option<oneshot::Sender<()>>,
    workers: Vec<JoinHandle<()>>,
}

impl Notices {
    /// Notifies these receivers from now on. Must be called within a runtime.
    pub fn start(status_store: &StatusStore, receivers: Vec<Receiver>, retry_policy: RetryPolicy) -> Self {
        if receivers.is_empty() {
            return Self::default();
        }
        let mut notices = Self::default();
        let mut queues = Vec::new();
        for (index, receiver) in receivers.into_iter().enumerate() {
            let counters = Arc::new(DeliveryCounters::default());
            let (sender, pending) = mpsc::channel(QUEUE);
            queues.push((sender, Arc::clone(&counters)));
            notices.delivery_counters.push(Arc::clone(&counters));
            let queue = Queue { number: index + 1, receiver, retry_policy, counters, pending };
            notices.workers.push(tokio::spawn(queue.run()));
        }
        let (listener, ended) = oneshot::channel();
        tokio::spawn(listen(status_store.events(), queues, ended));
        notices.listener = Some(listener);
        notices
    }

    /// The counters of each receiver, in order.
    pub fn delivery_counters(&self) -> Vec<Arc<DeliveryCounters>> {
        self.delivery_counters.clone()
    }

    /// Queues the events so far, and gives the receivers this long to take their notices.
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
    let (mut deduplicator, mut count) = (Deduplicator::default(), 0_u64);
    // Makes the ids unique across restarts.
    let start = format!("{:016x}", fastrand::u64(..));
    loop {
        let received = tokio::select! {
            biased;
            // First, so that events from before the end are delivered.
            received = events.recv() => received,
            _ = &mut ended => return,
        };
        let (account, event) = match received {
            Ok(event) => event,
            Err(RecvError::Lagged(missed)) => {
                for (_, counters) in &queues {
                    counters.count(|stats| stats.dropped += missed);
                }
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        if !deduplicator.passes(&account, &event, Instant::now()) {
            continue;
        }
        count += 1;
        let notice = Arc::new(Notice { id: format!("{start}-{count}"), account, event });
        for (sender, counters) in &queues {
            if sender.try_send(Arc::clone(&notice)).is_err() {
                counters.count(|stats| stats.dropped += 1);
            }
        }
    }
}
