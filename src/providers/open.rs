//! Opening an account: what a provider gets, and what it gives.

use std::path::{Path, PathBuf};

use super::http::{Access, RetryPolicy};
use super::settings::{ProviderSettings, SecretRef};
use super::{BoxFuture, Provider, Secret};
use crate::model::RequestLimits;

/// What is known of an account when it is opened.
pub struct OpenRequest<'a> {
    pub settings: &'a ProviderSettings,
    /// The account's name in its files.
    pub name: &'a str,
    pub country: Option<String>,
    pub options: ClientOptions,
    pub host: &'a dyn Host,
}

/// How a client treats its account.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The most requests under way at once; an account that states less gets less.
    pub concurrent: usize,
    /// How often and how long requests are repeated.
    pub retry: RetryPolicy,
    pub access: Access,
    /// Sets this run apart from all others, so that a creation which is repeated within it is done once, and
    /// one that a later run asks for is done again.
    pub nonce: String,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            concurrent: RequestLimits::default().concurrent,
            retry: RetryPolicy::default(),
            access: Access::default(),
            nonce: format!("{:032x}", fastrand::u128(..)),
        }
    }
}

/// What the program does for a provider that opens an account.
pub trait Host: Send + Sync {
    /// The path of a file that a setting names, if the account may use that file.
    fn file(&self, setting: &str, path: &Path) -> anyhow::Result<PathBuf>;

    fn secret(&self, reference: &SecretRef) -> anyhow::Result<Secret>;

    /// Starts the embedded account on loopback.
    fn start(&self, account: EmbeddedAccount) -> BoxFuture<'_, anyhow::Result<Box<dyn EmbeddedServer>>>;
}

/// An embedded account to start.
pub struct EmbeddedAccount {
    pub name: String,
    pub country: Option<String>,
    /// The file that stores it; in memory without one.
    pub state: Option<PathBuf>,
    /// The snapshot that a new account starts from.
    pub seed: Option<PathBuf>,
    pub token: String,
    /// Whether the token only reads.
    pub read_only: bool,
}

/// An embedded account that runs.
pub trait EmbeddedServer: Send + Sync {
    fn url(&self) -> String;

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// An open account, and the server that must run as long as it is used.
pub struct Opened {
    pub provider: Box<dyn Provider>,
    server: Option<Box<dyn EmbeddedServer>>,
}

impl Opened {
    pub fn new(provider: impl Provider + 'static) -> Self {
        Self { provider: Box::new(provider), server: None }
    }

    pub(super) fn with_server(self, server: Box<dyn EmbeddedServer>) -> Self {
        Self { server: Some(server), ..self }
    }

    /// Stops the server that was started for the provider.
    pub async fn close(self) {
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}
