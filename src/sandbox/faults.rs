//! Fault knobs: what real servers do on bad days, on purpose and repeatable.
//!
//! All faults of a request are drawn at once from one seeded generator, so that the n-th request that arrives
//! meets the same fate in every run. A server that answers with an error may still have done the work.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::problem::{Code, Problem};

/// Simulated failures, for requests below `/v1/`. The default is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Every answer takes at least this long.
    pub latency: Duration,
    /// Plus a random share of this.
    pub jitter: Duration,
    /// Share of requests (0 to 1) that answer 503 without doing anything.
    pub error_rate: f64,
    /// Share of requests that do their work and then answer 503.
    pub late_error_rate: f64,
    /// Share of requests whose connection is reset without an answer: half of them before the work, half after.
    pub reset_rate: f64,
    /// Share of requests that are never answered: half of them before the work, half after.
    pub stall_rate: f64,
    /// Share of writes that answer 503 and are carried out later.
    pub late_commit_rate: f64,
    /// How much later.
    pub late_commit_after: Duration,
    /// Share of writes that arrive twice, as a proxy sends them that lost the first answer; the second is answered.
    pub duplicate_rate: f64,
    /// Requests per second; above that, 429 with `Retry-After`.
    pub rate_limit: Option<u32>,
    /// Seed of all chances.
    pub seed: u64,
    /// The n-th write (from 1) answers 500 and does nothing. Writes count when they reach the account: a create,
    /// change or delete with a valid token and a readable body, whatever its result.
    pub fail_write: Option<u64>,
    /// Once n writes have changed something, every connection is dropped without an answer and the server ends.
    pub die_after_write: Option<u64>,
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Served,
    FailsFirst,
    FailsAfter,
    ResetFirst,
    ResetAfter,
    StallsFirst,
    StallsAfter,
    CommitsLater,
    Duplicated,
}

/// Draws fates and counts writes.
#[derive(Debug)]
pub(super) struct Injector {
    faults: Faults,
    chance: Mutex<fastrand::Rng>,
    bucket: Mutex<Bucket>,
    attempted: AtomicU64,
    committed: AtomicU64,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Injector {
    pub(super) fn new(faults: Faults) -> Self {
        let tokens = f64::from(faults.rate_limit.unwrap_or_default());
        Self {
            chance: Mutex::new(fastrand::Rng::with_seed(faults.seed)),
            bucket: Mutex::new(Bucket { tokens, filled: Instant::now() }),
            attempted: AtomicU64::new(0),
            committed: AtomicU64::new(0),
            faults,
        }
    }

    pub(super) const fn rate_limit(&self) -> Option<u32> {
        self.faults.rate_limit
    }

    /// Takes one request out of this second's share.
    pub(super) fn admit(&self) -> Result<(), Problem> {
        let Some(rate) = self.faults.rate_limit.map(f64::from).filter(|rate| *rate > 0.0) else {
            return Ok(());
        };
        let mut bucket = self.bucket.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        bucket.tokens = (bucket.tokens + (now - bucket.filled).as_secs_f64() * rate).min(rate);
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        // Whole seconds, rounded up: coming back earlier would be refused again.
        let wait = Duration::from_secs_f64((1.0 - bucket.tokens) / rate).as_secs() + 1;
        Err(Problem::new(Code::RateLimited, format!("more than {rate} requests per second"))
            .with_header(axum::http::header::RETRY_AFTER, wait.to_string()))
    }

    /// The delay and the fate of the next request.
    pub(super) fn draw(&self) -> (Duration, Fate) {
        let mut chance = self.chance.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let delay = self.faults.latency + self.faults.jitter.mul_f64(chance.f64());
        let (reset, fails, fails_after, first) = (chance.f64(), chance.f64(), chance.f64(), chance.bool());
        let stalls = chance.f64();
        let (commits_later, duplicated) = (chance.f64(), chance.f64());
        let fate = if reset < self.faults.reset_rate {
            if first { Fate::ResetFirst } else { Fate::ResetAfter }
        } else if stalls < self.faults.stall_rate {
            if first { Fate::StallsFirst } else { Fate::StallsAfter }
        } else if fails < self.faults.error_rate {
            Fate::FailsFirst
        } else if fails_after < self.faults.late_error_rate {
            Fate::FailsAfter
        } else if commits_later < self.faults.late_commit_rate {
            Fate::CommitsLater
        } else if duplicated < self.faults.duplicate_rate {
            Fate::Duplicated
        } else {
            Fate::Served
        };
        (delay, fate)
    }

    /// How long after its answer a late write is carried out.
    pub(super) const fn late_commit_after(&self) -> Duration {
        self.faults.late_commit_after
    }

    /// Called before each write, in the order of the writes.
    pub(super) fn before_write(&self) -> Result<(), Problem> {
        let this = self.attempted.fetch_add(1, Ordering::SeqCst) + 1;
        if self.faults.fail_write == Some(this) {
            return Err(Problem::new(Code::Internal, "an unexpected error occurred"));
        }
        if self.is_dead() {
            return Err(Problem::new(Code::Unavailable, "the server is going away"));
        }
        Ok(())
    }

    /// Called after each commit; true when it was the last one that this server makes.
    pub(super) fn after_commit(&self) -> bool {
        self.committed.fetch_add(1, Ordering::SeqCst);
        self.is_dead()
    }

    fn is_dead(&self) -> bool {
        self.faults.die_after_write.is_some_and(|last| self.committed.load(Ordering::SeqCst) >= last)
    }
}

/// The answer of a request that fails by chance.
pub(super) fn failure() -> Problem {
    Problem::new(Code::Unavailable, "the server is overloaded, try again")
        .with_header(axum::http::header::RETRY_AFTER, "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_fates() {
        let rate = 0.2;
        let faults = Faults {
            error_rate: rate,
            reset_rate: rate,
            late_error_rate: rate,
            stall_rate: rate,
            late_commit_rate: rate,
            duplicate_rate: rate,
            seed: 7,
            ..Faults::default()
        };
        let draw = |faults: &Faults| {
            let injector = Injector::new(faults.clone());
            (0..200).map(|_| injector.draw().1).collect::<Vec<_>>()
        };
        assert_eq!(draw(&faults), draw(&faults));
        let failures = [Fate::FailsFirst, Fate::FailsAfter, Fate::ResetFirst, Fate::ResetAfter];
        for fate in failures.into_iter().chain([
            Fate::StallsFirst,
            Fate::StallsAfter,
            Fate::CommitsLater,
            Fate::Duplicated,
            Fate::Served,
        ]) {
            assert!(draw(&faults).contains(&fate), "{fate:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_limit_refills_by_the_second() {
        let injector = Injector::new(Faults { rate_limit: Some(2), ..Faults::default() });
        let admitted = |n: usize| (0..n).filter(|_| injector.admit().is_ok()).count();
        assert_eq!(admitted(5), 2);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(admitted(5), 2);
    }
}
