//! The status server and the notifications of `watch`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::apply::{ShutdownSignal, Urgency};
use crate::providers::settings::SecretRef;
use crate::providers::{Secret, Webhook};
use crate::watch::notices::{Notices, NotifyFormat, Receiver, RetryPolicy};
use crate::watch::{Clock, Command, StatusStore, server};

use super::super::secrets;

/// How long to wait for receivers of notifications at the end.
const GRACE: Duration = Duration::from_secs(5);

/// Arguments of the status server and the notifications.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Status and notices")]
pub(super) struct Serving {
    /// Serve the status page, metrics and probes at this address; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Host name that the status server answers to, in addition to IP addresses and localhost. Can be repeated
    #[arg(long, value_name = "NAME", requires = "listen")]
    allow_host: Vec<Box<str>>,
    /// Environment variable with the token for requests that trigger checks or approve plans
    #[arg(long, value_name = "NAME", requires = "listen", conflicts_with = "token_file")]
    token_env: Option<Box<str>>,
    /// File with that token
    #[arg(long, value_name = "FILE", requires = "listen")]
    token_file: Option<PathBuf>,
    /// Post notifications to this webhook. Other users of this machine can read the command line: use one of the next
    /// two options if the URL is a secret. Can be repeated
    #[arg(long, value_name = "URL")]
    notify: Vec<String>,
    /// Post notifications to the webhook whose URL is in this environment variable. Can be repeated
    #[arg(long, value_name = "NAME")]
    notify_env: Vec<Box<str>>,
    /// Post notifications to the webhook whose URL is in this file. Can be repeated
    #[arg(long, value_name = "FILE")]
    notify_file: Vec<PathBuf>,
    /// Format of the notifications
    #[arg(long, value_enum, default_value = "cloudevents")]
    notify_format: NotifyFormat,
}

/// The status server and the notices, as they run.
pub(super) struct Served {
    notices: Notices,
    server: Option<JoinHandle<()>>,
}

impl Serving {
    /// Starts both. Must be called where a runtime is running, and before anything happens.
    pub(super) async fn start(
        &self,
        status_store: &StatusStore,
        clock: &Clock,
        commands: &mpsc::Sender<Command>,
        stop: &ShutdownSignal,
    ) -> anyhow::Result<Served> {
        let notices = Notices::start(status_store, self.receivers()?, RetryPolicy::default());
        let token = self.token()?;
        let Some(listen) = self.listen else { return Ok(Served { notices, server: None }) };
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("cannot serve the status at {listen}"))?;
        let address = listener.local_addr()?;
        tracing::info!("the status is at http://{address}/");
        if !address.ip().is_loopback() {
            tracing::warn!("everybody who can reach {address} can read the status: it needs no token");
        }
        let setup = server::Setup {
            status_store: status_store.clone(),
            commands: commands.clone(),
            clock: clock.clone(),
            token,
            hosts: self.allow_host.clone(),
            delivery_counters: notices.delivery_counters(),
            stop: stop.clone(),
        };
        let server = tokio::spawn(server::serve(listener, address, setup));
        Ok(Served { notices, server: Some(server) })
    }

    fn token(&self) -> anyhow::Result<Option<Secret>> {
        let reference = match (&self.token_env, &self.token_file) {
            (Some(name), _) => Some(SecretRef::Env(name.clone())),
            (None, Some(file)) => Some(SecretRef::File(file.clone())),
            (None, None) => None,
        };
        reference.map(|reference| secrets::resolve(&reference, Path::new(""))).transpose()
    }

    /// The webhooks. Errors do not contain their URLs, which may be secrets.
    fn receivers(&self) -> anyhow::Result<Vec<Receiver>> {
        let mut addresses: Vec<(String, Secret)> = Vec::new();
        for (index, url) in self.notify.iter().enumerate() {
            addresses.push((format!("--notify, number {}", index + 1), Secret::new(url.as_str())));
        }
        for name in &self.notify_env {
            let option = format!("--notify-env {name}");
            let value = std::env::var(&**name).map_err(|_| anyhow!("{option}: the variable is not set"))?;
            addresses.push((option, Secret::new(value)));
        }
        for file in &self.notify_file {
            let option = format!("--notify-file {}", file.display());
            let secret = secrets::resolve(&SecretRef::File(file.clone()), Path::new("")).context(option.clone())?;
            addresses.push((option, secret));
        }
        let receiver = |(option, address): (String, Secret)| {
            let webhook = Webhook::new(address).map_err(|why| anyhow!("{option}: {why}"))?;
            Ok(Receiver { webhook, format: self.notify_format })
        };
        addresses.into_iter().map(receiver).collect()
    }
}

impl Served {
    /// Ends after the process was asked to stop.
    ///
    /// After a second signal it does not wait.
    pub(super) async fn end(self, stop: &ShutdownSignal) {
        tokio::select! {
            () = self.notices.end(GRACE) => {}
            () = stop.until(Urgency::Immediate) => return,
        }
        if let Some(server) = self.server {
            // The server stops on the same signal, within two seconds.
            let _ = server.await;
        }
    }
}
