//! Why an account could not be read or written, with what to do about it.
//!
//! Text from a server is untrusted: it is shortened, its control characters are escaped and the token is
//! taken out before it gets into one of these values.

use std::fmt::Write as _;

use crate::model::{Incomplete, Kind, ObjectId};

/// Why there is no [`LiveAccount`](crate::model::LiveAccount) to plan with. A `host` is scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The provider's settings cannot work.
    #[error("{0}")]
    Settings(String),
    #[error("cannot reach {host}: {why}; check the account's `url` and the network")]
    Unreachable { host: String, why: String },
    /// The server's certificate is not trusted.
    #[error("{host} cannot prove who it is: {why}; nothing was sent to it")]
    Untrusted { host: String, why: String },
    /// The user or the password of a database.
    #[error(
        "the database at {host} does not accept the user or its password: {why}; check the account's `database` and `password`"
    )]
    DatabaseLogin { host: String, why: String },
    /// What a database answers, with a remedy.
    #[error("{0}")]
    Database(String),
    #[error(
        "{host} does not accept the token (401); check where the account's `token` comes from, or whether it expired"
    )]
    Unauthorized { host: String },
    #[error("the token may not read this account (403{detail}); give it read access to the whole account")]
    Forbidden {
        /// What the server said, after a separator, or nothing.
        detail: String,
    },
    /// The server answers, but not as an Account API does.
    #[error("{host} is not an Account API: {why}; check the account's `url`")]
    WrongServer { host: String, why: String },
    /// The server kept failing, or kept asking to wait, until the attempts ran out.
    #[error("{host} did not answer usably after {attempts} attempts: {why}; try again later")]
    Unavailable { host: String, attempts: u32, why: String },
    #[error("{what} cannot be read: {why}")]
    Malformed { what: String, why: String },
    /// The account changed while it was listed, every time.
    #[error(
        "{}; so it was each time that it was read, and no plan can be based on it: try again in a quiet moment",
        crate::text::sanitized(&.0.to_string(), 200)
    )]
    Inconsistent(Incomplete),
    #[error(
        "{host} now answers for another account: its id is {now}, and it was {before} before; check the account's `url` \
         and `token`"
    )]
    OtherAccount { host: String, before: String, now: String },
    #[error(transparent)]
    Snapshot(#[from] super::snapshot::SnapshotError),
}

/// Something that points to an object which was to be deleted or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    pub kind: Kind,
    pub id: ObjectId,
    pub name: String,
    /// The field that points.
    pub field: String,
}

/// Why a change was not carried out, or why it is not known whether it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The object is no longer what the plan was made for; nothing was written.
    #[error("the account has changed since it was read: {0}")]
    Stale(String),
    /// The account refuses, and would refuse again.
    #[error("the account refuses ({status}): {title}{}", said(detail, referrers))]
    Refused {
        status: u16,
        title: String,
        /// May be empty.
        detail: String,
        referrers: Vec<Referrer>,
    },
    /// Another owner has claimed the account, or a part of what is claimed.
    #[error("another owner claimed the account since it was read{0}; plan again to see who")]
    Owned(String),
    /// The token is not accepted, or no longer, or may not write.
    #[error("the token may not do this ({status}{detail}); check the account's `token` and its rights")]
    Unauthorized {
        /// 401 or 403.
        status: u16,
        /// What the server said, after a separator, or nothing.
        detail: String,
    },
    /// Retries ran out, and the change was certainly not carried out.
    #[error("not done after {}: {why}", tries(*attempts))]
    Unavailable { attempts: u32, why: String },
    /// The change may or may not have been carried out: an attempt was not answered, and the account does not tell.
    #[error("it may have been done: {0}")]
    Unknown(String),
    /// The account answers and shows what the change asks for, but not whether this change made it so.
    #[error("it may have been done: {0}")]
    Unattributed(String),
    /// The change cannot be expressed to this provider: the plan and the provider do not fit.
    #[error("this change cannot be sent: {0}")]
    Unsupported(String),
    /// The provider only reads.
    #[error("a snapshot is read-only: apply the plan to the account that it was taken from")]
    ReadOnly,
    /// The client was opened to look, as `plan` does.
    #[error("this run only looks at the account: nothing was sent")]
    ReadOnlyClient,
}

fn tries(attempts: u32) -> String {
    if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") }
}

fn said(detail: &str, referrers: &[Referrer]) -> String {
    let mut text = String::new();
    if !detail.is_empty() {
        text.push_str(": ");
        text.push_str(detail);
    }
    for (position, referrer) in referrers.iter().enumerate() {
        text.push_str(if position == 0 { "; it is used by " } else { ", " });
        // Writing to a string cannot fail.
        let _ = write!(text, "{}/{} ({})", referrer.kind, referrer.name, referrer.field);
    }
    text
}
