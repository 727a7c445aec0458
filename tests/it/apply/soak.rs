//! A bad day: 2,000 changes through errors, resets, answers that never come, and a rate limit.
//!
//! It takes two minutes, nearly all of it waiting for the limit, so a plain `cargo test` leaves it out and
//! `scripts/test` does not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::{not_applied, planned};
use serde_json::Value;
use strowger::apply::{Options, execute};
use strowger::config;
use strowger::model::Desired;
use strowger::providers::ClientOptions;
use strowger::providers::office::Office;
use strowger::providers::{RetryPolicy, Secret};
use strowger::sandbox::{self, Faults, Running, SandboxOptions, Seed};

const TOKEN: &str = "soak-token";
const NUMBERS: usize = 1_800;
const GROUPS: usize = 200;
/// Requests a second.
const RATE: u32 = 20;

fn number(index: usize) -> String {
    format!("+331426{index:05}")
}

/// Half of the groups are new, every number goes to another place.
fn account() -> (String, String) {
    let mut seed = format!(
        "snapshot: 1\naccount: {{ name: soak, default_number: \"{}\" }}\nusers:\n  a@example.org: {{ name: A, extension: \"201\" }}\n",
        number(99_999)
    );
    seed += "receptionists:\n  main: { extension: \"100\", timezone: Europe/Paris }\nring_groups:\n";
    let mut wanted = "version: 1\naccount: { name: soak, provider: sandbox }\nring_groups:\n".to_owned();
    for group in 0..GROUPS {
        // Four digits: none of them hides a public service.
        let extension = 2000 + group;
        if group < GROUPS / 2 {
            writeln!(seed, "  g{group}: {{ extension: \"{extension}\", members: [user/201], ring_for: 10s }}").unwrap();
        }
        writeln!(wanted, "  g{group}: {{ extension: \"{extension}\", members: [user/201], ring_for: 15s }}").unwrap();
    }
    writeln!(seed, "numbers:\n  \"{}\": {{ to: receptionist/main }}", number(99_999)).unwrap();
    wanted += "numbers:\n";
    for index in 0..NUMBERS {
        writeln!(seed, "  \"{}\": {{ to: receptionist/main }}", number(index)).unwrap();
        writeln!(wanted, "  \"{}\": {{ to: ring_group/g{} }}", number(index), index % GROUPS).unwrap();
    }
    (seed, wanted)
}

fn desired(text: &str) -> Desired {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("account.yaml"), text).unwrap();
    let mut loaded = config::load(&[folder.path().to_owned()]);
    assert_eq!(loaded.accounts.len(), 1, "{:#?}", loaded.diagnostics);
    loaded.accounts.remove(0).desired
}

/// How often each object was written, by what the account itself noted.
async fn writes(server: &Running) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut path = format!("{}/v1/audit?limit=1000", server.url());
    loop {
        let Ok(answer) = reqwest::Client::new().get(&path).bearer_auth(TOKEN).send().await else { continue };
        // The server goes on having a bad day.
        let Ok(page) = answer.json::<Value>().await else { continue };
        let Some(items) = page["items"].as_array() else { continue };
        for entry in items {
            *counts.entry(entry["object"]["name"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let Some(next) = page["next"].as_str() else { return counts };
        path = format!("{}/v1/audit?limit=1000&cursor={next}", server.url());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes two minutes; scripts/test runs it"]
async fn two_thousand_changes_survive_a_bad_day_each_made_exactly_once() {
    let (seed, wanted) = account();
    let desired = desired(&wanted);
    let mut options = SandboxOptions::new(TOKEN);
    options.seed = Some(Seed::from_yaml(&seed).unwrap());
    options.faults = Faults {
        error_rate: 0.05,
        // Half of the resets come before the work, half after it.
        reset_rate: 0.10,
        stall_rate: 0.02,
        rate_limit: Some(RATE),
        seed: 1,
        ..Faults::default()
    };
    let server = sandbox::start(options).await.unwrap();
    // An answer that never comes is given up after half a second, so that the test waits for the limit alone.
    let retry = RetryPolicy { request: Duration::from_millis(500), attempts: 12, ..RetryPolicy::default() };
    let options = ClientOptions { retry, concurrent: 16, ..ClientOptions::default() };
    let provider = Office::new(&server.url(), Secret::new(TOKEN), options).unwrap();

    let plan = planned(&desired, &provider).await;
    assert_eq!(plan.changes.len(), NUMBERS + GROUPS);
    let (before, start) = (server.counters(), Instant::now());
    let outcome = execute(&plan, &provider, Options { concurrency: 16 }, &()).await;
    let (after, took) = (server.counters(), start.elapsed());
    assert!(outcome.is_complete(), "{:#?}", not_applied(&outcome));

    let sent = after.writes + after.reads - before.writes - before.reads;
    let least = plan.changes.len() as u64;
    let budget = Duration::from_secs(least / u64::from(RATE));
    println!(
        "{least} changes: {sent} requests ({} % of the changes), {took:.1?} ({} % of what the limit allows)",
        sent * 100 / least,
        took.as_millis() * 100 / budget.as_millis()
    );
    assert!(sent * 2 <= least * 3, "{sent} requests for {least} changes");
    assert!(planned(&desired, &provider).await.is_empty());
    let writes = writes(&server).await;
    let written: usize = writes.values().sum();
    assert_eq!(written, plan.changes.len(), "no change was lost or made twice");
    server.stop().await;
}
