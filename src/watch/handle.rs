//! The way in to one account's loop, for whoever has something to say to it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::plan::Digest;

use super::wake::{Reason, Waker};

/// The way in to one account's loop.
#[derive(Clone, Debug, Default)]
pub(super) struct Handle {
    pub(super) waker: Waker,
    approved: Arc<Mutex<BTreeSet<Digest>>>,
}

impl Handle {
    /// A loop that these approvals wait for.
    pub(super) fn with(approved: impl IntoIterator<Item = Digest>) -> Self {
        Self { waker: Waker::default(), approved: Arc::new(Mutex::new(approved.into_iter().collect())) }
    }

    /// Lets a plan through that guards hold back: exactly this one, once.
    pub(super) fn approve(&self, digest: Digest) {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        self.waker.wake(Reason::Request);
    }

    /// Whether somebody approved this plan.
    pub(super) fn approves(&self, digest: &Digest) -> bool {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).contains(digest)
    }

    /// The plan was carried out: its approval is used up.
    pub(super) fn used(&self, digest: &Digest) {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }
}
