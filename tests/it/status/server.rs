//! The status server as programs use it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::http::{get, send};
use super::{address, tool};
use crate::support::commands::{Server, edit, office};
use crate::support::process::Watch;

const NUMBER: &str = "+33142685302";

fn state(url: &str) -> Value {
    get(&format!("{url}/api/accounts/wework-republique")).json()["state"].clone()
}

/// A watch of the small office whose account is as its files ask.
fn settled(arguments: &[&str]) -> (Server, tempfile::TempDir, Watch, String) {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let all = [&["--mode", "correct", "--interval", "300ms", "--listen", "127.0.0.1:0"], arguments].concat();
    let watch = Watch::start(folder.path(), &all);
    let url = address(&watch);
    watch.until("in sync", || state(&url) == "in_sync");
    (server, folder, watch, url)
}

#[test]
fn probes_metrics_and_the_whole_status_are_there_for_programs() {
    let (server, folder, watch, url) = settled(&[]);
    let health = get(&format!("{url}/healthz"));
    assert_eq!(health.status, 200, "{}", health.text);
    assert_eq!(get(&format!("{url}/readyz")).status, 200);
    let status = get(&format!("{url}/api/status"));
    assert_eq!(status.header("content-type"), "application/json");
    let schema = strowger::watch::server::schema();
    let validator = jsonschema::options().offline().build(&schema).unwrap();
    validator.validate(&status.json()).unwrap();
    assert_eq!(status.json()["accounts"][0]["account"], "wework-republique");
    let metrics = get(&format!("{url}/metrics"));
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let line = "strowger_account_state{account=\"wework-republique\",state=\"in_sync\"} 1";
    assert!(metrics.text.lines().any(|found| found == line), "{}", metrics.text);

    // Files with errors, and a plan on the board: the schema holds as well.
    edit(folder.path(), "version: 1", "version: one");
    watch.until("invalid", || {
        !get(&format!("{url}/api/status")).json()["accounts"][0]["files"]["valid"].as_bool().unwrap()
    });
    validator.validate(&get(&format!("{url}/api/status")).json()).unwrap();
    assert_eq!(get(&format!("{url}/api/accounts/no%2Fbody")).status, 404);
    drop(server);
    assert_eq!(watch.stop(), Some(0));
}

#[test]
fn prometheus_finds_nothing_wrong_with_the_metrics() {
    let Some(promtool) = tool("promtool") else { return };
    let (_server, _folder, _watch, url) = settled(&[]);
    let metrics = get(&format!("{url}/metrics")).text;
    let mut check = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    check.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = check.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.is_empty(), "{said}\n{metrics}");
}

#[test]
fn nothing_can_be_asked_for_where_no_token_is_configured() {
    let (_server, _folder, _watch, url) = settled(&[]);
    let answer = send("POST", &format!("{url}/reconcile"), |request| request.bearer_auth("x"));
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(answer.json()["detail"].as_str().unwrap().contains("--token-env NAME"), "{}", answer.text);
}

#[test]
fn a_request_with_the_token_wakes_accounts_and_approves_exactly_the_plan_that_is_shown() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    // The main line is protected.
    edit(folder.path(), "{ to: receptionist/main, label: Accueil }", "{ to: user/203, label: Accueil }");
    std::fs::write(folder.path().join("token"), "a-status-token\n").unwrap();
    let arguments = ["--mode", "correct", "--interval", "1h", "--listen", "127.0.0.1:0", "--token-file", "token"];
    let watch = Watch::start(folder.path(), &arguments);
    let url = address(&watch);
    watch.until("blocked", || state(&url) == "blocked");
    let post = |path: &str, token: &str, body: &Value| {
        send("POST", &format!("{url}{path}"), |request| request.bearer_auth(token).json(body))
    };
    let wrong = post("/reconcile", "a-status-toke", &json!({}));
    assert_eq!((wrong.status.as_u16(), wrong.header("www-authenticate")), (401, "Bearer realm=\"strowger watch\""));
    assert_eq!(post("/reconcile?account=nobody", "a-status-token", &json!({})).status, 404);
    assert_eq!(post("/reconcile?acount=x", "a-status-token", &json!({})).status, 400);
    let checks = || get(&format!("{url}/api/status")).json()["accounts"][0]["counts"]["checks"].as_u64().unwrap();
    let before = checks();
    let woken = post("/reconcile?account=wework-republique", "a-status-token", &json!({}));
    assert_eq!((woken.status.as_u16(), &woken.json()), (202, &json!({ "woken": 1 })));
    watch.until("checked", || checks() > before);
    assert_eq!(post("/reconcile", "a-status-token", &json!({})).json(), json!({ "woken": 1 }));

    let approve = "/api/accounts/wework-republique/approve";
    let digest = get(&format!("{url}/api/accounts/wework-republique")).json()["plan"]["digest"].clone();
    assert_eq!(post(approve, "", &json!({ "digest": digest })).status, 401);
    assert_eq!(post(approve, "a-status-token", &json!({ "digest": "abc" })).status, 400);
    let other = post(approve, "a-status-token", &json!({ "digest": "0".repeat(64) }));
    assert_eq!((other.status.as_u16(), &other.json()["code"]), (409, &json!("not_blocked")));
    assert_eq!(post("/api/accounts/x/approve", "a-status-token", &json!({ "digest": digest })).status, 404);
    assert_eq!(post(approve, "a-status-token", &json!({ "digest": digest, "by": "x" })).status, 400);
    // Who approves is what the holder of the token says, and nobody's header.
    let body = json!({ "digest": digest, "as": "Grace\u{7}" });
    let approved = send("POST", &format!("{url}{approve}"), |request| {
        request.bearer_auth("a-status-token").header("x-forwarded-user", "mallory").json(&body)
    });
    assert_eq!(approved.status, 202);
    watch.until("in sync", || state(&url) == "in_sync");
    let history = get(&format!("{url}/api/accounts/wework-republique")).json()["history"].clone();
    let approval = history.as_array().unwrap().iter().find_map(|event| event.get("approval")).unwrap();
    let name = approval["by"]["name"].as_str().unwrap();
    assert!(name.starts_with("Grace") && !name.contains('\u{7}'), "{name:?}");
    assert_eq!((&approval["by"]["source"], &approval["digest"]), (&json!("token"), &digest));
    assert_eq!(approval["guards"][0]["guard"], "protected");
    assert!(!history.to_string().contains("mallory"));
    assert_eq!(post(approve, "a-status-token", &json!({ "digest": digest })).status, 409, "it was used");
    let said = watch.said();
    assert!(!said.contains("a-status-tok"), "{said}");
}

#[test]
fn strangers_are_kept_out_and_nothing_is_taken_without_measure() {
    let (_server, _folder, _watch, url) =
        settled(&["--allow-host", "phones.example.org", "--token-file", "/etc/hostname"]);
    let as_host = |host: &'static str| send("GET", &format!("{url}/"), move |request| request.header("host", host));
    assert_eq!(as_host("evil.example").status, 421);
    assert_eq!(as_host("phones.example.org").status, 200);
    let page = get(&format!("{url}/"));
    assert!(
        page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'; style-src 'self'")
    );
    assert_eq!((page.header("x-content-type-options"), page.header("cache-control")), ("nosniff", "no-store"));
    let large = send("POST", &format!("{url}/api/accounts/x/approve"), |request| request.body(vec![b' '; 20_000]));
    assert_eq!(large.status, 413);
    assert_eq!(send("DELETE", &format!("{url}/"), |request| request).status, 405);
    assert_eq!(get(&format!("{url}/nothing")).json()["code"], "not_found");
}

#[test]
fn changes_are_told_as_they_happen_to_so_many_as_there_is_room_for() {
    let (server, _folder, watch, url) = settled(&[]);
    let host = url.strip_prefix("http://").unwrap();
    let follow = || {
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET /api/events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
        let status = lines.next().unwrap();
        (status, lines)
    };
    let (status, mut lines) = follow();
    assert_eq!(status, "HTTP/1.1 200 OK");
    let mut next = || -> Value {
        let line = lines.find(|line| line.starts_with("data: {")).unwrap();
        serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap()
    };
    let first = next();
    assert_eq!((&first["all"], &first["accounts"][0][0]), (&json!(true), &json!("wework-republique")));
    let mark = first["accounts"][0][1].clone();
    let id = server.number(NUMBER)["id"].as_str().unwrap().to_owned();
    server.patch(&format!("numbers/{id}"), &json!({ "label": "Meddled" }));
    while next()["accounts"][0][1].as_str().is_none_or(|now| now == mark) {}
    let others: Vec<_> = (0..63).map(|_| follow()).collect();
    assert!(others.iter().all(|(status, _)| status == "HTTP/1.1 200 OK"));
    assert_eq!(follow().0, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(watch.stop(), Some(0), "followers hold nobody up");
}

#[test]
fn connections_that_never_send_a_request_keep_no_probe_out() {
    let (_server, _folder, _watch, url) = settled(&[]);
    let host = url.strip_prefix("http://").unwrap();
    // More than the server has places for, of three kinds: silent, half a request line, half a head.
    let half_open: Vec<TcpStream> = ["", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nhost: "]
        .iter()
        .cycle()
        .take(300)
        .map(|said| {
            let mut stream = TcpStream::connect(host).unwrap();
            // One that was cut already has made room, which is the point.
            let _ = stream.write_all(said.as_bytes());
            stream
        })
        .collect();
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(get(&format!("{url}{path}")).status, 200, "{path}");
    }
    drop(half_open);
}
