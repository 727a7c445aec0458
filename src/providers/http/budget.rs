//! One budget of requests for an account, shared by its reads and its writes.
//!
//! It bounds how many requests are under way and how fast they start, and adapts both to what the account can
//! take. Concurrency halves whenever the account shows that it has too much to do (a 429, a 502 to 504, a lost
//! or late answer) and grows by about one for each round of answers, up to what was allowed. The pace comes
//! from what the account states; where it states nothing, the first 429 starts one, which then halves with
//! every further 429 and recovers slowly. A 429 holds back the whole account, not only the request that met it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::model::RequestLimits;

/// The pace after the first 429 of an account that states no limit.
const FIRST_INTERVAL: Duration = Duration::from_millis(20);
/// The slowest pace that 429s alone can bring about.
const LONGEST_INTERVAL: Duration = Duration::from_secs(1);

/// Who may send a request, and when.
#[derive(Debug)]
pub(super) struct Budget {
    state: Mutex<State>,
    /// A request came to its end, or one more is allowed.
    freed: Notify,
}

#[derive(Debug)]
struct State {
    under_way: usize,
    /// The most requests under way that the account seems to take now; at least 1. Fractions are progress
    /// towards the next whole one.
    allowed: f64,
    /// The most that there may ever be.
    most: usize,
    /// When concurrency was last cut: answers to requests from before it teach nothing new.
    cut: Instant,
    /// The time between two starts, if there is a pace to keep.
    interval: Duration,
    /// Whether the account stated its pace, so that nothing has to be learned.
    stated: bool,
    /// The earliest start of the next request.
    next: Instant,
    /// When the pace was last slowed.
    slowed: Instant,
}

/// The right to have one request under way; given back when dropped.
#[derive(Debug)]
pub(super) struct RequestPermit<'a> {
    budget: &'a Budget,
    /// When the request could start.
    started: Instant,
}

/// What a request waits for; of several reasons, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wait {
    Until(Instant),
    /// The end of another request.
    Other,
}

impl Wait {
    /// Waits for it; `ended` hears of the end of another request.
    pub(super) async fn over(self, ended: Notified<'_>) {
        match self {
            Self::Other => ended.await,
            Self::Until(at) => tokio::time::sleep_until(at).await,
        }
    }
}

impl Budget {
    pub(super) fn new(limits: RequestLimits) -> Self {
        let most = limits.concurrent.clamp(1, MOST);
        let now = Instant::now();
        let state = State {
            under_way: 0,
            allowed: to_f64(most),
            most,
            cut: now,
            interval: Duration::ZERO,
            stated: false,
            next: now,
            slowed: now,
        };
        let budget = Self { state: Mutex::new(state), freed: Notify::new() };
        budget.learn(limits);
        budget
    }

    /// Takes over what the account states. Concurrency only ever shrinks: the first limit was our own.
    pub(super) fn learn(&self, limits: RequestLimits) {
        let mut state = self.state();
        state.most = state.most.min(limits.concurrent.max(1));
        state.allowed = state.allowed.min(to_f64(state.most));
        if let Some(per_second) = limits.per_second {
            state.interval = Duration::from_secs(1) / per_second.get();
            state.stated = true;
        }
    }

    /// Waits until a request may start.
    pub(super) async fn turn(&self) -> RequestPermit<'_> {
        loop {
            // Listening begins before looking, so that what is freed in between is heard.
            let freed = self.freed.notified();
            let begun = self.state().begin();
            match begun {
                Ok(started) => return RequestPermit { budget: self, started },
                // The start may be pushed back meanwhile, so look again then.
                Err(wait) => wait.over(freed).await,
            }
        }
    }

    /// The account asked for less: nothing starts for so long, and what follows starts more slowly.
    pub(super) fn limited(&self, turn: &RequestPermit<'_>, wait: Duration) {
        let now = Instant::now();
        let mut state = self.state();
        state.cut(turn.started, now);
        state.next = state.next.max(now + wait);
        if !state.stated && turn.started >= state.slowed {
            state.interval = (state.interval * 2).clamp(FIRST_INTERVAL, LONGEST_INTERVAL);
            state.slowed = now;
        }
    }

    /// The account, or a proxy before it, is overloaded.
    pub(super) fn overloaded(&self, turn: &RequestPermit<'_>) {
        self.state().cut(turn.started, Instant::now());
    }

    /// A request was served: concurrency grows, and each success shortens a learned interval by 1 %, so that 70 of them
    /// double the pace.
    pub(super) fn served(&self) {
        let mut state = self.state();
        if !state.stated {
            state.interval = state.interval * 99 / 100;
        }
        state.allowed = (state.allowed + 1.0 / state.allowed).min(to_f64(state.most));
        drop(state);
        self.freed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The lock protects plain numbers, which no panic can leave half-written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self) -> Result<Instant, Wait> {
        if to_f64(self.under_way) + 1.0 > self.allowed {
            return Err(Wait::Other);
        }
        let now = Instant::now();
        if self.next > now {
            return Err(Wait::Until(self.next));
        }
        self.next = now + self.interval;
        self.under_way += 1;
        Ok(now)
    }

    fn cut(&mut self, started: Instant, now: Instant) {
        if started >= self.cut {
            self.allowed = (self.allowed / 2.0).max(1.0);
            self.cut = now;
        }
    }
}

impl Drop for RequestPermit<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        state.under_way = state.under_way.saturating_sub(1);
        drop(state);
        self.budget.freed.notify_one();
    }
}

/// More than any operating system has sockets for.
const MOST: usize = 1 << 16;

fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
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

    #[tokio::test(start_paused = true)]
    async fn concurrency_halves_when_there_is_too_much_and_comes_back() {
        let budget = Budget::new(RequestLimits { per_second: None, concurrent: 8 });
        let under_way = async || {
            let mut turns = Vec::new();
            while let Ok(turn) = tokio::time::timeout(Duration::from_millis(1), budget.turn()).await {
                turns.push(turn);
            }
            turns
        };
        let turns = under_way().await;
        assert_eq!(turns.len(), 8);
        // All of one round met the same overload, which counts once.
        for turn in &turns {
            budget.overloaded(turn);
        }
        drop(turns);
        assert_eq!(under_way().await.len(), 4);
        for round in [4, 5, 6, 7, 8, 8] {
            let turns = under_way().await;
            assert_eq!(turns.len(), round);
            for _ in 0..=turns.len() {
                budget.served();
            }
        }
        for _ in 0..5 {
            let turn = budget.turn().await;
            tokio::time::advance(Duration::from_millis(1)).await;
            budget.overloaded(&turn);
        }
        assert_eq!(under_way().await.len(), 1, "one is always allowed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_request_gets_the_next_free_place() {
        let budget = Budget::new(RequestLimits { per_second: None, concurrent: 1 });
        let served = std::cell::Cell::new(0);
        let one = async || {
            let turn = budget.turn().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(turn);
            served.set(served.get() + 1);
        };
        let all = async { tokio::join!(one(), one(), one(), one(), one()) };
        tokio::time::timeout(Duration::from_millis(5_100), all).await.unwrap();
        assert_eq!(served.get(), 5);
    }
}
