//! The `asterisk` provider: Asterisk whose dialplan, phones and mailboxes are realtime tables in PostgreSQL.
//!
//! A number is one row, so re-pointing it is one `UPDATE`. A ring group is a chain of `Dial`s under a version, and a
//! fixed row that leads to the version in force. A changed group gets a new version, and the one before stays as long
//! as a call may be on its way through it: Asterisk reads a chain row by row, over the whole life of a call, so that
//! a chain that is changed in place rings half of each, whatever the transaction. Names and labels are rows that no
//! call gets to. Nothing is written to any other table than `extensions`, and nothing that is read as something
//! else is written at all.
//!
//! A change is one transaction, in which its object and what it leads to are locked and compared with what was read. If
//! the answer to a commit is lost, the server is asked what became of that transaction.

mod account;
#[cfg(test)]
mod account_tests;
mod action;
mod chain;
mod database;
mod group;
mod layout;
mod number;
mod people;
mod read;
mod rows;
mod spec;
mod statements;
mod transaction;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::model::Change;

use super::http::Attempts;
use super::open::OpenRequest;
use super::{
    Access, BoxFuture, ChangeCheck, FetchedAccount, Progress, Provider, ReadError, RetryPolicy, Secret, WriteError,
    WriteReceipt,
};
use database::{Connection, Database, Trouble};
use layout::Layout;
use people::People;

pub use spec::SPEC;

/// How long changes have time to be followed by others.
const SETTLED: Duration = Duration::from_millis(200);

/// The shortest pause between two attempts: a transaction that is being committed needs some time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// A client of one account in a database.
pub struct Asterisk {
    database: Database,
    layout: Layout,
    /// Whose rows of `extensions` are read.
    contexts: Vec<String>,
    country: Option<String>,
    retry: RetryPolicy,
    access: Access,
    /// Marks the transactions of this run, for who listens to the table.
    nonce: String,
    /// An idle connection; who uses it takes it out, so that an abandoned transaction ends with its connection.
    idle: tokio::sync::Mutex<Option<Connection>>,
    /// What was read last.
    seen: Mutex<Option<Seen>>,
    /// Changes take turns.
    turn: tokio::sync::Mutex<()>,
    stopped: AtomicBool,
    /// The connection on which the table's trigger reports changes, where it has one.
    listener: tokio::sync::Mutex<Option<Connection>>,
    changed: Arc<Notify>,
}

/// What is kept of a reading.
struct Seen {
    fingerprint: Box<str>,
    people: Arc<People>,
}

impl Asterisk {
    /// A client of the database at this address. Nothing is sent yet.
    pub fn new(
        address: &str,
        password: Secret,
        roots: Option<&[u8]>,
        request: &OpenRequest<'_>,
    ) -> Result<Self, ReadError> {
        let layout = Layout::of(request.settings);
        let options = &request.options;
        Ok(Self {
            database: Database::new(address, password, roots, options.retry)?,
            contexts: layout.contexts(),
            layout,
            country: request.country.clone(),
            retry: options.retry,
            access: options.access,
            nonce: options.nonce.clone(),
            idle: tokio::sync::Mutex::default(),
            seen: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            stopped: AtomicBool::new(false),
            listener: tokio::sync::Mutex::default(),
            changed: Arc::default(),
        })
    }

    /// A connection for one use: the idle one, or a new one.
    async fn connection(&self) -> Result<Connection, Trouble> {
        let idle = self.idle.lock().await.take();
        match idle.filter(|connection| !connection.client.is_closed()) {
            Some(connection) => Ok(connection),
            None => self.database.connect(|_| {}).await,
        }
    }

    /// Puts a connection back whose transaction has ended.
    async fn keep(&self, connection: Connection) {
        *self.idle.lock().await = Some(connection);
    }

    fn lock_seen(&self) -> MutexGuard<'_, Option<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn people(&self) -> Arc<People> {
        self.lock_seen().as_ref().map(|seen| Arc::clone(&seen.people)).unwrap_or_default()
    }

    async fn until_changed(&self) {
        let mut listener = self.listener.lock().await;
        if listener.as_ref().is_none_or(|connection| connection.client.is_closed()) {
            let (changed, own) = (Arc::clone(&self.changed), self.nonce.clone());
            // A connection that ends is like a notice: what happened meanwhile is not known.
            let notice = move |payload: &str| {
                if payload != own {
                    changed.notify_one();
                }
            };
            let heard = match self.database.connect(notice).await {
                Ok(connection) => {
                    connection.client.batch_execute("listen strowger").await.is_ok().then_some(connection)
                }
                Err(_) => None,
            };
            if heard.is_none() {
                // The next check says what is wrong, and then this is tried again.
                return std::future::pending().await;
            }
            *listener = heard;
        }
        drop(listener);
        self.changed.notified().await;
        // An import by another program is many changes.
        tokio::time::sleep(SETTLED).await;
    }

    /// Waits before another attempt; false if there is to be none.
    async fn may_try_again(&self, attempts: &mut Attempts) -> bool {
        match attempts.pause().filter(|_| !self.stopped.load(Ordering::Relaxed)) {
            Some(pause) => {
                tokio::time::sleep(pause.max(SHORTEST_PAUSE)).await;
                true
            }
            None => false,
        }
    }
}

impl Provider for Asterisk {
    fn read(&self) -> BoxFuture<'_, Result<FetchedAccount, ReadError>> {
        Box::pin(self.read_account())
    }

    fn check_unchanged(&self) -> BoxFuture<'_, Result<ChangeCheck, ReadError>> {
        Box::pin(self.look_again())
    }

    fn perform<'a>(&'a self, change: &'a Change, _step: usize) -> BoxFuture<'a, Result<WriteReceipt, WriteError>> {
        Box::pin(self.write_change(change))
    }

    fn inspect<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<Progress, WriteError>> {
        Box::pin(self.inspect_change(change))
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.until_changed())
    }

    fn clean_up(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if self.access != Access::ReadOnly {
                let _ = self.remove_retired().await;
            }
        })
    }

    fn begin(&self) {
        self.stopped.store(false, Ordering::Relaxed);
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}
