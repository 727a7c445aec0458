//! A proxy in front of a vendor's server that counts writes and spoils one of them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use tokio::sync::Notify;

/// What happens to a write, and perhaps to all requests after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server does it, and the connection ends before the answer.
    AnswerLost,
    /// The server does it, and the answer is a 502.
    FailsAfter,
    /// The server never gets it, and the answer is a 502.
    FailsBefore,
    /// 429, once.
    Limited,
    /// 401, from here on.
    TokenExpired,
    /// The server does it; no answer comes, and nothing passes any more.
    StuckAfter,
    /// Nothing passes any more.
    StuckBefore,
    /// Every connection ends, from here on.
    Down,
}

pub struct Gate {
    pub url: String,
    shared: Arc<Shared>,
}

pub struct Shared {
    pub upstream: String,
    fault: Option<(usize, Fault)>,
    state: Mutex<Counters>,
    pub stuck: Notify,
    http: reqwest::Client,
}

#[derive(Default)]
struct Counters {
    requests: u64,
    writes: usize,
    broken: bool,
}

impl Gate {
    /// Spoils the write with this number, from 1.
    pub async fn new(upstream: &str, fault: Option<(usize, Fault)>) -> Self {
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            fault,
            state: Mutex::default(),
            stuck: Notify::new(),
            http: crate::support::sandbox::client(),
        });
        if upstream.starts_with("postgresql:") {
            return Self { url: super::sql_gate::start(Arc::clone(&shared)).await, shared };
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared }
    }

    pub fn requests(&self) -> u64 {
        self.shared.state.lock().unwrap().requests
    }

    pub fn writes(&self) -> usize {
        self.shared.state.lock().unwrap().writes
    }

    /// Waits until nothing passes any more.
    pub async fn stuck(&self) {
        let limit = std::time::Duration::from_secs(60);
        tokio::time::timeout(limit, self.shared.stuck.notified()).await.expect("the run comes to the write");
    }
}

impl Shared {
    /// Counts a request that only reads.
    pub fn request(&self) {
        self.state.lock().unwrap().requests += 1;
    }

    /// What happens to every request since the fault.
    pub fn lasting(&self) -> Option<Fault> {
        let broken = self.state.lock().unwrap().broken;
        match self.fault {
            Some((_, fault @ (Fault::TokenExpired | Fault::Down))) if broken => Some(fault),
            Some((_, Fault::StuckAfter | Fault::StuckBefore)) if broken => Some(Fault::StuckBefore),
            _ => None,
        }
    }

    /// What happens at the beginning of the next transaction: a password is not asked for later.
    pub fn before_write(&self) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        let is_next = |at| at == state.writes + 1;
        if !state.broken && matches!(self.fault, Some((at, Fault::TokenExpired)) if is_next(at)) {
            state.broken = true;
        }
        drop(state);
        self.lasting()
    }

    /// Counts a transaction, and says what happens to its commit.
    pub fn write(&self) -> Option<Fault> {
        let lasting = self.lasting();
        let mut state = self.state.lock().unwrap();
        state.requests += 1;
        state.writes += 1;
        match self.fault {
            Some((at, fault)) if at == state.writes && !state.broken => {
                state.broken = true;
                Some(fault)
            }
            _ => lasting,
        }
    }

    /// Waits until no transaction is under way at the database.
    pub async fn settled(&self) {
        let client = crate::support::postgres::Database::of(&self.upstream).client().await;
        let under_way = "select count(*) from pg_stat_activity where datname = current_database()
            and usename = 'strowger' and state in ('active', 'idle in transaction')";
        while client.query_one(under_way, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            tokio::task::yield_now().await;
        }
    }
}

async fn pass(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let fault = {
        let mut state = shared.state.lock().unwrap();
        state.requests += 1;
        state.writes += usize::from(method != Method::GET);
        let (at, fault) = shared.fault.unzip();
        let is_hit = method != Method::GET && Some(state.writes) == at;
        if is_hit {
            state.broken = true;
        }
        let lasts = matches!(fault, Some(Fault::TokenExpired | Fault::StuckAfter | Fault::StuckBefore | Fault::Down));
        let first = is_hit.then_some(fault).flatten();
        match (first, state.broken && lasts) {
            (Some(fault), _) => Some(fault),
            (None, true) if fault == Some(Fault::StuckAfter) => Some(Fault::StuckBefore),
            (None, true) => fault,
            (None, false) => None,
        }
    };
    match fault {
        None => forward(&shared, method, uri, headers, body).await,
        Some(Fault::AnswerLost) => {
            forward(&shared, method, uri, headers, body).await;
            cut()
        }
        Some(Fault::FailsAfter) => {
            forward(&shared, method, uri, headers, body).await;
            status(502)
        }
        Some(Fault::FailsBefore) => status(502),
        Some(Fault::Limited) => {
            let mut answer = status(429);
            answer.headers_mut().insert("retry-after", "1".parse().unwrap());
            answer
        }
        Some(Fault::TokenExpired) => status(401),
        Some(Fault::Down) => cut(),
        Some(fault @ (Fault::StuckAfter | Fault::StuckBefore)) => {
            if fault == Fault::StuckAfter {
                forward(&shared, method, uri, headers, body).await;
            }
            shared.stuck.notify_one();
            std::future::pending().await
        }
    }
}

async fn forward(shared: &Shared, method: Method, uri: Uri, mut headers: HeaderMap, body: Bytes) -> Response<Body> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    headers.remove("host");
    headers.remove("content-length");
    let request = shared.http.request(method, format!("{}{path}", shared.upstream)).headers(headers).body(body);
    let answer = request.send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "transfer-encoding") {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}

fn status(code: u16) -> Response<Body> {
    Response::builder().status(code).body(Body::empty()).unwrap()
}

/// Hyper ends the connection when the body fails.
fn cut() -> Response<Body> {
    let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("cut"))]);
    Response::builder().status(200).body(Body::from_stream(broken)).unwrap()
}
