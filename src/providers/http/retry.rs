//! How often and how long a request is repeated.

use std::time::Duration;

use tokio::time::Instant;

use super::SendError;

/// The bounds of repeating, and the time-outs of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts that may fail; answers that only ask to wait do not count.
    pub attempts: u32,
    /// The most time spent in our own pauses between the attempts of one request.
    pub total: Duration,
    /// The first pause; each further one is twice as long, and all are shortened at random by up to half.
    pub first_pause: Duration,
    /// The most time that the server may ask one request to wait, over all its attempts.
    pub longest_wait: Duration,
    /// How long a server is asked again that has too much to do (429, 503) and does not state when it will have less.
    /// Most rate limits count by the minute.
    pub usual_wait: Duration,
    /// The most time to connect.
    pub connect: Duration,
    /// The most time from sending a request to the last byte of its answer.
    pub request: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            total: Duration::from_secs(60),
            first_pause: Duration::from_millis(250),
            longest_wait: Duration::from_secs(300),
            usual_wait: Duration::from_secs(90),
            connect: Duration::from_secs(10),
            request: Duration::from_secs(30),
        }
    }
}

/// The first pause after a 429 or 503 that states no time, as a multiple of the first pause after a failure.
const UNSTATED_FACTOR: u32 = 4;
/// The longest of these pauses, as the same multiple of that pause: a server that is asked every 16 seconds is not kept
/// from recovering, and is not left waiting for long either.
const UNSTATED_MOST: u32 = 64;

/// The attempts at one request.
#[derive(Debug)]
pub struct Attempts {
    policy: RetryPolicy,
    /// How many requests were sent.
    pub made: u32,
    failed: u32,
    paused: Duration,
    waited: Duration,
    /// Since when the server answers that it has too much to do, without stating a time; and how often it has.
    unstated: Option<(Instant, u32)>,
    /// Whether the last failure was such an answer, and the wait that it stated.
    busy: Option<Option<Duration>>,
    doubt: Option<String>,
}

impl Attempts {
    pub fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            made: 0,
            failed: 0,
            paused: Duration::ZERO,
            waited: Duration::ZERO,
            unstated: None,
            busy: None,
            doubt: None,
        }
    }

    /// Notes that the next pause is for a server that has too much to do (503), and how long it asks to wait.
    pub(super) fn note_busy(&mut self, asked: Option<Duration>) {
        self.busy = Some(asked);
    }

    /// Why one of the attempts so far may have been carried out; of several, the last. Nothing that a later
    /// attempt ends in takes it back: only a look at the account does.
    pub fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    /// An attempt may have been carried out.
    pub fn doubted(&mut self, why: String) -> SendError {
        self.doubt = Some(why.clone());
        SendError::OutcomeUnknown(why)
    }

    /// Counts a failure and says how long to pause before the next attempt; `None` when the attempts have run out.
    pub fn pause(&mut self) -> Option<Duration> {
        // Who allows one attempt wants the answer now.
        if let Some(asked) = self.busy.take().filter(|_| self.policy.attempts > 1) {
            return self.wait(asked);
        }
        self.failed += 1;
        if self.failed >= self.policy.attempts {
            return None;
        }
        let pause = self.jittered(1 << self.failed.min(16).saturating_sub(1));
        self.paused += pause;
        (self.paused <= self.policy.total).then_some(pause)
    }

    /// How long to wait for a server that has too much to do: as long as it asks, or, where it states no time, for
    /// growing pauses over the usual window of a rate limit. `None` if that would be too long.
    pub(super) fn wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        if let Some(asked) = asked {
            // Waits of next to nothing must run out too.
            self.waited += asked.max(Duration::from_millis(100));
            return (self.waited <= self.policy.longest_wait).then_some(asked);
        }
        let now = Instant::now();
        let (since, times) = *self.unstated.get_or_insert((now, 0));
        self.unstated = Some((since, times.saturating_add(1)));
        let pause = self.jittered((UNSTATED_FACTOR << times.min(16)).min(UNSTATED_MOST));
        (now.duration_since(since) < self.policy.usual_wait).then_some(pause)
    }

    /// Why [`wait`](Self::wait) gave up, for messages.
    pub(super) fn too_long(&self, status: u16, asked: Option<Duration>) -> String {
        let seconds = |time: Duration| format!("{} s", time.as_secs_f64().ceil());
        if let Some(asked) = asked {
            let most = seconds(self.policy.longest_wait);
            return format!(
                "it answers {status} and asks to wait for {}, and a request waits for {most} in all",
                seconds(asked)
            );
        }
        let waited = self.unstated.map(|(since, _)| since.elapsed()).unwrap_or_default();
        format!("it answered {status} for {} and did not state how long to wait", seconds(waited))
    }

    /// So many times the first pause, shortened at random by up to half.
    fn jittered(&self, times: u32) -> Duration {
        self.policy.first_pause.saturating_mul(times).mul_f64(1.0 - fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_and_time_both_run_out() {
        let mut attempts = Attempts::new(RetryPolicy::default());
        let pauses: Vec<_> = std::iter::from_fn(|| attempts.pause()).collect();
        assert_eq!(pauses.len(), 4);
        for (pause, most) in pauses.iter().zip([250, 500, 1000, 2000]) {
            assert!((most / 2..=most).contains(&pause.as_millis()), "{pause:?}");
        }
        let mut attempts = Attempts::new(RetryPolicy::default());
        assert_eq!(attempts.wait(Some(Duration::from_secs(301))), None);
    }

    /// Waits until the policy ends it: how often it asked, and how long that took.
    async fn exhausted(
        policy: RetryPolicy,
        mut next: impl FnMut(&mut Attempts) -> Option<Duration>,
    ) -> (u32, Duration) {
        let (begun, mut attempts, mut asked) = (Instant::now(), Attempts::new(policy), 1);
        while let Some(pause) = next(&mut attempts) {
            tokio::time::sleep(pause).await;
            asked += 1;
        }
        (asked, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn an_unstated_wait_lasts_a_usual_window_with_few_requests() {
        let (asked, took) = exhausted(RetryPolicy::default(), |attempts| attempts.wait(None)).await;
        assert!((90..=106).contains(&took.as_secs()), "{took:?}");
        assert!((9..=18).contains(&asked), "{asked}");
        let busy = |attempts: &mut Attempts| {
            attempts.note_busy(None);
            attempts.pause()
        };
        let (_, took) = exhausted(RetryPolicy::default(), busy).await;
        assert!((90..=106).contains(&took.as_secs()), "{took:?}");
        let (asked, took) = exhausted(RetryPolicy { attempts: 1, ..RetryPolicy::default() }, busy).await;
        assert_eq!((asked, took), (1, Duration::ZERO), "one attempt is one attempt");
    }

    #[test]
    fn what_was_stated_is_said_and_so_is_what_was_not() {
        let mut attempts = Attempts::new(RetryPolicy::default());
        assert!(attempts.wait(Some(Duration::from_secs(3601))).is_none());
        let said = attempts.too_long(429, Some(Duration::from_secs(3601)));
        assert_eq!(said, "it answers 429 and asks to wait for 3601 s, and a request waits for 300 s in all");
        let said = attempts.too_long(503, None);
        assert!(said.ends_with("and did not state how long to wait"), "{said}");
    }
}
