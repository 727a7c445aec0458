//! Live accounts: reading them completely, writing one change at a time.
//!
//! A [`Provider`] knows one vendor's API and nothing of YAML desires, plans or terminals. What it reads is a
//! complete and consistent account or an error; what it writes is one [`Change`] whose references are
//! resolved. Every write carries a precondition, so that an object which moved is never overwritten, and a
//! write whose outcome is unclear is looked at before it is done again.

mod error;
pub mod http;
mod identity;
pub mod office;
mod open;
pub mod registry;
pub mod sandbox;
mod secret;
pub mod settings;
pub mod snapshot;
mod webhook;

use std::future::{Future, ready};
use std::pin::Pin;

use crate::model::{Capabilities, Change, Claim, LiveAccount, ObjectId, Revision};

pub use error::{ReadError, Referrer, WriteError};
pub use http::{Access, RetryPolicy};
pub use identity::Identity;
pub use open::{ClientOptions, EmbeddedAccount, EmbeddedServer, Host, OpenRequest, Opened};
pub use secret::Secret;
pub use webhook::{Posted, Webhook};

/// A future that a provider hands out.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An account as it was read, and what that took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedAccount {
    /// The complete account.
    pub live: LiveAccount,
    /// How many requests were sent for it, repeated ones included.
    pub requests: u64,
    /// What the server gives as the versions of the account's lists: never the same in two accounts. Empty if it gives
    /// none.
    pub versions: Vec<Box<str>>,
}

/// What a look at an account found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeCheck {
    /// Whether the account certainly is as it was read. If not, only reading it tells what changed, if anything did.
    pub unchanged: bool,
    /// How many requests were sent for it, repeated ones included.
    pub requests: u64,
}

/// An entry of an account's own log: somebody changed an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// The object.
    pub object: ObjectId,
    /// When, as the account says it. Untrusted text.
    pub at: Box<str>,
    /// Who, as the account says it. Untrusted text.
    pub who: Box<str>,
}

/// A change that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteReceipt {
    /// The object; of a creation, the id that the vendor gave it.
    pub id: ObjectId,
    /// The version that the write made, if the vendor tells; `None` after a deletion.
    pub revision: Option<Revision>,
    /// How many requests were sent for it, repeated ones and looks included.
    pub requests: u64,
}

/// One vendor's account.
pub trait Provider: Send + Sync {
    /// What such accounts accept, as far as that is known before one is read.
    fn capabilities(&self) -> Capabilities;

    /// Reads the whole account, or fails: never a part of it.
    fn read(&self) -> BoxFuture<'_, Result<FetchedAccount, ReadError>>;

    /// Whether the account certainly is as it was when this provider last read all of it, asked as cheaply as it can
    /// be.
    fn check_unchanged(&self) -> BoxFuture<'_, Result<ChangeCheck, ReadError>> {
        Box::pin(ready(Ok(ChangeCheck { unchanged: false, requests: 0 })))
    }

    /// Carries out one change, if its object still is what the change expects.
    ///
    /// Its references have ids, and its revision is that of the last write to the object, if there was one.
    fn write<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<WriteReceipt, WriteError>>;

    /// Claims the account, or a part of it, and returns how many requests that took.
    ///
    /// Only asked of a provider whose account has owners.
    fn claim<'a>(&'a self, _claim: &'a Claim) -> BoxFuture<'a, Result<u64, WriteError>> {
        Box::pin(ready(Ok(0)))
    }

    /// The latest entries of the account's own log, the newest first; empty if it keeps none. Only for telling
    /// people, so it is asked for once and failures are no concern.
    fn recent_audit_entries(&self) -> BoxFuture<'_, Vec<AuditEntry>> {
        Box::pin(ready(Vec::new()))
    }

    /// A run begins: a creation in it repeats none of a run before, however alike they are.
    fn begin(&self) {}

    /// The run ends: what is under way is finished, but nothing is tried again, waited for or begun.
    fn stop(&self) {}
}
