//! A process that is killed before or after every single write: this binary, which carries out the plan with a real ledger.

use std::path::Path;
use std::process::{Command, Stdio};

use strowger::apply::{Options, Recorder, ShutdownSignal, execute, execute_journaled};
use strowger::ledger::{Ending, Found, Planned, Run, RunId};
use strowger::model::{Desired, Span};
use strowger::providers::Provider;
use strowger::rollback::rollback;

use super::asterisk::Tables;
use super::gate::{Fault, Gate};
use super::office::AccountApi;
use super::stepwise::Vendor;
use super::subject::{Server, Subject, desired, holdings, planned, seed};
use super::uninterrupted;

const URL: &str = "STROWGER_CONFORMANCE_URL";
const FOLDER: &str = "STROWGER_CONFORMANCE_FOLDER";
const WORD: &str = "STROWGER_CONFORMANCE_PROVIDER";

/// The victim: nothing unless another test starts it in a process of its own.
#[tokio::test]
async fn a_run_in_a_process_of_its_own() {
    let variable = |name| std::env::var(name).ok();
    let (Some(url), Some(folder), Some(word)) = (variable(URL), variable(FOLDER), variable(WORD)) else { return };
    let provider: Box<dyn Provider> = match &*word {
        AccountApi::WORD => AccountApi::provider(&url),
        Vendor::WORD => Vendor::provider(&url),
        Tables::WORD => Tables::provider(&url),
        other => panic!("no provider is called {other}"),
    };
    let plan = planned(&*provider, &desired()).await;
    let contents = Planned::of(&plan);
    let run = RunId::new("2026-11-28T03:00:00.000Z", 1).unwrap();
    let mut recorder = Recorder::new(run, contents, || "2026-11-28T03:00:00.000Z".to_owned(), None);
    recorder.start(Path::new(&folder)).unwrap();
    let options = Options { concurrency: 1 };
    execute_journaled(&plan, &*provider, options, &(), &recorder, &ShutdownSignal::never()).await;
    panic!("it is killed before this");
}

/// Kills a run at a write, and returns what its ledger says.
async fn kill<S: Subject>(server: &Server<S>, folder: &Path, at: usize, fault: Fault) -> Run {
    let gate = Gate::new(server.url(), Some((at, fault))).await;
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "provider::conformance::kills::a_run_in_a_process_of_its_own", "--nocapture"])
        .envs([(URL, &*gate.url), (WORD, S::WORD)])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    gate.stuck().await;
    // SIGKILL: nothing is flushed, and no line is written.
    victim.kill().unwrap();
    victim.wait().unwrap();
    let found = Found::all(folder).unwrap();
    assert_eq!(found.len(), 1);
    found[0].open().unwrap()
}

pub async fn the_next_run_finishes_after_a_kill_at_any_write<S: Subject>() {
    let folder = tempfile::tempdir().unwrap();
    let (end, writes) = uninterrupted::<S>(folder.path()).await;
    for at in 1..=writes {
        for fault in [Fault::StuckBefore, Fault::StuckAfter] {
            let what = format!("killed at write {at}, {fault:?}");
            let folder = tempfile::tempdir().unwrap();
            let server = Server::<S>::start(folder.path()).await;
            let run = kill(&server, folder.path(), at, fault).await;
            assert_eq!(run.ending(), Ending::Interrupted, "{what}");
            let counts = run.counts();
            assert_eq!(counts.unknown + counts.partly_done, 1, "{what}: {:#?}", run.outcomes);

            let provider = server.provider();
            let rest = planned(&*provider, &desired()).await;
            let outcome = execute(&rest, &*provider, Options::default(), &()).await;
            assert!(outcome.is_complete(), "{what}: {outcome:#?}");
            assert_eq!(holdings(&provider.read().await.unwrap().live), end, "{what}");
        }
    }
}

pub async fn a_killed_run_is_taken_back_from_what_is_there<S: Subject>() {
    let folder = tempfile::tempdir().unwrap();
    let (_, writes) = uninterrupted::<S>(folder.path()).await;
    for at in 1..=writes {
        for fault in [Fault::StuckBefore, Fault::StuckAfter] {
            let what = format!("killed at write {at}, {fault:?}");
            let folder = tempfile::tempdir().unwrap();
            let server = Server::<S>::start(folder.path()).await;
            let run = kill(&server, folder.path(), at, fault).await;
            let provider = server.provider();
            let live = provider.read().await.unwrap().live;
            let template = Desired { files: vec!["ledger".into()], ..Desired::default() };
            let back = rollback(&run, &live, template, Span::default());
            assert!(back.conflicts.is_empty(), "{what}: {:#?}", back.conflicts);
            let plan = planned(&*provider, &back.desired).await;
            let outcome = execute(&plan, &*provider, Options::default(), &()).await;
            assert!(outcome.is_complete(), "{what}: {outcome:#?}");
            let live = provider.read().await.unwrap().live;
            assert_eq!(holdings(&live), holdings(&seed()), "{what}");
        }
    }
}
