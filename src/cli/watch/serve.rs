//! What `watch` shows and tells others: the status server and the notices.

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

/// How long receivers of notices are waited for at the end.
const GRACE: Duration = Duration::from_secs(5);

/// What `watch` shows and tells others.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Status and notices")]
pub(super) struct Serving {
    /// Serve the status page, metrics and probes at this address; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// A name that the status server answers to, beside addresses and localhost. Repeat it for several
    #[arg(long, value_name = "NAME", requires = "listen")]
    allow_host: Vec<Box<str>>,
    /// The environment variable with the token that lets requests wake accounts and approve plans
    #[arg(long, value_name = "NAME", requires = "listen", conflicts_with = "token_file")]
    token_env: Option<Box<str>>,
    /// The file with that token
    #[arg(long, value_name = "FILE", requires = "listen")]
    token_file: Option<PathBuf>,
    /// Post what happens to this webhook. Others on this machine can read a command line: use one of the next two if the
    /// address is a secret. Repeat it for several
    #[arg(long, value_name = "URL")]
    notify: Vec<String>,
    /// Post what happens to the webhook whose address is in this environment variable. Repeat it for several
    #[arg(long, value_name = "NAME")]
    notify_env: Vec<Box<str>>,
    /// Post what happens to the webhook whose address is in this file. Repeat it for several
    #[arg(long, value_name = "FILE")]
    notify_file: Vec<PathBuf>,
    /// What is posted
    #[arg(long, value_enum, default_value = "cloudevents")]
    notify_format: NotifyFormat,
}

/// The status server and the notices, as they run.
pub(super) struct Served {
    notices: Notices,
    server: Option<JoinHandle<()>>,
}

impl Serving {
    /// Begins to serve and to tell. Must be called where a runtime is running, and before anything happens.
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

    /// Everybody who is told. No error says where.
    fn receivers(&self) -> anyhow::Result<Vec<Receiver>> {
        let mut addresses: Vec<(String, Secret)> = Vec::new();
        for (index, url) in self.notify.iter().enumerate() {
            addresses.push((format!("--notify, number {}", index + 1), Secret::new(url.as_str())));
        }
        for name in &self.notify_env {
            let option = format!("--notify-env {name}");
            let value = std::env::var(&**name).map_err(|_| anyhow!("{option}: there is no such variable"))?;
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
    /// Ends after the process was told to stop.
    ///
    /// Whoever stops it at once waits for nobody.
    pub(super) async fn end(self, stop: &ShutdownSignal) {
        tokio::select! {
            () = self.notices.end(GRACE) => {}
            () = stop.until(Urgency::Immediate) => return,
        }
        if let Some(server) = self.server {
            // It listens to the same word, and takes two seconds at most.
            let _ = server.await;
        }
    }
}
