//! One budget of requests for an account, shared by its reads and its writes.
//!
//! It bounds how many requests are under way and how fast they start. The pace comes from what the account
//! states; where it states nothing, the first 429 starts one, which then halves with every further 429 and
//! recovers slowly. A 429 holds back the whole account, not only the request that met it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::model::RequestLimits;

/// The pace after the first 429 of an account that states no limit.
const FIRST_INTERVAL: Duration = Duration::from_millis(20);
/// The slowest pace that 429s alone can bring about.
const LONGEST_INTERVAL: Duration = Duration::from_secs(1);

/// Who may send a request, and when.
#[derive(Debug)]
pub(super) struct Budget {
    permits: Semaphore,
    pace: Mutex<Pace>,
}

#[derive(Debug)]
struct Pace {
    /// The most requests under way that the semaphore stands for.
    concurrent: usize,
    /// The time between two starts, if there is a pace to keep.
    interval: Duration,
    /// Whether the account stated its pace, so that nothing has to be learned.
    stated: bool,
    /// The earliest start of the next request.
    next: Instant,
    /// When the pace was last slowed: answers to requests from before it teach nothing new.
    slowed: Instant,
}

/// The right to have one request under way; given back when dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    /// When the request could start.
    pub(super) started: Instant,
}

impl Budget {
    pub(super) fn new(limits: RequestLimits) -> Self {
        let concurrent = limits.concurrent.clamp(1, Semaphore::MAX_PERMITS);
        let now = Instant::now();
        let pace = Pace { concurrent, interval: Duration::ZERO, stated: false, next: now, slowed: now };
        let budget = Self { permits: Semaphore::new(concurrent), pace: Mutex::new(pace) };
        budget.learn(limits);
        budget
    }

    /// Takes over what the account states. Concurrency only ever shrinks: the first limit was our own.
    pub(super) fn learn(&self, limits: RequestLimits) {
        let mut pace = self.pace();
        let concurrent = limits.concurrent.max(1);
        if concurrent < pace.concurrent {
            // Permits in use now cannot be forgotten; that only leaves the bound a little higher for good.
            pace.concurrent -= self.permits.forget_permits(pace.concurrent - concurrent);
        }
        if let Some(per_second) = limits.per_second {
            pace.interval = Duration::from_secs(1) / per_second.get();
            pace.stated = true;
        }
    }

    /// Waits until a request may start.
    pub(super) async fn turn(&self) -> Turn<'_> {
        // The semaphore is never closed, so there always is a permit in the end.
        let permit = self.permits.acquire().await.ok();
        loop {
            let at = {
                let mut pace = self.pace();
                let now = Instant::now();
                if pace.next <= now {
                    pace.next = now.max(pace.next) + pace.interval;
                    return Turn { _permit: permit, started: now };
                }
                pace.next
            };
            // Someone may push the start back meanwhile, so look again then.
            tokio::time::sleep_until(at).await;
        }
    }

    /// The account asked for less: nothing starts for so long, and what follows starts more slowly.
    pub(super) fn limited(&self, turn: &Turn<'_>, wait: Duration) {
        let now = Instant::now();
        let mut pace = self.pace();
        pace.next = pace.next.max(now + wait);
        if !pace.stated && turn.started >= pace.slowed {
            pace.interval = (pace.interval * 2).clamp(FIRST_INTERVAL, LONGEST_INTERVAL);
            pace.slowed = now;
        }
    }

    /// A request was served: an unstated pace recovers, twice as fast after seventy of them.
    pub(super) fn served(&self) {
        let mut pace = self.pace();
        if !pace.stated {
            pace.interval = pace.interval * 99 / 100;
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // The lock protects plain numbers, which no panic can leave half-written.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stated_rate_is_kept() {
        let budget = Budget::new(RequestLimits { per_second: NonZeroU32::new(20), concurrent: 16 });
        let start = Instant::now();
        for _ in 0..41 {
            budget.turn().await;
        }
        assert!(start.elapsed() >= Duration::from_secs(2) && start.elapsed() < Duration::from_millis(2_100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_holds_back_everyone_for_as_long_as_it_asks() {
        let budget = Budget::new(RequestLimits::default());
        let start = Instant::now();
        let turn = budget.turn().await;
        budget.limited(&turn, Duration::from_secs(3));
        drop(turn);
        budget.turn().await;
        assert!(start.elapsed() >= Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_are_under_way_than_allowed() {
        let budget = Budget::new(RequestLimits { per_second: None, concurrent: 2 });
        let (_one, _two) = (budget.turn().await, budget.turn().await);
        assert!(tokio::time::timeout(Duration::from_secs(9), budget.turn()).await.is_err());
    }
}
