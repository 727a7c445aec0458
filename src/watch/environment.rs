//! What the loop needs from the process that it runs in: ways to reach accounts, a ledger, a lock, the time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::apply::{Lock, Recorder};
use crate::config::Account;
use crate::ledger::Approval;
use crate::plan::Plan;
use crate::providers::{Access, BoxFuture, Provider};

use super::adopt::Adoption;

/// A way to an account, and what must run as long as it is used.
pub trait Connection: Send + Sync {
    /// The account.
    fn provider(&self) -> &dyn Provider;

    /// Ends what was started for it.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// What the process provides. Errors are one sentence each, safe to show, without secrets.
pub trait Environment: Send + Sync {
    /// Opens an account.
    fn open<'a>(&'a self, account: &'a Account, access: Access) -> BoxFuture<'a, Result<Box<dyn Connection>, String>>;

    /// Why nothing may be sent to an account until somebody accepts it; nothing if it may.
    fn refusal(&self, _account: &Account) -> Option<String> {
        None
    }

    /// A record of the run that is about to carry out this plan, with its ledger begun.
    ///
    /// `commit` is the commit of the files, if their source knows it; `approval` is what let the plan through, if guards
    /// held it back.
    fn begin(
        &self,
        account: &Account,
        plan: &Plan,
        commit: Option<&str>,
        approval: Option<Approval>,
    ) -> Result<Recorder, String>;

    /// Puts files aside that would make the account's state the wanted one; says what it did, if that is news.
    ///
    /// Whoever has no place for them answers with nothing.
    fn adopt(&self, _adoption: Adoption) -> BoxFuture<'_, Result<Option<String>, String>> {
        Box::pin(async { Ok(None) })
    }

    /// Whether [`Self::adopt`] has a place for them.
    fn adopts(&self) -> bool {
        false
    }

    /// The account for this process alone, until the lock is dropped.
    fn lock(&self, account: &Account) -> Result<Option<Lock>, String>;
}

/// Tells the time. Waits are tokio's; this is for stamps and for windows.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The system's.
    pub fn system() -> Self {
        Self(Arc::new(SystemTime::now))
    }

    /// One that goes with tokio's time from here on, also when that is paused.
    pub fn from(start: SystemTime) -> Self {
        let began = tokio::time::Instant::now();
        Self(Arc::new(move || start + began.elapsed()))
    }

    /// Now.
    pub fn now(&self) -> SystemTime {
        (self.0)()
    }

    /// Now, as RFC 3339 in UTC with milliseconds.
    pub fn stamp(&self) -> String {
        stamp(self.now())
    }

    /// The moment after this time, in the same form.
    pub fn stamp_in(&self, wait: Duration) -> String {
        stamp(self.now() + wait)
    }

    /// How long ago the epoch was.
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
