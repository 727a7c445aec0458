//! Wake-ups of one account, coalesced: however many come while it is busy, it looks once more.
//!
//! Why an account was woken is told in the log and to nobody else: what is done follows from the files and the
//! account alone.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// Why an account is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// The process began, or the account is new.
    Start = 1,
    /// Its files changed, or are back.
    Files = 2,
    /// An interval has passed.
    Timer = 4,
    /// A failure is tried again.
    Retry = 8,
    /// A signal asked for it.
    Signal = 16,
    /// A request asked for it.
    Request = 32,
    /// A window for changes opened or closed, or a suspension ended.
    Window = 64,
    /// What deletions wait for is over.
    Rest = 128,
}

/// Several reasons at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reasons(u8);

impl Reasons {
    /// Whether this is one of them.
    pub(super) fn has(self, reason: Reason) -> bool {
        self.0 & reason as u8 != 0
    }

    /// These and those.
    #[must_use]
    pub(super) fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

impl From<Reason> for Reasons {
    fn from(reason: Reason) -> Self {
        Self(reason as u8)
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WORDS: [(Reason, &str); 8] = [
            (Reason::Start, "start"),
            (Reason::Files, "files"),
            (Reason::Timer, "timer"),
            (Reason::Retry, "retry"),
            (Reason::Signal, "signal"),
            (Reason::Request, "request"),
            (Reason::Window, "window"),
            (Reason::Rest, "rest"),
        ];
        let words: Vec<&str> = WORDS.iter().filter(|(reason, _)| self.has(*reason)).map(|(_, word)| *word).collect();
        f.write_str(&words.join("+"))
    }
}

/// Wakes one account, from anywhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Waker(Arc<BoxFuture>);

#[derive(Debug, Default)]
struct BoxFuture {
    reasons: AtomicU8,
    notify: Notify,
}

impl Waker {
    /// Has the account looked at soon.
    pub(super) fn wake(&self, reason: Reason) {
        self.0.reasons.fetch_or(reason as u8, Ordering::AcqRel);
        self.0.notify.notify_one();
    }

    /// Returns once somebody woke it since the last time, with all reasons. For one listener.
    pub(super) async fn woken(&self) -> Reasons {
        loop {
            let reasons = self.taken();
            if reasons != Reasons::default() {
                return reasons;
            }
            self.0.notify.notified().await;
        }
    }

    /// The reasons that have come so far.
    pub(super) fn taken(&self) -> Reasons {
        Reasons(self.0.reasons.swap(0, Ordering::AcqRel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn wake_ups_that_come_before_anybody_listens_are_one() {
        let waker = Waker::default();
        for _ in 0..100 {
            waker.wake(Reason::Files);
            waker.wake(Reason::Request);
        }
        let reasons = waker.woken().await;
        assert_eq!(reasons.to_string(), "files+request");
        assert!(!reasons.has(Reason::Timer));
        let again = tokio::time::timeout(std::time::Duration::from_millis(20), waker.woken()).await;
        assert!(again.is_err(), "a second wake-up out of nothing: {again:?}");
    }
}
