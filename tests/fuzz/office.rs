//! The Account API's client in front of a real server on loopback whose answers are the input.
//!
//! An input has a line for each request: what is asked for (`account`, `numbers`, `numbers?cursor=c`), the status,
//! the body. What it has no line for is not found.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use strowger::diag::{Severities, has_errors};
use strowger::plan;
use strowger::providers::ClientOptions;
use strowger::providers::office::Office;
use strowger::providers::{Provider as _, RetryPolicy, Secret};

use super::harness::{Target, Verdict, fuzz};
use super::plans::is_one_line;
use super::room::{Room, saved};

static TARGET: Target = Target {
    name: "office",
    words: &[
        "account",
        "numbers",
        "ring_groups",
        "users",
        "receptionists",
        "conferences",
        "?cursor=",
        "200",
        "204",
        "302",
        "401",
        "404",
        "429",
        "500",
        "{}",
        "{\"items\":[],\"next\":null}",
        "\"next\":\"c\"",
        "cursors",
        "next",
        "items",
        "\"cursors\":[\"c\",\"d\"]",
        "destination",
        "etag",
        "user",
        "ring_group",
        "voicemail",
        "sequential",
        "enabled",
        "page_limit",
        "extension_digits",
        "\n",
        "+33142685300",
        "always",
        "null",
    ],
    // An account may ask for one request a second, and it is kept.
    slack: Duration::from_secs(50),
};

const TOKEN: &str = "tok-5d20c1";

type Script = Arc<Mutex<Vec<u8>>>;

async fn answer(State(script): State<Script>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches("/v1/");
    let query = request.uri().query().unwrap_or_default();
    let cursor = query.split('&').find(|pair| pair.starts_with("cursor="));
    let wanted = cursor.map_or_else(|| path.to_owned(), |cursor| format!("{path}?{cursor}"));
    let script = script.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = script.split(|byte| *byte == b'\n');
    let found = lines.filter_map(|line| {
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        let name = parts.next().filter(|name| *name == wanted.as_bytes())?;
        Some((name, parts.next()?, parts.next()?))
    });
    let Some((_, status, body)) = found.into_iter().next() else { return StatusCode::NOT_FOUND.into_response() };
    let status = StatusCode::from_bytes(status).ok().filter(|status| !status.is_informational());
    let json = [("content-type", "application/json")];
    (status.unwrap_or(StatusCode::OK), json, body.to_vec()).into_response()
}

#[test]
fn office() {
    let room = Room::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let script = Script::default();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(script.clone());
    runtime.spawn(async move { axum::serve(listener, router).await });
    fuzz(&TARGET, move |input| {
        *script.lock().unwrap() = input.to_vec();
        let retry = RetryPolicy {
            attempts: 2,
            first_pause: Duration::from_millis(1),
            longest_wait: Duration::from_secs(1),
            usual_wait: Duration::from_millis(20),
            ..RetryPolicy::default()
        };
        let options = ClientOptions { retry, nonce: "run-1".into(), ..ClientOptions::default() };
        let office = Office::new(&url, Secret::new(TOKEN), options).unwrap();
        let live = match runtime.block_on(office.read()) {
            Ok(read) => read.live,
            Err(error) => {
                is_one_line(&error.to_string());
                assert!(!error.to_string().contains(TOKEN), "{error}");
                return Verdict::Refused;
            }
        };
        // Whatever was read is whole: put in order once more it is the same, and it can be planned with.
        let whole = live.clone().validated().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(whole, live);
        let (plan, findings) = plan::plan(&room.desired, &live, &Severities::default(), 6);
        assert_eq!(plan.is_none(), has_errors(&findings));
        if let Some(plan) = plan {
            saved(plan, &room.desired, &live);
        }
        Verdict::Taken
    });
}
