//! The way in to one account's loop, for whoever has something to say to it.
//!
//! What somebody wants of the loop is kept here, apart from the reasons that are told in the log: a wish that is
//! carried out is gone, however often and for whatever reason the account is woken.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ledger::Approver;
use crate::plan::Digest;

use super::wake::{Reason, Waker};

/// The way in to one account's loop.
#[derive(Clone, Debug, Default)]
pub(super) struct Handle {
    pub(super) waker: Waker,
    resume: Arc<AtomicBool>,
    approved: Arc<Mutex<BTreeMap<Digest, Approver>>>,
}

impl Handle {
    /// A loop that these approvals wait for.
    pub(super) fn with(approved: impl IntoIterator<Item = (Digest, Approver)>) -> Self {
        Self { approved: Arc::new(Mutex::new(approved.into_iter().collect())), ..Self::default() }
    }

    /// Has the account looked at anew: what was given up is tried again, and nothing is taken for known.
    pub(super) fn resume(&self, reason: Reason) {
        self.resume.store(true, Ordering::Release);
        self.waker.wake(reason);
    }

    /// Whether somebody asked for that since the last time.
    pub(super) fn resumes(&self) -> bool {
        self.resume.swap(false, Ordering::AcqRel)
    }

    /// Lets a plan through that guards hold back: exactly this one, once.
    pub(super) fn approve(&self, digest: Digest, by: Approver) {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).entry(digest).or_insert(by);
        self.waker.wake(Reason::Request);
    }

    /// Every plan that somebody approved and that was not carried out.
    pub(super) fn approved(&self) -> BTreeMap<Digest, Approver> {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether somebody approved this plan.
    pub(super) fn approves(&self, digest: &Digest) -> bool {
        self.approver(digest).is_some()
    }

    /// Who approved this plan.
    pub(super) fn approver(&self, digest: &Digest) -> Option<Approver> {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// The plan was carried out: its approval is used up.
    pub(super) fn used(&self, digest: &Digest) {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }
}
