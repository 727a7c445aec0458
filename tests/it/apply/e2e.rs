//! The main job over real HTTP: the embedded account, the provider, the plan, the engine.

use crate::support::generate;
use std::time::Duration;

use super::{not_applied, planned};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use strowger::apply::{Options, execute};
use strowger::ledger::ChangeOutcome;
use strowger::model::LiveAccount;
use strowger::providers::ClientOptions;
use strowger::providers::office::Office;
use strowger::providers::settings::StateFile;
use strowger::providers::{Provider, RetryPolicy, Secret, snapshot};
use strowger::sandbox::{self, Faults, Running, SandboxOptions, Seed};

use crate::support::generate::{Pair, Size, embedded_pair};

const TOKEN: &str = "e2e-token";

fn pairs(count: usize, size: Size) -> Vec<Pair> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| embedded_pair(size).new_tree(&mut runner).unwrap().current()).collect()
}

async fn serve(live: &LiveAccount, state: StateFile, faults: Faults) -> Running {
    let mut options = SandboxOptions::new(TOKEN);
    options.seed = Some(Seed::from_yaml(&snapshot::write(live)).unwrap());
    options.state = state;
    options.faults = faults;
    sandbox::start(options).await.unwrap()
}

fn office(server: &Running) -> Office {
    client(server, RetryPolicy { first_pause: Duration::from_millis(2), attempts: 20, ..RetryPolicy::default() })
}

fn client(server: &Running, retry: RetryPolicy) -> Office {
    let options = ClientOptions { retry, ..ClientOptions::default() };
    Office::new(&server.url(), Secret::new(TOKEN), options).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_applied_over_http_converges_with_one_write_for_each_change() {
    for pair in pairs(24, Size::Medium) {
        let server = serve(&pair.live, StateFile::Memory, Faults::default()).await;
        let provider = office(&server);
        let plan = planned(&pair.desired, &provider).await;
        let before = server.counters();
        let outcome = execute(&plan, &provider, Options::default(), &()).await;
        assert!(outcome.is_complete(), "{pair:?}: {:#?}", not_applied(&outcome));
        let after = server.counters();
        assert_eq!(after.writes - before.writes, plan.changes.len() as u64, "{pair:?}");
        assert_eq!(after.reads, before.reads, "{pair:?}: a write needs no read");
        let again = planned(&pair.desired, &provider).await;
        assert!(again.is_empty(), "{pair:?}: {:#?}", again.changes);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_dies_with_its_server_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    for (index, pair) in pairs(8, Size::Medium).into_iter().enumerate() {
        let state = || StateFile::File(folder.path().join(format!("{index}.db")));
        let faults = Faults { die_after_write: Some(1 + index as u64), ..Faults::default() };
        let server = serve(&pair.live, state(), faults).await;
        let provider = client(&server, RetryPolicy { attempts: 1, ..RetryPolicy::default() });
        let plan = planned(&pair.desired, &provider).await;
        execute(&plan, &provider, Options::default(), &()).await;
        server.stop().await;

        let server = serve(&pair.live, state(), Faults::default()).await;
        let provider = office(&server);
        let rest = planned(&pair.desired, &provider).await;
        let outcome = execute(&rest, &provider, Options::default(), &()).await;
        assert!(outcome.is_complete(), "{pair:?}: {:#?}", not_applied(&outcome));
        assert!(planned(&pair.desired, &provider).await.is_empty(), "{pair:?}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_resets_and_limits_on_the_way_change_nothing_in_the_end() {
    for (seed, pair) in (1u64..).zip(pairs(6, Size::Medium)) {
        let faults = Faults { error_rate: 0.1, late_error_rate: 0.1, reset_rate: 0.1, seed, ..Faults::default() };
        let server = serve(&pair.live, StateFile::Memory, faults).await;
        let provider = office(&server);
        let plan = planned(&pair.desired, &provider).await;
        let outcome = execute(&plan, &provider, Options::default(), &()).await;
        assert!(outcome.is_complete(), "{pair:?}: {:#?}", not_applied(&outcome));
        assert!(planned(&pair.desired, &provider).await.is_empty(), "{pair:?}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_since_the_read_is_not_overwritten() {
    let pair = pairs(40, Size::Medium)
        .into_iter()
        .find(|pair| !pair.desired.numbers.is_empty() && generate::differing(pair) > 0)
        .unwrap();
    let server = serve(&pair.live, StateFile::Memory, Faults::default()).await;
    let provider = office(&server);
    let plan = planned(&pair.desired, &provider).await;
    let change = plan.changes.iter().find(|change| change.number().is_some()).unwrap();
    let id = change.object.id.as_ref().unwrap();
    patch(&server, &format!("/v1/numbers/{id}"), serde_json::json!({"label": "somebody else's"})).await;

    let outcome = execute(&plan, &provider, Options::default(), &()).await;
    let (_, status) = outcome.changes.iter().find(|(of, _)| *of == change.id).unwrap();
    assert!(matches!(status, ChangeOutcome::Stale { .. }), "{status:?}");
    let read = provider.read().await.unwrap();
    let number = read.live.numbers.iter().find(|number| number.id == *id).unwrap();
    assert_eq!(&*number.label, "somebody else's");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_behind_our_back_is_found_by_the_next_plan() {
    let pair = pairs(40, Size::Medium).into_iter().find(|pair| pair.desired.numbers.len() > 1).unwrap();
    let server = serve(&pair.live, StateFile::Memory, Faults::default()).await;
    let provider = office(&server);
    let plan = planned(&pair.desired, &provider).await;
    assert!(execute(&plan, &provider, Options::default(), &()).await.is_complete());

    let wanted = pair.desired.numbers.iter().find(|number| number.to.value.is_some()).unwrap();
    let read = provider.read().await.unwrap();
    let live = read.live.numbers.iter().find(|number| number.number == wanted.number).unwrap();
    let other =
        serde_json::json!({"destination": {"kind": "user", "id": read.live.users.last().unwrap().id.to_string()}});
    let path = format!("/v1/numbers/{}", live.id);
    let elsewhere = live.to.as_ref().is_none_or(|to| to.id != read.live.users.last().unwrap().id);
    assert!(elsewhere, "the generator sends numbers to the first user only");
    patch(&server, &path, other).await;
    let drift = planned(&pair.desired, &provider).await;
    assert_eq!(drift.changes.len(), 1);
    assert_eq!(drift.changes[0].number(), Some(wanted.number));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_takes_one_request_for_each_page_and_one_for_the_account() {
    let mut live = pairs(1, Size::Tiny).remove(0).live;
    let template = live.numbers[0].clone();
    live.numbers = (0..2345)
        .map(|index| {
            let mut number = template.clone();
            number.number = format!("+33142{index:06}").parse().unwrap();
            number
        })
        .collect();
    live.account.default_number = Some(live.numbers[0].number);
    let server = serve(&live, StateFile::Memory, Faults::default()).await;
    let read = office(&server).read().await.unwrap();
    assert_eq!(read.live.numbers.len(), 2345);
    // Three pages of numbers, a page each of users, ring groups, receptionists and conference lines.
    assert_eq!(read.requests, 1 + 3 + 4);
    assert_eq!(server.counters().reads, read.requests);
    server.stop().await;
}

async fn patch(server: &Running, path: &str, body: serde_json::Value) {
    // The provider's own constructor has installed the TLS provider that the client wants.
    let response = reqwest::Client::new()
        .patch(format!("{}{path}", server.url()))
        .bearer_auth(TOKEN)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success(), "{}", response.text().await.unwrap());
}
