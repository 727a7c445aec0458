//! The Account API as HTTP: tokens, statuses, preconditions, idempotency, pages.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::sandbox::{Account, READ_TOKEN, options, seeded, send, start};
use reqwest::Method;
use serde_json::{Value, json};

fn no_problem() -> Value {
    json!({"label": "x"})
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_told() {
    let account = start(seeded()).await;
    let url = format!("{}/v1/numbers", account.url);
    let without = send(account.http.get(&url)).await.problem(401, "unauthorized");
    assert!(without.header("www-authenticate").starts_with("Bearer"));
    for token in ["", "wrong", "administrator-token2", "administrator-toke"] {
        send(account.http.get(&url).bearer_auth(token)).await.problem(401, "unauthorized");
    }
    send(account.http.get(format!("{}/v1/nothing", account.url))).await.problem(401, "unauthorized");
}

#[tokio::test]
async fn the_read_token_reads_and_nothing_else() {
    let account = start(seeded()).await;
    let url = format!("{}/v1/locations", account.url);
    send(account.http.get(&url).bearer_auth(READ_TOKEN)).await.expect(200);
    send(account.http.post(&url).bearer_auth(READ_TOKEN).json(&no_problem())).await.problem(403, "forbidden");
}

#[tokio::test]
async fn every_failure_is_a_problem_document() {
    let account = start(seeded()).await;
    account.get("nothing").await.problem(404, "not_found");
    account.get("numbers/").await.problem(404, "not_found");
    account.get("users/usr_99").await.problem(404, "not_found");
    account.get("users/num_1").await.problem(404, "not_found");
    account.get("users/%ff").await.problem(404, "not_found");
    send(account.http.get(&account.url)).await.problem(404, "not_found");
    let not_allowed = account.delete("numbers").await.problem(405, "method_not_allowed");
    assert_eq!(not_allowed.header("allow"), "GET, HEAD, POST");
    assert_eq!(
        account.post("account", json!({})).await.problem(405, "method_not_allowed").header("allow"),
        "GET, HEAD"
    );
    account.post("audit", json!({})).await.problem(405, "method_not_allowed");
    let text = account.request(Method::POST, "locations").header("content-type", "text/plain").body("{}");
    send(text).await.problem(415, "unsupported_media_type");
    let broken =
        account.request(Method::POST, "locations").header("content-type", "application/json").body("{\n\"a\": }");
    assert_eq!(send(broken).await.problem(400, "malformed_json").body["line"], 2);
    account.post("locations", json!([1])).await.problem(422, "invalid");
    let large = json!({"label": "x".repeat(300_000)});
    account.post("locations", large.clone()).await.problem(413, "too_large");
    // Without a length announced, too.
    let unannounced = account.request(Method::POST, "locations").header("content-type", "application/json");
    let body = reqwest::Body::from(large.to_string());
    send(unannounced.body(body)).await.problem(413, "too_large");
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=",
        "cursor=x",
        "cursor=usr.1",
        "ranges=maybe",
        "lmit=1",
        "limit=1&limit=2",
    ] {
        account.get(&format!("numbers?{query}")).await.problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let account = start(seeded()).await;
    let get = account.get("numbers").await.expect(200);
    let head = send(account.request(Method::HEAD, "numbers")).await.expect(200);
    assert_eq!(head.etag(), get.etag());
    assert_eq!(head.body, Value::Null);
}

#[tokio::test]
async fn an_unchanged_object_or_list_is_304() {
    let account = start(seeded()).await;
    let path = account.path("numbers", "number", "+33142685303").await;
    for path in [path.as_str(), "numbers?limit=2", "account", "users"] {
        let tag = account.get(path).await.expect(200).etag();
        for condition in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let again = send(account.request(Method::GET, path).header("if-none-match", condition)).await.expect(304);
            assert_eq!(again.etag(), tag);
        }
    }
    let (object, list) = (account.get(&path).await.etag(), account.get("numbers").await.etag());
    let users = account.get("users").await.etag();
    account.patch(&path, json!({})).await.expect(200);
    account.patch(&path, json!({"label": "", "kind": "local"})).await.expect(200);
    assert_eq!(account.get("numbers").await.etag(), list, "nothing changed, so no new version");
    account.patch(&path, no_problem()).await.expect(200);
    assert_ne!(account.get(&path).await.etag(), object);
    assert_ne!(account.get("numbers").await.etag(), list);
    assert_eq!(account.get("users").await.etag(), users);
}

#[tokio::test]
async fn a_users_tag_changes_with_the_devices_that_it_shows() {
    let account = start(seeded()).await;
    let path = account.path("users", "extension", "202").await;
    let (object, list) = (account.get(&path).await.etag(), account.get("users").await.etag());
    let id = path.strip_prefix("users/").unwrap();
    account.post("devices", json!({"user": id, "name": "tablet", "kind": "mobile_app"})).await.expect(201);
    assert_ne!(account.get(&path).await.etag(), object);
    assert_ne!(account.get("users").await.etag(), list);
}

#[tokio::test]
async fn a_tag_never_comes_back_with_its_content() {
    let account = start(seeded()).await;
    let path = account.path("numbers", "number", "+33142685303").await;
    let first = account.get(&path).await;
    let mut tags = vec![first.etag()];
    for round in 0..6 {
        let label = if round % 2 == 0 { json!("x") } else { first.body["label"].clone() };
        let changed = account.patch(&path, json!({ "label": label })).await.expect(200);
        // A write that changes nothing changes no tag.
        assert_eq!(account.patch(&path, json!({ "label": label })).await.expect(200).etag(), changed.etag());
        let now = account.get(&path).await;
        let listed = account.find("numbers", "number", "+33142685303").await;
        assert_eq!((now.etag(), &listed["etag"]), (changed.etag(), &changed.body["etag"]));
        assert!(!tags.contains(&now.etag()), "round {round}");
        tags.push(now.etag());
    }
    assert_eq!(account.get(&path).await.body["label"], first.body["label"]);
    for old in &tags[..6] {
        let late = account.request(Method::PATCH, &path).header("if-match", old).json(&no_problem());
        send(late).await.problem(412, "precondition_failed");
    }

    // What embeds an object as well: a phone that comes and goes again.
    let user = account.path("users", "extension", "202").await;
    let before = account.get(&user).await;
    let id = user.strip_prefix("users/").unwrap();
    let phone =
        account.post("devices", json!({ "user": id, "name": "tablet", "kind": "mobile_app" })).await.expect(201);
    account.delete(&format!("devices/{}", phone.id())).await.expect(204);
    let after = account.get(&user).await;
    assert_eq!(after.body["devices"], before.body["devices"]);
    assert_ne!(after.etag(), before.etag());
}

#[tokio::test]
async fn the_log_has_the_key_of_the_request_that_wrote() {
    let account = start(seeded()).await;
    let path = account.path("ring_groups", "name", "ventes").await;
    let with = |method: Method, path: &str, key: &str| account.request(method, path).header("idempotency-key", key);
    let member = json!([account.find("ring_groups", "name", "ventes").await["members"][0]]);
    let made = with(Method::POST, "ring_groups", "k1").json(&json!({ "name": "new", "members": member }));
    let made = send(made).await.expect(201);
    send(with(Method::PATCH, &path, "k2").json(&json!({ "ring_for": 33 }))).await.expect(200);
    account.patch(&path, json!({ "ring_for": 34 })).await.expect(200);
    send(with(Method::DELETE, &format!("ring_groups/{}", made.id()), "k3")).await.expect(204);
    send(with(Method::PATCH, &path, "two words").json(&json!({}))).await.problem(400, "invalid_parameter");
    let keys: Vec<_> = account.items("audit").await.iter().map(|entry| entry["idempotency_key"].clone()).collect();
    assert_eq!(keys, [json!("k1"), json!("k2"), json!(null), json!("k3")]);
}

#[tokio::test]
async fn a_write_on_an_old_picture_is_412_and_does_nothing() {
    let account = start(seeded()).await;
    let path = account.path("numbers", "number", "+33142685303").await;
    let old = account.get(&path).await.etag();
    let conditional = |method: Method, tag: String| account.request(method, &path).header("if-match", tag);
    let changed = send(conditional(Method::PATCH, old.clone()).json(&no_problem())).await.expect(200);
    assert_eq!(changed.body["etag"], changed.etag());
    send(conditional(Method::PATCH, old.clone()).json(&json!({"label": "y"})))
        .await
        .problem(412, "precondition_failed");
    send(conditional(Method::PATCH, format!("W/{}", changed.etag())).json(&json!({"label": "y"})))
        .await
        .problem(412, "precondition_failed");
    send(conditional(Method::DELETE, old.clone())).await.problem(412, "precondition_failed");
    send(conditional(Method::PATCH, "unquoted".to_owned()).json(&no_problem())).await.problem(400, "invalid_parameter");
    assert_eq!(account.get(&path).await.body["label"], "x");
    send(conditional(Method::PATCH, format!("{old}, {}", changed.etag())).json(&json!({"label": "y"})))
        .await
        .expect(200);
    send(conditional(Method::DELETE, "*".to_owned())).await.expect(204);
}

#[tokio::test]
async fn of_two_concurrent_patches_with_one_tag_exactly_one_wins() {
    let account = start(seeded()).await;
    let path = account.path("ring_groups", "name", "ventes").await;
    for round in 0..20 {
        let tag = account.get(&path).await.etag();
        let ring = |ring_for: i64| {
            send(account.request(Method::PATCH, &path).header("if-match", &tag).json(&json!({"ring_for": ring_for})))
        };
        let (a, b) = tokio::join!(ring(100 + round), ring(200 + round));
        let mut statuses = [a.status.as_u16(), b.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    }
}

#[tokio::test]
async fn a_create_is_replayed_under_its_key() {
    let account = start(seeded()).await;
    let create = |key: &str, body: Value| {
        send(account.request(Method::POST, "locations").header("idempotency-key", key).json(&body))
    };
    let first = create("k1", json!({"label": "Lyon", "address": "a"})).await.expect(201);
    assert_eq!(first.header("location"), format!("/v1/locations/{}", first.id()));
    assert_eq!(first.header("idempotency-replayed"), "");
    // The same JSON, written in another order.
    let again = create("k1", json!({"address": "a", "label": "Lyon"})).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!((again.body.clone(), again.etag()), (first.body.clone(), first.etag()));
    create("k1", json!({"label": "Nice"})).await.problem(422, "idempotency_mismatch");
    create("k2", json!({"label": "Lyon"})).await.problem(409, "name_taken");
    create("k2", json!({"label": "Nice"})).await.expect(201);
    create("", json!({"label": "Metz"})).await.problem(400, "invalid_parameter");
    // Another path has keys of its own.
    let user = account.request(Method::POST, "users").header("idempotency-key", "k1");
    send(user.json(&json!({"name": "X", "email": "x@example.org"}))).await.expect(201);
    assert_eq!(account.items("locations").await.len(), 3);
}

#[tokio::test]
async fn concurrent_creates_under_one_key_make_one_object() {
    let account = start(seeded()).await;
    let create = || {
        send(
            account.request(Method::POST, "locations").header("idempotency-key", "one").json(&json!({"label": "Lyon"})),
        )
    };
    let (a, b, c) = tokio::join!(create(), create(), create());
    assert_eq!((a.id(), b.id()), (b.id(), c.id()));
    assert_eq!(account.items("locations").await.len(), 2);
}

async fn add_numbers(account: &Account, from: u64, count: u64) {
    for number in from..from + count {
        account.post("numbers", json!({"number": format!("+{number}")})).await.expect(201);
    }
}

/// Numbers of the given pages, counted, and the cursors to go on with.
fn take(page: &Value, seen: &mut BTreeMap<String, usize>) -> Option<String> {
    for item in page["items"].as_array().unwrap() {
        *seen.entry(item["number"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    page["next"].as_str().map(ToOwned::to_owned)
}

#[tokio::test]
async fn pages_are_stable_while_others_insert_and_delete() {
    let account = start(options()).await;
    add_numbers(&account, 33_700_000_000, 30).await;
    let before: BTreeSet<_> =
        account.items("numbers").await.iter().map(|n| n["number"].as_str().unwrap().to_owned()).collect();
    let mut seen = BTreeMap::new();
    let mut deleted = BTreeSet::new();
    let mut next = take(&account.get("numbers?limit=7").await.expect(200).body, &mut seen);
    let mut round = 0;
    while let Some(cursor) = next {
        // Delete one already read and one not yet read, and add one at the end.
        for victim in [33_700_000_000 + round, 33_700_000_029 - round] {
            let victim = format!("+{victim}");
            account.delete(&account.path("numbers", "number", &victim).await).await.expect(204);
            deleted.insert(victim);
        }
        add_numbers(&account, 33_800_000_000 + round, 1).await;
        next = take(&account.get(&format!("numbers?limit=7&cursor={cursor}")).await.expect(200).body, &mut seen);
        round += 1;
    }
    for number in before.difference(&deleted) {
        assert_eq!(seen.get(number), Some(&1), "{number}");
    }
    assert!(seen.values().all(|count| *count == 1));
}

#[tokio::test]
async fn ranges_can_be_read_in_any_order_while_others_write() {
    let account = start(options()).await;
    add_numbers(&account, 33_700_000_000, 38).await;
    let first = account.get("numbers?limit=10&ranges=true").await.expect(200).body;
    let cursors: Vec<_> = first["cursors"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    // 40 numbers in pages of 10: four requests, and no fifth to find nothing.
    assert_eq!((cursors.len(), &first["next"]), (3, &Value::Null));
    let mut seen = BTreeMap::new();
    take(&first, &mut seen);
    account.delete(&account.path("numbers", "number", "+33700000020").await).await.expect(204);
    add_numbers(&account, 33_800_000_000, 15).await;
    for cursor in cursors.iter().rev() {
        let mut next = Some(cursor.clone());
        while let Some(cursor) = next {
            next = take(&account.get(&format!("numbers?limit=10&cursor={cursor}")).await.expect(200).body, &mut seen);
        }
    }
    assert_eq!(seen.len(), 40 - 1 + 15);
    assert!(seen.values().all(|count| *count == 1));
    let empty = account.get("bridges?ranges=true").await.expect(200).body;
    assert_eq!(empty, json!({"items": [], "next": null, "cursors": []}));
}

#[tokio::test]
async fn requests_are_counted_by_what_they_do() {
    let account = start(seeded()).await;
    account.get("numbers").await;
    send(account.request(Method::HEAD, "numbers")).await;
    account.patch("numbers/num_1", json!({})).await;
    account.post("numbers", json!({})).await;
    send(account.http.get(&account.url)).await;
    let counters = account.server.counters();
    assert_eq!((counters.requests, counters.reads, counters.writes), (4, 2, 2));
}
