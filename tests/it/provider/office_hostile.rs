//! The Account API's client against servers that answer badly: a clear error or the right answer, never a
//! panic, a hang, a part of an account, or the token in a message.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use strowger::model::{
    Capabilities, Change, ChangeId, ExtensionChoice, FieldChange, FieldName, FieldValue, Kind, ObjectId, ObjectLabel,
    Reason, Revision, RingForScope, Unassigned, Verb, WritableKind,
};
use strowger::providers::ClientOptions;
use strowger::providers::office::Office;
use strowger::providers::{Provider as _, ReadError, RetryPolicy, Secret, WriteError};

const TOKEN: &str = "tok-3c1f9a77";

/// A request as the server saw it.
#[derive(Clone, Debug)]
struct Seen {
    line: String,
    headers: HeaderMap,
    body: Bytes,
}

type Answering = dyn Fn(&Seen) -> Response + Send + Sync;

#[derive(Clone)]
struct Server {
    answer: Arc<Answering>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen| seen.line.clone()).collect()
    }
}

async fn handle(State(server): State<Server>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let headers = request.headers().clone();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let seen = Seen { line, headers, body };
    server.seen.lock().unwrap().push(seen.clone());
    (server.answer)(&seen)
}

/// A server with these answers and an impatient client of it.
async fn office(answer: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> (Office, Server) {
    let (url, server) = served(answer).await;
    (client(&url, Duration::from_millis(500)), server)
}

/// The same for answers that take their time.
async fn patient(answer: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> (Office, Server) {
    let (url, server) = served(answer).await;
    (client(&url, Duration::from_secs(60)), server)
}

async fn served(answer: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> (String, Server) {
    let server = Server { answer: Arc::new(answer), seen: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(handle).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, server)
}

fn client(url: &str, request: Duration) -> Office {
    let retry = RetryPolicy {
        attempts: 3,
        first_pause: Duration::from_millis(1),
        request,
        longest_wait: Duration::from_secs(5),
        usual_wait: Duration::from_secs(2),
        ..RetryPolicy::default()
    };
    let options = ClientOptions { retry, nonce: "run-1".into(), ..ClientOptions::default() };
    Office::new(url, Secret::new(TOKEN), options).unwrap()
}

fn account() -> Value {
    json!({ "id": "1", "name": "a", "default_number": null, "unheard_of": {}, "capabilities": { "page_limit": 2 } })
}

#[tokio::test]
async fn an_account_states_what_it_can_do_and_a_word_that_is_not_known_is_the_careful_one() {
    let stated = async |capabilities: Value| {
        let answer = with_list("numbers", |_| axum::Json(json!({ "items": [], "next": null })).into_response());
        let (office, _) = office(move |seen| {
            if seen.line.contains("/account") {
                let account = json!({ "id": "1", "name": "a", "default_number": null, "capabilities": capabilities });
                return axum::Json(account).into_response();
            }
            answer(seen)
        })
        .await;
        office.read().await.unwrap().live.capabilities
    };
    let nothing = stated(json!({})).await;
    assert_eq!(nothing, Capabilities::default());
    let all = stated(json!({
        "destination_kinds": ["user", "voicemail", "external", "fax"],
        "no_answer_kinds": ["receptionist"],
        "ring_for": { "min": 6, "max": 60, "default": 18, "step": 6, "scope": "group" },
        "unassigned": "releases_number",
        "atomic_destination": false,
        "extension_choice": "creation",
    }))
    .await;
    assert_eq!(all.destinations, [Kind::User, Kind::Voicemail, Kind::External]);
    assert_eq!(all.no_answer, [Kind::Receptionist]);
    assert_eq!((all.ring_for_step.get(), all.ring_for_scope), (6, RingForScope::Group));
    assert_eq!((all.unassigned, all.atomic_destination), (Unassigned::ReleasesNumber, false));
    assert_eq!(all.extension_choice, ExtensionChoice::Creation);
    assert_eq!(stated(json!({ "unassigned": "sold" })).await.unassigned, Unassigned::Unsupported);
}

/// A good account but for one list.
fn with_list(
    list: &'static str,
    answer: impl Fn(&Seen) -> Response + Send + Sync + 'static,
) -> impl Fn(&Seen) -> Response {
    move |seen| {
        let uri: Uri = seen.line.split(' ').nth(1).unwrap().parse().unwrap();
        match uri.path().strip_prefix("/v1/").unwrap() {
            "account" => axum::Json(account()).into_response(),
            name if name.starts_with(list) => answer(seen),
            _ => axum::Json(json!({ "items": [], "next": null, "cursors": [] })).into_response(),
        }
    }
}

fn number(id: u32) -> Value {
    json!({ "id": format!("n{id}"), "number": format!("+3314268{id:04}"), "destination": null, "etag": "\"1\"" })
}

async fn failure(answer: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> ReadError {
    let (office, _) = office(answer).await;
    let error = tokio::time::timeout(Duration::from_secs(20), office.read()).await.expect("it hangs").unwrap_err();
    assert!(!format!("{error} {error:?}").contains(TOKEN), "{error}");
    error
}

#[tokio::test]
async fn each_page_is_asked_for_once_and_only_with_the_token() {
    let (office, server) = office(with_list("numbers", |seen| {
        let page = |ids: &[u32]| ids.iter().map(|id| number(*id)).collect::<Vec<_>>();
        axum::Json(match &seen.line {
            line if line.contains("cursor=b%26") => json!({ "items": page(&[5]), "next": null }),
            line if line.contains("cursor=c") => json!({ "items": page(&[3, 4]), "next": "b&" }),
            _ => json!({ "items": page(&[1, 2]), "next": "c", "cursors": ["c"] }),
        })
        .into_response()
    }))
    .await;
    let read = office.read().await.unwrap();
    assert_eq!(read.live.numbers.len(), 5);
    assert_eq!(read.requests, 1 + 3 + 4);
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen.len(), 8);
    assert!(seen.iter().all(|seen| seen.headers["authorization"] == format!("Bearer {TOKEN}")));
}

#[tokio::test]
async fn answers_that_are_no_account_are_named_for_what_they_are() {
    let html = |_: &Seen| "<html>It works!</html>".into_response();
    assert!(matches!(failure(html).await, ReadError::WrongServer { .. }));
    let missing = |_: &Seen| StatusCode::NOT_FOUND.into_response();
    assert!(matches!(failure(missing).await, ReadError::WrongServer { .. }));
    let redirect = |_: &Seen| (StatusCode::FOUND, [("location", "http://127.0.0.1:9/steal")]).into_response();
    let error = failure(redirect).await;
    assert!(error.to_string().contains("the token must not go"), "{error}");
    let echo = |_: &Seen| (StatusCode::UNAUTHORIZED, format!("no such token: {TOKEN}")).into_response();
    assert!(matches!(failure(echo).await, ReadError::Unauthorized { .. }));
    let echo = |_: &Seen| {
        let detail = format!("Bearer {TOKEN} may not\u{1b}[2J");
        (StatusCode::FORBIDDEN, axum::Json(json!({ "title": "no", "detail": detail }))).into_response()
    };
    let error = failure(echo).await;
    assert!(error.to_string().contains("Bearer [token] may not\\u{1b}[2J"), "{error}");
    let truncated = |_: &Seen| "{\"id\": \"1\", \"na".into_response();
    assert!(matches!(failure(truncated).await, ReadError::WrongServer { .. }));
}

#[tokio::test]
async fn a_server_that_keeps_failing_is_given_up() {
    for status in [500, 502, 504] {
        let error = failure(move |_| StatusCode::from_u16(status).unwrap().into_response()).await;
        assert!(matches!(error, ReadError::Unavailable { attempts: 3, .. }), "{error:?}");
    }
    let wait = |_: &Seen| (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "3600")]).into_response();
    assert!(matches!(failure(wait).await, ReadError::Unavailable { attempts: 1, .. }));
    let never =
        |_: &Seen| Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>()).into_response();
    assert!(matches!(failure(never).await, ReadError::Unavailable { attempts: 3, .. }));
}

#[tokio::test]
async fn a_server_that_is_busy_for_longer_than_a_usual_window_is_given_up_with_what_it_stated() {
    for status in [429, 503] {
        let busy = StatusCode::from_u16(status).unwrap();
        let error = failure(move |_| busy.into_response()).await;
        let ReadError::Unavailable { attempts, why, .. } = error else { panic!("{error:?}") };
        assert!(attempts > 3, "{attempts} attempts: it is waited out, whatever the attempts that may fail");
        assert!(
            why.contains(&format!("it answered {status} for "))
                && why.ends_with(" s and did not state how long to wait"),
            "{why}"
        );
        let error = failure(move |_| (busy, [("x-ratelimit-reset", "3600")]).into_response()).await;
        let ReadError::Unavailable { attempts: 1, why, .. } = error else { panic!("{error:?}") };
        assert!(why.contains(&format!("{status} and asks to wait for 3600 s")), "{why}");
    }
}

#[tokio::test]
async fn a_busy_server_that_states_no_time_is_waited_out() {
    for status in [429, 503] {
        let busy = StatusCode::from_u16(status).unwrap();
        // More often than a request may fail.
        let turns = Mutex::new(8_u32);
        let good = with_list("nothing", |_| StatusCode::NOT_FOUND.into_response());
        let (office, _) = office(move |seen| {
            let left = turns.lock().unwrap().saturating_sub(1);
            if std::mem::replace(&mut *turns.lock().unwrap(), left) > 0 { busy.into_response() } else { good(seen) }
        })
        .await;
        assert_eq!(office.read().await.unwrap().requests, 8 + 6, "{status}");
    }
}

#[tokio::test]
async fn a_wait_until_a_time_of_day_goes_by_the_clock_of_the_server() {
    let now = std::time::SystemTime::now();
    let date = move |ahead: u64| httpdate::fmt_http_date(now + Duration::from_secs(3600 + ahead));
    let first = Mutex::new(true);
    let good = with_list("nothing", |_| StatusCode::NOT_FOUND.into_response());
    let (office, _) = office(move |seen| {
        if std::mem::take(&mut *first.lock().unwrap()) {
            let headers = [("date", date(0)), ("retry-after", date(1))];
            return (StatusCode::TOO_MANY_REQUESTS, headers).into_response();
        }
        good(seen)
    })
    .await;
    // An hour would be too long.
    assert!(office.read().await.is_ok());
}

#[tokio::test]
async fn an_update_that_meets_a_busy_server_is_looked_at_and_waited_out() {
    let change = relabel(Some("\"1\""));
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.extend([failed(503), stored("old", "\"1\"")]);
    }
    answers.push(stored("new", "\"2\""));
    let (result, lines) = outcome(&change, answers).await;
    assert_eq!(result.unwrap().revision, Some(Revision("\"2\"".into())));
    assert_eq!(lines.iter().filter(|line| *line == "PATCH").count(), 9);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(
        client(&url, Duration::from_millis(500)).read().await.unwrap_err(),
        ReadError::Unreachable { .. }
    ));
}

#[tokio::test]
async fn a_rate_limit_is_obeyed() {
    let turns = Mutex::new(VecDeque::from([true, false, true, true]));
    let good = with_list("nothing", |_| StatusCode::NOT_FOUND.into_response());
    let (office, server) = office(move |seen| {
        if turns.lock().unwrap().pop_front().unwrap_or(false) {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response()
        } else {
            good(seen)
        }
    })
    .await;
    assert_eq!(office.read().await.unwrap().requests, 6 + 3);
    assert_eq!(server.lines().len(), 9);
}

#[tokio::test]
async fn lists_without_end_are_refused() {
    let circle = with_list("users", |_| axum::Json(json!({ "items": [], "next": "again" })).into_response());
    assert!(failure(circle).await.to_string().contains("round in a circle"));
    let count = std::sync::atomic::AtomicU32::new(0);
    let endless = with_list("users", move |_| {
        let next = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        axum::Json(json!({ "items": [], "next": next.to_string() })).into_response()
    });
    assert!(failure(endless).await.to_string().contains("no end"));
    let giant = with_list("users", |_| {
        let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1 << 20])));
        Body::from_stream(chunks).into_response()
    });
    let error = failure(giant).await;
    // Whichever comes first on a slow machine: the size or the time.
    assert!(matches!(error, ReadError::WrongServer { .. } | ReadError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn full_pages_without_end_are_refused_before_they_fill_the_memory() {
    const PAGE: usize = 60 << 20;
    let padding = Bytes::from(vec![b' '; PAGE]);
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let pages = count.clone();
    let endless = with_list("users", move |_| {
        let page = pages.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let start = Bytes::from(format!("{{\"items\":[{{\"id\":\"u{page}\"}}],\"next\":\"{page}\""));
        let parts = [start, padding.clone(), Bytes::from_static(b"}")].map(Ok::<_, std::io::Error>);
        Body::from_stream(futures_util::stream::iter(parts)).into_response()
    });
    let (office, _) = patient(endless).await;
    assert!(office.read().await.unwrap_err().to_string().contains("no end"));
    let taken = count.load(std::sync::atomic::Ordering::Relaxed) * PAGE;
    assert!(taken <= (1 << 30) + 2 * PAGE, "{taken} bytes were taken");
}

#[tokio::test]
async fn an_object_that_makes_no_sense_is_named() {
    for (list, item, wanted) in
        [("numbers", json!({ "id": "n1" }), "numbers with the id \"n1\""), ("users", json!(17), "users")]
    {
        let error =
            failure(with_list(list, move |_| axum::Json(json!({ "items": [item], "next": null })).into_response()))
                .await;
        assert!(matches!(error, ReadError::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(error.to_string().len() < 600, "{error}");
    }
}

#[tokio::test]
async fn an_object_that_cannot_be_represented_is_kept_apart_and_the_account_is_read() {
    for (list, item, name, wanted) in [
        ("numbers", json!({ "id": "n1", "number": "0142685300" }), "0142685300", "its number is `0142685300`"),
        ("numbers", json!({ "id": "n1", "number": "sip:a@b" }), "sip:a@b", "its number is `sip:a@b`"),
        (
            "ring_groups",
            json!({ "id": "g\u{1b}", "name": "", "ring": "simultaneous", "members": [] }),
            "",
            "its name is ``",
        ),
        (
            "ring_groups",
            json!({ "id": "g", "name": "a", "ring": "random", "members": [] }),
            "a",
            "ring mode is `random`",
        ),
        (
            "ring_groups",
            json!({ "id": "g", "name": "a", "ring": "sequential", "members": [], "extension": "x".repeat(10_000) }),
            "a",
            "its extension is `xx",
        ),
        (
            "ring_groups",
            json!({ "id": "g", "name": "a", "ring": "sequential", "members": [], "ring_for": 1e300 }),
            "a",
            "not 1 to 3600 seconds",
        ),
    ] {
        let (office, _) =
            office(with_list(list, move |_| axum::Json(json!({ "items": [item], "next": null })).into_response()))
                .await;
        let live = office.read().await.unwrap().live;
        assert_eq!(live.unreadable.len(), 1, "{list}");
        assert_eq!(&*live.unreadable[0].name, name);
        assert!(live.unreadable[0].why.contains(wanted), "{}", live.unreadable[0].why);
        assert!(live.unreadable[0].why.len() < 600);
        assert!(live.numbers.is_empty() || list != "numbers");
        assert!(live.ring_groups.is_empty() || list != "ring_groups");
    }
    // Nobody could dial it, so it is in nobody's way.
    let (office, _) = office(with_list("users", |_| {
        axum::Json(json!({ "items": [{ "id": 7, "extension": "x".repeat(10_000) }], "next": null })).into_response()
    }))
    .await;
    assert_eq!(office.read().await.unwrap().live.users[0].extension, None);
}

#[tokio::test]
async fn an_id_that_comes_twice_is_noticed_also_where_one_of_the_two_cannot_be_represented() {
    let (office, _) = office(with_list("numbers", |_| {
        let odd = json!({ "id": number(1)["id"], "number": "3000" });
        axum::Json(json!({ "items": [number(1), odd], "next": null })).into_response()
    }))
    .await;
    assert!(matches!(office.read().await.unwrap_err(), ReadError::Inconsistent(_)));
}

#[tokio::test]
async fn an_account_that_changes_under_the_reading_is_read_three_times_at_most() {
    let (office, server) = office(with_list("numbers", |_| {
        axum::Json(json!({ "items": [number(1), number(1)], "next": null })).into_response()
    }))
    .await;
    assert!(matches!(office.read().await.unwrap_err(), ReadError::Inconsistent(_)));
    assert_eq!(server.lines().len(), 3 * 6);
}

#[tokio::test]
async fn what_we_do_not_model_is_read_as_such() {
    let (office, _) = office(with_list("numbers", |_| {
        let odd =
            json!({ "id": 12, "number": "+33142685300", "destination": { "kind": "fax", "id": "f/1" }, "x": [1] });
        axum::Json(json!({ "items": [odd], "next": null })).into_response()
    }))
    .await;
    let live = office.read().await.unwrap().live;
    let to = live.numbers[0].to.clone().unwrap();
    assert_eq!((to.kind, to.id.to_string(), live.numbers[0].id.to_string()), (Kind::Other, "f/1".into(), "12".into()));
}

fn relabel(revision: Option<&str>) -> Change {
    Change {
        id: ChangeId(1),
        verb: Verb::Update,
        object: ObjectLabel {
            kind: WritableKind::Number,
            id: Some(ObjectId::from("../n1")),
            name: "+33142685300".into(),
        },
        fields: vec![FieldChange {
            field: FieldName::Label,
            before: FieldValue::Text("old".into()),
            after: FieldValue::Text("new".into()),
        }],
        reason: Reason::Declared,
        place: None,
        depends_on: Vec::new(),
        expects: None,
        revision: revision.map(|text| Revision(text.into())),
        unreachable_meanwhile: Vec::new(),
        gap: false,
        calls: 1,
        steps: Vec::new(),
        document: None,
    }
}

fn stored(label: &str, etag: &str) -> Response {
    let number = json!({ "id": "../n1", "number": "+33142685300", "label": label, "destination": null, "etag": etag });
    axum::Json(number).into_response()
}

/// What comes of a change when the server answers these, one after the other.
async fn outcome(
    change: &Change,
    answers: Vec<Response>,
) -> (Result<strowger::providers::WriteReceipt, WriteError>, Vec<String>) {
    let answers = Mutex::new(VecDeque::from(answers));
    // An account without an audit log, so that only the object itself can tell.
    let (office, server) = office(move |seen| {
        if seen.line.contains(" /v1/audit?") {
            return failed(404);
        }
        answers.lock().unwrap().pop_front().expect("one request too many")
    })
    .await;
    let result = office.perform(change, 0).await;
    if let Err(error) = &result {
        assert!(!format!("{error} {error:?}").contains(TOKEN), "{error}");
    }
    let seen = server.seen.lock().unwrap().clone();
    let (logs, seen): (Vec<_>, Vec<_>) = seen.into_iter().partition(|seen| seen.line.contains(" /v1/audit?"));
    assert!(logs.len() <= 1, "{logs:?}");
    if change.verb == Verb::Update {
        let first =
            seen.iter().find(|seen| seen.line.starts_with("PATCH")).map(|seen| seen.headers["if-match"].clone());
        assert!(first.is_none_or(|etag| etag == "\"1\""));
        assert!(seen.iter().all(|seen| seen.line.ends_with(" /v1/numbers/..%2Fn1")), "{seen:?}");
    }
    (result, seen.into_iter().map(|seen| seen.line.split(' ').next().unwrap().to_owned()).collect())
}

fn failed(status: u16) -> Response {
    StatusCode::from_u16(status).unwrap().into_response()
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_looked_at_before_it_is_done_again() {
    let change = relabel(Some("\"1\""));
    let (result, lines) = outcome(&change, vec![failed(500), stored("new", "\"2\"")]).await;
    assert_eq!(lines, ["PATCH", "GET"]);
    let written = result.unwrap();
    assert_eq!((written.revision, written.requests), (Some(Revision("\"2\"".into())), 3), "and a look at the log");

    let answers = vec![failed(502), stored("old", "\"1\""), stored("new", "\"2\"")];
    let (result, lines) = outcome(&change, answers).await;
    assert_eq!(lines, ["PATCH", "GET", "PATCH"]);
    assert_eq!(result.unwrap().requests, 3);

    // Ours may have been carried out first, and then somebody changed it.
    let (result, _) = outcome(&change, vec![failed(503), stored("other", "\"2\"")]).await;
    let error = result.unwrap_err();
    assert!(matches!(error, WriteError::Unknown(_)), "{error:?}");
    assert!(error.to_string().contains("`label` of number +33142685300 changed meanwhile"), "{error}");

    let (result, _) = outcome(&change, vec![failed(500), failed(500), failed(500), failed(500)]).await;
    assert!(matches!(result.unwrap_err(), WriteError::Unknown(_)));
}

#[tokio::test]
async fn an_object_that_moved_is_not_written() {
    let change = relabel(Some("\"1\""));
    let (result, lines) = outcome(&change, vec![failed(412), stored("other", "\"2\"")]).await;
    assert_eq!(lines, ["PATCH", "GET"]);
    assert!(matches!(result.unwrap_err(), WriteError::Stale(_)));
    // A proxy may have sent it twice: nothing is claimed that the account does not show.
    let (result, _) = outcome(&change, vec![failed(412), stored("new", "\"2\"")]).await;
    assert!(matches!(result.unwrap_err(), WriteError::Unattributed(_)));
    let (result, _) = outcome(&change, vec![failed(404), failed(404)]).await;
    assert_eq!(result.unwrap_err(), WriteError::Stale("number +33142685300 is gone".into()));
    // Without a version to hold the server to, the object is compared first.
    let change = relabel(None);
    let (result, lines) = outcome(&change, vec![stored("other", "\"2\"")]).await;
    assert!(matches!(result.unwrap_err(), WriteError::Stale(_)) && lines == ["GET"]);
    let (result, lines) = outcome(&change, vec![stored("old", "\"1\""), stored("new", "\"2\"")]).await;
    assert!(result.is_ok() && lines == ["GET", "PATCH"]);
}

#[tokio::test]
async fn a_refusal_is_told_with_what_stands_in_the_way() {
    let mut change = relabel(Some("\"1\""));
    change.verb = Verb::Delete;
    change.object.kind = WritableKind::RingGroup;
    let problem = json!({ "code": "in_use", "title": "In use", "detail": format!("see {TOKEN}\n"), "referrers": [
        { "kind": "number", "id": "n9", "name": "+33142685309", "field": "destination" }] });
    let group = json!({ "id": "../n1", "name": "g", "ring": "simultaneous", "members": [], "etag": "\"1\"" });
    let answers = vec![
        (StatusCode::CONFLICT, axum::Json(problem)).into_response(),
        axum::Json(group).into_response(),
        // It does not point there: nothing has changed, so the refusal is what there is to say.
        axum::Json(number(9)).into_response(),
    ];
    let (result, lines) = outcome(&change, answers).await;
    assert_eq!(lines, ["DELETE", "GET", "GET"]);
    let error = result.unwrap_err().to_string();
    assert_eq!(
        error,
        "the account refuses (409): In use: see [token]; it is used by number/+33142685309 (destination)"
    );
    let (result, _) = outcome(&change, vec![failed(500), failed(404)]).await;
    assert_eq!(result.unwrap().revision, None);
    let (result, _) = outcome(&change, vec![failed(404), failed(404)]).await;
    assert!(matches!(result.unwrap_err(), WriteError::Unattributed(_)));
    let (result, _) = outcome(&change, vec![failed(401)]).await;
    assert!(matches!(result.unwrap_err(), WriteError::Unauthorized { status: 401, .. }));
}

#[tokio::test]
async fn an_id_cannot_lead_a_change_to_the_whole_collection() {
    for id in ["", ".", ".."] {
        let mut change = relabel(Some("\"1\""));
        change.object.id = Some(ObjectId::from(id));
        let (result, lines) = outcome(&change, Vec::new()).await;
        assert!(matches!(result.unwrap_err(), WriteError::Unsupported(_)) && lines.is_empty());
    }
}

#[tokio::test]
async fn a_creation_is_repeated_under_one_key() {
    let mut change = relabel(None);
    change.verb = Verb::Create;
    change.object = ObjectLabel { kind: WritableKind::RingGroup, id: None, name: "sales".into() };
    change.fields = vec![FieldChange {
        field: FieldName::Name,
        before: FieldValue::None,
        after: FieldValue::Name("sales".parse().unwrap()),
    }];
    let answers = Mutex::new(VecDeque::from([
        failed(500),
        failed(429),
        (StatusCode::CREATED, axum::Json(json!({ "id": "g1", "etag": "\"1\"" }))).into_response(),
    ]));
    let (office, server) = office(move |_| answers.lock().unwrap().pop_front().unwrap()).await;
    let written = office.perform(&change, 0).await.unwrap();
    assert_eq!((written.id, written.requests), (ObjectId::from("g1"), 3));
    let seen = server.seen.lock().unwrap();
    let keys: std::collections::HashSet<_> = seen.iter().map(|seen| seen.headers["idempotency-key"].clone()).collect();
    assert_eq!((seen.len(), keys.len()), (3, 1));
    assert_eq!(serde_json::from_slice::<Value>(&seen[2].body).unwrap(), json!({ "name": "sales" }));
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    for (url, token) in [
        ("not a url", TOKEN),
        ("ftp://example.org", TOKEN),
        ("https://user:pw@example.org", TOKEN),
        ("http://example.org", TOKEN),
        ("http://localhost.example.org", TOKEN),
        ("http://127.0.0.1@example.org", TOKEN),
        ("https://example.org", ""),
        ("https://example.org", "line\nbreak"),
    ] {
        let Err(error) = Office::new(url, Secret::new(token), ClientOptions::default()) else { panic!("{url}") };
        assert!(matches!(error, ReadError::Settings(_)), "{error:?}");
        assert!(!error.to_string().contains("pw") && !error.to_string().contains("break"));
    }
    for url in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "https://example.org"] {
        assert!(Office::new(url, Secret::new(TOKEN), ClientOptions::default()).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn an_address_may_end_with_the_version() {
    let (url, server) = served(|_| StatusCode::NOT_FOUND.into_response()).await;
    for (end, path) in [
        ("", "/v1/account"),
        ("/", "/v1/account"),
        ("/v1", "/v1/account"),
        ("/v1/", "/v1/account"),
        ("/api", "/api/v1/account"),
        ("/api/v1/", "/api/v1/account"),
        ("/v1/v1", "/v1/v1/account"),
        ("/av1", "/av1/v1/account"),
    ] {
        let office = client(&format!("{url}{end}"), Duration::from_secs(60));
        assert!(office.read().await.is_err());
        let seen = server.lines();
        server.seen.lock().unwrap().clear();
        assert!(!seen.is_empty() && seen.iter().all(|line| *line == format!("GET {path}")), "{end}: {seen:?}");
    }
}
