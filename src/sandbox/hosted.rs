//! What a running server has: its accounts, and what the requests to all of them share.

use std::sync::{Arc, Mutex};

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
    pub(super) counters: Mutex<Counters>,
}

/// How many requests to accounts have come in, refused and failed ones included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub requests: u64,
    /// GET and HEAD.
    pub reads: u64,
    /// POST, PATCH and DELETE.
    pub writes: u64,
}

impl Counters {
    pub(super) fn add(&mut self, method: &Method) {
        self.requests += 1;
        match *method {
            Method::GET | Method::HEAD => self.reads += 1,
            Method::POST | Method::PATCH | Method::DELETE => self.writes += 1,
            _ => {}
        }
    }
}
