//! Writes whose end is unclear, runs that are told to stop, and lists that never end: what the client of the
//! Account API makes of them, over real HTTP.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test asserts by failing"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use strowger::live::office::{Office, OfficeOptions};
use strowger::live::{Patience, Provider, ReadError, Secret, WriteError};
use strowger::model::{
    Change, ChangeId, FieldChange, FieldName, FieldValue, Kind, ObjectId, ObjectLabel, Reason, Revision, RingMode, Verb,
};
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
    let patience = Patience { attempts: 3, first_pause: short, usual_wait: 50 * short, ..Patience::default() };
    let options = OfficeOptions { patience, ..OfficeOptions::default() };
    (Office::new(&url, Secret::new("token"), options).unwrap(), server)
}

fn creation() -> Change {
    let field = |field, after| FieldChange { field, before: FieldValue::None, after };
    Change {
        id: ChangeId(1),
        verb: Verb::Create,
        object: ObjectLabel { kind: Kind::RingGroup, id: None, name: "sales".into() },
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
        calls: 1,
    }
}

fn relabel() -> Change {
    let label = |text: &str| FieldValue::Text(text.into());
    Change {
        verb: Verb::Update,
        object: ObjectLabel { kind: Kind::Number, id: Some(ObjectId::from("n1")), name: "+33142685300".into() },
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
async fn unanswered(groups: Value) -> Result<strowger::live::Written, WriteError> {
    let (office, _) = office(move |line, _| {
        if line.starts_with("POST") {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        axum::Json(json!({ "items": groups, "next": null, "cursors": [] })).into_response()
    })
    .await;
    office.write(&creation()).await
}

#[tokio::test]
async fn a_creation_that_nobody_answered_is_looked_for() {
    let written = unanswered(json!([group("simultaneous")])).await;
    // The account may spell its name in another case; then it is another group's by the letter.
    assert!(matches!(written, Err(WriteError::Stale(_))), "{written:?}");
    let mut made = group("simultaneous");
    made["name"] = json!("sales");
    let written = unanswered(json!([made])).await.unwrap();
    assert_eq!((written.id, written.revision), (ObjectId::from("g7"), Some(Revision("\"5\"".into()))));
    assert_eq!(written.requests, 4, "three attempts and one look");
    let other = unanswered(json!([group("sequential")])).await;
    assert!(matches!(other, Err(WriteError::Stale(_))), "{other:?}");
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
    let (result, ()) = tokio::join!(office.write(&change), stop);
    assert!(matches!(result, Err(WriteError::Unavailable { .. })), "{result:?}");
    assert_eq!(server.lines.lock().unwrap().len(), 1);
    // And nothing new begins.
    assert!(matches!(office.write(&change).await, Err(WriteError::Unavailable { .. })));
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
    let (result, ()) = tokio::join!(office.write(&change), stop);
    assert_eq!(result.unwrap().requests, 2);
    assert_eq!(*server.lines.lock().unwrap(), ["PATCH /v1/numbers/n1", "GET /v1/numbers/n1"]);
}

fn number(id: &str, number: usize) -> Value {
    json!({ "id": id, "number": format!("+331426{number:05}"), "destination": null, "etag": "\"1\"" })
}

/// Reads an account whose numbers come in these pages.
async fn read(
    page: impl Fn(usize) -> Value + Send + Sync + 'static,
) -> (Result<strowger::live::Read, ReadError>, usize) {
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
