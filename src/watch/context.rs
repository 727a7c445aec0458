//! What the loops of all accounts share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::apply::ShutdownSignal;
use crate::config::Account;
use crate::providers::Access;

use super::environment::{Clock, Environment};
use super::leases::Claims;
use super::status::StatusStore;

/// How accounts are watched.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long at most between two looks at an account.
    pub interval: Duration,
    /// Whether differences are corrected, as far as the files' policy and the guards allow, or only reported.
    pub access: Access,
    /// The most changes of an account under way at once.
    pub concurrency: usize,
    /// The most accounts behind one server that are looked at, at once.
    pub accounts_at_once: usize,
    /// After so many corrections of one field within [`Self::fight_window`], it is not corrected again.
    pub fight_limit: usize,
    /// See [`Self::fight_limit`].
    pub fight_window: Duration,
    /// How long a deletion waits for files and account to stay as they are.
    pub delete_rest: Duration,
    /// Whether accounts are taken over, once, from the owners that manage them so far.
    pub take_over: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            access: Access::ReadOnly,
            concurrency: 4,
            accounts_at_once: 8,
            fight_limit: 3,
            fight_window: Duration::from_secs(3600),
            delete_rest: Duration::from_secs(30),
            take_over: false,
        }
    }
}

/// What the loops of all accounts share.
pub(super) struct Context {
    pub(super) options: Options,
    pub(super) edge: Arc<dyn Environment>,
    pub(super) board: StatusStore,
    pub(super) clock: Clock,
    pub(super) stop: ShutdownSignal,
    /// Which live account each loop is at.
    pub(super) claims: Claims,
    budgets: Mutex<HashMap<Box<str>, Arc<Semaphore>>>,
}

impl Context {
    pub(super) fn new(
        options: Options,
        edge: Arc<dyn Environment>,
        board: StatusStore,
        clock: Clock,
        stop: ShutdownSignal,
    ) -> Self {
        Self { options, edge, board, clock, stop, claims: Claims::default(), budgets: Mutex::default() }
    }

    /// How many accounts behind the same server may be looked at, at once.
    pub(super) fn budget(&self, account: Option<&Account>) -> Arc<Semaphore> {
        let provider = account.map(|account| &account.settings.provider);
        let server = provider.map_or("", |provider| provider.url().map_or(provider.spec().word, authority));
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.options.accounts_at_once.max(1);
        Arc::clone(budgets.entry(server.into()).or_insert_with(|| Arc::new(Semaphore::new(room))))
    }
}

/// Scheme, host and port of a URL.
fn authority(url: &str) -> &str {
    let from = url.find("://").map_or(0, |at| at + 3);
    let length = url.get(from..).and_then(|rest| rest.find('/')).unwrap_or(url.len() - from);
    url.get(..from + length).unwrap_or(url)
}
