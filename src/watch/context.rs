//! What the loops of all accounts share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use url::Url;

use crate::apply::ShutdownSignal;
use crate::config::Account;
use crate::providers::Access;

use super::environment::{Clock, Environment};
use super::leases::Claims;
use super::status::StatusStore;

#[derive(Clone, Debug)]
pub struct Options {
    /// The longest time between two checks of an account.
    pub interval: Duration,
    /// Whether differences are corrected, as far as policy and guards allow, or only reported.
    pub access: Access,
    /// The most concurrent changes of an account.
    pub concurrency: usize,
    /// The most accounts of one server that are checked at once.
    pub accounts_at_once: usize,
    /// A field that was corrected so often within [`Self::fight_window`] is not corrected again.
    pub fight_limit: usize,
    pub fight_window: Duration,
    /// How long files and account must stay unchanged before a deletion is made.
    pub deletion_delay: Duration,
    /// Whether accounts are taken over once from their current owners.
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
            deletion_delay: Duration::from_secs(30),
            take_over: false,
        }
    }
}

/// What the loops of all accounts share.
pub(super) struct Context {
    pub(super) options: Options,
    pub(super) environment: Arc<dyn Environment>,
    pub(super) status_store: StatusStore,
    pub(super) clock: Clock,
    pub(super) stop: ShutdownSignal,
    pub(super) claims: Claims,
    /// By server.
    semaphores: Mutex<HashMap<Box<str>, Arc<Semaphore>>>,
}

impl Context {
    pub(super) fn new(
        options: Options,
        environment: Arc<dyn Environment>,
        status_store: StatusStore,
        clock: Clock,
        stop: ShutdownSignal,
    ) -> Self {
        Self {
            options,
            environment,
            status_store,
            clock,
            stop,
            claims: Claims::default(),
            semaphores: Mutex::default(),
        }
    }

    /// Limits how many accounts of the same server are checked at once.
    pub(super) fn semaphore(&self, account: Option<&Account>) -> Arc<Semaphore> {
        let provider = account.map(|account| &account.settings.provider);
        let server = provider
            .map(|provider| provider.url().map_or_else(|| provider.spec().word.to_owned(), authority))
            .unwrap_or_default();
        let mut semaphores = self.semaphores.lock().unwrap_or_else(PoisonError::into_inner);
        let permits = self.options.accounts_at_once.max(1);
        Arc::clone(semaphores.entry(server.into()).or_insert_with(|| Arc::new(Semaphore::new(permits))))
    }
}

/// Scheme, host and port of a URL.
fn authority(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}
