//! How often and how long a request is repeated.

use std::time::{Duration, SystemTime};

/// The bounds of repeating, and the time-outs of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The most attempts that may fail; answers that only ask to wait do not count.
    pub attempts: u32,
    /// The most time spent in our own pauses between the attempts of one request.
    pub total: Duration,
    /// The first pause; each further one is twice as long, and all are shortened at random by up to half.
    pub first_pause: Duration,
    /// The most time that the server may ask one request to wait, over all its attempts.
    pub longest_wait: Duration,
    /// The most time until a connection stands.
    pub connect: Duration,
    /// The most time from sending a request to the last byte of its answer.
    pub request: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 5,
            total: Duration::from_secs(60),
            first_pause: Duration::from_millis(250),
            longest_wait: Duration::from_secs(300),
            connect: Duration::from_secs(10),
            request: Duration::from_secs(30),
        }
    }
}

/// The attempts at one request.
#[derive(Debug)]
pub(in crate::live) struct Attempts {
    patience: Patience,
    /// How many requests were sent.
    pub(in crate::live) made: u32,
    failed: u32,
    paused: Duration,
    waited: Duration,
}

impl Attempts {
    pub(in crate::live) fn new(patience: Patience) -> Self {
        Self { patience, made: 0, failed: 0, paused: Duration::ZERO, waited: Duration::ZERO }
    }

    /// Counts a failure and says how long to pause before the next attempt; `None` when patience has run out.
    pub(in crate::live) fn pause(&mut self) -> Option<Duration> {
        self.failed += 1;
        if self.failed >= self.patience.attempts {
            return None;
        }
        let doubled = self.patience.first_pause.saturating_mul(1 << self.failed.min(16).saturating_sub(1));
        let pause = doubled.mul_f64(1.0 - fastrand::f64() / 2.0);
        self.paused += pause;
        (self.paused <= self.patience.total).then_some(pause)
    }

    /// How long to wait because the server asks for it; `None` if that would be too long.
    ///
    /// A server that states no time gets our own pause, so that it cannot be asked without end.
    pub(super) fn wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let Some(asked) = asked else { return self.pause() };
        // Waits of zero must run out too.
        self.waited += asked.max(Duration::from_millis(100));
        (self.waited <= self.patience.longest_wait).then_some(asked)
    }
}

/// The wait that a `Retry-After` header asks for: seconds, or the time of day of RFC 9110.
pub(in crate::live) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = httpdate::parse_http_date(header).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_understood_in_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        let date = httpdate::fmt_http_date(now + Duration::from_secs(90));
        assert_eq!(retry_after(&date, now), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("-5", now), None);
        assert_eq!(retry_after("soon", now), None);
    }

    #[test]
    fn attempts_and_time_both_run_out() {
        let mut attempts = Attempts::new(Patience::default());
        let pauses: Vec<_> = std::iter::from_fn(|| attempts.pause()).collect();
        assert_eq!(pauses.len(), 4);
        for (pause, most) in pauses.iter().zip([250, 500, 1000, 2000]) {
            assert!((most / 2..=most).contains(&pause.as_millis()), "{pause:?}");
        }
        let mut attempts = Attempts::new(Patience::default());
        assert_eq!(attempts.wait(Some(Duration::from_secs(301))), None);
    }
}
