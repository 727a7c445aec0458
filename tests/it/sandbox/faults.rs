//! The sandbox on bad days (every fault knob) and across restarts (every state file).

use crate::support::sandbox as support;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::sandbox::{SEED, options, seeded, send, start, start_with};
use reqwest::Method;
use serde_json::json;
use strowger::providers::settings::StateFile;
use strowger::sandbox::{self, Ending, Faults, SandboxError, SandboxOptions, StateError};

fn on_file(path: &Path, faults: Faults) -> SandboxOptions {
    SandboxOptions { state: StateFile::File(path.to_owned()), faults, ..seeded() }
}

/// The labels of all locations in a state file, read by a server without faults.
async fn locations(path: &Path) -> Vec<String> {
    let account = start(on_file(path, Faults::default())).await;
    let labels = account.items("locations").await.iter().map(|l| l["label"].as_str().unwrap().to_owned()).collect();
    account.server.stop().await;
    labels
}

#[tokio::test]
async fn latency_delays_every_answer_but_not_one_after_the_other() {
    let latency = Duration::from_millis(200);
    let account = start_with(Faults { latency, jitter: Duration::from_millis(1), ..Faults::default() }).await;
    let begin = Instant::now();
    account.get("account").await.expect(200);
    assert!(begin.elapsed() >= latency);
    // One after the other, they would take 20 s: not even a busy machine is that slow.
    let mut gets = tokio::task::JoinSet::new();
    let account = std::sync::Arc::new(account);
    for _ in 0..100 {
        let account = account.clone();
        gets.spawn(async move { account.get("account").await.expect(200) });
    }
    let begin = Instant::now();
    assert_eq!(gets.join_all().await.len(), 100);
    assert!(begin.elapsed() < 100 * latency, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn an_early_error_has_done_nothing_a_late_one_has_done_the_work() {
    let folder = tempfile::tempdir().unwrap();
    for (name, faults, expected) in [
        ("early", Faults { error_rate: 1.0, ..Faults::default() }, vec!["République"]),
        ("late", Faults { late_error_rate: 1.0, ..Faults::default() }, vec!["République", "Lyon"]),
    ] {
        let path = folder.path().join(name);
        let account = start(on_file(&path, faults)).await;
        account.post("locations", json!({"label": "Lyon"})).await.problem(503, "unavailable");
        account.server.stop().await;
        assert_eq!(locations(&path).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_reset_gives_no_answer_and_comes_before_or_after_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let account = start(on_file(&path, Faults { reset_rate: 1.0, seed: 3, ..Faults::default() })).await;
    for number in 0..20 {
        let create = account.request(Method::POST, "locations").json(&json!({"label": format!("L{number}")}));
        assert!(create.send().await.is_err(), "an answer came back");
    }
    account.server.stop().await;
    let done = locations(&path).await.len() - 1;
    assert!((1..20).contains(&done), "{done} of 20 were done");
}

#[tokio::test]
async fn above_the_rate_limit_429_says_when_to_come_back() {
    let account = start_with(Faults { rate_limit: Some(5), ..Faults::default() }).await;
    assert_eq!(account.get("account").await.expect(200).body["capabilities"]["requests"]["per_second"], 5);
    let mut limited = None;
    for _ in 0..50 {
        let answer = account.get("account").await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.expect("fifty requests in a burst pass a limit of five").problem(429, "rate_limited");
    assert_eq!(limited.header("retry-after"), "1");
}

#[tokio::test]
async fn faults_are_the_same_for_the_same_seed_and_spare_other_paths() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let account = start_with(Faults { error_rate: 0.5, seed: 42, ..Faults::default() }).await;
        let mut statuses = Vec::new();
        for _ in 0..30 {
            statuses.push(account.get("account").await.status.as_u16());
            send(account.http.get(&account.url)).await.problem(404, "not_found");
        }
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&200) && runs[0].contains(&503));
}

#[tokio::test]
async fn the_nth_write_fails_and_does_nothing() {
    let account = start_with(Faults { fail_write: Some(2), ..Faults::default() }).await;
    account.post("locations", json!({"label": "A"})).await.expect(201);
    account.post("locations", json!({"label": "B"})).await.problem(500, "internal");
    account.post("locations", json!({"label": "C"})).await.expect(201);
    let labels: Vec<_> = account.items("locations").await.iter().map(|l| l["label"].clone()).collect();
    assert_eq!(labels, ["République", "A", "C"]);
}

#[tokio::test]
async fn a_server_that_dies_after_the_nth_write_has_committed_it_and_answers_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut account = start(on_file(&path, Faults { die_after_write: Some(2), ..Faults::default() })).await;
    account.post("locations", json!({"label": "A"})).await.expect(201);
    let second = account.request(Method::POST, "locations").json(&json!({"label": "B"})).send().await;
    assert!(second.is_err(), "an answer came back");
    assert_eq!(account.server.wait().await, Ending::Died);
    assert!(account.request(Method::GET, "account").send().await.is_err());
    assert_eq!(locations(&path).await, ["République", "A", "B"]);
}

#[tokio::test]
async fn when_many_write_at_once_no_write_follows_the_deadly_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut account = start(on_file(&path, Faults { die_after_write: Some(3), ..Faults::default() })).await;
    let tasks: Vec<_> = (0..10)
        .map(|n| {
            tokio::spawn(account.request(Method::POST, "locations").json(&json!({"label": format!("L{n}")})).send())
        })
        .collect();
    let mut answered = 0;
    for task in tasks {
        answered += usize::from(task.await.unwrap().is_ok_and(|r| r.status() == 201));
    }
    assert!(answered <= 2);
    assert_eq!(account.server.wait().await, Ending::Died);
    assert_eq!(locations(&path).await.len(), 1 + 3);
}

#[tokio::test]
async fn a_state_file_outlives_its_server_and_is_not_seeded_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/state.sqlite");
    let account = start(on_file(&path, Faults::default())).await;
    let number = account.path("numbers", "number", "+33142685303").await;
    account.delete(&number).await.expect(204);
    let location =
        account.request(Method::POST, "locations").header("idempotency-key", "k").json(&json!({"label": "Lyon"}));
    let made = send(location.try_clone().unwrap()).await.expect(201);
    let before = (account.get("account").await.body, account.items("audit").await, account.get("numbers").await.etag());
    account.server.stop().await;
    let account = start(on_file(&path, Faults::default())).await;
    let after = (account.get("account").await.body, account.items("audit").await, account.get("numbers").await.etag());
    assert_eq!(before, after);
    account.get(&number).await.problem(404, "not_found");
    let again =
        account.request(Method::POST, "locations").header("idempotency-key", "k").json(&json!({"label": "Lyon"}));
    let again = send(again).await.expect(201);
    assert_eq!((again.id(), again.header("idempotency-replayed")), (made.id(), "true"));
}

#[tokio::test]
async fn a_state_file_of_an_older_version_is_taken_along_with_its_tags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let account = start(on_file(&path, Faults::default())).await;
    account.server.stop().await;
    // As the release before left it: without revisions and without keys in the log.
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("DROP TABLE owners; DROP TABLE revisions; ALTER TABLE audit DROP COLUMN idempotency_key; PRAGMA user_version = 2;")
        .unwrap();
    drop(db);
    let account = start(on_file(&path, Faults::default())).await;
    let number = account.path("numbers", "number", "+33142685303").await;
    let (tag, label) = (account.get(&number).await.etag(), account.get(&number).await.body["label"].clone());
    // The tag of the release before, which was nothing but a digest: a plan from then still fits.
    let mut object = account.get(&number).await.body;
    object.as_object_mut().unwrap().remove("etag");
    assert_eq!(tag, content_tag(&object));
    account.patch(&number, json!({ "label": "x" })).await.expect(200);
    account.patch(&number, json!({ "label": label })).await.expect(200);
    let after = account.get(&number).await.etag();
    assert_ne!(after, tag);
    account.server.stop().await;
    let account = start(on_file(&path, Faults::default())).await;
    assert_eq!(account.get(&number).await.etag(), after);
}

fn content_tag(object: &serde_json::Value) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(object.to_string());
    format!("\"{:032x}\"", digest.iter().take(16).fold(0_u128, |all, byte| all << 8 | u128::from(*byte)))
}

#[tokio::test]
async fn a_late_write_is_refused_first_and_done_then_and_a_doubled_one_is_answered_the_second_time() {
    let late = Faults { late_commit_rate: 1.0, late_commit_after: Duration::from_millis(20), ..Faults::default() };
    let account = start_with(late).await;
    account.post("locations", json!({"label": "Lyon"})).await.problem(503, "unavailable");
    let begin = Instant::now();
    while account.items("locations").await.len() < 2 {
        assert!(begin.elapsed() < Duration::from_secs(20), "it was never done");
        tokio::task::yield_now().await;
    }
    let account = start_with(Faults { duplicate_rate: 1.0, ..Faults::default() }).await;
    account.post("locations", json!({"label": "Lyon"})).await.problem(409, "name_taken");
    assert_eq!(account.items("locations").await.len(), 2);
}

#[tokio::test]
async fn a_stop_lets_requests_in_flight_finish() {
    let account = start_with(Faults { latency: Duration::from_millis(300), ..Faults::default() }).await;
    let slow = tokio::spawn(account.request(Method::GET, "account").send());
    while account.server.counters().requests == 0 {
        tokio::task::yield_now().await;
    }
    account.server.stop().await;
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
}

async fn refused(options: SandboxOptions) -> (SandboxError, String) {
    let error = sandbox::start(options).await.expect_err("it must not start");
    let text = error.to_string();
    (error, text)
}

#[tokio::test]
async fn an_unusable_state_file_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("text"), "numbers: {}\n".repeat(1000)).unwrap();
    let (error, _) = refused(on_file(&file("text"), Faults::default())).await;
    assert!(matches!(error, SandboxError::State(StateError::NotSqlite { .. })), "{error}");
    assert!(std::fs::read_to_string(file("text")).unwrap().starts_with("numbers"), "the file is untouched");

    let foreign = rusqlite::Connection::open(file("foreign")).unwrap();
    foreign.execute_batch("CREATE TABLE t (a)").unwrap();
    drop(foreign);
    let (error, _) = refused(on_file(&file("foreign"), Faults::default())).await;
    assert!(matches!(error, SandboxError::State(StateError::Foreign { .. })), "{error}");

    start(on_file(&file("newer"), Faults::default())).await.server.stop().await;
    rusqlite::Connection::open(file("newer")).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let (error, text) = refused(on_file(&file("newer"), Faults::default())).await;
    assert!(matches!(error, SandboxError::State(StateError::Newer { found: 99, .. })), "{error}");
    assert!(text.contains("upgrade"), "{text}");

    let holder = start(on_file(&file("locked"), Faults::default())).await;
    let (error, _) = refused(on_file(&file("locked"), Faults::default())).await;
    assert!(matches!(error, SandboxError::State(StateError::Locked { .. })), "{error}");
    holder.server.stop().await;
    start(on_file(&file("locked"), Faults::default())).await.server.stop().await;

    let (error, _) = refused(on_file(folder.path(), Faults::default())).await;
    assert!(matches!(error, SandboxError::State(StateError::Unusable { .. })), "{error}");
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    let remote = SandboxOptions { listen: "0.0.0.0:0".parse().unwrap(), ..options() };
    assert!(matches!(refused(remote).await.0, SandboxError::Remote(_)));
    let (_, text) = refused(SandboxOptions { country: "XX".to_owned(), ..options() }).await;
    assert!(text.contains("FR"), "{text}");
    for wrong in [
        SandboxOptions { token: String::new(), ..options() },
        SandboxOptions { token: "two words".to_owned(), ..options() },
        SandboxOptions { read_token: Some(support::TOKEN.to_owned()), ..options() },
        SandboxOptions { account_name: String::new(), ..options() },
        SandboxOptions { faults: Faults { error_rate: 1.5, ..Faults::default() }, ..options() },
        SandboxOptions { faults: Faults { rate_limit: Some(0), ..Faults::default() }, ..options() },
    ] {
        assert!(matches!(refused(wrong).await.0, SandboxError::Option { .. }));
    }
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let account = start(options()).await;
    let address = account.url.strip_prefix("http://").unwrap().parse().unwrap();
    let (error, text) = refused(SandboxOptions { listen: address, ..options() }).await;
    assert!(matches!(error, SandboxError::Listen { .. }), "{text}");
}

#[test]
fn a_wrong_seed_is_told_with_place_and_remedy() {
    let wrong = |from: &str, to: &str| {
        let yaml = SEED.replacen(from, to, 1);
        assert_ne!(yaml, SEED, "{from} is not in the seed");
        sandbox::Seed::from_yaml(&yaml).expect_err("it must be refused").to_string()
    };
    for (from, to, expected) in [
        ("snapshot: 1", "snapshot: 2", "version 2"),
        (
            "user/202, device",
            "user/209, device",
            "line 20, column 40: ring_groups.ventes.members.1: user/209 refers to nothing",
        ),
        (
            "to: receptionist/main",
            "to: none",
            "line 25, column 21: numbers.+33142685300.to: the default number leads to nothing",
        ),
        ("extension: \"301\"", "extension: \"300\"", "extension 300 is used twice"),
        ("extension: \"202\"", "extension: \"112\"", "reserved"),
        ("extension: \"202\"", "extension: \"2\"", "write 3 or 4 digits"),
        ("extension: \"202\"", "extension: \"20b\"", "line 11, column 43: users.bruno@example.org.extension: "),
        ("members: [user/201]", "members: []", "1 to 50 members"),
        ("ring_for: 20s", "ring_for: 2m", "write seconds from 5s to 300s"),
        (
            "ring: sequential",
            "ring: random",
            "line 23, column 38: ring_groups.accueil.ring: unknown variant `random`, expected `simultaneous` or `sequential`",
        ),
        ("no_answer: ring_group/ventes", "no_answer: ring_group/accueil", "its own no-answer"),
        ("pocket: mobile_app", "pocket: ip_phone", "a second ip_phone"),
        ("location: République", "location: Lyon", "does not exist"),
        ("label: Accueil", "lable: Accueil", "unknown field"),
        (
            "extension: \"202\"",
            "voicemail: true",
            "line 11, column 3: users.bruno@example.org: missing field `extension`",
        ),
        ("default_number: \"+33142685300\"", "id: a", "account: missing field `default_number`"),
        ("  accueil: {", "  VENTES: {", "used twice"),
        ("\"+33142685309\"", "\"0142685309\"", "E.164"),
        ("\"+33142685309\"", "\"+33142685304\"", "is given twice"),
        ("default_number: \"+33142685300\"", "default_number: \"+33142685399\"", "not among the numbers"),
        ("bruno@example.org:", "bruno:", "keyed by e-mail"),
    ] {
        let text = wrong(from, to);
        assert!(text.contains(expected), "{to}: {text}");
    }
    for pin in ["[998877]", "\"99x8877\""] {
        let text = wrong("pin: \"998877\"", &format!("pin: {pin}"));
        assert!(text.contains("pin") || text.contains("PIN"), "{text}");
        assert!(!text.contains("8877"), "a PIN is a secret: {text}");
    }
    assert!(sandbox::Seed::from_yaml("").is_err());
    // A parser that takes time in the square of the nesting would be at it for minutes.
    let deep = sandbox::Seed::from_yaml(&format!("snapshot: 1\nusers: {}", "[".repeat(1_000_000))).unwrap_err();
    assert_eq!(deep.line, Some(2), "{deep}");
    assert!(sandbox::Seed::from_yaml("a: [").unwrap_err().line.is_some());
}

#[tokio::test]
async fn a_hundred_thousand_numbers_are_seeded_in_seconds() {
    use std::fmt::Write as _;
    let mut yaml = SEED.to_owned();
    for number in 0..100_000_u64 {
        writeln!(yaml, "  \"+{}\": {{ to: ring_group/ventes, label: Line {number} }}", 33_900_000_000 + number)
            .unwrap();
    }
    let account = start(SandboxOptions { seed: Some(sandbox::Seed::from_yaml(&yaml).unwrap()), ..options() }).await;
    let first = account.get("numbers?limit=1000&ranges=true").await.expect(200);
    assert_eq!(first.body["cursors"].as_array().unwrap().len(), 100);
}
