//! The status server: a page, an API, probes and metrics.
//!
//! Invariants: all requests but two only read, and those two need the token. Every response reflects the [`StatusStore`] at
//! that moment. Connections, request sizes and times are limited, and no client can delay the loops.

mod api;
mod card;
mod commands;
mod events;
mod fingerprints;
mod health;
mod labels;
mod layers;
mod metrics;
mod page;
mod problem;
mod prometheus;
mod summary;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

use crate::apply::{ShutdownSignal, Urgency};
use crate::providers::Secret;
use crate::serve::Limits;

use super::environment::Clock;
use super::notices::DeliveryCounters;
use super::{Command, StatusStore};
use problem::Problem;

pub use api::{Status, schema};

/// The largest request body.
const MOST_BYTES: usize = 16 << 10;
const LIMITS: Limits = Limits { connections: 256, head: Duration::from_secs(30), grace: Duration::from_secs(2) };
/// The most pages that are updated live.
const FOLLOWERS: usize = 64;

pub struct Setup {
    pub status_store: StatusStore,
    pub commands: mpsc::Sender<Command>,
    pub clock: Clock,
    /// Required by requests that change something; without it, they are all denied.
    pub token: Option<Secret>,
    /// Allowed host names, besides IP addresses and `localhost`.
    pub hosts: Vec<Box<str>>,
    pub delivery_counters: Vec<Arc<DeliveryCounters>>,
    pub stop: ShutdownSignal,
}

struct Shared {
    setup: Setup,
    address: SocketAddr,
    started_at: String,
    /// Set once every account was checked.
    ready: AtomicBool,
    /// Limits the pages that are updated live.
    followers: Arc<Semaphore>,
}

/// Serves until the process stops.
pub async fn serve(listener: TcpListener, address: SocketAddr, setup: Setup) {
    let stop = setup.stop.clone();
    let shared = Shared {
        address,
        started_at: setup.clock.stamp(),
        ready: AtomicBool::new(false),
        followers: Arc::new(Semaphore::new(FOLLOWERS)),
        setup,
    };
    let app = router(Arc::new(shared));
    let stopping = || {
        let stop = stop.clone();
        async move { stop.until(Urgency::Finish).await }
    };
    crate::serve::serve(listener, LIMITS, |stream| (stream, app.clone()), stopping).await;
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(page::overview))
        .route("/accounts/{name}", get(page::account))
        .route("/fragments", get(page::fragments))
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::script))
        .route("/icon.svg", get(page::icon))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/api/status", get(api::status))
        .route("/api/accounts/{name}", get(api::account))
        .route("/api/accounts/{name}/approve", post(commands::approve))
        .route("/api/events", get(events::events))
        .route("/reconcile", post(commands::reconcile))
        .fallback(|| async { Problem::not_found("no such page; see docs/watch-status.md").into_response() })
        .method_not_allowed_fallback(|| async { Problem::method().into_response() })
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), layers::gate))
        .with_state(shared)
}
