//! What the loop needs from its process: connections to accounts, a ledger, a lock, the time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::apply::{Lock, Recorder};
use crate::config::Account;
use crate::ledger::Approval;
use crate::plan::Plan;
use crate::providers::{Access, BoxFuture, Provider};

use super::adopt::Adoption;

/// An open account, with what must run as long as it is used.
pub trait Connection: Send + Sync {
    fn provider(&self) -> &dyn Provider;

    fn close(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// Errors are one sentence each, safe to show, without secrets.
pub trait Environment: Send + Sync {
    /// Opens an account.
    fn open<'a>(&'a self, account: &'a Account, access: Access) -> BoxFuture<'a, Result<Box<dyn Connection>, String>>;

    /// Why nothing may be sent to an account until its address or token source is accepted.
    fn refusal(&self, _account: &Account) -> Option<String> {
        None
    }

    /// Begins the ledger of a run.
    ///
    /// `commit` is the commit of the files, if their source knows it; `approval` is given if guards blocked the plan.
    fn begin(
        &self,
        account: &Account,
        plan: &Plan,
        commit: Option<&str>,
        approval: Option<Approval>,
    ) -> Result<Recorder, String>;

    /// Writes adopted files for review; returns a message if they differ from those of the last time.
    fn adopt(&self, _adoption: Adoption) -> BoxFuture<'_, Result<Option<String>, String>> {
        Box::pin(async { Ok(None) })
    }

    /// Whether [`Self::adopt`] has a place to write to.
    fn adopts(&self) -> bool {
        false
    }

    /// Locks the account for this process.
    fn lock(&self, account: &Account) -> Result<Option<Lock>, String>;
}

/// The wall clock, for time stamps and windows. Waits use tokio's clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The clock of the system.
    pub fn system() -> Self {
        Self(Arc::new(SystemTime::now))
    }

    /// A clock that begins at `start` and follows tokio's, also while that is paused.
    pub fn from(start: SystemTime) -> Self {
        let began = tokio::time::Instant::now();
        Self(Arc::new(move || start + began.elapsed()))
    }

    pub fn now(&self) -> SystemTime {
        (self.0)()
    }

    /// Now, as RFC 3339 in UTC with milliseconds.
    pub fn stamp(&self) -> String {
        stamp(self.now())
    }

    /// [`Self::stamp`] after this time.
    pub fn stamp_in(&self, wait: Duration) -> String {
        stamp(self.now() + wait)
    }

    pub fn since_epoch(&self) -> Duration {
        self.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

fn stamp(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}
