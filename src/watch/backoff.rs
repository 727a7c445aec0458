//! When an account is checked next.

use std::time::Duration;

/// The first wait after a failure.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait after a failure.
const LONGEST: Duration = Duration::from_secs(300);

/// When to run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requeue {
    /// When something changes or the interval has passed.
    AtInterval,
    /// After a failure that may be temporary.
    WithBackoff,
}

/// Exponential backoff with jitter; the interval after a success.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    interval: Duration,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, failures: 0 }
    }

    /// How long to wait. `jitter` is between 0 and 1.
    ///
    /// After a success, between 90 % and 100 % of the interval, so that many accounts spread out. After failures, the wait
    /// doubles from one second to five minutes, and is between half of that and all of it.
    pub(super) fn next(&mut self, requeue: Requeue, jitter: f64) -> Duration {
        let jitter = jitter.clamp(0.0, 1.0);
        match requeue {
            Requeue::AtInterval => {
                self.failures = 0;
                self.interval.mul_f64(1.0 - 0.1 * jitter)
            }
            Requeue::WithBackoff => {
                self.failures = self.failures.saturating_add(1);
                exponential(self.failures, FIRST, LONGEST).mul_f64(0.5 + 0.5 * jitter)
            }
        }
    }
}

/// The wait after so many failures: `first`, doubled with each failure, up to `longest`.
pub(super) fn exponential(failures: u32, first: Duration, longest: Duration) -> Duration {
    first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn failures_double_the_wait_up_to_five_minutes_and_a_success_resets_it() {
        let mut backoff = Backoff::new(Duration::from_secs(60));
        let waits: Vec<u64> = (0..11).map(|_| backoff.next(Requeue::WithBackoff, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(backoff.next(Requeue::AtInterval, 0.0), Duration::from_secs(60));
        assert_eq!(backoff.next(Requeue::WithBackoff, 0.0), Duration::from_millis(500));
    }

    proptest! {
        #[test]
        fn no_wait_is_out_of_bounds(results in prop::collection::vec((any::<bool>(), any::<f64>()), 1..200), secs in 1..100_000_u64) {
            let interval = Duration::from_secs(secs);
            let mut backoff = Backoff::new(interval);
            for (success, jitter) in results {
                let jitter = if jitter.is_nan() { 0.5 } else { jitter };
                let wait = backoff.next(if success { Requeue::AtInterval } else { Requeue::WithBackoff }, jitter);
                if success {
                    prop_assert!(wait <= interval && wait >= interval.mul_f64(0.89));
                } else {
                    prop_assert!(wait >= FIRST / 2 && wait <= LONGEST);
                }
            }
        }
    }
}
