//! Looking whether an account is as it was read: over real HTTP, past a door that counts and shows small pages.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::support::sandbox::{Account, SEED, TOKEN, options, seeded, start};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use strowger::providers::ClientOptions;
use strowger::providers::office::Office;
use strowger::providers::settings::StateFile as Keep;
use strowger::providers::snapshot::Snapshot;
use strowger::providers::{ChangeCheck, Provider as _, ReadError, RetryPolicy, Secret};
use strowger::sandbox::{SandboxOptions, Seed};

/// The objects of a page; the seed has two full pages of numbers, and lists of one page.
const PAGE: usize = 3;

/// A request that came through, with the tag that it named, and the status of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Passed {
    line: String,
    tag: Option<String>,
    status: u16,
}

/// What becomes of the answer to a request line.
type Change = dyn Fn(&str, &mut Response) + Send + Sync;

/// What stands before the account and lets everything through.
#[derive(Clone)]
struct Door {
    http: reqwest::Client,
    to: String,
    passed: Arc<Mutex<Vec<Passed>>>,
    change: Arc<Change>,
}

async fn pass(State(door): State<Door>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let tag = request.headers().get("if-none-match").map(|tag| tag.to_str().unwrap().to_owned());
    let mut headers = request.headers().clone();
    headers.remove("host");
    let sent = door.http.get(format!("{}{}", door.to, request.uri())).headers(headers).send().await.unwrap();
    let status = sent.status();
    let etag = sent.headers().get("etag").cloned();
    let mut body = sent.bytes().await.unwrap().to_vec();
    if request.uri().path() == "/v1/account" && status == StatusCode::OK {
        let mut account: Value = serde_json::from_slice(&body).unwrap();
        account["capabilities"]["page_limit"] = json!(PAGE);
        body = account.to_string().into_bytes();
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().extend(etag.map(|etag| (axum::http::header::ETAG, etag)));
    (door.change)(&line, &mut response);
    door.passed.lock().unwrap().push(Passed { line, tag, status: response.status().as_u16() });
    response
}

fn client(url: &str, token: &str) -> Office {
    let short = Duration::from_millis(1);
    let retry = RetryPolicy { attempts: 2, first_pause: short, usual_wait: 20 * short, ..RetryPolicy::default() };
    Office::new(url, Secret::new(token), ClientOptions { retry, ..ClientOptions::default() }).unwrap()
}

/// A seeded account, a client that sees it in small pages, and what passes between them.
async fn through(change: impl Fn(&str, &mut Response) + Send + Sync + 'static) -> (Account, Office, Door) {
    let account = start(seeded()).await;
    let door =
        Door { http: account.http.clone(), to: account.url.clone(), passed: Arc::default(), change: Arc::new(change) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let office = client(&format!("http://{}", listener.local_addr().unwrap()), TOKEN);
    let router = Router::new().fallback(pass).with_state(door.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (account, office, door)
}

impl Door {
    fn take(&self) -> Vec<Passed> {
        std::mem::take(&mut self.passed.lock().unwrap())
    }
}

async fn is_unchanged(office: &Office) -> bool {
    office.check_unchanged().await.unwrap().unchanged
}

#[tokio::test]
async fn an_account_that_is_as_it_was_costs_one_304_for_each_document_of_the_reading() {
    let (account, office, door) = through(|_, _| {}).await;
    assert_eq!(
        office.check_unchanged().await.unwrap(),
        ChangeCheck { unchanged: false, requests: 0 },
        "nothing was read yet"
    );
    let read = office.read().await.unwrap();
    let asked = door.take();
    // The account, two pages of numbers, and one of each other list.
    assert_eq!((read.live.numbers.len(), asked.len()), (2 * PAGE, 7), "{asked:#?}");
    let before = account.server.counters().requests;
    for _ in 0..3 {
        let looked = office.check_unchanged().await.unwrap();
        assert_eq!(looked, ChangeCheck { unchanged: true, requests: asked.len() as u64 });
        let again = door.take();
        assert!(again.iter().all(|passed| passed.status == 304 && passed.tag.is_some()), "{again:#?}");
        let lines = |all: &[Passed]| {
            let mut lines: Vec<_> = all.iter().map(|passed| passed.line.clone()).collect();
            lines.sort();
            lines
        };
        assert_eq!(lines(&again), lines(&asked), "the same documents");
    }
    assert_eq!(account.server.counters().requests - before, 3 * asked.len() as u64);
}

#[tokio::test]
async fn every_change_behind_its_back_is_noticed_and_a_reading_settles_it() {
    let (account, office, _) = through(|_, _| {}).await;
    office.read().await.unwrap();
    let changes = [
        (Method::PATCH, "numbers", "number", "+33142685300", json!({"label": "Front desk"})),
        (Method::PATCH, "numbers", "number", "+33142685309", json!({"label": "On the last page"})),
        (Method::PATCH, "ring_groups", "name", "ventes", json!({"ring_for": 25})),
        (Method::PATCH, "users", "email", "amelie@example.org", json!({"name": "Amélie Dupond"})),
        (Method::PATCH, "users", "email", "amelie@example.org", json!({"voicemail": {"enabled": false}})),
        (Method::PATCH, "users", "email", "bruno@example.org", json!({"forwarding": {"mode": "disabled", "to": null}})),
        (Method::PATCH, "devices", "name", "front-desk", json!({"name": "lobby"})),
        (Method::DELETE, "devices", "name", "pocket", Value::Null),
        (
            Method::PATCH,
            "receptionists",
            "name",
            "main",
            json!({"keys": {"3": null, "1": {"kind": "user", "id": "USER"}}}),
        ),
        (Method::PATCH, "conferences", "name", "salle-1", json!({"extension": "401"})),
        // Two full pages, and then a third one.
        (Method::POST, "numbers", "", "", json!({"number": "+33142685310", "kind": "local"})),
        (Method::POST, "ring_groups", "", "", json!({"name": "new", "members": [{"kind": "user", "id": "USER"}]})),
        (Method::POST, "users", "", "", json!({"name": "Chloé", "email": "chloe@example.org"})),
        (Method::POST, "receptionists", "", "", json!({"name": "night", "timezone": "UTC"})),
        (Method::POST, "conferences", "", "", json!({"name": "salle-2"})),
        (Method::DELETE, "numbers", "number", "+33142685309", Value::Null),
        (Method::DELETE, "ring_groups", "name", "new", Value::Null),
    ];
    let user = account.find("users", "email", "amelie@example.org").await["id"].as_str().unwrap().to_owned();
    for (method, list, field, value, body) in changes {
        assert!(is_unchanged(&office).await, "before {method} {list} {body}");
        let path = if field.is_empty() { list.to_owned() } else { account.path(list, field, value).await };
        let body: Value = serde_json::from_str(&body.to_string().replace("USER", &user)).unwrap();
        let answer = match method {
            Method::PATCH => account.patch(&path, body.clone()).await,
            Method::POST => account.post(&path, body.clone()).await,
            _ => account.delete(&path).await,
        };
        assert!(answer.status.is_success(), "{method} {path} {body}: {answer:?}");
        assert!(!is_unchanged(&office).await, "{method} {path} {body}");
        assert!(!is_unchanged(&office).await, "a look settles nothing");
        office.read().await.unwrap();
        assert!(is_unchanged(&office).await, "after {method} {path} {body}");
    }
    // What the reading does not show is no change.
    account.post("locations", json!({"label": "Lyon"})).await.expect(201);
    assert!(is_unchanged(&office).await);
}

#[tokio::test]
async fn a_look_stops_at_the_first_change() {
    let (account, office, door) = through(|_, _| {}).await;
    office.read().await.unwrap();
    account.patch(&account.path("numbers", "number", "+33142685300").await, json!({"label": "x"})).await.expect(200);
    door.take();
    let looked = office.check_unchanged().await.unwrap();
    let passed = door.take();
    assert_eq!((looked.unchanged, looked.requests), (false, passed.len() as u64));
    assert_eq!(passed.iter().filter(|passed| passed.status == 200).count(), 1, "{passed:#?}");
}

#[tokio::test]
async fn without_a_tag_on_everything_nothing_is_ever_certain() {
    for gap in ["/v1/account", "/v1/numbers?limit=3&cursor=", "/v1/conferences"] {
        let (_account, office, door) = through(move |line, response| {
            if line.contains(gap) {
                response.headers_mut().remove("etag");
            }
        })
        .await;
        office.read().await.unwrap();
        door.take();
        assert_eq!(office.check_unchanged().await.unwrap(), ChangeCheck { unchanged: false, requests: 0 }, "{gap}");
    }
    // Every answer would fit these.
    for wrong in ["*", "\"a\", \"b\"", "W/", "1"] {
        let (_account, office, _) = through(move |_, response| {
            response.headers_mut().insert("etag", wrong.parse().unwrap());
        })
        .await;
        office.read().await.unwrap();
        assert_eq!(office.check_unchanged().await.unwrap(), ChangeCheck { unchanged: false, requests: 0 }, "{wrong}");
    }
}

#[tokio::test]
async fn a_page_that_is_gone_or_a_304_for_another_version_is_a_change() {
    let (_account, office, _) = through(|line, response| {
        if line.contains("cursor=") && response.status() == StatusCode::NOT_MODIFIED {
            *response.status_mut() = StatusCode::BAD_REQUEST;
        }
    })
    .await;
    office.read().await.unwrap();
    assert!(!is_unchanged(&office).await);
    let (_account, office, _) = through(|line, response| {
        if line.contains("/v1/users") && response.status() == StatusCode::NOT_MODIFIED {
            response.headers_mut().insert("etag", "\"another\"".parse().unwrap());
        }
    })
    .await;
    office.read().await.unwrap();
    assert!(!is_unchanged(&office).await);
}

#[tokio::test]
async fn a_look_fails_as_a_reading_does() {
    let account = start(seeded()).await;
    let office = client(&account.url, TOKEN);
    office.read().await.unwrap();
    account.server.stop().await;
    assert!(matches!(office.check_unchanged().await, Err(ReadError::Unreachable { .. })));
    let (_account, office, _) = through(|line, response| {
        if line.contains("/v1/users") && response.status() == StatusCode::NOT_MODIFIED {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
    })
    .await;
    office.read().await.unwrap();
    assert!(matches!(office.check_unchanged().await, Err(ReadError::Unauthorized { .. })));
}

#[tokio::test]
async fn another_account_at_the_same_address_is_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("account.db");
    let account = start(SandboxOptions { state: Keep::File(path.clone()), ..seeded() }).await;
    let listen = account.url.strip_prefix("http://").unwrap().parse().unwrap();
    let office = client(&account.url, TOKEN);
    office.read().await.unwrap();
    assert!(is_unchanged(&office).await);
    account.server.stop().await;

    // The same file, served again, is the same account.
    let again = || SandboxOptions { listen, ..options() };
    let account = start(SandboxOptions { state: Keep::File(path.clone()), ..again() }).await;
    assert!(is_unchanged(&office).await);
    account.server.stop().await;

    // The default number is another one.
    let db = rusqlite::Connection::open(&path).unwrap();
    let sql = "UPDATE account SET default_number = (SELECT key FROM numbers WHERE number = '+33142685302')";
    assert_eq!(db.execute(sql, []).unwrap(), 1);
    db.close().unwrap();
    let account = start(SandboxOptions { state: Keep::File(path), ..again() }).await;
    assert!(!is_unchanged(&office).await);
    office.read().await.unwrap();
    account.server.stop().await;

    // Nothing was ever written to either of these, and the account's own document is the same.
    let seed = |text: &str| Some(Seed::from_yaml(text).unwrap());
    let account = start(SandboxOptions { seed: seed(SEED), ..again() }).await;
    office.read().await.unwrap();
    account.server.stop().await;
    let other = SEED.replace("label: Accueil", "label: Reception");
    let _account = start(SandboxOptions { seed: seed(&other), ..again() }).await;
    assert!(!is_unchanged(&office).await);
}

#[tokio::test]
async fn a_snapshot_is_unchanged_as_long_as_its_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.yaml");
    let write = |text: &str, age: u64| {
        std::fs::write(&path, text).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    };
    write(SEED, 60);
    let snapshot = Snapshot::new(&path);
    let unchanged = async || snapshot.check_unchanged().await.unwrap().unchanged;
    assert!(!unchanged().await, "nothing was read yet");
    snapshot.read().await.unwrap();
    assert!(unchanged().await && unchanged().await);
    let other = SEED.replace("Accueil", "Recueil");
    write(&other, 50);
    assert!(!unchanged().await, "as long as before, and changed later");
    snapshot.read().await.unwrap();
    assert!(unchanged().await);
    // Replaced by a file that looks the same but for being another one.
    let copy = folder.path().join("copy.yaml");
    std::fs::write(&copy, SEED).unwrap();
    let file = std::fs::File::options().write(true).open(&copy).unwrap();
    file.set_modified(std::fs::metadata(&path).unwrap().modified().unwrap()).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    assert_eq!(unchanged().await, cfg!(not(unix)));
    // Just written: the next change may have the same time.
    write(SEED, 0);
    snapshot.read().await.unwrap();
    assert!(!unchanged().await);
    write(SEED, 60);
    snapshot.read().await.unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(!unchanged().await);
    assert!(snapshot.read().await.is_err());
}
