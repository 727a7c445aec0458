//! The queue of one receiver.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::providers::Posted;

use super::super::backoff::exponential;
use super::message::Notice;
use super::{DeliveryCounters, Receiver, RetryPolicy};

pub(super) struct Queue {
    /// From 1. Shown in place of the address.
    pub(super) number: usize,
    pub(super) receiver: Receiver,
    pub(super) retry_policy: RetryPolicy,
    pub(super) counters: Arc<DeliveryCounters>,
    pub(super) pending: mpsc::Receiver<Arc<Notice>>,
}

impl Queue {
    /// Delivers until all senders are dropped.
    pub(super) async fn run(mut self) {
        while let Some(notice) = self.pending.recv().await {
            match self.deliver(&notice).await {
                Ok(()) => self.counters.count(|stats| stats.delivered += 1),
                Err(why) => {
                    let (account, receiver) = (&*notice.account, self.number);
                    tracing::warn!(account, receiver, "a notice was not delivered: {why}");
                    self.counters.count(|stats| stats.failed += 1);
                }
            }
        }
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), String> {
        let Receiver { webhook, format } = &self.receiver;
        let mut attempts = 1;
        loop {
            let (why, retry_after) = match webhook.post(format.content_type(), notice.body(*format)).await {
                Posted::Taken => return Ok(()),
                Posted::Refused(why) => return Err(why),
                Posted::Later(why, retry_after) => (why, retry_after),
            };
            if attempts >= self.retry_policy.attempts {
                return Err(format!("{why}, after {attempts} attempts"));
            }
            let pause = self.pause(attempts, retry_after, fastrand::f64());
            tracing::debug!(receiver = self.number, "a notice is retried in {} ms: {why}", pause.as_millis());
            tokio::time::sleep(pause).await;
            attempts += 1;
            self.counters.count(|stats| stats.retried += 1);
        }
    }

    /// How long to wait after so many failures. `jitter` is between 0 and 1; `retry_after` is what the receiver asks for.
    fn pause(&self, failures: u32, retry_after: Option<Duration>, jitter: f64) -> Duration {
        let RetryPolicy { first_pause, longest_pause, .. } = self.retry_policy;
        let pause = exponential(failures, first_pause, longest_pause).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
        pause.max(retry_after.unwrap_or_default()).min(longest_pause)
    }
}
