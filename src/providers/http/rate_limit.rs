//! The rate limits that a vendor states, each for a class of an account's requests.
//!
//! A request starts when there is room in every class that covers it. After a 429 nothing of these classes is sent until
//! the wait that the server states and the vendor's penalty have passed. A request counts from its start until a
//! window after its end: the server has counted it in between, however slow the network is.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Method, Url};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::budget::Wait;
use super::shared::Shared;

/// At most so many requests (0 counts as 1) in any span of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub requests: usize,
    pub window: Duration,
}

/// Requests that a vendor limits together.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    /// Whether it is one of them. A request that several classes cover has to keep the limits of all.
    pub covers: fn(&Method, &Url) -> bool,
    pub limits: &'static [RateLimit],
    /// The least pause after a 429, for vendors that let it begin again with every request (`RingCentral`).
    pub penalty: Duration,
}

/// The classes in use, by the address and the credentials of their account.
static CLASSES: Shared<(String, [u8; 32]), Classes> = Shared::new();

/// The classes of an account.
#[derive(Debug)]
pub(super) struct Classes {
    usages: Mutex<Vec<Usage>>,
    /// A request came to its end.
    ended: Notify,
}

/// The right to have one request of these classes under way; given back when dropped.
#[derive(Debug)]
pub(super) struct ClassPermit<'a> {
    classes: &'a Classes,
    covering: Vec<bool>,
}

/// The requests of one class.
#[derive(Debug)]
struct Usage {
    class: Class,
    under_way: usize,
    /// When the latest others ended, in order.
    ended: VecDeque<Instant>,
    closed_until: Instant,
}

impl RateLimit {
    pub const fn per_second(requests: usize) -> Self {
        Self { requests, window: Duration::from_secs(1) }
    }

    pub const fn per_minute(requests: usize) -> Self {
        Self { requests, window: Duration::from_secs(60) }
    }
}

impl Classes {
    /// The classes of the account at this address that these credentials belong to.
    pub(super) fn shared(base: &Url, credentials: [u8; 32], declared: &[Class]) -> Arc<Self> {
        let Ok(classes) = CLASSES.get((base.to_string(), credentials), || Ok::<_, Infallible>(Self::new(declared)));
        classes
    }

    fn new(declared: &[Class]) -> Self {
        let usages = declared.iter().map(|class| Usage::new(*class, Instant::now())).collect();
        Self { usages: Mutex::new(usages), ended: Notify::new() }
    }

    /// Waits until a request may start; how long its classes stay closed, if that is longer than a request waits.
    pub(super) async fn turn(
        &self,
        method: &Method,
        url: &Url,
        longest: Duration,
    ) -> Result<ClassPermit<'_>, Duration> {
        let covering: Vec<bool> = self.usages().iter().map(|usage| (usage.class.covers)(method, url)).collect();
        loop {
            // Listening begins before looking, so that what ends in between is heard.
            let ended = self.ended.notified();
            let left = self.closed_for(&covering);
            if left > longest {
                return Err(left);
            }
            match self.begin(&covering, Instant::now()) {
                None => return Ok(ClassPermit { classes: self, covering }),
                Some(wait) => wait.over(ended).await,
            }
        }
    }

    /// Counts a request, unless it has to wait.
    fn begin(&self, covering: &[bool], now: Instant) -> Option<Wait> {
        let mut usages = self.usages();
        let wait = covered(&mut usages, covering).filter_map(|usage| usage.wait(now)).max();
        if wait.is_none() {
            covered(&mut usages, covering).for_each(|usage| usage.under_way += 1);
        }
        wait
    }

    fn closed_for(&self, covering: &[bool]) -> Duration {
        let now = Instant::now();
        let left = covered(&mut self.usages(), covering).map(|usage| usage.closed_until.duration_since(now)).max();
        left.unwrap_or_default()
    }

    fn usages(&self) -> MutexGuard<'_, Vec<Usage>> {
        // The lock protects plain numbers, which no panic can leave half-written.
        self.usages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn covered<'u>(usages: &'u mut [Usage], covering: &'u [bool]) -> impl Iterator<Item = &'u mut Usage> {
    usages.iter_mut().zip(covering).filter_map(|(usage, covers)| covers.then_some(usage))
}

impl ClassPermit<'_> {
    pub(super) fn has_class(&self) -> bool {
        self.covering.contains(&true)
    }

    /// Whether a 429 came since the request got its turn.
    pub(super) fn is_closed(&self) -> bool {
        !self.classes.closed_for(&self.covering).is_zero()
    }

    /// The server answered 429 and stated this wait: nothing of these classes is sent until it and the penalty have
    /// passed. Returns how long that is, as far as it is known.
    pub(super) fn close(&self, stated: Option<Duration>) -> Option<Duration> {
        let mut usages = self.classes.usages();
        let penalty = covered(&mut usages, &self.covering).map(|usage| usage.class.penalty).max();
        let wait = stated.max(penalty.filter(|penalty| !penalty.is_zero()));
        let until = Instant::now() + wait.unwrap_or_default();
        covered(&mut usages, &self.covering).for_each(|usage| usage.closed_until = usage.closed_until.max(until));
        wait
    }
}

impl Drop for ClassPermit<'_> {
    fn drop(&mut self) {
        let mut usages = self.classes.usages();
        let now = Instant::now();
        covered(&mut usages, &self.covering).for_each(|usage| usage.end(now));
        drop(usages);
        self.classes.ended.notify_waiters();
    }
}

impl Usage {
    fn new(class: Class, now: Instant) -> Self {
        Self { class, under_way: 0, ended: VecDeque::new(), closed_until: now }
    }

    /// What a request of this class waits for, if it may not start now.
    fn wait(&self, now: Instant) -> Option<Wait> {
        let closed = (self.closed_until > now).then_some(Wait::Until(self.closed_until));
        self.class.limits.iter().filter_map(|limit| self.room(*limit, now)).chain(closed).max()
    }

    /// What makes room for a request within a limit, if there is none now.
    fn room(&self, limit: RateLimit, now: Instant) -> Option<Wait> {
        let recent = self.ended.iter().rev().map(|ended| *ended + limit.window).take_while(|counts| *counts > now);
        let (count, first) = recent.fold((0, Wait::Other), |(count, _), counts| (count + 1, Wait::Until(counts)));
        (self.under_way + count >= limit.requests.max(1)).then_some(first)
    }

    fn end(&mut self, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        self.ended.push_back(now);
        // No window holds more requests than the largest limit.
        let most = self.class.limits.iter().map(|limit| limit.requests.max(1)).max().unwrap_or_default();
        self.ended.drain(..self.ended.len().saturating_sub(most));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Offers a request after each of these gaps and starts it as soon as it may; when each started and ended. The
    /// times are milliseconds.
    fn simulate(limits: &[RateLimit], gaps_and_durations: &[(u64, u64)]) -> Vec<(Duration, Duration)> {
        let class = Class { covers: |_, _| true, limits: limits.to_vec().leak(), penalty: Duration::ZERO };
        let epoch = Instant::now();
        let mut usage = Usage::new(class, epoch);
        let (mut now, mut offered, mut ends, mut times) = (epoch, epoch, Vec::new(), Vec::new());
        for (gap, duration) in gaps_and_durations {
            offered += Duration::from_millis(*gap);
            let mut until = Some(Wait::Until(offered));
            while let Some(wait) = until {
                ends.sort_unstable();
                let next = match (wait, ends.first()) {
                    (Wait::Until(at), Some(end)) => at.min(*end),
                    (Wait::Until(at), None) => at,
                    (Wait::Other, end) => *end.expect("a request waits for the end of one that is under way"),
                };
                now = now.max(next);
                ends.extract_if(.., |end| *end <= now).for_each(|end| usage.end(end));
                until = if now < offered { Some(Wait::Until(offered)) } else { usage.wait(now) };
            }
            usage.under_way += 1;
            let end = now + Duration::from_millis(*duration);
            ends.push(end);
            times.push((now - epoch, end - epoch));
        }
        times
    }

    fn limits() -> impl Strategy<Value = Vec<RateLimit>> {
        let limit = (1..6_usize, 1..2000_u64);
        let limit = limit.prop_map(|(requests, window)| RateLimit { requests, window: Duration::from_millis(window) });
        prop::collection::vec(limit, 1..4)
    }

    proptest! {
        #[test]
        fn no_span_of_a_limit_has_more_requests_whenever_the_server_counts_each(
            limits in limits(),
            requests in prop::collection::vec((0..300_u64, 0..500_u64, 0.0..1.0), 1..40),
        ) {
            let offered: Vec<(u64, u64)> = requests.iter().map(|(gap, duration, _)| (*gap, *duration)).collect();
            let times = simulate(&limits, &offered);
            let counted = times.iter().zip(&requests).map(|((start, end), (_, _, part))| {
                *start + end.saturating_sub(*start).mul_f64(*part)
            });
            let mut counted: Vec<Duration> = counted.collect();
            counted.sort_unstable();
            for limit in limits {
                for (first, after) in counted.iter().zip(counted.iter().skip(limit.requests)) {
                    prop_assert!(after.saturating_sub(*first) >= limit.window, "{first:?} and {after:?} with {limit:?}");
                }
            }
        }

        #[test]
        fn a_request_starts_as_soon_as_all_limits_allow_it(
            limits in limits(), gaps in prop::collection::vec(0..300_u64, 1..40),
        ) {
            let offered: Vec<(u64, u64)> = gaps.iter().map(|gap| (*gap, 0)).collect();
            let (mut expected, mut time) = (Vec::<Duration>::new(), Duration::ZERO);
            for gap in gaps {
                time += Duration::from_millis(gap);
                let limited = limits.iter().filter_map(|limit| {
                    Some(expected[expected.len().checked_sub(limit.requests)?] + limit.window)
                });
                let start = limited.chain(expected.last().copied()).fold(time, Duration::max);
                expected.push(start);
            }
            let starts: Vec<Duration> = simulate(&limits, &offered).into_iter().map(|(start, _)| start).collect();
            prop_assert_eq!(starts, expected);
        }
    }

    /// Reads are `GET`, and what has `heavy` in its path is limited by the minute as well.
    const DECLARED: [Class; 2] = [
        Class {
            covers: |method, _| method == Method::GET,
            limits: &[RateLimit::per_second(3)],
            penalty: Duration::ZERO,
        },
        Class {
            covers: |_, url| url.path().contains("heavy"),
            limits: &[RateLimit::per_second(2), RateLimit::per_minute(4)],
            penalty: Duration::from_secs(60),
        },
    ];

    async fn turn<'a>(classes: &'a Classes, method: &Method, path: &str) -> Result<ClassPermit<'a>, Duration> {
        let url = Url::parse("https://pbx.example.org").unwrap().join(path).unwrap();
        classes.turn(method, &url, Duration::from_secs(300)).await
    }

    /// When each of so many requests started, in seconds, if each is answered at once.
    async fn starts(method: &Method, path: &str, count: usize) -> Vec<u64> {
        let (classes, begun) = (Classes::new(&DECLARED), Instant::now());
        let mut starts = Vec::new();
        for _ in 0..count {
            drop(turn(&classes, method, path).await.unwrap());
            starts.push(begun.elapsed().as_secs());
        }
        starts
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_limits_and_classes_the_strictest_counts() {
        assert_eq!(starts(&Method::GET, "/light", 7).await, [0, 0, 0, 1, 1, 1, 2]);
        assert_eq!(starts(&Method::PUT, "/heavy", 7).await, [0, 0, 1, 1, 60, 60, 61]);
        assert_eq!(starts(&Method::GET, "/heavy", 7).await, [0, 0, 1, 1, 60, 60, 61]);
        assert_eq!(starts(&Method::PUT, "/light", 99).await, [0; 99]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_under_way_counts_until_a_window_after_its_end() {
        let (classes, begun) = (Classes::new(&DECLARED), Instant::now());
        let mut heavy = Vec::new();
        let mut reads = Vec::new();
        for _ in 0..2 {
            heavy.push(turn(&classes, &Method::PUT, "/heavy").await);
        }
        for _ in 0..3 {
            reads.push(turn(&classes, &Method::GET, "/light").await);
        }
        let ends = async {
            tokio::time::sleep(5 * SECOND).await;
            drop(heavy.pop());
        };
        let waits = async {
            drop(turn(&classes, &Method::PUT, "/heavy").await);
            begun.elapsed().as_secs()
        };
        tokio::select! {
            biased;
            _ = turn(&classes, &Method::GET, "/light") => panic!("three others are under way"),
            ((), started) = async { tokio::join!(ends, waits) } => assert_eq!(started, 6),
            () = tokio::time::sleep(60 * SECOND) => panic!("another class that waits took the notice"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_closes_its_classes_for_the_longer_of_wait_and_penalty_and_each_further_one_begins_it_again() {
        let (classes, begun) = (Classes::new(&DECLARED), Instant::now());
        let heavy = async |wait| {
            let permit = turn(&classes, &Method::PUT, "/heavy").await.unwrap();
            (begun.elapsed().as_secs(), permit.close(wait))
        };
        let light = async || drop(turn(&classes, &Method::GET, "/light").await.unwrap());
        assert_eq!(heavy(Some(SECOND)).await, (0, Some(60 * SECOND)));
        light().await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "another class goes on");
        assert_eq!(heavy(None).await, (60, Some(60 * SECOND)));
        assert_eq!(heavy(Some(90 * SECOND)).await, (120, Some(90 * SECOND)));
        assert_eq!(heavy(None).await.0, 210);
        let permit = turn(&classes, &Method::GET, "/light").await.unwrap();
        assert_eq!(permit.close(None), None, "neither a wait nor a penalty");
        assert!(!permit.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_when_its_class_is_closed_waits_on_or_gives_up() {
        for (wait, expected) in [(100 * SECOND, Ok(100)), (301 * SECOND, Err(301))] {
            let (classes, begun) = (Classes::new(&DECLARED), Instant::now());
            let refused = async {
                let first = turn(&classes, &Method::PUT, "/heavy").await.unwrap();
                let second = turn(&classes, &Method::PUT, "/heavy").await.unwrap();
                assert!(!second.is_closed());
                first.close(Some(wait));
                drop(first);
                assert!(second.is_closed(), "it has its turn, and is not sent");
            };
            let queued = async {
                let permit = turn(&classes, &Method::PUT, "/heavy").await;
                permit.map(|_| begun.elapsed().as_secs()).map_err(|left| left.as_secs())
            };
            let queued = tokio::join!(refused, queued).1;
            assert_eq!(queued, expected);
        }
    }

    #[test]
    fn accounts_share_classes_by_address_and_credentials() {
        let shared = |url: &str, credentials| Classes::shared(&Url::parse(url).unwrap(), credentials, &DECLARED);
        let one = shared("https://pbx.example.org/a/", [1; 32]);
        assert!(Arc::ptr_eq(&one, &shared("https://PBX.example.org:443/a/", [1; 32])));
        assert!(!Arc::ptr_eq(&one, &shared("https://pbx.example.org/a/", [2; 32])));
        assert!(!Arc::ptr_eq(&one, &shared("https://pbx.example.org/b/", [1; 32])));
    }
}
