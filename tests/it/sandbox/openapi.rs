//! The API document and the server are one contract: same routes, same shapes, same rules for text.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::sandbox::{Account, Answer, READ_TOKEN, seeded, send, start};
use reqwest::Method;
use serde_json::{Value, json};

struct Document {
    root: Value,
    covered: std::cell::RefCell<BTreeSet<String>>,
}

impl Document {
    fn read() -> Self {
        let text = include_str!("../../../schemas/account-api.v1.openapi.yaml");
        Self { root: serde_yaml::from_str(text).unwrap(), covered: std::cell::RefCell::default() }
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.root.pointer(reference.strip_prefix('#').unwrap()).expect(reference),
            None => value,
        }
    }

    /// Asserts that `value` is valid against a schema of the document.
    fn validate(&self, schema: &Value, value: &Value, what: &str) {
        let errors: Vec<_> =
            self.validator(schema).iter_errors(value).map(|e| format!("{} {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{what}: {errors:#?}\n{value:#}");
    }

    fn validator(&self, schema: &Value) -> jsonschema::Validator {
        // The schema refers to its siblings by their place in the document, so the document comes along.
        let mut root = schema.clone();
        root["components"] = self.root["components"].clone();
        jsonschema::draft202012::options().should_validate_formats(true).build(&root).unwrap()
    }

    fn is_valid(&self, schema: &str, value: &Value) -> bool {
        self.validator(&json!({ "$ref": format!("#/components/schemas/{schema}") })).is_valid(value)
    }

    /// Asserts that the answer is one that the document promises for the operation.
    fn check(&self, method: &str, path: &str, answer: Answer) -> Answer {
        let what = format!("{method} {path} {}", answer.status.as_u16());
        let operation = &self.root["paths"][path][method.to_lowercase()];
        let response = self.resolve(&operation["responses"][answer.status.as_str()]);
        assert!(response.is_object(), "{what} is not documented: {}", answer.body);
        for (name, header) in response["headers"].as_object().unwrap_or(&serde_json::Map::new()) {
            let header = self.resolve(header);
            match answer.headers.get(name.as_str()) {
                Some(value) => {
                    self.validate(&header["schema"], &json!(value.to_str().unwrap()), &format!("{what} {name}"));
                }
                None => assert_ne!(header["required"], true, "{what} lacks {name}"),
            }
        }
        match response.get("content") {
            Some(content) => {
                let media = &content[answer.header("content-type")];
                assert!(media.is_object(), "{what}: {} is not documented", answer.header("content-type"));
                self.validate(&media["schema"], &answer.body, &what);
            }
            None => assert_eq!(answer.body, Value::Null, "{what} has a body"),
        }
        self.covered.borrow_mut().insert(format!("{method} {path}"));
        answer
    }

    /// Asserts that a body that the server accepted is one that the document allows.
    fn check_body(&self, method: &str, path: &str, body: &Value) {
        let content = &self.root["paths"][path][method.to_lowercase()]["requestBody"]["content"];
        self.validate(&content["application/json"]["schema"], body, &format!("{method} {path} body"));
    }
}

fn operations() -> BTreeSet<String> {
    strowger::sandbox::operations().map(|(path, method)| format!("{method} {path}")).collect()
}

#[test]
fn document_and_route_table_name_the_same_operations() {
    let document = Document::read();
    let methods = ["get", "head", "post", "put", "patch", "delete", "options", "trace"];
    let mut documented = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (path, item) in document.root["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(m, _)| methods.contains(&m.as_str())) {
            documented.insert(format!("{} {path}", method.to_uppercase()));
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap()),
                "{method} {path}: the operation id is not unique"
            );
            assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{method} {path}");
        }
    }
    assert_eq!(documented, operations());
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used_and_valid() {
    fn walk<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|v| walk(v, found));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(v, found)),
            _ => {}
        }
    }
    let document = Document::read();
    let mut references = BTreeSet::new();
    walk(&document.root, &mut references);
    for reference in &references {
        assert!(document.root.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    for section in ["schemas", "responses", "parameters", "headers"] {
        for name in document.root["components"][section].as_object().unwrap().keys() {
            assert!(
                references.contains(format!("#/components/{section}/{name}").as_str()),
                "{section}/{name} is not used"
            );
        }
    }
    for (name, schema) in document.root["components"]["schemas"].as_object().unwrap() {
        let validator = document.validator(schema);
        if let Some(example) = schema.get("example") {
            assert!(validator.is_valid(example), "the example of {name}");
        }
    }
}

/// Bodies for each collection: to create an object, and to change it.
async fn bodies(account: &Account) -> BTreeMap<&'static str, (Value, Value)> {
    let user = account.find("users", "extension", "202").await;
    let (id, vmb) = (user["id"].clone(), user["voicemail"]["id"].clone());
    let line = account.find("conferences", "name", "salle-1").await["id"].clone();
    let to_user = json!({"kind": "user", "id": id});
    let to_voicemail = json!({"kind": "voicemail", "id": vmb});
    BTreeMap::from([
        (
            "numbers",
            (
                json!({"number": "+33142685400", "kind": "virtual", "destination": to_user}),
                json!({"destination": null, "label": "x"}),
            ),
        ),
        (
            "users",
            (
                json!({"name": "Zoé", "email": "zoe@example.org", "extension": "250", "voicemail": {"enabled": false}}),
                json!({"forwarding": {"mode": "enabled", "to": "+33612345678"}}),
            ),
        ),
        ("devices", (json!({"user": id, "name": "tablet", "kind": "mobile_app"}), json!({"name": "Tablet"}))),
        (
            "ring_groups",
            (
                json!({"name": "soir", "members": [to_user], "no_answer": to_voicemail}),
                json!({"no_answer": null, "ring": "sequential"}),
            ),
        ),
        (
            "receptionists",
            (json!({"name": "nuit", "keys": {"1": to_user}}), json!({"keys": {"1": null, "#": to_voicemail}})),
        ),
        ("conferences", (json!({"name": "salle-2"}), json!({"extension": "444"}))),
        (
            "bridges",
            (
                json!({"conference": line, "name": "b", "number": "777", "pin": "1234"}),
                json!({"pin": null, "assigned_to": id}),
            ),
        ),
        ("locations", (json!({"label": "Lyon"}), json!({"address": "1 quai Perrache"}))),
        (
            "owners",
            (
                json!({"owner": "a", "account": "paris", "scope": {"numbers": ["+331*"], "ring_groups": null}, "take_over": []}),
                Value::Null,
            ),
        ),
    ])
}

#[tokio::test]
async fn every_operation_answers_as_documented() {
    let document = Document::read();
    let account = start(seeded()).await;
    read_all(&document, &account, "/v1/account", "account").await;
    for (collection, (create, change)) in bodies(&account).await {
        let (list, item) = (format!("/v1/{collection}"), format!("/v1/{collection}/{{id}}"));
        let make = || account.request(Method::POST, collection).header("idempotency-key", "k").json(&create);
        document.check_body("POST", &list, &create);
        let object = document.check("POST", &list, send(make()).await.expect(201));
        document.check("POST", &list, send(make()).await.expect(201));
        document.check("POST", &list, account.post(collection, json!({"x": 1})).await.expect(422));
        let reader = account.http.post(format!("{}{list}", account.url)).bearer_auth(READ_TOKEN).json(&create);
        document.check("POST", &list, send(reader).await.expect(403));
        let path = format!("{collection}/{}", object.id());
        let can_change = operations().contains(&format!("PATCH {item}"));
        if can_change {
            document.check_body("PATCH", &item, &change);
            document.check("PATCH", &item, account.patch(&path, change).await.expect(200));
        }
        read_all(&document, &account, &list, collection).await;
        read_all(&document, &account, &item, &path).await;
        for (method, body) in [(Method::PATCH, json!({})), (Method::DELETE, Value::Null)] {
            if method == Method::PATCH && !can_change {
                continue;
            }
            let stale = account.request(method.clone(), &path).header("if-match", "\"old\"").json(&body);
            document.check(method.as_str(), &item, send(stale).await.expect(412));
        }
        document.check("DELETE", &item, account.delete(&path).await.expect(204));
        document.check("DELETE", &item, account.delete(&path).await.expect(404));
        if can_change {
            document.check("PATCH", &item, account.patch(&path, json!({})).await.expect(404));
        }
    }
    read_all(&document, &account, "/v1/audit", "audit").await;
    assert_eq!(*document.covered.borrow(), operations());
}

/// GET and HEAD: found, unchanged, without a token, with a wrong condition; a list also in parts.
async fn read_all(document: &Document, account: &Account, template: &str, path: &str) {
    for method in [Method::GET, Method::HEAD] {
        let name = method.as_str();
        let found = document.check(name, template, send(account.request(method.clone(), path)).await.expect(200));
        let known = account.request(method.clone(), path).header("if-none-match", found.etag());
        document.check(name, template, send(known).await.expect(304));
        let wrong = account.request(method.clone(), path).header("if-none-match", "x");
        let wrong = send(wrong).await;
        assert_eq!(wrong.status, 400);
        document.check(name, template, wrong);
        let anonymous = send(account.http.request(method.clone(), format!("{}/v1/{path}", account.url))).await;
        assert_eq!(anonymous.status, 401);
        document.check(name, template, anonymous);
    }
    if !path.contains('/') && path != "account" {
        document.check("GET", template, account.get(&format!("{path}?limit=1&ranges=true")).await.expect(200));
    }
}

#[tokio::test]
async fn refusals_are_documented_too() {
    let document = Document::read();
    let account = start(seeded()).await;
    let ventes = account.path("ring_groups", "name", "ventes").await;
    let in_use = document.check("DELETE", "/v1/ring_groups/{id}", account.delete(&ventes).await.expect(409));
    assert_eq!(in_use.body["referrers"][0]["kind"], "number");
    let main = account.path("numbers", "number", "+33142685300").await;
    document.check("DELETE", "/v1/numbers/{id}", account.delete(&main).await.expect(409));
    let claim = |owner: &str| json!({"owner": owner, "account": "", "scope": {"numbers": null, "ring_groups": null}});
    account.post("owners", claim("a")).await.expect(201);
    let owned = document.check("POST", "/v1/owners", account.post("owners", claim("b")).await.expect(409));
    assert_eq!((&owned.body["code"], &owned.body["owners"][0]["owner"]), (&json!("owned"), &json!("a")));
    read_all(&document, &account, "/v1/account", "account").await;
    let broken = account.request(Method::POST, "numbers").header("content-type", "application/json").body("{");
    document.check("POST", "/v1/numbers", send(broken).await.expect(400));
    let text = account.request(Method::POST, "numbers").body("{}");
    document.check("POST", "/v1/numbers", send(text).await.expect(415));
    document.check(
        "POST",
        "/v1/numbers",
        account.post("numbers", json!({"label": "x".repeat(300_000)})).await.expect(413),
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table of texts")]
async fn server_and_document_accept_the_same_texts() {
    let document = Document::read();
    let account = start(seeded()).await;
    let line = account.find("conferences", "name", "salle-1").await["id"].clone();
    let long = |n: usize| "é".repeat(n);
    let names = [
        "a",
        "A b",
        " a",
        "a ",
        "\u{a0}a",
        "a\u{a0}",
        "a\u{a0}b",
        "",
        " ",
        "a\u{0}b",
        "a\nb",
        "a\n",
        "\u{85}",
        "a\u{9f}",
        "\u{7f}x",
        "a\u{2028}",
        "\u{2029}",
        "😀",
        "名前",
        "e\u{301}",
        "\u{feff}x",
        "\u{200b}",
        "\u{3000}x",
    ];
    let names: Vec<String> = names.iter().map(ToString::to_string).chain([long(64), long(65)]).collect();
    let texts: Vec<String> = names.iter().cloned().chain([long(200), long(201)]).collect();
    let of = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let numbers = of(&[
        "+33142685300",
        "+3314268",
        "+331426",
        "+123456789012345",
        "+1234567890123456",
        "33142685300",
        "+0142685300",
        "+33 142685300",
        "",
        "+3314268530\n",
        "+331426853٠0",
    ]);
    let emails =
        of(&["a@b.c", "a@b", "@b.c", "a@", "a b@c.d", "a@b..c", "a@b.c.", "é@b.c", "a+b@c-d.e", "a@b@c.d", "a@b.c\n"]);
    let extensions =
        of(&["201", "2010", "20", "20100", "911", "112", "119", "000", "0000", "9111", "２０１", "201\n", ""]);
    let zones = of(&[
        "UTC",
        "Europe/Paris",
        "America/Argentina/Buenos_Aires",
        "a/b/c/d",
        "/a",
        "a/",
        "1a",
        "Etc/GMT+1",
        "",
        "a//b",
    ]);
    let patterns = of(&[
        "+33142685300",
        "+33142685300..+33142685399",
        "+33142685300..+3314268",
        "+33142685300..",
        "+3*",
        "+*",
        "+0*",
        "+1234567890123456*",
        "*",
        "+33142685300*",
        "+3**",
        "",
    ]);
    let starred: Vec<String> =
        names.iter().flat_map(|name| [name.clone(), format!("{name}*")]).chain(of(&["*", "a*b", "**"])).collect();
    let owners =
        of(&["a", "git:1f", "a b", "é", "", "a\n"]).into_iter().chain(["x".repeat(200), "x".repeat(201)]).collect();
    let rooms = of(&["123", "12", "12345678", "123456789", "12a", ""]);
    for (schema, field, texts, path, base) in [
        ("LocationCreate", "label", &names, "locations", json!({})),
        ("LocationCreate", "address", &texts, "locations", json!({"label": "x"})),
        ("NumberCreate", "number", &numbers, "numbers", json!({})),
        ("UserCreate", "email", &emails, "users", json!({"name": "x"})),
        ("UserCreate", "name", &names, "users", json!({"email": "x@example.org"})),
        ("ConferenceCreate", "extension", &extensions, "conferences", json!({"name": "y"})),
        ("ReceptionistCreate", "timezone", &zones, "receptionists", json!({"name": "z"})),
        ("BridgeCreate", "number", &rooms, "bridges", json!({"conference": line, "name": "r"})),
        ("BridgeCreate", "pin", &rooms, "bridges", json!({"conference": line, "name": "r", "number": "555"})),
    ] {
        for text in texts {
            let mut body = base.clone();
            body[field] = json!(text);
            // 409 means: well-formed, but taken by an earlier round.
            let accepted = account.post(path, body.clone()).await.status != 422;
            assert_eq!(accepted, document.is_valid(schema, &body), "{schema} {field} {text:?}");
        }
    }
    for (field, texts) in [("numbers", &patterns), ("ring_groups", &starred), ("owner", &owners)] {
        for text in texts {
            let mut body = json!({"owner": "a", "account": "", "scope": {"numbers": [], "ring_groups": []}});
            match field {
                "owner" => body[field] = json!(text),
                _ => body["scope"][field] = json!([text]),
            }
            let accepted = account.post("owners", body.clone()).await.status != 422;
            assert_eq!(accepted, document.is_valid("OwnerCreate", &body), "{field} {text:?}");
        }
    }
}

/// The findings of the files alone and of planning them against a live group `g` and one number.
fn findings(capabilities: strowger::model::Capabilities, files: &str) -> Vec<(&'static str, Option<(u32, u32)>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, format!("version: 1\naccount: {{ name: a, provider: sandbox }}\n{files}")).unwrap();
    let loaded = strowger::config::load(&[path]);
    let live =
        "snapshot: 1\naccount: { name: a }\nusers: { u: { extension: \"201\" } }\nnumbers: { \"+33142685300\": {} }";
    let mut live = strowger::providers::snapshot::parse(live, strowger::providers::snapshot::Format::Yaml).unwrap();
    live.capabilities = capabilities;
    let severities = strowger::diag::Severities::default();
    let planned = loaded.accounts.first();
    let planned = planned.map(|account| strowger::plan::plan(&account.desired, &live, &severities, 1).1);
    let all = loaded.diagnostics.into_iter().chain(planned.into_iter().flatten());
    all.map(|finding| (finding.rule.id, finding.span.map(|span| (span.line, span.column)))).collect()
}

#[test]
fn no_text_is_planned_that_the_document_does_not_take() {
    use strowger::model::Capabilities;
    let document = Document::read();
    let schemas = &document.root["components"]["schemas"];
    let ours = Capabilities::default();
    assert_eq!(schemas["Name"]["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok()), ours.name_most);
    assert_eq!(schemas["Text"]["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok()), ours.label_most);

    let group = |name: &str| format!("ring_groups: {{ {name}: {{ members: [user/201] }} }}\n");
    let label = |label: &str| format!("numbers: {{ \"+33142685300\": {{ to: none, label: {label} }} }}\n");
    let unsupported = |column| vec![("unsupported-by-provider", Some((3, column)))];
    assert_eq!(findings(ours.clone(), &group(&"n".repeat(64))), []);
    assert_eq!(findings(ours.clone(), &group(&"n".repeat(65))), unsupported(16));
    assert_eq!(findings(ours.clone(), &label(&"\u{e9}".repeat(200))), []);
    assert_eq!(findings(ours, &label(&"\u{e9}".repeat(201))), unsupported(47));
    // Nobody knows the limits behind a snapshot.
    assert_eq!(findings(Capabilities::of_snapshot(), &group(&"n".repeat(65))), []);
    assert_eq!(findings(Capabilities::of_snapshot(), &label(&"n".repeat(256))), []);

    let (texts, names) = (document.validator(&schemas["Text"]), document.validator(&schemas["Name"]));
    for character in (0..0x3100).filter_map(char::from_u32) {
        let text = format!("a{character}b");
        if !texts.is_valid(&json!(text)) {
            let found = findings(Capabilities::default(), &label(&strowger::text::quoted(&text)));
            assert!(found.iter().any(|(rule, _)| *rule == "bad-label"), "{text:?}: {found:?}");
        }
        if !names.is_valid(&json!(text)) {
            let found = findings(Capabilities::default(), &group(&strowger::text::quoted(&text)));
            assert!(found.iter().any(|(rule, _)| *rule == "bad-name"), "{text:?}: {found:?}");
        }
    }
}

#[test]
fn the_document_refuses_the_emergency_numbers_of_every_country() {
    let document = Document::read();
    let listed: BTreeSet<&str> = document.root["components"]["schemas"]["Extension"]["not"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    // Shorter ones are no extension numbers of the document's anyway.
    // Those of one country only are in `capabilities.reserved_extensions`.
    let france = strowger::model::emergency_numbers(Some("FR"));
    let brazil = strowger::model::emergency_numbers(Some("BR"));
    assert_eq!(listed, ["112", "911"].into());
    assert!(listed.is_subset(france) && listed.is_subset(brazil));
}
