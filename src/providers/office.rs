//! The `office` provider: a client of the Account API, whose description is
//! `schemas/account-api.v1.openapi.yaml` and whose reference server is the embedded account.
//!
//! What the server sends is untrusted: an odd value is an error that names its object, a list that cannot be
//! whole is read again and then refused, and no answer makes this module panic or read without end.

mod audit_log;
mod body;
mod change_check;
mod claim;
mod compare;
mod conflict;
mod convert;
mod inspect;
mod pages;
mod problem;
mod read;
mod spec;
mod trace;
mod wire;
mod write;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use reqwest::Url;

use crate::model::{Change, Claim, RequestLimits};
use crate::text::is_loopback_host;

use super::http::{Auth, Http, TokenSource};
use super::{
    AuditEntry, BoxFuture, ChangeCheck, ClientOptions, FetchedAccount, Progress, Provider, ReadError, Secret,
    WriteError, WriteReceipt,
};

use change_check::KnownPages;
pub use spec::{SPEC, settings};

/// The most objects of a page, unless the account allows fewer.
const PAGE_LIMIT: u32 = 1000;

/// A client of one account behind the Account API.
pub struct Office {
    http: Http,
    base: Url,
    nonce: String,
    /// How many runs have begun.
    runs: AtomicU64,
    /// The objects of a page that the account allows, as far as it has said.
    page_limit: AtomicU32,
    /// The id of the account that was read first: the only one that this client is for.
    id: OnceLock<Box<str>>,
    /// `ETag`s of the last full read, for conditional requests.
    trail: Mutex<Option<KnownPages>>,
}

impl Office {
    /// A client of the account at this URL. Nothing is sent yet.
    pub fn new(url: &str, token: Secret, options: ClientOptions) -> Result<Self, ReadError> {
        let invalid = |why: String| ReadError::Settings(why);
        let mut base =
            Url::parse(url.trim()).map_err(|error| invalid(format!("the account's `url` is not a URL ({error})")))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(invalid("the account's `url` starts with `https://` or `http://`".to_owned()));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(invalid("the account's `url` has a password in it; use `token` instead".to_owned()));
        }
        // Here, and not only where files are read, so that no caller can send a token in clear text.
        if base.scheme() == "http" && !is_loopback_host(base.host_str().unwrap_or_default()) {
            let why = "the token would travel unencrypted: the account's `url` starts with `https://`, or leads to this \
                       machine";
            return Err(invalid(why.to_owned()));
        }
        base.set_query(None);
        base.set_fragment(None);
        without_version(&mut base);
        if token.is_empty() {
            return Err(invalid("the account's `token` is empty".to_owned()));
        }
        let limits = RequestLimits { per_second: None, concurrent: options.concurrent };
        let (auth, classes) = (Auth::bearer(TokenSource::Fixed(token)), SPEC.rate_limits);
        let http = Http::new(&base, auth, limits, classes, options.retry, options.access).map_err(invalid)?;
        Ok(Self {
            http,
            base,
            nonce: options.nonce,
            runs: AtomicU64::new(0),
            page_limit: AtomicU32::new(PAGE_LIMIT),
            id: OnceLock::new(),
            trail: Mutex::default(),
        })
    }

    /// The URL of a resource. The parts may be ids, which are untrusted: each stays one segment of the path.
    fn url(&self, parts: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(parts);
        }
        url
    }

    /// Scheme, host and port, for messages.
    fn host(&self) -> String {
        self.base.origin().ascii_serialization()
    }
}

/// Takes one `/v1` off the end, which every resource begins with anyway: operators write it, and servers print it.
fn without_version(base: &mut Url) {
    let has_version = base.path().trim_end_matches('/').ends_with("/v1");
    if has_version && let Ok(mut path) = base.path_segments_mut() {
        path.pop_if_empty().pop();
    }
}

impl Provider for Office {
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

    fn claim<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, Result<u64, WriteError>> {
        Box::pin(self.make_claim(claim))
    }

    fn recent_audit_entries(&self) -> BoxFuture<'_, Vec<AuditEntry>> {
        Box::pin(async { self.latest_touches().await.unwrap_or_default() })
    }

    fn begin(&self) {
        self.runs.fetch_add(1, Ordering::Relaxed);
    }

    fn stop(&self) {
        self.http.stop();
    }
}
