//! What a running server has: its accounts, and what the requests to all of them share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::Method;

use super::auth::Tokens;
use super::faults::Injector;
use super::lifecycle::Life;
use super::store::Store;

/// One account of the server.
#[derive(Debug, Clone)]
pub(super) struct Hosted {
    pub(super) store: Store,
    /// What its paths begin with: nothing, or `/accounts/7`.
    pub(super) prefix: Box<str>,
    pub(super) shared: Arc<Shared>,
}

/// What the requests to all accounts share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) tokens: Tokens,
    pub(super) injector: Injector,
    pub(super) life: Life,
    pub(super) count: Count,
}

/// How many requests to accounts have come in, refused and failed ones included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// All of them.
    pub requests: u64,
    /// GET and HEAD.
    pub reads: u64,
    /// POST, PATCH and DELETE.
    pub writes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Count {
    requests: AtomicU64,
    reads: AtomicU64,
    writes: AtomicU64,
}

impl Count {
    pub(super) fn request(&self, method: &Method) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        match *method {
            Method::GET | Method::HEAD => self.reads.fetch_add(1, Ordering::Relaxed),
            Method::POST | Method::PATCH | Method::DELETE => self.writes.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }

    pub(super) fn read(&self) -> Counters {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters { requests: of(&self.requests), reads: of(&self.reads), writes: of(&self.writes) }
    }
}
