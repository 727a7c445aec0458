//! A fault at every single write.

use strowger::apply::{Options, Outcome, execute};
use strowger::ledger::{ChangeOutcome, Halt};

use super::gate::{Fault, Gate};
use super::subject::{Server, Subject, desired, holdings, planned};
use super::uninterrupted;

/// The first run meets the fault, and the next one finishes what is left. Returns how the first one ended.
async fn meet<S: Subject>(fault: Fault, at: usize, end: &str) -> Outcome {
    let what = format!("{fault:?} at write {at}");
    let folder = tempfile::tempdir().unwrap();
    let server = Server::<S>::start(folder.path()).await;
    let gate = Gate::new(server.url(), Some((at, fault))).await;
    let provider = S::provider(&gate.url);
    let plan = planned(&*provider, &desired()).await;
    let outcome = execute(&plan, &*provider, Options { concurrency: 1 }, &()).await;
    assert_eq!(outcome.changes.len(), plan.changes.len(), "{what}");

    // On the state that it kept, as after a restart.
    drop(server);
    let server = Server::<S>::start(folder.path()).await;
    let provider = server.provider();
    let rest = planned(&*provider, &desired()).await;
    for (id, became) in &outcome.changes {
        let change = plan.changes.iter().find(|change| change.id == *id).unwrap();
        let is_open = rest.changes.iter().any(|open| open.object.name == change.object.name);
        match became {
            ChangeOutcome::Applied { .. } => assert!(!is_open, "{what}: {change:?} is called applied: {rest:#?}"),
            ChangeOutcome::Unknown { .. } => {}
            other => assert!(is_open, "{what}: {change:?} is done and called {other:?}"),
        }
    }
    let finished = execute(&rest, &*provider, Options::default(), &()).await;
    assert!(finished.is_complete(), "{what}: the next run: {finished:#?}");
    assert_eq!(holdings(&provider.read().await.unwrap().live), end, "{what}");
    outcome
}

pub async fn the_next_run_finishes_after_any_unclear_answer<S: Subject>() {
    let folder = tempfile::tempdir().unwrap();
    let (end, writes) = uninterrupted::<S>(folder.path()).await;
    for at in 1..=writes {
        for fault in [Fault::AnswerLost, Fault::FailsAfter] {
            let outcome = meet::<S>(fault, at, &end).await;
            assert!(outcome.is_complete(), "{fault:?} at write {at}: it was done, and can be seen: {outcome:#?}");
        }
        meet::<S>(Fault::FailsBefore, at, &end).await;
    }
}

pub async fn a_limit_on_any_write_is_waited_for<S: Subject>() {
    let folder = tempfile::tempdir().unwrap();
    let (end, writes) = uninterrupted::<S>(folder.path()).await;
    for at in 1..=writes {
        let outcome = meet::<S>(Fault::Limited, at, &end).await;
        assert!(outcome.is_complete(), "at write {at}: {outcome:#?}");
    }
}

pub async fn the_next_run_finishes_after_the_token_expired_at_any_write<S: Subject>() {
    let folder = tempfile::tempdir().unwrap();
    let (end, writes) = uninterrupted::<S>(folder.path()).await;
    for at in 1..=writes {
        let outcome = meet::<S>(Fault::TokenExpired, at, &end).await;
        assert!(matches!(outcome.halt, Some(Halt::Unreachable(_))), "at write {at}: {outcome:#?}");
        assert_eq!(outcome.counts().unknown, 0, "at write {at}: a 401 is not unclear: {outcome:#?}");
    }
}

pub async fn the_next_run_finishes_after_the_server_was_restarted<S: Subject>() {
    let folder = tempfile::tempdir().unwrap();
    let (end, writes) = uninterrupted::<S>(folder.path()).await;
    for at in 1..=writes {
        let outcome = meet::<S>(Fault::Down, at, &end).await;
        assert!(!outcome.is_complete(), "at write {at}");
    }
}
