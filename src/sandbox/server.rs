//! The running server: router, accept loop, orderly and disorderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use axum::response::IntoResponse as _;
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::auth::Tokens;
use super::faults::Injector;
use super::gate::{self, Count, Counters};
use super::life::{Life, Phase};
use super::line::{Exchange, Plug};
use super::problem::Problem;
use super::store::Store;
use super::{api, routes};

/// How long requests in flight may take to finish when the server is asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What all requests share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) tokens: Tokens,
    pub(super) injector: Injector,
    pub(super) life: Life,
    pub(super) count: Count,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was asked to.
    Stopped,
    /// By the fault `die_after_write`.
    Died,
}

/// A running server. Dropping it stops it in the background.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) fn start(listener: TcpListener, address: SocketAddr, shared: Arc<Shared>) -> Self {
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared, task: Some(task) }
    }

    /// The base URL, without a slash at its end: `http://127.0.0.1:8080`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests have come in so far.
    pub fn counters(&self) -> Counters {
        self.shared.count.read()
    }

    /// Stops: no new connections, requests in flight finish (up to five seconds), the state file is closed.
    pub async fn stop(mut self) {
        self.shared.life.advance(Phase::Stopping);
        self.ended().await;
    }

    /// Waits until the server has ended and its state file is closed.
    pub async fn wait(&mut self) -> Ending {
        self.ended().await;
        if self.shared.life.phase() == Phase::Dead { Ending::Died } else { Ending::Stopped }
    }

    async fn ended(&mut self) {
        if let Some(task) = self.task.as_mut() {
            if let Err(error) = task.await {
                tracing::error!(%error, "the sandbox server failed");
            }
            self.task = None;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.life.advance(Phase::Stopping);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let app = router(&shared).into_make_service_with_connect_info::<Plug>();
    let ending = Arc::clone(&shared);
    let server = axum::serve(Exchange(listener), app)
        .with_graceful_shutdown(async move { ending.life.reached(Phase::Stopping).await });
    tokio::select! {
        result = server => {
            if let Err(error) = result {
                tracing::error!(%error, "serving failed");
            }
        }
        () = overdue(&shared) => {}
    }
    shared.store.close().await;
}

/// Ends the wait for requests in flight: first by cutting them, then by leaving.
async fn overdue(shared: &Shared) {
    shared.life.reached(Phase::Stopping).await;
    tokio::time::sleep(GRACE).await;
    shared.life.advance(Phase::Overdue);
    tokio::time::sleep(Duration::from_millis(200)).await;
}

fn router(shared: &Arc<Shared>) -> Router {
    let mut router = Router::new();
    for route in routes::ROUTES {
        let shared = Arc::clone(shared);
        router =
            router.route(route.path, any(move |request: Request| api::answer(Arc::clone(&shared), route, request)));
    }
    router
        .fallback(|| async { Problem::not_found().into_response() })
        .layer(middleware::from_fn_with_state(Arc::clone(shared), gate::gate))
}
