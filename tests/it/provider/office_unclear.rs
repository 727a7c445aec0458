//! Writes whose end is unclear, runs that are told to stop, and lists that never end: what the client of the
//! Account API makes of them, over real HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use strowger::model::{
    Change, ChangeId, FieldChange, FieldName, FieldValue, ObjectId, ObjectLabel, Reason, Revision, RingMode, Verb,
    WritableKind,
};
use strowger::providers::ClientOptions;
use strowger::providers::office::Office;
use strowger::providers::{Provider, ReadError, RetryPolicy, Secret, WriteError};
use tokio::sync::Notify;

type Answering = dyn Fn(&str, usize) -> Response + Send + Sync;

#[derive(Clone)]
struct Server {
    answer: Arc<Answering>,
    lines: Arc<Mutex<Vec<String>>>,
    asked: Arc<Notify>,
}

async fn handle(State(server): State<Server>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let count = {
        let mut lines = server.lines.lock().unwrap();
        lines.push(line.clone());
        lines.len()
    };
    let answer = (server.answer)(&line, count);
    server.asked.notify_one();
    answer
}

/// A server that answers so to a request and its number.
async fn office(answer: impl Fn(&str, usize) -> Response + Send + Sync + 'static) -> (Office, Server) {
    let server = Server { answer: Arc::new(answer), lines: Arc::default(), asked: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(handle).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let short = Duration::from_millis(1);
    let retry = RetryPolicy { attempts: 3, first_pause: short, usual_wait: 50 * short, ..RetryPolicy::default() };
    let options = ClientOptions { retry, ..ClientOptions::default() };
    (Office::new(&url, Secret::new("token"), options).unwrap(), server)
}

fn creation() -> Change {
    let field = |field, after| FieldChange { field, before: FieldValue::None, after };
    Change {
        id: ChangeId(1),
        verb: Verb::Create,
        object: ObjectLabel { kind: WritableKind::RingGroup, id: None, name: "sales".into() },
        fields: vec![
            field(FieldName::Name, FieldValue::Name("sales".parse().unwrap())),
            field(FieldName::Extension, FieldValue::ChosenByAccount),
            field(FieldName::Ring, FieldValue::Ring(RingMode::Simultaneous)),
        ],
        reason: Reason::Declared,
        place: None,
        depends_on: Vec::new(),
        expects: None,
        revision: None,
        unreachable_meanwhile: Vec::new(),
        gap: false,
        calls: 1,
        steps: Vec::new(),
        document: None,
    }
}

fn relabel() -> Change {
    let label = |text: &str| FieldValue::Text(text.into());
    Change {
        verb: Verb::Update,
        object: ObjectLabel { kind: WritableKind::Number, id: Some(ObjectId::from("n1")), name: "+33142685300".into() },
        fields: vec![FieldChange { field: FieldName::Label, before: label("old"), after: label("new") }],
        revision: Some(Revision("\"1\"".into())),
        ..creation()
    }
}

fn group(ring: &str) -> Value {
    json!({ "id": "g7", "name": "Sales", "extension": "301", "ring": ring, "members": [], "ring_for": 20,
            "no_answer": null, "etag": "\"5\"" })
}

/// Whatever is created fails, and these are the groups.
async fn unanswered(groups: Value) -> Result<strowger::providers::WriteReceipt, WriteError> {
    let (office, _) = office(move |line, _| {
        if line.starts_with("POST") {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        axum::Json(json!({ "items": groups, "next": null, "cursors": [] })).into_response()
    })
    .await;
    office.perform(&creation(), 0).await
}

#[tokio::test]
async fn a_creation_that_nobody_answered_is_looked_for() {
    // In other letters it may be ours as the account spells it, or somebody else's.
    let written = unanswered(json!([group("simultaneous")])).await;
    assert!(matches!(written, Err(WriteError::Unknown(_))), "{written:?}");
    let mut made = group("simultaneous");
    made["name"] = json!("sales");
    let written = unanswered(json!([made])).await.unwrap();
    assert_eq!((written.id, written.revision), (ObjectId::from("g7"), Some(Revision("\"5\"".into()))));
    assert_eq!(written.requests, 5, "three attempts, a look at the groups and one at the log");
    // Ours may have been made first, and then somebody changed it.
    let mut other = group("sequential");
    other["name"] = json!("sales");
    let other = unanswered(json!([other])).await;
    assert!(matches!(other, Err(WriteError::Unknown(_))), "{other:?}");
    let nowhere = unanswered(json!([])).await;
    assert!(matches!(nowhere, Err(WriteError::Unknown(_))), "{nowhere:?}");
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_neither_waits_nor_tries_again() {
    let (office, server) =
        office(|_, _| (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "200")]).into_response()).await;
    let change = relabel();
    let stop = async {
        server.asked.notified().await;
        office.stop();
    };
    let (result, ()) = tokio::join!(office.perform(&change, 0), stop);
    assert!(matches!(result, Err(WriteError::Unavailable { .. })), "{result:?}");
    assert_eq!(server.lines.lock().unwrap().len(), 1);
    // And nothing new begins.
    assert!(matches!(office.perform(&change, 0).await, Err(WriteError::Unavailable { .. })));
    assert_eq!(server.lines.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_in_doubt_when_the_run_ends_gets_one_look() {
    let stored = json!({ "id": "n1", "number": "+33142685300", "label": "new", "destination": null, "etag": "\"2\"" });
    let (office, server) = office(move |line, _| {
        if line.starts_with("GET") {
            return axum::Json(stored.clone()).into_response();
        }
        (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "200")]).into_response()
    })
    .await;
    let change = relabel();
    let stop = async {
        server.asked.notified().await;
        office.stop();
    };
    let (result, ()) = tokio::join!(office.perform(&change, 0), stop);
    assert_eq!(result.unwrap().requests, 3);
    let asked = ["PATCH /v1/numbers/n1", "GET /v1/numbers/n1", "GET /v1/audit?limit=200&ranges=true"];
    assert_eq!(*server.lines.lock().unwrap(), asked);
}

/// Everything that an attempt can end in that, by itself, says that it did nothing.
fn endings() -> Vec<(u16, Response)> {
    let mut endings: Vec<_> =
        [301, 302, 304, 400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 421, 422, 423, 426, 451, 501]
            .map(|status| (status, StatusCode::from_u16(status).unwrap().into_response()))
            .into();
    endings.push((429, (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "99999")]).into_response()));
    endings
}

/// A change whose first attempt fails in doubt and whose next one ends so; what is read answers this.
async fn doubted(
    change: &Change,
    first: StatusCode,
    ending: Response,
    read: Value,
) -> Result<strowger::providers::WriteReceipt, WriteError> {
    let ending = Mutex::new(Some(ending));
    let writes = Mutex::new(0);
    let (office, _) = office(move |line, _| {
        if line.starts_with("GET /v1/audit") {
            return StatusCode::NOT_FOUND.into_response();
        }
        if line.starts_with("GET") {
            return if read.is_null() {
                StatusCode::UNAUTHORIZED.into_response()
            } else {
                axum::Json(&read).into_response()
            };
        }
        let mut writes = writes.lock().unwrap();
        *writes += 1;
        if *writes == 1 { first.into_response() } else { ending.lock().unwrap().take().expect("sent once too often") }
    })
    .await;
    office.perform(change, 0).await
}

#[tokio::test]
async fn doubt_outlives_whatever_the_repeats_end_in() {
    let untouched =
        json!({ "id": "n1", "number": "+33142685300", "label": "old", "destination": null, "etag": "\"1\"" });
    let empty = json!({ "items": [], "next": null, "cursors": [] });
    for first in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE, StatusCode::REQUEST_TIMEOUT] {
        for (change, read) in [(relabel(), untouched.clone()), (creation(), empty.clone()), (creation(), Value::Null)] {
            for (status, ending) in endings() {
                let result = doubted(&change, first, ending, read.clone()).await;
                let Err(WriteError::Unknown(why)) = &result else { panic!("{:?} {status}: {result:?}", change.verb) };
                assert!(why.contains(&first.as_u16().to_string()), "{why}");
            }
        }
    }
}

#[tokio::test]
async fn what_the_account_shows_settles_a_doubt_whatever_came_after_it() {
    let mut made = group("simultaneous");
    made["name"] = json!("sales");
    let list = json!({ "items": [made], "next": null, "cursors": [] });
    for (status, ending) in endings() {
        let result = doubted(&creation(), StatusCode::BAD_GATEWAY, ending, list.clone()).await;
        assert_eq!(result.unwrap().id, ObjectId::from("g7"), "{status}");
    }
}

#[tokio::test]
async fn doubt_outlives_a_server_that_is_gone() {
    use tokio::io::AsyncReadExt as _;
    for change in [creation(), relabel()] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let retry = RetryPolicy { attempts: 3, first_pause: Duration::from_millis(1), ..RetryPolicy::default() };
        let options = ClientOptions { retry, ..ClientOptions::default() };
        let office = Office::new(&url, Secret::new("token"), options).unwrap();
        // Takes one request in, and is gone: nothing accepts a connection after that.
        let dies = async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        };
        let (result, ()) = tokio::join!(office.perform(&change, 0), dies);
        assert!(matches!(result, Err(WriteError::Unknown(_))), "{:?}: {result:?}", change.verb);
    }
}

/// An account with an audit log, in which a number was changed by a write with this key; `None` if nothing was sent
/// with it, and nothing at all if the log keeps no keys.
async fn logged(
    status: u16,
    label: &'static str,
    key: fn(&str) -> Value,
) -> Result<strowger::providers::WriteReceipt, WriteError> {
    let sent = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&sent);
    let router = Router::new().fallback(move |request: Request| {
        let kept = Arc::clone(&kept);
        async move {
            if let Some(key) = request.headers().get("idempotency-key") {
                key.to_str().unwrap().clone_into(&mut kept.lock().unwrap());
                return StatusCode::from_u16(status).unwrap().into_response();
            }
            if !request.uri().path().ends_with("/audit") {
                let stored = json!({ "id": "n1", "number": "+33142685300", "label": label, "destination": null, "etag": "\"3\"" });
                return axum::Json(stored).into_response();
            }
            let mut entry = json!({ "id": "a1", "client": "curl/8", "object": { "kind": "number", "id": "n1" },
                "before": { "etag": "\"1\"" }, "after": { "etag": "\"2\"" } });
            let key = key(&kept.lock().unwrap());
            if key != json!("none") {
                entry["idempotency_key"] = key;
            }
            axum::Json(json!({ "items": [entry], "next": null, "cursors": [] })).into_response()
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let retry = RetryPolicy { attempts: 3, first_pause: Duration::from_millis(1), ..RetryPolicy::default() };
    let options = ClientOptions { retry, ..ClientOptions::default() };
    Office::new(&url, Secret::new("token"), options).unwrap().perform(&relabel(), 0).await
}

#[tokio::test]
async fn the_accounts_log_tells_our_own_write_from_the_same_one_by_somebody_else() {
    // In doubt after a 500, and without a doubt of our own behind a proxy that sends twice.
    for status in [500, 412] {
        // Even if somebody has changed it again since.
        for label in ["new", "other"] {
            let ours = logged(status, label, |key| json!(key)).await.unwrap();
            assert_eq!(ours.revision, Some(Revision("\"2\"".into())), "the version that ours made");
            for other in [|_: &str| json!("another"), |_: &str| Value::Null] {
                let theirs = logged(status, label, other).await;
                assert!(matches!(theirs, Err(WriteError::Stale(_))), "{status} {label}: {theirs:?}");
            }
        }
    }
    let silent = logged(412, "new", |_| json!("none")).await;
    assert!(matches!(silent, Err(WriteError::Unattributed(_))), "{silent:?}");
}

fn number(id: &str, number: usize) -> Value {
    json!({ "id": id, "number": format!("+331426{number:05}"), "destination": null, "etag": "\"1\"" })
}

/// Reads an account whose numbers come in these pages.
async fn read(
    page: impl Fn(usize) -> Value + Send + Sync + 'static,
) -> (Result<strowger::providers::FetchedAccount, ReadError>, usize) {
    let (office, server) = office(move |line, count| {
        let account = json!({ "id": "1", "name": "a", "default_number": null, "capabilities": { "page_limit": 100 } });
        let empty = json!({ "items": [], "next": null, "cursors": [] });
        axum::Json(match line.split(['/', '?']).nth(2).unwrap() {
            "account" => account,
            "numbers" => page(count),
            _ => empty,
        })
        .into_response()
    })
    .await;
    let read = office.read().await;
    let requests = server.lines.lock().unwrap().len();
    (read, requests)
}

#[tokio::test]
async fn one_id_for_two_numbers_is_no_account() {
    let (read, _) = read(|_| json!({ "items": [number("n1", 1), number("n1", 2)], "next": null, "cursors": [] })).await;
    let error = read.unwrap_err().to_string();
    assert!(error.contains("number n1 twice"), "{error}");
}

#[tokio::test]
async fn pages_that_bring_next_to_nothing_end_after_a_while() {
    let page = |count: usize| json!({ "items": [number(&count.to_string(), count)], "next": format!("c{count}"), "cursors": [] });
    let (read, requests) = read(page).await;
    assert!(read.unwrap_err().to_string().contains("it has no end"));
    assert!(requests < 300, "{requests}");
}

#[tokio::test]
async fn a_page_with_more_than_was_asked_for_is_refused() {
    let page = |count: usize| {
        let items: Vec<_> = (0..101).map(|index| number(&format!("{count}-{index}"), count * 1000 + index)).collect();
        json!({ "items": items, "next": format!("c{count}"), "cursors": [] })
    };
    let (read, requests) = read(page).await;
    assert!(read.unwrap_err().to_string().contains("a page has 101 objects, and 100 were asked for"));
    assert!(requests < 10, "{requests}");
}
