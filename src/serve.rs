//! Serves HTTP with limits on the number of connections and the time for a request's head.
//!
//! Idle connections cannot keep new ones out: at the limit, a new connection replaces the oldest one that never sent a
//! request, or else the oldest one without a request in flight. Only if all connections have requests in flight does a new
//! one wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};

/// The pause after a failed `accept`, for instance because of too many open files.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    /// The time limit for the head of each request.
    pub(crate) head: Duration,
    /// How long requests in flight may take once the server stops.
    pub(crate) grace: Duration,
}

/// Accepts connections until `stopping` resolves, then lets requests in flight finish.
///
/// `connect` returns the stream and the router for each connection.
pub(crate) async fn serve<S, C, W, F>(listener: TcpListener, limits: Limits, connect: C, stopping: W)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    C: Fn(TcpStream) -> (S, Router),
    W: Fn() -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let mut open: Vec<Open> = Vec::new();
    // Notified when a request begins or ends, because then another connection may be replaceable.
    let changed = Arc::new(Notify::new());
    let mut stopped = std::pin::pin!(stopping());
    loop {
        // Keeps the order, oldest first.
        open.retain(|connection| !connection.task.is_finished());
        let full = open.len() >= limits.connections;
        let accepted = tokio::select! {
            biased;
            () = &mut stopped => break,
            Some(_) = connections.join_next() => continue,
            () = changed.notified(), if full => continue,
            accepted = listener.accept(), if !full || replaceable(&open).is_some() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                // Sends small responses without delay.
                let _ = stream.set_nodelay(true);
                let (stream, app) = connect(stream);
                if full && let Some(place) = replaceable(&open) {
                    open.remove(place).task.abort();
                }
                let activity = Arc::new(Activity { changed: Arc::clone(&changed), ..Activity::default() });
                let serving = connection(stream, app, limits.head, Arc::clone(&activity), stopping());
                open.push(Open { activity, task: connections.spawn(serving) });
            }
            Err(error) => {
                tracing::debug!(%error, "a connection failed");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    let rest = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(limits.grace, rest).await;
}

struct Open {
    activity: Arc<Activity>,
    task: AbortHandle,
}

#[derive(Default)]
struct Activity {
    /// Whether a complete request was ever received.
    had_request: AtomicBool,
    in_flight: AtomicUsize,
    /// Notified when a request begins or ends.
    changed: Arc<Notify>,
}

/// The connection that a new one replaces; `None` if all have requests in flight.
fn replaceable(open: &[Open]) -> Option<usize> {
    let silent = |connection: &Open| !connection.activity.had_request.load(Ordering::Relaxed);
    let idle = |connection: &Open| connection.activity.in_flight.load(Ordering::Relaxed) == 0;
    open.iter().position(silent).or_else(|| open.iter().position(idle))
}

async fn connection<S>(
    stream: S,
    app: Router,
    head: Duration,
    activity: Arc<Activity>,
    stopping: impl Future<Output = ()>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let app = TowerToHyperService::new(app);
    let service = service_fn(move |request| {
        activity.had_request.store(true, Ordering::Relaxed);
        activity.in_flight.fetch_add(1, Ordering::Relaxed);
        activity.changed.notify_one();
        let (answer, activity) = (app.call(request), Arc::clone(&activity));
        async move {
            let answer = answer.await;
            activity.in_flight.fetch_sub(1, Ordering::Relaxed);
            activity.changed.notify_one();
            answer
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stopping => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection failed");
    }
}

/// The token of a request, if it has one (RFC 6750).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A problem document (RFC 9457). The challenge says which token a 401 asks for.
pub(crate) fn problem(
    status: StatusCode,
    (code, title, detail): (&str, &str, &str),
    extra: Map<String, Value>,
    challenge: &'static str,
) -> Response {
    let mut document = json!({
        "type": format!("urn:strowger:problem:{code}"),
        "title": title,
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    if let Value::Object(members) = &mut document {
        members.extend(extra);
    }
    let mut response = (status, document.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    async fn start(limits: Limits) -> std::net::SocketAddr {
        start_with(limits, get(pending::<()>)).await
    }

    async fn start_with(limits: Limits, slow: axum::routing::MethodRouter) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/", get(|| async { "here" })).route("/slow", slow);
        tokio::spawn(serve(listener, limits, move |stream| (stream, app.clone()), pending::<()>));
        address
    }

    async fn ask(address: std::net::SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("no answer").unwrap();
        answer
    }

    /// A connection on which only this was sent.
    async fn half_open(address: std::net::SocketAddr, said: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        stream
    }

    #[tokio::test]
    async fn half_open_connections_do_not_keep_others_out_and_answered_ones_stay_longest() {
        let address = start(Limits { connections: 4, head: PATIENCE, grace: PATIENCE }).await;
        let mut answered = half_open(address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let mut first = [0; 12];
        answered.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        let mut silent = Vec::new();
        for said in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: "].iter().cycle().take(30) {
            silent.push(half_open(address, said).await);
        }
        assert!(ask(address).await.ends_with("here"));
        // Thirty silent ones came after it, and it is still served.
        answered.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut rest = String::new();
        answered.read_to_string(&mut rest).await.unwrap();
        assert!(rest.ends_with("here"), "{rest}");
    }

    #[tokio::test]
    async fn requests_in_flight_are_never_cut_for_a_new_connection() {
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let slow = get(move || {
            begun.send(()).unwrap();
            pending::<()>()
        });
        let address = start_with(Limits { connections: 2, head: PATIENCE, grace: PATIENCE }, slow).await;
        let slow = "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n";
        let mut busy = [half_open(address, slow).await, half_open(address, slow).await];
        for _ in &busy {
            begins.recv().await.unwrap();
        }
        let waiting = tokio::spawn(ask(address));
        let mut byte = [0];
        let cut = tokio::time::timeout(Duration::from_millis(300), busy[0].read(&mut byte)).await;
        assert!(cut.is_err() && !waiting.is_finished(), "{cut:?}");
        drop(busy);
        assert!(waiting.await.unwrap().ends_with("here"), "it replaces a closed connection");
    }

    #[tokio::test]
    async fn the_head_of_a_request_must_come_in_time() {
        let address = start(Limits { connections: 4, head: Duration::from_millis(50), grace: PATIENCE }).await;
        let mut stream = half_open(address, "GET / HTTP/1.1\r\nhost: a").await;
        let mut rest = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it is cut").unwrap_or_default();
        assert!(!rest.starts_with(b"HTTP/1.1 200"), "{rest:?}");
    }
}
