//! How other tasks reach the loop of one account.
//!
//! Wake-ups coalesce: however many arrive while the account is busy, it is checked once more. The reason is only logged.
//! What a caller asks for is kept apart from it, so that no coalesced wake-up loses a request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::ledger::Approver;
use crate::plan::Digest;

/// Why an account is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The process started, or the account is new.
    Start,
    /// The files changed, or the account is declared again.
    Files,
    /// The interval has passed.
    Timer,
    /// The account says that it changed.
    Account,
    /// The check before failed.
    Retry,
    /// A signal asked for it.
    Signal,
    /// A request asked for it.
    Request,
    /// A window for changes opened or closed, or a suspension ended.
    Window,
    /// Delayed deletions are due.
    Deletion,
}

#[derive(Clone, Debug)]
pub(super) struct Handle {
    wakes: watch::Sender<Reason>,
    resume: Arc<AtomicBool>,
    approved: Arc<Mutex<BTreeMap<Digest, Approver>>>,
}

impl Handle {
    /// For a loop that has these approvals from the start.
    pub(super) fn new(approved: impl IntoIterator<Item = (Digest, Approver)>) -> Self {
        Self {
            wakes: watch::Sender::new(Reason::Start),
            resume: Arc::default(),
            approved: Arc::new(Mutex::new(approved.into_iter().collect())),
        }
    }

    /// The wake-ups from now on.
    pub(super) fn wakes(&self) -> watch::Receiver<Reason> {
        self.wakes.subscribe()
    }

    /// Has the account read in full, and everything retried that is not corrected any longer.
    pub(super) fn resume(&self, reason: Reason) {
        self.resume.store(true, Ordering::Release);
        self.wakes.send_replace(reason);
    }

    /// Whether [`Self::resume`] was called since the last time.
    pub(super) fn take_resume(&self) -> bool {
        self.resume.swap(false, Ordering::AcqRel)
    }

    /// Approves the plan with this digest, once.
    pub(super) fn approve(&self, digest: Digest, by: Approver) {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).entry(digest).or_insert(by);
        self.wakes.send_replace(Reason::Request);
    }

    /// The plans that were approved and not applied yet.
    pub(super) fn approved(&self) -> BTreeMap<Digest, Approver> {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn approver(&self, digest: &Digest) -> Option<Approver> {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// An approval is good for one run.
    pub(super) fn remove_approval(&self, digest: &Digest) {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }
}
