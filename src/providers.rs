//! Live accounts: reading them completely, writing one change at a time.
//!
//! A [`Provider`] knows one vendor's API and nothing of files, plans or terminals. What it reads is a complete
//! and consistent account or an error; what it writes is one [`Change`], step by step, whose references are
//! resolved. Every write carries a precondition, so that an object which changed is never overwritten, and after an
//! unclear answer the account is inspected before anything is done again.

pub mod asterisk;
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

use std::future::ready;

use crate::model::{Change, Claim, LiveAccount, ObjectId, Revision, VendorDocument};

pub use futures_util::future::BoxFuture;

pub use error::{ReadError, Referrer, WriteError};
pub use http::{Access, RetryPolicy};
pub use identity::Identity;
pub use open::{ClientOptions, EmbeddedAccount, EmbeddedServer, Host, OpenRequest, Opened};
pub use secret::Secret;
pub use webhook::{Posted, Webhook};

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

/// An entry of an account's audit log: one change of one object.
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
    /// The version that the write made, if the vendor reports it; `None` after a deletion.
    pub revision: Option<Revision>,
    /// The object as the vendor stores it now, if the vendor reports it; `None` makes the next write to it read it first.
    pub document: Option<VendorDocument>,
    /// How many requests were sent for it, repeated ones and looks included.
    pub requests: u64,
}

/// How far a change has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The object as it is now, and what it took to look; its id is `None` as long as a creation has made nothing.
    pub id: Option<ObjectId>,
    pub revision: Option<Revision>,
    pub document: Option<VendorDocument>,
    /// The positions of the steps that are still to be done, in order; none if the change is done.
    pub left: Vec<usize>,
    /// How many requests were sent for it.
    pub requests: u64,
}

/// One vendor's account.
pub trait Provider: Send + Sync {
    /// Reads the whole account, or fails: never a part of it.
    fn read(&self) -> BoxFuture<'_, Result<FetchedAccount, ReadError>>;

    /// Whether the account certainly is as it was when this provider last read all of it, asked as cheaply as it can
    /// be.
    fn check_unchanged(&self) -> BoxFuture<'_, Result<ChangeCheck, ReadError>> {
        Box::pin(ready(Ok(ChangeCheck { unchanged: false, requests: 0 })))
    }

    /// Carries out one step of a change, if its object still is what the change expects. A change without steps is a
    /// single call, whose position is 0.
    ///
    /// Its references have ids, and so has its object once a step has made it; its revision and its document are those
    /// of the last write to the object. [`WriteError::Unknown`] is answered by a call of [`Self::inspect`], so a change of several
    /// steps needs no look of its own.
    fn perform<'a>(&'a self, change: &'a Change, step: usize) -> BoxFuture<'a, Result<WriteReceipt, WriteError>>;

    /// Reads how far a change has come: before its first step, because a run may have died in the middle of it, and
    /// when it is unknown whether a step was carried out. [`WriteError::Stale`] if its object is neither what the change
    /// expects nor on the way to what it asks for.
    ///
    /// Never asked before a change without steps: a fresh reading of the account shows whether it was carried out.
    fn inspect<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<Progress, WriteError>>;

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

    /// Ends when the account says that it may have changed, and not because of this client; never where it cannot say so.
    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    /// Removes what earlier changes left for calls that were under way, once no call can need it.
    ///
    /// Only asked while the account may be written. What is left for the next time does no harm, so failures are no
    /// concern.
    fn clean_up(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    /// A run begins: a creation in it repeats none of a run before, however alike they are.
    fn begin(&self) {}

    /// The run ends: what is under way is finished, but nothing is tried again, waited for or begun.
    fn stop(&self) {}
}
