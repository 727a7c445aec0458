//! Notices, as a receiver sees them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};

use super::address;
use super::http::get;
use crate::support::commands::{Server, edit, office};
use crate::support::process::Watch;

const SECRET: &str = "a-planted-hook-91c4";

/// What came in: the type of the body and the body.
type Received = Arc<Mutex<Vec<(String, Value)>>>;

/// Somebody who is told, and who first refuses a few times.
struct Receiver {
    url: String,
    received: Received,
    refused: Arc<Mutex<u32>>,
    _runtime: tokio::runtime::Runtime,
}

impl Receiver {
    fn start(refusals: u32) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (received, refused) = (Received::default(), Arc::new(Mutex::new(refusals)));
        let app = Router::new().fallback(take).with_state((Arc::clone(&received), Arc::clone(&refused)));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/hooks/{SECRET}?key={SECRET}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, received, refused, _runtime: runtime }
    }

    fn all(&self) -> Vec<(String, Value)> {
        self.received.lock().unwrap().clone()
    }
}

async fn take(
    State((received, refused)): State<(Received, Arc<Mutex<u32>>)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, (StatusCode, [(&'static str, &'static str); 1])> {
    assert_eq!(uri.to_string(), format!("/hooks/{SECRET}?key={SECRET}"));
    let mut left = refused.lock().unwrap();
    if *left > 0 {
        *left -= 1;
        return Err((StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")]));
    }
    let media = headers["content-type"].to_str().unwrap().to_owned();
    received.lock().unwrap().push((media, serde_json::from_slice(&body).unwrap()));
    Ok(StatusCode::NO_CONTENT)
}

/// A watch of a small office that is blocked, with its receiver's address in a file.
fn watch(receiver: &Receiver, format: &str) -> (Server, tempfile::TempDir, Watch) {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    edit(folder.path(), "{ to: receptionist/main, label: Accueil }", "{ to: user/203, label: Accueil }");
    std::fs::write(folder.path().join("hook"), &receiver.url).unwrap();
    let arguments = [
        "-vv",
        "--mode",
        "correct",
        "--interval",
        "200ms",
        "--listen",
        "127.0.0.1:0",
        "--notify-file",
        "hook",
        "--notify-format",
        format,
    ];
    let watch = Watch::start(folder.path(), &arguments);
    (server, folder, watch)
}

fn delivered(url: &str, count: u32) -> bool {
    let line = format!("strowger_notices_delivered_total{{receiver=\"1\"}} {count}");
    get(&format!("{url}/metrics")).text.lines().any(|found| found == line)
}

#[test]
fn a_receiver_that_fails_is_told_again_in_order_and_its_address_is_nowhere() {
    let receiver = Receiver::start(2);
    let (_server, folder, watch) = watch(&receiver, "cloudevents");
    let url = address(&watch);
    watch.until("delivered", || delivered(&url, 1));
    // Many checks find the same: one notice. Then something else happens.
    let checks = || get(&format!("{url}/api/status")).json()["accounts"][0]["counts"]["checks"].as_u64().unwrap();
    let before = checks();
    watch.until("more checks", || checks() > before + 3);
    edit(folder.path(), "{ to: user/203, label: Accueil }", "{ to: receptionist/main, label: Accueil }");
    watch.until("in sync", || receiver.all().len() >= 3);
    let all = receiver.all();
    let kinds: Vec<&str> = all.iter().map(|(_, event)| event["data"]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["blocked", "applied", "recovered"], "{all:#?}");
    let (media, event) = &all[0];
    assert_eq!(media, "application/cloudevents+json; charset=utf-8");
    assert_eq!((&event["specversion"], &event["subject"]), (&json!("1.0"), &json!("wework-republique")));
    assert_eq!(event["source"], "/strowger/accounts/wework%2Drepublique");
    assert!(all[1].1["data"]["run"].is_string());
    watch.until("counted", || delivered(&url, 3));
    let metrics = get(&format!("{url}/metrics")).text;
    assert!(metrics.contains("strowger_notices_retried_total{receiver=\"1\"} 2"), "{metrics}");
    let status = get(&format!("{url}/api/status")).text + &get(&format!("{url}/")).text;
    watch.until_it_says("a notice is retried");
    let said = watch.said();
    for (place, text) in [("metrics", &metrics), ("status", &status), ("log", &said)] {
        assert!(!text.contains(SECRET), "the address is in the {place}: {text}");
    }
    assert_eq!(*receiver.refused.lock().unwrap(), 0);
}

#[test]
fn a_chat_gets_a_line() {
    let receiver = Receiver::start(0);
    let (_server, _folder, watch) = watch(&receiver, "slack");
    watch.until("told", || !receiver.all().is_empty());
    let (media, message) = receiver.all().remove(0);
    assert_eq!(media, "application/json; charset=utf-8");
    assert!(message["text"].as_str().unwrap().starts_with("wework-republique is blocked: "), "{message}");
    // Whatever waits is delivered, or given up soon, when the process ends.
    assert_eq!(watch.stop(), Some(0));
}

#[test]
fn a_receiver_that_never_answers_holds_nobody_up() {
    // It accepts connections and says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let receiver_url = format!("http://{}/{SECRET}", listener.local_addr().unwrap());
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    std::fs::write(folder.path().join("hook"), receiver_url).unwrap();
    let arguments = ["--mode", "correct", "--interval", "200ms", "--listen", "127.0.0.1:0", "--notify-file", "hook"];
    let watch = Watch::start(folder.path(), &arguments);
    let url = address(&watch);
    let account = || get(&format!("{url}/api/status")).json()["accounts"][0].clone();
    watch.until("in sync and looked at again", || {
        account()["state"] == "in_sync" && account()["counts"]["checks"].as_u64().unwrap() > 3
    });
}

#[test]
fn an_address_that_others_can_read_on_the_way_is_refused_without_saying_it() {
    let folder = office("wework", "http://127.0.0.1:9");
    let url = format!("http://hooks.example.org/{SECRET}");
    let output = crate::support::commands::strowger(folder.path(), &["watch", ".", "--notify", &url]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("--notify, number 1: it is `http`") && !said.contains(SECRET), "{said}");
}
