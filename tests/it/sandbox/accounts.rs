//! A server with several accounts: each is an account of its own, and all share the server.

use crate::support::sandbox as support;
use std::collections::BTreeSet;

use crate::support::sandbox::{Account, TOKEN, client, seeded};
use serde_json::json;
use strowger::providers::ClientOptions;
use strowger::providers::office::Office;
use strowger::providers::settings::StateFile;
use strowger::providers::{Provider as _, Secret};
use strowger::sandbox::{self, Faults, SandboxOptions};

async fn fleet(options: SandboxOptions, count: u32) -> (sandbox::Running, Vec<(String, reqwest::Client)>) {
    let server = sandbox::start(SandboxOptions { accounts: Some(count), ..options }).await.unwrap();
    let accounts = (1..=count).map(|number| (format!("{}/accounts/{number}", server.url()), client())).collect();
    (server, accounts)
}

async fn account(url: &str, http: &reqwest::Client, path: &str) -> support::Answer {
    support::send(http.get(format!("{url}/v1/{path}")).bearer_auth(TOKEN)).await
}

#[tokio::test]
async fn each_account_is_its_own_and_no_other_path_leads_to_one() {
    let (server, accounts) = fleet(seeded(), 3).await;
    let mut ids = BTreeSet::new();
    for (place, (url, http)) in accounts.iter().enumerate() {
        let document = account(url, http, "account").await.expect(200).body;
        assert!(document["name"].as_str().unwrap().ends_with(&format!(" {}", place + 1)), "{document}");
        ids.insert(document["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 3, "one id each");
    let (url, http) = &accounts[1];
    let made = http.post(format!("{url}/v1/locations")).bearer_auth(TOKEN).json(&json!({"label": "Lyon"}));
    let made = support::send(made).await.expect(201);
    let location = made.header("location").to_owned();
    assert!(location.starts_with("/accounts/2/v1/locations/"), "{location}");
    support::send(http.get(format!("{}{location}", server.url())).bearer_auth(TOKEN)).await.expect(200);
    let labels = |answer: support::Answer| answer.body["items"].as_array().unwrap().len();
    let before = labels(account(&accounts[0].0, http, "locations").await.expect(200));
    assert_eq!(labels(account(url, http, "locations").await.expect(200)), before + 1);
    for path in
        ["/v1/account", "/accounts/0/v1/account", "/accounts/4/v1/account", "/accounts/01/v1/account", "/accounts/1"]
    {
        support::send(http.get(format!("{}{path}", server.url())).bearer_auth(TOKEN)).await.problem(404, "not_found");
    }
    support::send(http.get(format!("{url}/v1/account"))).await.problem(401, "unauthorized");
    server.stop().await;
}

#[tokio::test]
async fn a_provider_reaches_an_account_below_its_path() {
    let (server, accounts) = fleet(seeded(), 2).await;
    for (url, _) in &accounts {
        for url in [url.clone(), format!("{url}/"), format!("{url}/v1")] {
            let office = Office::new(&url, Secret::new(TOKEN), ClientOptions::default()).unwrap();
            assert!(!office.read().await.unwrap().live.numbers.is_empty(), "{url}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn the_accounts_of_a_server_share_its_rate_limit_and_its_faults() {
    let faults = Faults { rate_limit: Some(4), ..Faults::default() };
    let (server, accounts) = fleet(SandboxOptions { faults, ..seeded() }, 2).await;
    let mut limited = 0;
    for (url, http) in accounts.iter().cycle().take(12) {
        limited += u32::from(account(url, http, "account").await.status == 429);
    }
    assert!(limited >= 4, "{limited} of 12 requests in a burst");
    assert_eq!(server.counters().requests, 12);
    server.stop().await;
}

#[tokio::test]
async fn each_account_has_a_file_and_is_found_again_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("fleet");
    let options = || SandboxOptions { state: StateFile::File(state.clone()), ..seeded() };
    let (server, accounts) = fleet(options(), 2).await;
    let (url, http) = &accounts[1];
    let before = account(url, http, "account").await.expect(200).body;
    let made = http.post(format!("{url}/v1/locations")).bearer_auth(TOKEN).json(&json!({"label": "Lyon"}));
    support::send(made).await.expect(201);
    server.stop().await;
    assert!(state.join("1.db").is_file() && state.join("2.db").is_file());
    let (server, accounts) = fleet(options(), 3).await;
    let (url, http) = &accounts[1];
    let after = account(url, http, "account").await.expect(200).body;
    assert_eq!((&after["id"], &after["name"]), (&before["id"], &before["name"]), "its number is behind its name once");
    let account = Account { url: url.clone(), server, http: http.clone() };
    assert!(account.items("locations").await.iter().any(|location| location["label"] == "Lyon"));
    account.server.stop().await;
}

#[tokio::test]
async fn a_number_of_accounts_that_makes_no_sense_is_refused() {
    for count in [0, 5001] {
        let error = sandbox::start(SandboxOptions { accounts: Some(count), ..seeded() }).await.expect_err("it starts");
        assert!(error.to_string().contains("accounts must be 1 to 5000"), "{error}");
    }
}
