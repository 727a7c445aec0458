//! The network clients, each shared by all accounts of this process that are reached alike: a thousand accounts need
//! one set of certificates and one pool of connections. A client knows nothing of an account; tokens go with requests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};

use crate::model::RequestLimits;
use crate::text::is_loopback_host;

use super::RetryPolicy;
use super::shared::Shared;

const USER_AGENT: &str = concat!("strowger/", env!("CARGO_PKG_VERSION"));

/// How long an unused connection is kept. A watch of a thousand accounts, each read once a minute, would otherwise hold a
/// thousand of them in vain.
const IDLE: Duration = Duration::from_secs(20);

/// Everything in which clients differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Settings {
    /// Whether the host is this machine.
    local: bool,
    /// Whether nothing is encrypted.
    plain: bool,
    idle_per_host: usize,
    connect: Duration,
    request: Duration,
}

/// The clients in use. They go with the last account that has them, and their connections with them.
static CLIENTS: Shared<Settings, Client> = Shared::new();

/// The client for requests below `base`.
pub(in crate::providers) fn shared(
    base: &Url,
    limits: RequestLimits,
    retry: RetryPolicy,
) -> Result<Arc<Client>, reqwest::Error> {
    let settings = Settings {
        local: is_loopback_host(base.host_str().unwrap_or_default()),
        plain: base.scheme() == "http",
        idle_per_host: limits.concurrent.max(32),
        connect: retry.connect,
        request: retry.request,
    };
    CLIENTS.get(settings, || settings.client())
}

impl Settings {
    fn client(self) -> Result<Client, reqwest::Error> {
        // Fails if another thread was faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(self.idle_per_host)
            .pool_idle_timeout(IDLE)
            .connect_timeout(self.connect)
            .timeout(self.request);
        if self.local {
            // No proxy can reach it, and no resolver may say that it is elsewhere. The ports are those of the URL.
            let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            builder = builder.no_proxy().resolve_to_addrs("localhost", &here.map(|address| (address, 0).into()));
        }
        if self.plain {
            // Reading the system's certificates takes longer than a small account's whole plan.
            builder = builder.tls_certs_only([]);
        }
        builder.build()
    }
}
