//! The shared HTTP client gets tokens, renews them, and sends bodies: over real HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use reqwest::header::HeaderName;
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};
use strowger::model::RequestLimits;
use strowger::providers::http::{
    Auth, Body, Class, Failure, Grant, Http, Login, Request as Sent, SendError, TokenSource,
};
use strowger::providers::{Access, RetryPolicy, Secret};

/// What a request was: `POST /token`, with the header that authenticates it, its content type and its body.
#[derive(Clone, Debug)]
pub struct Seen {
    pub line: String,
    pub token: String,
    media: String,
    pub body: String,
}

type Handler = dyn Fn(&Seen, usize) -> Response + Send + Sync;

/// A server that answers by request and by how many requests came before.
#[derive(Clone)]
pub struct Server {
    pub seen: Arc<Mutex<Vec<Seen>>>,
    handler: Arc<Handler>,
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let line = format!("{} {}", head.method, head.uri);
    let header = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let token = header("authorization").or_else(|| header("x-auth-token")).unwrap_or_default();
    let media = header("content-type").unwrap_or_default();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let seen = Seen { line, token, media, body: String::from_utf8(body.to_vec()).unwrap() };
    let before = {
        let mut all = server.seen.lock().unwrap();
        all.push(seen.clone());
        all.len() - 1
    };
    (server.handler)(&seen, before)
}

pub async fn serve(handler: impl Fn(&Seen, usize) -> Response + Send + Sync + 'static) -> (Url, Server) {
    let server = Server { seen: Arc::default(), handler: Arc::new(handler) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let router = Router::new().fallback(answer).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, server)
}

impl Server {
    pub fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen| seen.line.clone()).collect()
    }

    pub fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|own| *own == line).count()
    }
}

fn client(base: &Url, auth: Auth, access: Access) -> Http {
    limited_client(base, auth, &[], access)
}

pub fn limited_client(base: &Url, auth: Auth, classes: &[Class], access: Access) -> Http {
    let retry = RetryPolicy { attempts: 3, first_pause: Duration::from_millis(1), ..RetryPolicy::default() };
    Http::new(base, auth, RequestLimits::default(), classes, retry, access).unwrap()
}

pub fn oauth(base: &Url, grant: Grant) -> Auth {
    let url = base.join("token").unwrap();
    let client = Some(("strowger".to_owned(), Secret::new("client-secret-4711")));
    Auth::bearer(TokenSource::OAuth { url, client, grant })
}

pub async fn get(http: &Http, base: &Url) -> Result<u16, SendError> {
    let request = Sent::get(base.join("numbers").unwrap());
    http.send(&request, &mut http.attempts()).await.map(|answer| answer.status.as_u16())
}

pub fn json_answer(body: &Value) -> Response {
    axum::Json(body.clone()).into_response()
}

/// Issues `token-0`, `token-1` and so on, which `lifetime` seconds are promised for; `accepts` says which are good.
fn issuer(lifetime: u64, accepts: fn(&str) -> bool) -> impl Fn(&Seen, usize) -> Response + Send + Sync {
    let issued = Mutex::new(0);
    move |seen, _| {
        if seen.line == "POST /token" {
            let mut issued = issued.lock().unwrap();
            let answer = json!({"access_token": format!("token-{issued}"), "expires_in": lifetime});
            *issued += 1;
            return json_answer(&answer);
        }
        if accepts(&seen.token) { json_answer(&json!([])) } else { StatusCode::UNAUTHORIZED.into_response() }
    }
}

#[tokio::test]
async fn many_requests_at_once_wait_for_one_token_also_in_a_read_only_client() {
    let (base, server) = serve(issuer(3600, |token| token == "Bearer token-0")).await;
    let grant = Grant::ClientCredentials { scope: Some("phones read".to_owned()) };
    let http = client(&base, oauth(&base, grant), Access::ReadOnly);
    let all = futures_util::future::join_all((0..12).map(|_| get(&http, &base))).await;
    assert!(all.iter().all(|status| *status == Ok(200)), "{all:?}");
    assert_eq!(server.count("POST /token"), 1);
    let asked = server.seen.lock().unwrap()[0].clone();
    assert_eq!(asked.body, "grant_type=client_credentials&scope=phones+read");
    assert_eq!(asked.media, "application/x-www-form-urlencoded");
    assert_eq!(asked.token, "Basic c3Ryb3dnZXI6Y2xpZW50LXNlY3JldC00NzEx");
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_for_all_requests() {
    let (base, server) = serve(issuer(3600, |token| token == "Bearer token-1")).await;
    let http = client(&base, oauth(&base, Grant::ClientCredentials { scope: None }), Access::Write);
    let all = futures_util::future::join_all((0..8).map(|_| get(&http, &base))).await;
    assert!(all.iter().all(|status| *status == Ok(200)), "{all:?}");
    assert_eq!(server.count("POST /token"), 2);
}

#[tokio::test]
async fn a_request_whose_second_token_is_refused_ends_with_401() {
    let (base, server) = serve(issuer(3600, |_| false)).await;
    let http = client(&base, oauth(&base, Grant::ClientCredentials { scope: None }), Access::Write);
    assert_eq!(get(&http, &base).await, Ok(401));
    assert_eq!(server.count("GET /numbers"), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    // Its lifetime is over at once, so each request gets a new one.
    let (base, server) = serve(issuer(0, |token| token.starts_with("Bearer token-"))).await;
    let http = client(&base, oauth(&base, Grant::ClientCredentials { scope: None }), Access::Write);
    for _ in 0..3 {
        assert_eq!(get(&http, &base).await, Ok(200));
    }
    let sent: Vec<String> = server.seen.lock().unwrap().iter().map(|seen| seen.token.clone()).collect();
    assert_eq!(
        (sent[1].as_str(), sent[3].as_str(), sent[5].as_str()),
        ("Bearer token-0", "Bearer token-1", "Bearer token-2")
    );
}

#[tokio::test]
async fn a_refresh_token_that_the_server_replaces_is_used_from_then_on() {
    let (base, server) = serve(|seen, before| {
        if seen.line != "POST /token" {
            return json_answer(&json!([]));
        }
        json_answer(
            &json!({"access_token": "short-lived", "expires_in": "0", "refresh_token": format!("refresh-{before}")}),
        )
    })
    .await;
    let http = client(&base, oauth(&base, Grant::RefreshToken(Secret::new("refresh-first"))), Access::Write);
    for _ in 0..2 {
        assert_eq!(get(&http, &base).await, Ok(200));
    }
    let bodies: Vec<String> = server.seen.lock().unwrap().iter().map(|seen| seen.body.clone()).collect();
    assert_eq!(bodies[0], "grant_type=refresh_token&refresh_token=refresh-first");
    assert_eq!(bodies[2], "grant_type=refresh_token&refresh_token=refresh-0");
}

#[tokio::test]
async fn a_session_begins_with_a_login_and_its_token_goes_into_the_vendors_header() {
    let (base, server) = serve(|seen, _| match seen.line.as_str() {
        "PUT /login" => json_answer(&json!({"data": {}, "auth_token": "session-1"})),
        _ if seen.token == "session-1" => json_answer(&json!([])),
        _ => StatusCode::UNAUTHORIZED.into_response(),
    })
    .await;
    let login = Login {
        method: Method::PUT,
        url: base.join("login").unwrap(),
        basic: None,
        body: Some((|key| json!({"data": {"api_key": key}}), Secret::new("key-0815"))),
        token: "/auth_token",
        lifetime: Some(Duration::from_secs(3600)),
    };
    let auth =
        Auth { source: TokenSource::Session(login), header: HeaderName::from_static("x-auth-token"), prefix: "" };
    let http = client(&base, auth, Access::ReadOnly);
    assert_eq!(get(&http, &base).await, Ok(200));
    assert_eq!(server.seen.lock().unwrap()[0].body, r#"{"data":{"api_key":"key-0815"}}"#);
}

#[tokio::test]
async fn credentials_and_tokens_are_never_shown() {
    let (base, _server) = serve(|seen, _| match seen.line.as_str() {
        "POST /token" => json_answer(&json!({"access_token": "token-3c1f9a77"})),
        _ => json_answer(&json!([])),
    })
    .await;
    let http = client(&base, oauth(&base, Grant::RefreshToken(Secret::new("refresh-5b2d"))), Access::Write);
    assert_eq!(get(&http, &base).await, Ok(200));
    let shown = http.redacted("token-3c1f9a77, refresh-5b2d and client-secret-4711");
    assert_eq!(shown, "[token], [token] and [token]");

    let (base, server) = serve(|seen, _| (StatusCode::BAD_REQUEST, seen.body.clone()).into_response()).await;
    let http = client(&base, oauth(&base, Grant::RefreshToken(Secret::new("refresh-5b2d"))), Access::Write);
    let error = get(&http, &base).await.unwrap_err();
    let refused = "the token server refused the credentials (400)".to_owned();
    assert_eq!(error, SendError::NotDone(Failure::NoToken(refused)));
    assert_eq!(server.lines(), ["POST /token"], "what is refused is not asked again");
}

#[tokio::test]
async fn a_refresh_token_that_was_replaced_once_is_never_shown_however_many_tokens_follow() {
    let (base, server) = serve(|seen, before| match (seen.line.as_str(), before) {
        ("POST /token", 0) => {
            json_answer(&json!({"access_token": "token-first", "expires_in": 0, "refresh_token": "refresh-9c9c77"}))
        }
        ("POST /token", _) => json_answer(&json!({"access_token": format!("token-{before}"), "expires_in": 0})),
        _ => json_answer(&json!([])),
    })
    .await;
    let http = client(&base, oauth(&base, Grant::RefreshToken(Secret::new("refresh-5b2d"))), Access::Write);
    for _ in 0..7 {
        assert_eq!(get(&http, &base).await, Ok(200));
    }
    assert_eq!(server.count("POST /token"), 7);
    assert!(server.seen.lock().unwrap()[12].body.contains("refresh_token=refresh-9c9c77"));
    assert_eq!(http.redacted("refresh-9c9c77"), "[token]");
}

#[tokio::test]
async fn a_token_server_that_fails_is_asked_again_and_then_nothing_was_done() {
    let (base, server) = serve(|_, _| StatusCode::BAD_GATEWAY.into_response()).await;
    let http = client(&base, oauth(&base, Grant::ClientCredentials { scope: None }), Access::Write);
    let error = get(&http, &base).await.unwrap_err();
    assert_eq!(error, SendError::NotDone(Failure::NotSent("the token server failed (502)".to_owned())));
    assert_eq!(server.lines(), ["POST /token"; 3]);
}

#[tokio::test]
async fn a_body_is_sent_with_its_content_type_and_repeated_only_if_the_vendor_allows_it() {
    let fixed = || Auth::bearer(TokenSource::Fixed(Secret::new("token")));
    for (body, media, text) in [
        (Body::json(&json!({"a": 1})).unwrap(), "application/json", r#"{"a":1}"#),
        (Body::MergePatch(b"{}".to_vec()), "application/merge-patch+json", "{}"),
        (Body::form(&[("a b", "c&d")]), "application/x-www-form-urlencoded", "a+b=c%26d"),
    ] {
        for (repeatable, expected) in [(false, 1), (true, 2)] {
            let (base, server) = serve(|_, before| {
                let failed = before == 0;
                if failed { StatusCode::BAD_GATEWAY.into_response() } else { StatusCode::NO_CONTENT.into_response() }
            })
            .await;
            let http = client(&base, fixed(), Access::Write);
            let request = Sent { method: Method::PUT, body: Some(body.clone()), repeatable, ..Sent::get(base.clone()) };
            let sent = http.send(&request, &mut http.attempts()).await;
            assert_eq!(sent.is_ok(), repeatable, "{sent:?}");
            let seen = server.seen.lock().unwrap().clone();
            assert_eq!(seen.len(), expected);
            assert!(seen.iter().all(|seen| seen.media == media && seen.body == text), "{seen:?}");
        }
    }
}
