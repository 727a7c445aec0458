//! The Account API over real HTTP: what a new account is, and which changes its integrity refuses.

use crate::support::sandbox as support;
use crate::support::sandbox::{options, seeded, start};
use serde_json::{Value, json};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_new_account_maps_its_first_number_to_the_receptionist_and_its_second_to_the_first_user() {
    let account = start(options()).await;
    let document = account.get("account").await.expect(200).body;
    assert_eq!(document["default_number"], "+33142685300");
    assert_eq!(document["country"], "FR");
    assert_eq!(document["capabilities"]["page_limit"], 1000);
    let receptionist = account.find("receptionists", "name", "main").await;
    let user = account.find("users", "email", "first.user@example.org").await;
    let numbers = account.items("numbers").await;
    assert_eq!(numbers.len(), 2);
    assert_eq!(numbers[0]["number"], "+33142685300");
    assert_eq!(numbers[0]["default"], true);
    assert_eq!(numbers[0]["destination"], json!({"kind": "receptionist", "id": receptionist["id"]}));
    assert_eq!(numbers[1]["destination"], json!({"kind": "user", "id": user["id"]}));
    assert_eq!(numbers[1]["owner"], user["id"]);
    assert_eq!(account.find("locations", "label", "Office").await["id"], user["location"]);
}

#[tokio::test]
async fn users_and_conferences_bring_a_number_groups_and_receptionists_do_not() {
    let account = start(seeded()).await;
    let before = account.items("numbers").await.len();
    let user = account.post("users", json!({"name": "Chloé", "email": "chloe@example.org"})).await.expect(201);
    let line = account.post("conferences", json!({"name": "salle-2"})).await.expect(201);
    let numbers = account.items("numbers").await;
    assert_eq!(numbers.len(), before + 2);
    // The first free number after the main one, then the next: 05 and 06, since 00 to 04 are taken.
    for (answer, number) in [(&user, "+33142685305"), (&line, "+33142685306")] {
        let bundled = numbers.iter().find(|n| n["owner"] == answer.id()).unwrap();
        assert_eq!(bundled["number"], number);
        assert_eq!(bundled["destination"]["id"], answer.id());
    }
    account.post("ring_groups", json!({"name": "g", "members": [{"kind": "user", "id": user.id()}]})).await.expect(201);
    account.post("receptionists", json!({"name": "nuit"})).await.expect(201);
    assert_eq!(account.items("numbers").await.len(), before + 2);
}

#[tokio::test]
async fn a_seed_is_shown_as_it_was_written() {
    let account = start(seeded()).await;
    let amelie = account.find("users", "email", "amelie@example.org").await;
    assert_eq!(amelie["extension"], "201");
    assert_eq!(amelie["devices"].as_array().unwrap().len(), 2);
    assert_eq!(amelie["voicemail"]["enabled"], true);
    let bruno = account.find("users", "extension", "202").await;
    assert_eq!(bruno["forwarding"], json!({"mode": "when_offline", "to": "+33612345678"}));
    let ventes = account.find("ring_groups", "name", "ventes").await;
    let desk = account.find("devices", "name", "front-desk").await;
    assert_eq!(ids(&ventes["members"]), [&amelie["id"], &bruno["id"], &desk["id"]].map(|v| v.as_str().unwrap()));
    assert_eq!(ventes["no_answer"], json!({"kind": "voicemail", "id": amelie["voicemail"]["id"]}));
    let main = account.find("receptionists", "name", "main").await;
    assert_eq!(main["keys"]["1"], json!({"kind": "ring_group", "id": ventes["id"]}));
    let room = account.find("bridges", "name", "Room").await;
    assert_eq!(room["pin_set"], true);
    assert_eq!(room["assigned_to"], amelie["id"]);
    assert!(room.get("pin").is_none());
    assert_eq!(account.find("numbers", "number", "+33142685309").await["destination"], Value::Null);
    assert_eq!(account.items("numbers").await.len(), 6);
}

#[tokio::test]
async fn many_numbers_may_lead_to_one_destination() {
    let account = start(seeded()).await;
    let ventes = account.find("ring_groups", "name", "ventes").await["id"].clone();
    let path = account.path("numbers", "number", "+33142685309").await;
    account.patch(&path, json!({"destination": {"kind": "ring_group", "id": ventes}})).await.expect(200);
    let to_ventes = account.items("numbers").await.iter().filter(|n| n["destination"]["id"] == ventes).count();
    assert_eq!(to_ventes, 3);
}

#[tokio::test]
async fn names_and_extension_numbers_are_unique_across_all_extensions() {
    let account = start(seeded()).await;
    let member = account.find("users", "extension", "201").await["id"].clone();
    let group = |name: &str, extension: &str| json!({"name": name, "extension": extension, "members": [{"kind": "user", "id": member}]});
    account.post("ring_groups", group("MAIN", "310")).await.problem(409, "name_taken");
    account.post("ring_groups", group("ame\u{301}lie durand", "310")).await.problem(409, "name_taken");
    account.post("ring_groups", group("new", "400")).await.problem(409, "number_taken");
    for reserved in ["911", "112"] {
        account.post("ring_groups", group("new", reserved)).await.problem(422, "invalid");
    }
    // Those of the account's country are a matter of the account.
    for reserved in ["114", "115", "119", "191", "197"] {
        account.post("ring_groups", group("new", reserved)).await.problem(409, "conflict");
    }
    account.post("ring_groups", group("new", "12345")).await.problem(422, "invalid");
    let path = account.path("ring_groups", "name", "ventes").await;
    account.patch(&path, json!({"extension": "301"})).await.problem(409, "number_taken");
    account.patch(&path, json!({"name": "Ventes", "extension": "311"})).await.expect(200);
}

#[tokio::test]
async fn a_group_without_extension_gets_the_lowest_free_one() {
    let account = start(seeded()).await;
    let member = json!([{"kind": "user", "id": account.find("users", "extension", "201").await["id"]}]);
    for (name, expected) in [("a", "101"), ("b", "102")] {
        let made = account.post("ring_groups", json!({"name": name, "members": member})).await.expect(201);
        assert_eq!(made.body["extension"], expected);
        assert_eq!(made.body["ring_for"], 20);
        assert_eq!(made.body["ring"], "simultaneous");
    }
    let mut given: Vec<String> = Vec::new();
    while given.last().is_none_or(|last| last.as_str() < "199") {
        let body = json!({"name": format!("c{}", given.len()), "members": member});
        let made = account.post("ring_groups", body).await.expect(201);
        given.push(made.body["extension"].as_str().unwrap().to_owned());
    }
    assert!(given.is_sorted() && given.contains(&"120".to_owned()), "{given:?}");
    let hides = |given: &String| strowger::model::is_emergency(&given.parse().unwrap(), Some("FR"));
    assert!(!given.iter().any(hides), "{given:?}");
}

#[tokio::test]
async fn what_something_points_at_is_not_deleted() {
    let account = start(seeded()).await;
    for (collection, field, value, fields) in [
        ("ring_groups", "name", "ventes", vec!["destination", "destination", "no_answer", "keys"]),
        ("users", "extension", "201", vec!["members", "members", "no_answer", "assigned_to"]),
        ("users", "extension", "202", vec!["owner", "members", "keys"]),
        ("devices", "name", "front-desk", vec!["members"]),
        ("receptionists", "name", "main", vec!["destination"]),
        ("conferences", "name", "salle-1", vec!["conference"]),
        ("locations", "label", "République", vec!["location", "location"]),
    ] {
        let path = account.path(collection, field, value).await;
        let answer = account.delete(&path).await.problem(409, "in_use");
        let named: Vec<_> =
            answer.body["referrers"].as_array().unwrap().iter().map(|r| r["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{path}");
        account.get(&path).await.expect(200);
    }
}

#[tokio::test]
async fn deleting_a_user_releases_the_numbers_that_came_with_it() {
    let account = start(seeded()).await;
    let user = account.post("users", json!({"name": "Chloé", "email": "chloe@example.org"})).await.expect(201);
    let path = format!("users/{}", user.id());
    let number = account.path("numbers", "owner", &user.id()).await;
    let ventes = account.find("ring_groups", "name", "ventes").await["id"].clone();
    account.patch(&number, json!({"destination": {"kind": "ring_group", "id": ventes}})).await.expect(200);
    let refused = account.delete(&path).await.problem(409, "in_use");
    assert_eq!(refused.body["referrers"][0]["name"], "+33142685305");
    account.patch(&number, json!({"destination": {"kind": "user", "id": user.id()}})).await.expect(200);
    account.delete(&path).await.expect(204);
    account.get(&number).await.problem(404, "not_found");
    account.get(&path).await.problem(404, "not_found");
}

#[tokio::test]
async fn an_id_is_never_given_twice() {
    let account = start(options()).await;
    let make = || account.post("users", json!({"name": "X", "email": "x@example.org"}));
    let first = make().await.expect(201).id();
    account.delete(&format!("users/{first}")).await.expect(204);
    assert_ne!(make().await.expect(201).id(), first);
}

#[tokio::test]
async fn the_default_number_stays_and_stays_mapped() {
    let account = start(seeded()).await;
    let path = account.path("numbers", "number", "+33142685300").await;
    account.patch(&path, json!({"destination": null})).await.problem(409, "default_number");
    account.delete(&path).await.problem(409, "default_number");
    let ventes = account.find("ring_groups", "name", "ventes").await["id"].clone();
    account.patch(&path, json!({"destination": {"kind": "ring_group", "id": ventes}})).await.expect(200);
    let other = account.path("numbers", "number", "+33142685303").await;
    account.patch(&other, json!({"destination": null})).await.expect(200);
    account.delete(&other).await.expect(204);
}

#[tokio::test]
async fn the_owner_of_the_default_number_stays() {
    let yaml = support::SEED.replace("to: receptionist/main", "to: user/201, owner: user/201").replace(
        "members: [user/201], no_answer: ring_group/ventes",
        "members: [user/202], no_answer: ring_group/ventes",
    );
    let seed = Some(strowger::sandbox::Seed::from_yaml(&yaml).unwrap());
    let account = start(strowger::sandbox::SandboxOptions { seed, ..options() }).await;
    let path = account.path("users", "extension", "201").await;
    let refused = account.delete(&path).await.problem(409, "in_use");
    let account_refers =
        json!({"kind": "account", "id": "account", "name": "wework-republique", "field": "default_number"});
    assert!(refused.body["referrers"].as_array().unwrap().contains(&account_refers), "{}", refused.body);
}

#[tokio::test]
async fn a_group_is_checked_member_by_member() {
    let account = start(seeded()).await;
    let user = account.find("users", "extension", "201").await["id"].clone();
    let path = account.path("ring_groups", "name", "ventes").await;
    let member = json!({"kind": "user", "id": user});
    account.patch(&path, json!({"members": []})).await.problem(422, "invalid");
    let twice = account.patch(&path, json!({"members": [member, member]})).await.problem(422, "invalid");
    assert_eq!(twice.body["errors"][0]["pointer"], "/members/1");
    let unknown = account.patch(&path, json!({"members": [member, {"kind": "user", "id": "usr_99"}]})).await;
    assert_eq!(unknown.problem(409, "unknown_reference").body["errors"][0]["pointer"], "/members/1");
    account.patch(&path, json!({"members": [{"kind": "ring_group", "id": "grp_1"}]})).await.problem(422, "invalid");
    account.patch(&path, json!({"members": [{"kind": "user", "id": "dev_1"}]})).await.problem(422, "invalid");
    for wrong in [4, 301] {
        let refused = account.patch(&path, json!({"ring_for": wrong})).await.problem(422, "invalid");
        assert_eq!(refused.body["errors"][0]["pointer"], "/ring_for");
    }
    account.patch(&path, json!({"ring_for": 5})).await.expect(200);
    account.patch(&path, json!({"ring": "random"})).await.problem(422, "invalid");
}

#[tokio::test]
async fn a_group_is_not_its_own_no_answer_but_longer_cycles_are_accepted() {
    let account = start(seeded()).await;
    let ventes = account.find("ring_groups", "name", "ventes").await["id"].clone();
    let accueil = account.find("ring_groups", "name", "accueil").await["id"].clone();
    let path = format!("ring_groups/{}", ventes.as_str().unwrap());
    account.patch(&path, json!({"no_answer": {"kind": "ring_group", "id": ventes}})).await.problem(422, "invalid");
    account.patch(&path, json!({"no_answer": {"kind": "ring_group", "id": accueil}})).await.expect(200);
    let cleared = account.patch(&path, json!({"no_answer": null})).await.expect(200);
    assert_eq!(cleared.body["no_answer"], Value::Null);
}

#[tokio::test]
async fn a_reference_says_the_kind_of_what_it_names() {
    let account = start(seeded()).await;
    let path = account.path("numbers", "number", "+33142685309").await;
    // usr_1 exists, grp_1 does not: keys are shared by all extensions.
    account
        .patch(&path, json!({"destination": {"kind": "ring_group", "id": "grp_1"}}))
        .await
        .problem(409, "unknown_reference");
    account.patch(&path, json!({"destination": {"kind": "voicemail", "id": "vmb_1"}})).await.problem(422, "invalid");
    account.patch(&path, json!({"destination": {"id": "usr_1"}})).await.problem(422, "invalid");
}

#[tokio::test]
async fn a_receptionist_keeps_its_extension_and_its_keys_are_merged() {
    let account = start(seeded()).await;
    let path = account.path("receptionists", "name", "main").await;
    let refused = account.patch(&path, json!({"extension": "105"})).await.problem(422, "invalid");
    assert_eq!(refused.body["errors"][0]["pointer"], "/extension");
    let user = account.find("users", "extension", "201").await["id"].clone();
    let keys = json!({"keys": {"1": null, "#": {"kind": "user", "id": user}}});
    let merged = account.patch(&path, keys).await.expect(200).body;
    let digits: Vec<_> = merged["keys"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(digits, ["#", "2"]);
    account.patch(&path, json!({"keys": {"12": {"kind": "user", "id": user}}})).await.problem(422, "invalid");
}

#[tokio::test]
async fn a_user_has_one_phone_of_each_kind_and_device_names_are_unique() {
    let account = start(seeded()).await;
    let user = account.find("users", "extension", "201").await["id"].clone();
    let device = |name: &str, kind: &str| json!({"user": user, "name": name, "kind": kind});
    account.post("devices", device("second", "ip_phone")).await.problem(409, "conflict");
    account.post("devices", device("FRONT-DESK", "external")).await.problem(409, "name_taken");
    account.post("devices", device("tablet", "mobile_app")).await.expect(201);
    account.post("devices", device("dect", "analog_phone")).await.expect(201);
    let amelie = account.find("users", "extension", "201").await;
    assert_eq!(amelie["devices"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn users_are_checked_as_a_whole() {
    let account = start(seeded()).await;
    let refused =
        account.post("users", json!({"name": " x", "nickname": "x", "forwarding": {"mode": "enabled"}})).await;
    let pointers: Vec<_> = refused.problem(422, "invalid").body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["pointer"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(pointers, ["/name", "/email", "/forwarding/to", "/nickname"]);
    account.post("users", json!({"name": "x", "email": "AMELIE@example.org"})).await.problem(409, "name_taken");
    account.post("users", json!({"name": "a\u{0}b", "email": "x@example.org"})).await.problem(422, "invalid");
    account
        .post("users", json!({"name": "x", "email": "x@example.org", "location": "loc_9"}))
        .await
        .problem(409, "unknown_reference");
    account.post("users", json!({"name": "é".repeat(64), "email": "x@example.org"})).await.expect(201);
    account.post("users", json!({"name": "é".repeat(65), "email": "y@example.org"})).await.problem(422, "invalid");
}

#[tokio::test]
async fn a_pin_goes_in_and_never_comes_out() {
    let account = start(seeded()).await;
    let path = account.path("bridges", "name", "Room").await;
    let before = account.items("audit").await.len();
    account.patch(&path, json!({"pin": "998877"})).await.expect(200);
    assert_eq!(account.items("audit").await.len(), before, "the same PIN is no change");
    account.patch(&path, json!({"pin": "4711471"})).await.expect(200);
    let cleared = account.patch(&path, json!({"pin": null})).await.expect(200);
    assert_eq!(cleared.body["pin_set"], false);
    let audit = account.get("audit").await.body.to_string();
    assert_eq!(account.items("audit").await.len(), before + 2);
    assert!(!audit.contains("4711471") && !audit.contains("998877"));
    account
        .post("bridges", json!({"conference": "cnf_9", "name": "x", "number": "777"}))
        .await
        .problem(409, "unknown_reference");
    let line = account.find("conferences", "name", "salle-1").await["id"].clone();
    account
        .post("bridges", json!({"conference": line, "name": "x", "number": "1234"}))
        .await
        .problem(409, "number_taken");
}

#[tokio::test]
async fn the_last_location_stays() {
    let account = start(options()).await;
    let office = account.path("locations", "label", "Office").await;
    let user = account.path("users", "email", "first.user@example.org").await;
    account.delete(&user).await.expect(204);
    account.delete(&office).await.problem(409, "conflict");
    account.post("locations", json!({"label": "OFFICE"})).await.problem(409, "name_taken");
    account.post("locations", json!({"label": "Lyon"})).await.expect(201);
    account.delete(&office).await.expect(204);
}

#[tokio::test]
async fn the_audit_log_tells_who_did_what_with_before_and_after() {
    let account = start(seeded()).await;
    let path = account.path("numbers", "number", "+33142685303").await;
    let before = account.get(&path).await.body;
    let after = account.patch(&path, json!({"label": "Ventes 2"})).await.expect(200).body;
    account.patch(&path, json!({"label": "Ventes 2"})).await.expect(200);
    account.delete(&path).await.expect(204);
    let audit = account.items("audit").await;
    assert_eq!(audit.len(), 2, "a patch that changes nothing leaves no entry");
    assert_eq!(audit[0]["action"], "update");
    assert_eq!(audit[0]["actor"], "administrator");
    assert!(audit[0]["client"].is_null(), "it did not say what it is: {}", audit[0]["client"]);
    assert_eq!(audit[0]["object"], json!({"kind": "number", "id": before["id"], "name": "+33142685303"}));
    assert_eq!((&audit[0]["before"], &audit[0]["after"]), (&before, &after));
    assert_eq!((&audit[1]["action"], &audit[1]["after"]), (&json!("delete"), &Value::Null));
    let at = audit[0]["at"].as_str().unwrap();
    assert!(at.len() == 24 && at.ends_with('Z') && at.contains('T'), "{at}");
}

fn claim(owner: &str, numbers: &Value, take_over: &[&str]) -> Value {
    json!({"owner": owner, "account": "paris", "scope": {"numbers": numbers, "ring_groups": []}, "take_over": take_over})
}

#[tokio::test]
async fn of_two_owners_that_claim_the_same_at_once_one_is_refused() {
    let account = start(seeded()).await;
    let [a, b] = ["a", "b"].map(|owner| account.post("owners", claim(owner, &json!(["+331*"]), &[])));
    let (a, b) = tokio::join!(a, b);
    let (won, refused) = if a.status == 201 { (a, b) } else { (b, a) };
    let refused = refused.problem(409, "owned");
    assert_eq!(refused.body["owners"], json!([won.body]));
    let apart = account.post("owners", claim("c", &json!(["+1*"]), &[])).await.expect(201);
    assert_eq!(account.get("account").await.body["owners"], json!([won.body, apart.body]));
}

#[tokio::test]
async fn a_claim_ends_only_the_foreign_claims_that_it_names_and_its_own_former_ones() {
    let account = start(seeded()).await;
    let first = account.post("owners", claim("a", &json!(["+331*"]), &[])).await.expect(201);
    account.post("owners", claim("b", &json!(["+3314*"]), &["own_99"])).await.problem(409, "owned");
    let taken = account.post("owners", claim("b", &json!(["+3314*"]), &[&first.id()])).await.expect(201);
    account.post("owners", claim("a", &json!(null), &[&first.id()])).await.problem(409, "owned");
    // Another scope of the same account of the same owner.
    let moved = account.post("owners", claim("b", &json!(["+1*"]), &[])).await.expect(201);
    assert_eq!(account.items("owners").await, std::slice::from_ref(&moved.body));
    let log: Vec<_> = account.items("audit").await.into_iter().rev().take(2).collect();
    assert_eq!((&log[1]["action"], &log[1]["object"]["name"]), (&json!("create"), &json!("b")));
    assert_eq!((&log[0]["action"], &log[0]["before"]["id"]), (&json!("delete"), &json!(taken.id())));
}

#[tokio::test]
async fn the_accounts_tag_changes_with_every_claim_and_never_comes_back() {
    let account = start(seeded()).await;
    let mut tags = vec![account.get("account").await.etag()];
    let made = account.post("owners", claim("a", &json!(null), &[])).await.expect(201);
    tags.push(account.get("account").await.etag());
    let path = format!("owners/{}", made.id());
    account.delete(&path).await.expect(204);
    tags.push(account.get("account").await.etag());
    tags.push(account.get("account").await.etag());
    assert_eq!(account.get("account").await.body["owners"], json!([]));
    assert_ne!(tags[0], tags[1]);
    assert_ne!(tags[0], tags[2]);
    assert_ne!(tags[1], tags[2]);
    assert_eq!(tags[2], tags[3]);
}
