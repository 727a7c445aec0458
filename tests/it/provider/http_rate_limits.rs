//! The limits that a vendor states for classes of requests: over real HTTP.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::response::{IntoResponse as _, Response};
use futures_util::future::join_all;
use reqwest::{Method, StatusCode, Url};
use serde_json::json;
use strowger::providers::http::{
    Auth, Class, Failure, Grant, Http, RateLimit, Request as Sent, SendError, TokenSource,
};
use strowger::providers::{Access, Secret};

use super::http_tokens::{Seen, json_answer, limited_client, oauth, serve};

const fn limit(requests: usize, milliseconds: u64) -> RateLimit {
    RateLimit { requests, window: Duration::from_millis(milliseconds) }
}

/// The requests below `/heavy`, with these limits.
fn heavy(limits: &'static [RateLimit], penalty: Duration) -> [Class; 1] {
    [Class { covers: |_, url| url.path() == "/heavy", limits, penalty }]
}

const ONE_AT_A_TIME: [RateLimit; 1] = [limit(1, 0)];
const ONE_A_MINUTE: [RateLimit; 1] = [RateLimit::per_minute(1)];

/// Nothing is closed for longer than a 429 states.
const NO_PENALTY: Duration = Duration::ZERO;

fn fixed(token: &str) -> Auth {
    Auth::bearer(TokenSource::Fixed(Secret::new(token)))
}

async fn get(http: &Http, base: &Url, path: &str) -> Result<u16, SendError> {
    let request = Sent::get(base.join(path).unwrap());
    http.send(&request, &mut http.attempts()).await.map(|answer| answer.status.as_u16())
}

fn too_many(retry_after: &'static str) -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [("retry-after", retry_after)]).into_response()
}

fn asks_for_an_hour() -> SendError {
    SendError::Limited("it answers 429 and asks to wait for 3600 s, and a request waits for 300 s in all".to_owned())
}

#[tokio::test]
async fn a_server_that_keeps_its_limits_never_has_to_refuse() {
    const LIMITS: [RateLimit; 2] = [limit(2, 200), limit(5, 700)];
    for (classes, refuses) in [(&heavy(&LIMITS, NO_PENALTY)[..], false), (&[], true)] {
        let (heavy, refused) = (Mutex::new(Vec::<Instant>::new()), Arc::new(Mutex::new(0)));
        let count = Arc::clone(&refused);
        let (base, _server) = serve(move |seen, _| {
            let (now, mut heavy) = (Instant::now(), heavy.lock().unwrap());
            let recent = |limit: &RateLimit| heavy.iter().filter(|at| now.duration_since(**at) < limit.window).count();
            if seen.line != "GET /heavy" || LIMITS.iter().all(|limit| recent(limit) < limit.requests) {
                heavy.extend((seen.line == "GET /heavy").then_some(now));
                return json_answer(&json!([]));
            }
            *count.lock().unwrap() += 1;
            too_many("0.2")
        })
        .await;
        let http = limited_client(&base, fixed("token"), classes, Access::ReadOnly);
        let paths = ["heavy", "light", "light"].repeat(12);
        let all = join_all(paths.iter().map(|path| get(&http, &base, path))).await;
        assert!(all.iter().all(|status| *status == Ok(200)), "{all:?}");
        assert_eq!(*refused.lock().unwrap() > 0, refuses);
    }
}

#[tokio::test]
async fn nothing_of_a_class_is_sent_during_its_penalty_which_would_begin_again() {
    let penalty = Duration::from_millis(300);
    let (until, refused) = (Mutex::new(None::<Instant>), Arc::new(Mutex::new(0)));
    let count = Arc::clone(&refused);
    let (base, _server) = serve(move |_, before| {
        let (now, mut until) = (Instant::now(), until.lock().unwrap());
        if before == 3 || until.is_some_and(|until| now < until) {
            *until = Some(now + penalty);
            *count.lock().unwrap() += 1;
            return StatusCode::TOO_MANY_REQUESTS.into_response();
        }
        json_answer(&json!([]))
    })
    .await;
    // One at a time, so that only the fourth one meets the 429.
    let http = limited_client(&base, fixed("token"), &heavy(&ONE_AT_A_TIME, penalty), Access::ReadOnly);
    let all = join_all((0..12).map(|_| get(&http, &base, "heavy")));
    let all = tokio::time::timeout(Duration::from_secs(30), all).await.expect("the penalty begins again and again");
    assert!(all.iter().all(|status| *status == Ok(200)), "{all:?}");
    assert_eq!(*refused.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_wait_that_is_too_long_ends_the_requests_of_its_class_of_all_clients_of_the_account_and_no_others() {
    let (base, server) =
        serve(|seen, _| if seen.line == "GET /heavy" { too_many("3600") } else { json_answer(&json!([])) }).await;
    let classes = heavy(&ONE_AT_A_TIME, NO_PENALTY);
    let http = limited_client(&base, fixed("token"), &classes, Access::ReadOnly);
    let again = limited_client(&base, fixed("token"), &classes, Access::Write);
    let all = tokio::join!(get(&http, &base, "heavy"), get(&http, &base, "heavy"), get(&again, &base, "heavy"));
    assert_eq!(<[_; 3]>::from(all), [(); 3].map(|()| Err(asks_for_an_hour())));
    assert_eq!(server.count("GET /heavy"), 1, "what waited was not sent");
    assert_eq!(get(&http, &base, "light").await, Ok(200));
    let other = limited_client(&base, fixed("another"), &classes, Access::ReadOnly);
    assert_eq!(get(&other, &base, "heavy").await, Err(asks_for_an_hour()));
    assert_eq!(server.count("GET /heavy"), 2, "another user has limits of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_for_its_token_is_not_sent_after_a_429_of_its_class() {
    let (refused, on_refusal) = std::sync::mpsc::channel::<()>();
    let on_refusal = Mutex::new(on_refusal);
    let (base, server) = serve(move |seen: &Seen, before| match (seen.line.as_str(), before) {
        ("POST /token", 0) => json_answer(&json!({"access_token": "first", "expires_in": 0})),
        ("POST /token", _) => {
            on_refusal.lock().unwrap().recv().unwrap();
            json_answer(&json!({"access_token": "later", "expires_in": 0}))
        }
        _ => too_many("3600"),
    })
    .await;
    let grant = Grant::ClientCredentials { scope: None };
    let http = limited_client(&base, oauth(&base, grant), &heavy(&[], NO_PENALTY), Access::ReadOnly);
    let first = async {
        let sent = get(&http, &base, "heavy").await;
        refused.send(()).unwrap();
        sent
    };
    let (first, second) = tokio::join!(first, get(&http, &base, "heavy"));
    assert_eq!((first, second), (Err(asks_for_an_hour()), Err(asks_for_an_hour())));
    assert_eq!(server.lines(), ["POST /token", "GET /heavy", "POST /token"]);
}

#[tokio::test]
async fn requests_for_tokens_keep_the_limits_of_their_class() {
    let (base, server) = serve(|_, _| too_many("3600")).await;
    let classes = [Class { covers: |_, url| url.path() == "/token", limits: &[], penalty: NO_PENALTY }];
    let grant = Grant::ClientCredentials { scope: None };
    let http = limited_client(&base, oauth(&base, grant), &classes, Access::ReadOnly);
    let why = "the token server asks to wait for 3600 s".to_owned();
    assert_eq!(get(&http, &base, "heavy").await, Err(SendError::NotDone(Failure::NotSent(why))));
    assert_eq!(server.lines(), ["POST /token"]);
}

#[tokio::test]
async fn a_write_that_waits_for_its_limit_ends_when_the_run_is_stopped() {
    let (base, server) = serve(|_, _| json_answer(&json!([]))).await;
    let http = limited_client(&base, fixed("token"), &heavy(&ONE_A_MINUTE, NO_PENALTY), Access::Write);
    assert_eq!(get(&http, &base, "heavy").await, Ok(200));
    let put = Sent { method: Method::PUT, ..Sent::get(base.join("heavy").unwrap()) };
    let mut attempts = http.attempts();
    let (sent, ()) = tokio::join!(http.send(&put, &mut attempts), async { http.stop() });
    assert_eq!(sent.unwrap_err(), SendError::NotDone(Failure::NotSent("the run was stopped".to_owned())));
    assert_eq!(server.lines(), ["GET /heavy"]);
}

#[tokio::test]
async fn a_class_of_requests_and_of_those_for_their_token_does_not_wait_for_itself() {
    let (base, server) = serve(|seen, _| match &*seen.line {
        "POST /token" => json_answer(&json!({ "access_token": "t", "expires_in": 3600 })),
        _ => json_answer(&json!([])),
    })
    .await;
    let classes = [Class { covers: |_, _| true, limits: &ONE_AT_A_TIME, penalty: NO_PENALTY }];
    let http =
        limited_client(&base, oauth(&base, Grant::ClientCredentials { scope: None }), &classes, Access::ReadOnly);
    let all = join_all(["a", "b", "c"].map(|path| get(&http, &base, path)));
    let all = tokio::time::timeout(Duration::from_secs(20), all).await.expect("it waits for itself");
    assert!(all.iter().all(|status| *status == Ok(200)), "{all:?}");
    assert_eq!(server.lines().len(), 4);
}
