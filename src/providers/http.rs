//! The HTTP client that all providers share: one request budget, bounded repeats, bounded answers.
//!
//! Invariants: the token goes to the configured host and nowhere else (redirects are not followed); only
//! requests are repeated that cannot do harm twice; nothing waits without end; no text that leaves this
//! module contains a token or a credential.

mod auth;
mod body;
mod budget;
mod clients;
mod host_limit;
mod jwt;
mod pages;
mod rate_limit;
mod response;
mod retry;
mod retry_after;
mod shared;

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use reqwest::{Client, Method, StatusCode, Url};
use tokio::sync::watch;

use crate::model::RequestLimits;

pub use auth::{Auth, Document, Grant, Login, TokenSource};
use auth::{NoToken, Token, Tokens};
pub use body::Body;
pub(super) use clients::shared as client;
use host_limit::Budgets;
pub use jwt::{Assertion, SigningKey};
pub use pages::{PageError, Paging};
pub use rate_limit::{Class, RateLimit};
pub use response::{Answer, Failure};
pub use retry::Attempts;
pub use retry::RetryPolicy;
pub(super) use retry_after::stated_wait;

/// A request, ready to be sent any number of times.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub if_match: Option<Box<str>>,
    pub if_none_match: Option<Box<str>>,
    pub idempotency_key: Option<String>,
    pub body: Option<Body>,
    /// Whether the vendor promises that doing it twice is the same as doing it once. Reads need no promise.
    pub repeatable: bool,
}

impl Request {
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            if_match: None,
            if_none_match: None,
            idempotency_key: None,
            body: None,
            repeatable: false,
        }
    }

    /// Whether doing it twice is the same as doing it once, whatever became of the first.
    ///
    /// A creation with a key is answered as it was the first time. The key of any other write only names it in the
    /// account's audit log.
    fn is_repeatable(&self) -> bool {
        let keyed = self.method == Method::POST && self.idempotency_key.is_some();
        self.method == Method::GET || self.repeatable || keyed
    }
}

/// What a client may do to its account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Nothing is written: only GET requests are sent, and no file is created.
    ReadOnly,
    #[default]
    Write,
}

/// Why there is no answer to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// It was not done, and the attempts have run out or repeating is useless.
    NotDone(Failure),
    /// It was not done: the server has too much to do (429) for longer than a request waits. What it stated, for messages.
    Limited(String),
    /// It writes, and the client only looks; nothing was sent.
    Forbidden,
    /// It may have been done: the connection broke, or the server failed with this status.
    OutcomeUnknown(String),
}

/// Whether a server that answers so may have done the work all the same, or may still do it.
fn is_doubtful(status: StatusCode) -> bool {
    (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED) || status == StatusCode::REQUEST_TIMEOUT
}

/// A client of one account.
pub struct Http {
    client: Arc<Client>,
    tokens: Tokens,
    budget: Budgets,
    retry: RetryPolicy,
    access: Access,
    /// Whether the run ends.
    stopped: watch::Sender<bool>,
}

impl Http {
    /// A client whose requests all go below `base`, within the limits of the account and of the vendor's classes.
    pub fn new(
        base: &Url,
        auth: Auth,
        limits: RequestLimits,
        classes: &[Class],
        retry: RetryPolicy,
        access: Access,
    ) -> Result<Self, String> {
        let tokens = Tokens::new(base, auth, classes, retry)?;
        let client =
            clients::shared(base, limits, retry).map_err(|error| format!("the HTTP client cannot start: {error}"))?;
        Ok(Self {
            client,
            budget: Budgets::new(base, limits, Arc::clone(&tokens.classes)),
            tokens,
            retry,
            access,
            stopped: watch::Sender::new(false),
        })
    }

    /// Takes over the limits that the account states.
    pub fn learn(&self, limits: RequestLimits) {
        self.budget.learn(limits);
    }

    /// What is under way is finished; nothing is tried again, waited for or begun but a look at what is in doubt.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Waits for so long, or until the run ends.
    pub async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.until_stopped() => {}
        }
    }

    fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    async fn until_stopped(&self) {
        // The sender is our own, so the wait only ends for the reason that is waited for.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// A fresh count of attempts at one request.
    pub fn attempts(&self) -> Attempts {
        Attempts::new(self.retry)
    }

    /// The text without tokens and credentials.
    pub fn redacted(&self, text: &str) -> String {
        self.tokens.redacted(text)
    }

    /// Text of the server's, safe to show: one line, short, without the token.
    pub fn sanitized(&self, text: &str) -> String {
        // Cut before the token is looked for, a long way behind where the text is cut for good.
        let start: String = text.chars().take(20_000).collect();
        crate::text::sanitized(&self.tokens.redacted(&start), 300)
    }

    /// Sends a request, again where that is safe, until there is an answer to act on.
    ///
    /// This is the only way out: what the client's access does not cover goes no further.
    ///
    /// An answer is whatever does not ask for a repeat, so also 404 or 412. A request that is not
    /// repeatable is only sent again if the last one certainly was not carried out. Whatever the last attempt ends
    /// in, [`Attempts::doubt`] says whether an earlier one may have been carried out.
    pub async fn send(&self, call: &Request, attempts: &mut Attempts) -> Result<Answer, SendError> {
        if self.access == Access::ReadOnly && call.method != Method::GET {
            return Err(SendError::Forbidden);
        }
        let mut refused: Option<Token> = None;
        let stopped = || SendError::NotDone(Failure::NotSent("the run was stopped".to_owned()));
        loop {
            let can_stop = call.method != Method::GET || attempts.made > 0;
            if can_stop && self.is_stopped() {
                return Err(stopped());
            }
            // Before the turn: a request for a token may need one of the same class.
            let token = match self.tokens.token(refused.as_ref()).await {
                Ok(token) => token,
                Err(NoToken::Refused(why)) => return Err(SendError::NotDone(Failure::NoToken(why))),
                Err(NoToken::Later(why)) => {
                    let Some(pause) = attempts.pause() else {
                        return Err(SendError::NotDone(Failure::NotSent(why)));
                    };
                    self.pause(pause).await;
                    continue;
                }
            };
            let turn = tokio::select! {
                biased;
                () = self.until_stopped(), if can_stop => return Err(stopped()),
                turn = self.budget.turn(call, self.retry.longest_wait) => turn,
            };
            let turn = turn.map_err(|left| SendError::Limited(attempts.too_long(429, Some(left))))?;
            if turn.class.is_closed() {
                continue;
            }
            attempts.made += 1;
            // How long to pause, and what it means if the attempts, or the run, end before the next attempt.
            let (pause, gave_up) = match self.attempt(call, &token).await {
                // It was not done. A token may have ended before its time, so one new token is tried.
                Ok(answer) if answer.status == 401 && refused.is_none() && self.tokens.is_renewable() => {
                    refused = Some(token);
                    continue;
                }
                Ok(answer) if answer.status.as_u16() == 429 => {
                    let asked = turn.class.close(answer.asked);
                    let Some(wait) = attempts.wait(asked) else {
                        return Err(SendError::Limited(attempts.too_long(429, asked)));
                    };
                    self.budget.limited(&turn, wait);
                    continue;
                }
                Ok(answer) if is_doubtful(answer.status) => {
                    // A 500 is a server bug; 502 to 504 mean overload.
                    if matches!(answer.status.as_u16(), 502..=504) {
                        self.budget.overloaded(&turn);
                    }
                    let status = answer.status.as_u16();
                    let doubt = attempts.doubted(format!("the server failed ({status})"));
                    let busy = status == 503;
                    if busy {
                        attempts.note_busy(answer.asked);
                    }
                    if !call.is_repeatable() {
                        return Err(doubt);
                    }
                    match attempts.pause() {
                        None if busy => (None, SendError::OutcomeUnknown(attempts.too_long(status, answer.asked))),
                        pause => (pause, doubt),
                    }
                }
                Ok(answer) => {
                    self.budget.served();
                    return Ok(answer);
                }
                Err(Failure::Lost(why)) => {
                    self.budget.overloaded(&turn);
                    let doubt = attempts.doubted(self.sanitized(&why));
                    if !call.is_repeatable() {
                        return Err(doubt);
                    }
                    (attempts.pause(), doubt)
                }
                Err(Failure::NotSent(why)) => (attempts.pause(), SendError::NotDone(Failure::NotSent(why))),
                // The server has answered, so the write may be done.
                Err(Failure::TooLarge) if call.method != Method::GET => {
                    return Err(attempts.doubted("the answer is too large".to_owned()));
                }
                Err(failure) => return Err(SendError::NotDone(failure)),
            };
            let Some(pause) = pause else { return Err(gave_up) };
            drop(turn);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.until_stopped() => return Err(gave_up),
            }
        }
    }

    async fn attempt(&self, call: &Request, token: &Token) -> Result<Answer, Failure> {
        let mut request = self
            .client
            .request(call.method.clone(), call.url.clone())
            .header(self.tokens.header(), token.value.clone());
        if let Some(etag) = &call.if_match {
            request = request.header(IF_MATCH, &**etag);
        }
        if let Some(etag) = &call.if_none_match {
            request = request.header(IF_NONE_MATCH, &**etag);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, body.content_type()).body(body.clone().into_bytes());
        }
        let begun = Instant::now();
        let attempt = match request.send().await {
            Ok(response) => response::receive(response).await,
            Err(error) => Err(response::failure(&error)),
        };
        let end = match &attempt {
            Ok(answer) => answer.status.as_u16().to_string(),
            Err(failure) => self.sanitized(&failure.to_string()),
        };
        // The path without the query, which has cursors; nothing of headers and bodies.
        tracing::debug!(
            "{} {}: {end} in {} ms",
            call.method,
            self.sanitized(call.url.path()),
            begun.elapsed().as_millis()
        );
        attempt
    }
}

/// Why there is no answer, and whether asking again is useless.
pub(super) fn failure_of(error: &reqwest::Error) -> (String, bool) {
    let failure = response::failure(error);
    (failure.to_string(), matches!(failure, Failure::InvalidRequest(_) | Failure::Untrusted(_)))
}
