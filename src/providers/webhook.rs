//! An address that receives notices by `POST`, and that is itself a secret.
//!
//! The address of a webhook is all that it takes to write to it, so it is kept as a [`Secret`]: no text that leaves this module
//! holds it. Nothing is redirected, nothing waits without end, and the answer's body is not read.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};

use crate::model::RequestLimits;
use crate::text::is_loopback_host;

use super::Secret;
use super::http::{RetryPolicy, client, failure_of, stated_wait};

/// The most time to connect, and until there is an answer.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);

/// An address that receives notices.
pub struct Webhook {
    client: Arc<Client>,
    url: Url,
    secret: Secret,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It was taken.
    Taken,
    /// It may be taken later: why not now, and how long the receiver asks to wait.
    Later(String, Option<Duration>),
    /// It never will be, as it is.
    Refused(String),
}

impl Webhook {
    /// The webhook at an address, which is `https`, or `http` on this machine.
    pub fn new(secret: Secret) -> Result<Self, String> {
        let url = Url::parse(secret.expose()).map_err(|_| "it is no URL".to_owned())?;
        let local = url.host_str().is_some_and(is_loopback_host);
        match url.scheme() {
            "https" if url.host_str().is_some() => {}
            "http" if local => {}
            "http" => return Err("it is `http`, which anybody on the way can read; use `https`".to_owned()),
            _ => return Err("it is no `https` URL".to_owned()),
        }
        let retry = RetryPolicy { connect: CONNECT, request: ANSWER, ..RetryPolicy::default() };
        let client = client(&url, RequestLimits { concurrent: 1, ..RequestLimits::default() }, retry)
            .map_err(|error| format!("the HTTP client cannot start: {}", error.without_url()))?;
        Ok(Self { client, url, secret })
    }

    /// Sends one request.
    pub async fn post(&self, content_type: &str, body: Vec<u8>) -> Posted {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, content_type).body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let (why, useless) = failure_of(&error);
                let why = self.secret.redacted(&why);
                return if useless { Posted::Refused(why) } else { Posted::Later(why, None) };
            }
        };
        let status = response.status();
        let says = format!("it answers {}", status.as_u16());
        if status.is_success() {
            return Posted::Taken;
        }
        if status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) {
            return Posted::Later(says, stated_wait(response.headers(), SystemTime::now()));
        }
        Posted::Refused(says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_encrypted_or_here() {
        for good in ["https://hooks.example.org/a/b", "http://127.0.0.1:1/x", "http://localhost/x", "http://[::1]:9/x"]
        {
            assert!(Webhook::new(Secret::new(good)).is_ok(), "{good}");
        }
        for bad in ["", "hooks.example.org", "ftp://example.org", "http://hooks.example.org/a", "https://", "file:///x"]
        {
            let why = Webhook::new(Secret::new(bad)).err().expect(bad);
            assert!(bad.is_empty() || !why.contains(bad), "{why}");
        }
    }
}
