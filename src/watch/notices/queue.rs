//! What waits for one receiver, one after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::providers::Posted;

use super::message::Notice;
use super::{DeliveryCounters, Receiver, RetryPolicy};

/// What waits for one receiver.
pub(super) struct Queue {
    /// From 1: what stands for its address.
    pub(super) number: usize,
    pub(super) receiver: Receiver,
    pub(super) patience: RetryPolicy,
    pub(super) tally: Arc<DeliveryCounters>,
    pub(super) waiting: mpsc::Receiver<Arc<Notice>>,
}

impl Queue {
    /// Delivers until nobody is left who could add anything.
    pub(super) async fn run(mut self) {
        while let Some(notice) = self.waiting.recv().await {
            let counter = match self.deliver(&notice).await {
                Ok(()) => &self.tally.delivered,
                Err(why) => {
                    let (account, receiver) = (&*notice.account, self.number);
                    tracing::warn!(account, receiver, "a notice was not delivered: {why}");
                    &self.tally.failed
                }
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), String> {
        let Receiver { webhook, form } = &self.receiver;
        let mut attempts = 1;
        loop {
            let (why, asked) = match webhook.post(form.content_type(), notice.body(*form)).await {
                Posted::Taken => return Ok(()),
                Posted::Refused(why) => return Err(why),
                Posted::Later(why, asked) => (why, asked),
            };
            if attempts >= self.patience.attempts {
                return Err(format!("{why}, {attempts} times"));
            }
            let pause = self.pause(attempts, asked, fastrand::f64());
            tracing::debug!(receiver = self.number, "a notice waits for {} ms: {why}", pause.as_millis());
            tokio::time::sleep(pause).await;
            attempts += 1;
            self.tally.retried.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How long to wait after so many failures. `chance` is between 0 and 1.
    fn pause(&self, failures: u32, asked: Option<Duration>, chance: f64) -> Duration {
        let RetryPolicy { first_pause, longest_pause, .. } = self.patience;
        let doubled = first_pause.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest_pause);
        let own = doubled.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0);
        own.max(asked.unwrap_or_default()).min(longest_pause)
    }
}
