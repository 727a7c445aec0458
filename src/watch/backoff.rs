//! When an account is looked at next: a pure function of how the looks before ended.

use std::time::Duration;

/// The first wait after a failure.
const FIRST: Duration = Duration::from_secs(1);
/// No wait after a failure is longer.
const LONGEST: Duration = Duration::from_secs(300);

/// How a look, with all that followed, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// There is nothing to do until something changes or the interval has passed.
    Settled,
    /// Something failed that may work the next time.
    Transient,
}

/// The pace of one account.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    interval: Duration,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, failures: 0 }
    }

    /// How long to wait. `chance` is between 0 and 1.
    ///
    /// The interval is never exceeded, only undercut by up to a tenth, so that many accounts spread out; after
    /// failures the wait doubles from a second to five minutes, and is between half of that and all of it.
    pub(super) fn next(&mut self, ended: Ended, chance: f64) -> Duration {
        let chance = chance.clamp(0.0, 1.0);
        match ended {
            Ended::Settled => {
                self.failures = 0;
                self.interval.mul_f64(1.0 - 0.1 * chance)
            }
            Ended::Transient => {
                let wait = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
                self.failures = self.failures.saturating_add(1);
                wait.mul_f64(0.5 + 0.5 * chance)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn failures_double_the_wait_up_to_five_minutes_and_one_success_forgets_them() {
        let mut pace = Backoff::new(Duration::from_secs(60));
        let waits: Vec<u64> = (0..11).map(|_| pace.next(Ended::Transient, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pace.next(Ended::Settled, 0.0), Duration::from_secs(60));
        assert_eq!(pace.next(Ended::Transient, 0.0), Duration::from_millis(500));
    }

    proptest! {
        #[test]
        fn no_wait_is_out_of_bounds(ends in prop::collection::vec((any::<bool>(), any::<f64>()), 1..200), secs in 1..100_000_u64) {
            let interval = Duration::from_secs(secs);
            let mut pace = Backoff::new(interval);
            for (well, chance) in ends {
                let chance = if chance.is_nan() { 0.5 } else { chance };
                let wait = pace.next(if well { Ended::Settled } else { Ended::Transient }, chance);
                if well {
                    prop_assert!(wait <= interval && wait >= interval.mul_f64(0.89));
                } else {
                    prop_assert!(wait >= FIRST / 2 && wait <= LONGEST);
                }
            }
        }
    }
}
