//! Where the token of a request comes from, and in which header it is sent.
//!
//! A token that expires is renewed shortly before that, and once after a 401. Requests that need a new token at the
//! same time wait for one renewal. The token server gets the credentials; its answers are bounded and never shown.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::model::RequestLimits;
use crate::providers::Secret;

use super::rate_limit::{Class, Classes};
use super::response::{self, Failure};
use super::{Assertion, Body, RetryPolicy, clients};

/// A token is renewed this long before it expires, or after nine tenths of a short lifetime.
const MARGIN: Duration = Duration::from_secs(60);
/// Earlier tokens that are still redacted from texts: a slow answer may echo one.
const REMEMBERED: usize = 4;
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How requests are authenticated.
pub struct Auth {
    pub source: TokenSource,
    pub header: HeaderName,
    /// What is written before the token, such as `Bearer `.
    pub prefix: &'static str,
}

/// Where tokens come from.
pub enum TokenSource {
    /// One token, for good.
    Fixed(Secret),
    /// A token server (RFC 6749). The client's id and secret are sent by HTTP Basic; an assertion may do without.
    OAuth { url: Url, client: Option<(String, Secret)>, grant: Grant },
    /// The answer to a login.
    Session(Login),
}

/// What is exchanged for an access token.
pub enum Grant {
    ClientCredentials {
        scope: Option<String>,
    },
    /// Servers may replace it with each renewal; the new one is kept in memory.
    RefreshToken(Secret),
    /// RFC 7523.
    Assertion(Assertion),
}

/// Makes a JSON document of a secret.
pub type Document = fn(&str) -> Value;

/// A login that is answered with a token.
pub struct Login {
    pub method: Method,
    pub url: Url,
    /// User and password for HTTP Basic.
    pub basic: Option<(String, Secret)>,
    /// What makes the JSON document that is sent, and the password or key in it.
    pub body: Option<(Document, Secret)>,
    /// JSON pointer to the token in the answer: `/data/token`.
    pub token: &'static str,
    /// How long a token is valid, if that is known.
    pub lifetime: Option<Duration>,
}

impl Auth {
    /// `Authorization: Bearer`, the usual form.
    pub fn bearer(source: TokenSource) -> Self {
        Self { source, header: AUTHORIZATION, prefix: "Bearer " }
    }
}

/// The tokens of one client.
pub(super) struct Tokens {
    auth: Auth,
    /// Reaches the token server; `None` for a fixed token.
    client: Option<Arc<Client>>,
    current: tokio::sync::Mutex<Option<Token>>,
    /// The refresh token that replaced the given one.
    rotated: Mutex<Option<Secret>>,
    /// What is redacted: the credentials, then the latest tokens.
    secrets: Mutex<Vec<Secret>>,
    /// How many of the secrets are credentials, which stay.
    credentials: usize,
    renewals: AtomicU64,
    /// What limits the requests of this account, also those for tokens.
    pub(super) classes: Arc<Classes>,
    longest_wait: Duration,
}

/// A token, ready to be sent.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) value: HeaderValue,
    renew_at: Option<Instant>,
    /// Of the tokens of its client.
    number: u64,
}

/// Why there is no token.
pub(super) enum NoToken {
    /// Another attempt may succeed.
    Later(String),
    Refused(String),
}

impl Tokens {
    /// The tokens of the account at `base`.
    pub(super) fn new(base: &Url, auth: Auth, classes: &[Class], retry: RetryPolicy) -> Result<Self, String> {
        let (url, secrets) = match &auth.source {
            TokenSource::Fixed(secret) => (None, vec![secret.clone()]),
            TokenSource::OAuth { url, client, grant } => {
                let granted = match grant {
                    Grant::ClientCredentials { .. } => None,
                    Grant::RefreshToken(refresh) => Some(refresh),
                    Grant::Assertion(assertion) => Some(assertion.secret()),
                };
                (Some(url), client.iter().map(|(_, secret)| secret).chain(granted).cloned().collect())
            }
            TokenSource::Session(Login { url, basic, body, .. }) => {
                let password = basic.iter().map(|(_, password)| password);
                let key = body.iter().map(|(_, key)| key);
                (Some(url), password.chain(key).cloned().collect())
            }
        };
        let client = url.map(|url| clients::shared(url, RequestLimits::default(), retry)).transpose();
        let client = client.map_err(|error| format!("the HTTP client cannot start: {}", error.without_url()))?;
        let fixed = match &auth.source {
            TokenSource::Fixed(secret) => Some(Token::new(auth.prefix, secret, None, 0)?),
            TokenSource::OAuth { .. } | TokenSource::Session(_) => None,
        };
        let credentials = secrets.iter().map(|secret| Sha256::digest(secret.expose()));
        let credentials = credentials.fold(Sha256::new(), Sha256::chain_update).finalize();
        Ok(Self {
            classes: Classes::shared(base, credentials.into(), classes),
            longest_wait: retry.longest_wait,
            auth,
            client,
            current: tokio::sync::Mutex::new(fixed),
            rotated: Mutex::new(None),
            credentials: secrets.len(),
            secrets: Mutex::new(secrets),
            renewals: AtomicU64::new(0),
        })
    }

    pub(super) fn header(&self) -> &HeaderName {
        &self.auth.header
    }

    /// Whether another token can be had after a 401.
    pub(super) fn is_renewable(&self) -> bool {
        self.client.is_some()
    }

    /// The token to send; a new one if there is none, if it expires, or if it is the one that was `refused`.
    pub(super) async fn token(&self, refused: Option<&Token>) -> Result<Token, NoToken> {
        // The lock is held while the token is renewed: other requests wait for the same renewal.
        let mut current = self.current.lock().await;
        if let Some(token) = &*current
            && token.renew_at.is_none_or(|at| Instant::now() < at)
            && refused.is_none_or(|refused| refused.number != token.number)
        {
            return Ok(token.clone());
        }
        let Some(client) = &self.client else {
            return Err(NoToken::Refused("the token was refused".to_owned()));
        };
        *current = None;
        let (secret, lifetime) = self.renew(client).await?;
        let number = self.renewals.fetch_add(1, Ordering::Relaxed);
        let token = Token::new(self.auth.prefix, &secret, lifetime, number).map_err(NoToken::Refused)?;
        self.remember(secret);
        *current = Some(token.clone());
        Ok(token)
    }

    /// The text without any of the secrets.
    pub(super) fn redacted(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        // A refresh token may be older than the latest tokens and still in use.
        let rotated = self.rotated.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().chain(&*rotated).fold(text.to_owned(), |text, secret| secret.redacted(&text))
    }

    /// Adds a token to what is redacted, in place of the oldest one.
    fn remember(&self, secret: Secret) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.push(secret);
        if secrets.len() > self.credentials + REMEMBERED {
            secrets.remove(self.credentials);
        }
    }

    async fn renew(&self, client: &Client) -> Result<(Secret, Option<Duration>), NoToken> {
        match &self.auth.source {
            TokenSource::Fixed(secret) => Ok((secret.clone(), None)),
            TokenSource::OAuth { url, client: basic, grant } => {
                let (kind, field) = match grant {
                    Grant::ClientCredentials { scope } => {
                        ("client_credentials", scope.as_ref().map(|scope| ("scope", Secret::new(scope))))
                    }
                    Grant::RefreshToken(given) => {
                        let rotated = self.rotated.lock().unwrap_or_else(PoisonError::into_inner).clone();
                        ("refresh_token", Some(("refresh_token", rotated.unwrap_or_else(|| given.clone()))))
                    }
                    Grant::Assertion(assertion) => {
                        let text = assertion.text(SystemTime::now()).map_err(NoToken::Refused)?;
                        (JWT_BEARER, Some(("assertion", text)))
                    }
                };
                let field = field.as_ref().map(|(name, value)| (*name, value.expose()));
                let body = Body::form(&[("grant_type", kind)].into_iter().chain(field).collect::<Vec<_>>());
                let mut request = client.post(url.clone()).header(CONTENT_TYPE, body.content_type());
                if let Some((id, secret)) = basic {
                    request = request.basic_auth(id, Some(secret.expose()));
                }
                let answer = self.ask(client, request.body(body.into_bytes())).await?;
                if let Some(Value::String(rotated)) = answer.get("refresh_token") {
                    let rotated = Secret::new(rotated.as_str());
                    self.remember(rotated.clone());
                    *self.rotated.lock().unwrap_or_else(PoisonError::into_inner) = Some(rotated);
                }
                let seconds = answer.get("expires_in").and_then(|seconds| {
                    seconds.as_u64().or_else(|| seconds.as_str().and_then(|seconds| seconds.parse().ok()))
                });
                Ok((text(&answer, "/access_token")?, seconds.map(Duration::from_secs)))
            }
            TokenSource::Session(login) => {
                let mut request = client.request(login.method.clone(), login.url.clone());
                if let Some((user, password)) = &login.basic {
                    request = request.basic_auth(user, Some(password.expose()));
                }
                if let Some((document, key)) = &login.body {
                    let body = document(key.expose()).to_string();
                    request = request.header(CONTENT_TYPE, "application/json").body(body);
                }
                let answer = self.ask(client, request).await?;
                Ok((text(&answer, login.token)?, login.lifetime))
            }
        }
    }

    /// Sends a request for a token. No part of the answer gets into the error: it may echo the credentials.
    async fn ask(&self, client: &Client, request: RequestBuilder) -> Result<Value, NoToken> {
        let unusable = || NoToken::Refused("the token server's answer cannot be used".to_owned());
        let request = request.header(ACCEPT, "application/json").build().map_err(|_| unusable())?;
        let turn = self.classes.turn(request.method(), request.url(), self.longest_wait).await;
        let turn = turn.map_err(|left| {
            NoToken::Later(format!("the token server asks to wait for {} s", left.as_secs_f64().ceil()))
        })?;
        let received = match client.execute(request).await {
            Ok(response) => response::receive(response).await,
            Err(error) => Err(response::failure(&error.without_url())),
        };
        let answer = match received {
            Ok(answer) => answer,
            Err(Failure::NotSent(_)) => return Err(NoToken::Later("the token server cannot be reached".to_owned())),
            Err(Failure::Lost(_)) => return Err(NoToken::Later("the token server did not answer".to_owned())),
            Err(Failure::Untrusted(_)) => {
                return Err(NoToken::Refused("the token server's certificate is not trusted".to_owned()));
            }
            Err(Failure::InvalidRequest(_) | Failure::TooLarge | Failure::NoToken(_)) => {
                return Err(unusable());
            }
        };
        let status = answer.status;
        if status.as_u16() == 429 {
            turn.close(answer.asked);
        }
        if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
            return Err(NoToken::Later(format!("the token server failed ({})", status.as_u16())));
        }
        if !status.is_success() {
            return Err(NoToken::Refused(format!("the token server refused the credentials ({})", status.as_u16())));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| NoToken::Refused("the token server's answer is not JSON".to_owned()))
    }
}

impl Token {
    fn new(prefix: &str, secret: &Secret, lifetime: Option<Duration>, number: u64) -> Result<Self, String> {
        let mut value = HeaderValue::try_from(format!("{prefix}{}", secret.expose()))
            .map_err(|_| "the token has characters that cannot be sent in a header".to_owned())?;
        value.set_sensitive(true);
        let renew_at = lifetime
            .and_then(|lifetime| Instant::now().checked_add(lifetime.saturating_sub(MARGIN.min(lifetime / 10))));
        Ok(Self { value, renew_at, number })
    }
}

fn text(answer: &Value, pointer: &str) -> Result<Secret, NoToken> {
    match answer.pointer(pointer).and_then(Value::as_str) {
        Some(token) if !token.trim().is_empty() => Ok(Secret::new(token)),
        _ => Err(NoToken::Refused(format!("the token server's answer has no `{pointer}`"))),
    }
}
