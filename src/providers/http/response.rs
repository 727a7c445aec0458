//! One attempt at one request: what came back, or how it failed.

use std::error::Error;
use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, ETAG, LINK};
use reqwest::{Response, StatusCode};

use super::retry_after::stated_wait;

/// The most that an answer's body may hold. A page of a thousand objects has a few hundred kilobytes.
const MOST_BYTES: usize = 64 << 20;

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub etag: Option<Box<str>>,
    /// What the body is said to be, without parameters.
    pub media: Option<Box<str>>,
    /// Where related documents are (RFC 8288).
    pub(super) link: Option<Box<str>>,
    /// How long the server asks to wait.
    pub(super) asked: Option<Duration>,
    pub body: Vec<u8>,
}

/// How an attempt failed. The texts come from the network stack, not from the server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection came about, so nothing was done.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The server's certificate is not trusted, so nothing was sent.
    #[error("the server's certificate is not trusted: {0}")]
    Untrusted(String),
    /// The request left, the answer did not arrive whole: it may have been done.
    #[error("{0}")]
    Lost(String),
    #[error("the request cannot be made: {0}")]
    InvalidRequest(String),
    /// Body over 64 MiB; retrying would not help.
    #[error("the answer is too large")]
    TooLarge,
    /// There is no token to send, and the credentials give none.
    #[error("{0}")]
    NoToken(String),
}

/// Takes the whole answer in, up to the limit.
pub(super) async fn receive(mut response: Response) -> Result<Answer, Failure> {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let etag = text(ETAG).map(Into::into);
    let link = text(LINK).map(Into::into);
    let media = text(CONTENT_TYPE).and_then(|media| media.split(';').next()).map(|media| media.trim().into());
    let asked = stated_wait(response.headers(), SystemTime::now());
    let status = response.status();
    if response.content_length().is_some_and(|length| length > MOST_BYTES as u64) {
        return Err(Failure::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, etag, media, link, asked, body })
}

/// Sorts the network stack's errors by whether the request may have been carried out.
pub(super) fn failure(error: &reqwest::Error) -> Failure {
    let why = chain(error);
    if error.is_builder() || error.is_request() && error.source().is_none() {
        Failure::InvalidRequest(why)
    } else if error.is_connect() {
        if is_tls(error) { Failure::Untrusted(why) } else { Failure::NotSent(why) }
    } else if error.is_timeout() {
        Failure::Lost("it did not answer in time".to_owned())
    } else {
        Failure::Lost(why)
    }
}

/// The innermost cause says most: the layers around it repeat the URL and "error sending request".
fn chain(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    crate::text::sanitized(&cause.to_string(), 200)
}

fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(current) = cause {
        if current.is::<rustls::Error>() {
            return true;
        }
        // An I/O error hides what it wraps from `source`, and it may wrap another one.
        let wrapped = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|wrapped| wrapped as &dyn Error).or_else(|| current.source());
    }
    false
}
