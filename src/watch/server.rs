//! The status server: how everything stands, for people, programs, probes and Prometheus.
//!
//! Invariants: it only shows; the two things that may be asked of the loops need the token. What it shows is taken
//! from the [`StatusStore`] at that moment. Nobody can hold more connections, send more, or take longer than the limits
//! here allow, and nothing that a client does holds up the loops.

mod api;
mod commands;
mod events;
mod health;
mod layers;
mod metrics;
mod page;
mod problem;

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

/// No request has a larger body.
const MOST_BYTES: usize = 16 << 10;
/// What clients may take.
const LIMITS: Limits = Limits { connections: 256, head: Duration::from_secs(30), grace: Duration::from_secs(2) };
/// So many pages are kept up to date at once.
const FOLLOWERS: usize = 64;

/// What the server shows, and how.
pub struct Setup {
    /// What is shown.
    pub board: StatusStore,
    /// Where wishes go.
    pub orders: mpsc::Sender<Command>,
    /// Tells the time.
    pub clock: Clock,
    /// What whoever asks for something has to know; without it nothing can be asked for.
    pub token: Option<Secret>,
    /// Names that the server answers to, beside addresses and `localhost`.
    pub hosts: Vec<Box<str>>,
    /// What becomes of notices.
    pub tallies: Vec<Arc<DeliveryCounters>>,
    /// Tells when to stop.
    pub stop: ShutdownSignal,
}

/// What all requests share.
struct Shared {
    board: StatusStore,
    orders: mpsc::Sender<Command>,
    clock: Clock,
    token: Option<Secret>,
    hosts: Vec<Box<str>>,
    tallies: Vec<Arc<DeliveryCounters>>,
    stop: ShutdownSignal,
    address: SocketAddr,
    started_at: String,
    /// Whether every account was looked at once.
    ready: AtomicBool,
    /// Who is kept up to date.
    followers: Arc<Semaphore>,
}

/// Serves until the process stops.
pub async fn serve(listener: TcpListener, address: SocketAddr, setup: Setup) {
    let Setup { board, orders, clock, token, hosts, tallies, stop } = setup;
    let started_at = clock.stamp();
    let shared = Shared {
        board,
        orders,
        clock,
        token,
        hosts,
        tallies,
        stop: stop.clone(),
        address,
        started_at,
        ready: AtomicBool::new(false),
        followers: Arc::new(Semaphore::new(FOLLOWERS)),
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
