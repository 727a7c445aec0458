//! The running server: router, accept loop, orderly and disorderly end.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::providers::{BoxFuture, EmbeddedServer};
use crate::serve::Limits;

use super::api;
use super::hosted::{Counters, Hosted, Shared};
use super::layers;
use super::lifecycle::Phase;
use super::line::Line;
use super::problem::Problem;
use super::routes::{self, Route};
use super::store::Store;

/// What clients may take; the grace is [`GRACE`]'s.
const LIMITS: Limits = Limits { connections: 4096, head: Duration::from_secs(30), grace: Duration::MAX };
/// How long requests in flight may take to finish when the server is asked to stop.
const GRACE: Duration = Duration::from_secs(5);

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

impl EmbeddedServer for Running {
    fn url(&self) -> String {
        Self::url(self)
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(Self::stop(*self))
    }
}

impl Running {
    /// Serves one account below the root, or several of them below `/accounts/1`, `/accounts/2`, ….
    pub(super) fn start(
        listener: TcpListener,
        address: SocketAddr,
        shared: Arc<Shared>,
        stores: Vec<Store>,
        several: bool,
    ) -> Self {
        let hosted = stores.into_iter().zip(1_usize..).map(|(store, number)| {
            let prefix = if several { format!("/accounts/{number}") } else { String::new() };
            Hosted { store, prefix: prefix.into(), shared: Arc::clone(&shared) }
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared), hosted.collect(), several));
        Self { address, shared, task: Some(task) }
    }

    /// The base URL, without a slash at its end: `http://127.0.0.1:8080`. The accounts of a server that has several are
    /// below it, at `/accounts/1` and so on.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests have come in so far.
    pub fn counters(&self) -> Counters {
        *self.shared.counters.lock().unwrap_or_else(PoisonError::into_inner)
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

async fn serve(listener: TcpListener, shared: Arc<Shared>, accounts: Vec<Hosted>, several: bool) {
    let stores: Vec<Store> = accounts.iter().map(|account| account.store.clone()).collect();
    let app = router(&shared, accounts, several);
    let connect = |stream: TcpStream| {
        let line = Line::new(stream);
        let app = app.clone().layer(axum::Extension(line.plug()));
        (line, app)
    };
    let stopping = || {
        let shared = Arc::clone(&shared);
        async move { shared.life.reached(Phase::Stopping).await }
    };
    tokio::select! {
        () = crate::serve::serve(listener, LIMITS, connect, stopping) => {}
        () = overdue(&shared) => {}
    }
    for store in stores {
        store.close().await;
    }
}

/// Ends the wait for requests in flight: first by cutting them, then by leaving.
async fn overdue(shared: &Shared) {
    shared.life.reached(Phase::Stopping).await;
    tokio::time::sleep(GRACE).await;
    shared.life.advance(Phase::Overdue);
    tokio::time::sleep(Duration::from_millis(200)).await;
}

fn router(shared: &Arc<Shared>, accounts: Vec<Hosted>, several: bool) -> Router {
    let accounts: Arc<[Hosted]> = accounts.into();
    let mut router = Router::new();
    for route in routes::ROUTES {
        let path = if several { format!("/accounts/{{account}}{}", route.path) } else { route.path.to_owned() };
        let accounts = Arc::clone(&accounts);
        let handler = move |request: Request| answer(accounts, route, request);
        router = router.route(&path, any(handler));
    }
    router
        .fallback(|| async { Problem::not_found().into_response() })
        .layer(middleware::from_fn_with_state(Arc::clone(shared), layers::gate))
}

async fn answer(accounts: Arc<[Hosted]>, route: &'static Route, request: Request) -> Response {
    match accounts.get(account_of(request.uri().path())) {
        Some(account) => api::answer(account.clone(), route, request).await,
        None => Problem::not_found().into_response(),
    }
}

/// The index of the account in a path; out of range if there is no such account.
fn account_of(path: &str) -> usize {
    let Some(rest) = path.strip_prefix("/accounts/") else { return 0 };
    let number = rest.split('/').next().unwrap_or_default();
    // One account has one path: no `01`, no `+1`.
    let plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    number.parse::<usize>().ok().filter(|_| plain).and_then(|number| number.checked_sub(1)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_one_account_and_no_other_spelling_does() {
        assert_eq!(account_of("/v1/account"), 0);
        assert_eq!((account_of("/accounts/1/v1/account"), account_of("/accounts/12/v1/numbers")), (0, 11));
        for path in
            ["/accounts/0/v1/account", "/accounts/01/v1/account", "/accounts/+1/v1/account", "/accounts//v1/account"]
        {
            assert_eq!(account_of(path), usize::MAX, "{path}");
        }
        assert_eq!(account_of("/accounts/99999999999999999999999/v1/account"), usize::MAX);
    }
}
