//! The engine's promises: order, isolation of failures, a full account, ids and versions handed on, throughput.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;
use strowger::apply::{self, Journal, Observer, Options, ShutdownHandle, ShutdownSignal, Urgency};
use strowger::diff::Unmanaged;
use strowger::ledger::{ChangeOutcome, Halt};
use strowger::model::{
    Change, ChangeId, FieldChange, FieldName, FieldValue, Kind, ObjectId, ObjectLabel, PlannedRef, Reason, Revision,
    Verb, WritableKind,
};
use strowger::plan::{CallEstimate, Digest, Plan};
use strowger::providers::{BoxFuture, FetchedAccount, Progress, Provider, ReadError, WriteError, WriteReceipt};

/// An account that takes its time, fails where it is told to, and remembers.
#[derive(Default)]
struct Account {
    latency: Duration,
    failures: HashMap<ChangeId, WriteError>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    events: Vec<Event>,
    under_way: usize,
    most_under_way: usize,
}

#[derive(Clone, Debug)]
enum Event {
    Began(Box<Change>),
    Done(ChangeId),
}

impl Provider for Account {
    fn read(&self) -> BoxFuture<'_, Result<FetchedAccount, ReadError>> {
        unreachable!("the engine only writes")
    }

    fn perform<'a>(&'a self, change: &'a Change, _: usize) -> BoxFuture<'a, Result<WriteReceipt, WriteError>> {
        Box::pin(async move {
            {
                let mut log = self.log.lock().unwrap();
                log.events.push(Event::Began(Box::new(change.clone())));
                log.under_way += 1;
                log.most_under_way = log.most_under_way.max(log.under_way);
            }
            tokio::time::sleep(self.latency * (1 + change.id.0 % 3) / 2).await;
            let mut log = self.log.lock().unwrap();
            log.under_way -= 1;
            if let Some(error) = self.failures.get(&change.id) {
                return Err(error.clone());
            }
            log.events.push(Event::Done(change.id));
            let id = change.object.id.clone().unwrap_or_else(|| format!("made-by-{}", change.id.0).as_str().into());
            let revision = Some(Revision(format!("after-{}", change.id.0).into()));
            Ok(WriteReceipt { id, revision, document: None, requests: 1 })
        })
    }

    fn inspect<'a>(&'a self, _: &'a Change) -> BoxFuture<'a, Result<Progress, WriteError>> {
        unreachable!("no change has steps")
    }
}

fn change(id: u32, verb: Verb, name: &str, depends_on: &[u32]) -> Change {
    Change {
        id: ChangeId(id),
        verb,
        object: ObjectLabel {
            kind: WritableKind::RingGroup,
            id: (verb != Verb::Create).then(|| ObjectId::from(name)),
            name: name.into(),
        },
        fields: Vec::new(),
        reason: Reason::Declared,
        place: None,
        depends_on: depends_on.iter().copied().map(ChangeId).collect(),
        expects: None,
        revision: Some(Revision("read".into())),
        unreachable_meanwhile: Vec::new(),
        gap: false,
        calls: 1,
        steps: Vec::new(),
        document: None,
    }
}

fn plan(changes: Vec<Change>) -> Plan {
    let digest = Digest::of("1", &changes);
    Plan {
        claim: None,
        version: Plan::VERSION,
        account: "test".into(),
        account_id: "1".into(),
        changes,
        in_sync: 0,
        unmanaged: Unmanaged::default(),
        estimate: CallEstimate::default(),
        blocked: Vec::new(),
        unreadable: Vec::new(),
        skipped: Vec::new(),
        only: Vec::new(),
        digest,
    }
}

fn run(plan: &Plan, account: &Account, concurrency: usize) -> (apply::Outcome, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let start = tokio::time::Instant::now();
        let outcome = apply::execute(plan, account, Options { concurrency }, &()).await;
        (outcome, start.elapsed())
    })
}

fn began(account: &Account) -> Vec<Change> {
    let events = account.log.lock().unwrap().events.clone();
    events.into_iter().filter_map(|event| if let Event::Began(change) = event { Some(*change) } else { None }).collect()
}

#[test]
fn a_thousand_independent_changes_take_no_longer_than_the_latency_demands() {
    let plan = plan((1..=1000).map(|id| change(id, Verb::Update, &id.to_string(), &[])).collect());
    // The latency varies by change: 25, 50 and 75 ms, 50 on average.
    let account = Account { latency: Duration::from_millis(50), ..Account::default() };
    let (outcome, took) = run(&plan, &account, 16);
    assert!(outcome.is_complete() && outcome.applied() == 1000 && outcome.requests() == 1000);
    let ideal = Duration::from_millis(50) * 1000 / 16;
    assert!(took <= ideal * 13 / 10, "{took:?} against {ideal:?}");
    assert_eq!(account.log.lock().unwrap().most_under_way, 16);
}

#[test]
fn what_is_ready_starts_in_the_order_of_the_plan() {
    let changes = vec![
        change(1, Verb::Update, "a", &[]),
        change(2, Verb::Update, "b", &[1]),
        change(3, Verb::Update, "c", &[]),
        change(4, Verb::Update, "d", &[1]),
    ];
    let account = Account::default();
    run(&plan(changes), &account, 1);
    assert_eq!(began(&account).iter().map(|change| change.id.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn new_ids_and_new_versions_reach_the_changes_that_need_them() {
    let mut creation = change(1, Verb::Create, "sales", &[]);
    creation.revision = None;
    let mut second = change(2, Verb::Update, "sales", &[1]);
    second.object.id = None;
    second.revision = None;
    let mut mapping = change(3, Verb::Update, "+33142685300", &[1]);
    let new = |id| PlannedRef { kind: Kind::RingGroup, id, name: "sales".into(), created_by: Some(ChangeId(1)) };
    mapping.fields =
        vec![FieldChange { field: FieldName::To, before: FieldValue::None, after: FieldValue::Reference(new(None)) }];
    let again = change(4, Verb::Update, "+33142685300", &[3]);
    let account = Account::default();
    let (outcome, _) = run(&plan(vec![creation, second, mapping, again]), &account, 4);
    assert!(outcome.is_complete(), "{outcome:?}");
    let sent: HashMap<u32, Change> = began(&account).into_iter().map(|change| (change.id.0, change)).collect();
    let made = Some(ObjectId::from("made-by-1"));
    assert_eq!(sent[&2].object.id, made);
    assert_eq!(sent[&2].revision, Some(Revision("after-1".into())));
    assert_eq!(sent[&3].fields[0].after, FieldValue::Reference(new(made)));
    assert_eq!(sent[&3].revision, Some(Revision("read".into())));
    assert_eq!(sent[&4].revision, Some(Revision("after-3".into())));
}

#[test]
fn each_failure_is_called_by_its_name() {
    let errors = [WriteError::Stale("it moved".into()), WriteError::Unknown("lost".into()), WriteError::ReadOnly];
    let failures = (1..).map(ChangeId).zip(errors).collect();
    let account = Account { failures, ..Account::default() };
    let mut changes: Vec<_> = (1..=3).map(|id| change(id, Verb::Update, &id.to_string(), &[])).collect();
    changes.push(change(4, Verb::Update, "4", &[2]));
    let (outcome, _) = run(&plan(changes), &account, 4);
    let statuses: Vec<_> = outcome.changes.into_iter().map(|(_, status)| status).collect();
    assert_eq!(
        statuses,
        [
            ChangeOutcome::Stale { what: "it moved".into() },
            ChangeOutcome::Unknown { why: "lost".into() },
            ChangeOutcome::Failed { error: WriteError::ReadOnly.to_string(), permanent: true },
            ChangeOutcome::Skipped { because: ChangeId(2) },
        ]
    );
}

#[test]
fn a_plan_that_is_none_is_accounted_for_and_not_carried_out() {
    let mut nameless = change(4, Verb::Update, "nobody made it", &[]);
    nameless.object.id = None;
    let changes = vec![
        change(1, Verb::Update, "a", &[9]),
        change(2, Verb::Update, "b", &[2]),
        change(3, Verb::Update, "c", &[1]),
        nameless,
    ];
    let account = Account::default();
    let (outcome, _) = run(&plan(changes), &account, 4);
    assert_eq!(outcome.changes.len(), 4);
    assert_eq!(outcome.changes[0].1, ChangeOutcome::Skipped { because: ChangeId(9) });
    assert_eq!(outcome.changes[1].1, ChangeOutcome::Skipped { because: ChangeId(2) });
    assert_eq!(outcome.changes[2].1, ChangeOutcome::Skipped { because: ChangeId(1) });
    assert!(matches!(outcome.changes[3].1, ChangeOutcome::Failed { permanent: true, .. }));
    assert!(began(&account).is_empty());
}

/// Notes attempts in the account's own log, takes its time, and fails from some attempt on.
struct Notebook<'a> {
    account: &'a Account,
    latency: Duration,
    fails_from: usize,
    attempts: Mutex<Vec<ChangeId>>,
}

impl Journal for Notebook<'_> {
    fn attempt(&self, change: ChangeId, _: u32, _: Option<ObjectId>) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            tokio::time::sleep(self.latency).await;
            assert!(began(self.account).iter().all(|begun| begun.id != change), "it began before it was kept");
            let mut attempts = self.attempts.lock().unwrap();
            attempts.push(change);
            if attempts.len() > self.fails_from { Err("the disk is full".into()) } else { Ok(()) }
        })
    }

    fn finished(&self, _: ChangeId, _: &ChangeOutcome) {}
}

/// Runs sixteen changes at a concurrency of four, of which the last waits for the first.
fn kept(account: &Account, notebook: &Notebook<'_>, urgencies: &[(u64, Urgency)]) -> (apply::Outcome, Duration) {
    let changes = (1..=16).map(|id| change(id, Verb::Update, &id.to_string(), if id == 16 { &[1] } else { &[] }));
    let plan = plan(changes.collect());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (stopper, stop) = ShutdownHandle::new();
        let start = tokio::time::Instant::now();
        let signals = async {
            for (at, urgency) in urgencies {
                tokio::time::sleep_until(start + Duration::from_millis(*at)).await;
                stopper.tell(*urgency);
            }
            std::future::pending::<()>().await;
        };
        let run = apply::execute_journaled(&plan, account, Options::default(), &(), notebook, &stop);
        tokio::select! {
            outcome = run => (outcome, start.elapsed()),
            () = signals => unreachable!("signals go on for ever"),
        }
    })
}

fn notebook(account: &Account, fails_from: usize) -> Notebook<'_> {
    Notebook { account, latency: Duration::from_millis(5), fails_from, attempts: Mutex::default() }
}

fn of(outcome: &apply::Outcome, wanted: fn(&ChangeOutcome) -> bool) -> usize {
    outcome.changes.iter().filter(|(_, outcome)| wanted(outcome)).count()
}

#[test]
fn told_to_stop_it_finishes_what_is_under_way_and_starts_nothing_more() {
    let account = Account { latency: Duration::from_millis(100), ..Account::default() };
    let (outcome, _) = kept(&account, &notebook(&account, 99), &[(20, Urgency::Finish)]);
    assert_eq!(outcome.halt, Some(Halt::Stopped));
    assert_eq!(outcome.applied(), 4, "{outcome:?}");
    assert_eq!(of(&outcome, |status| *status == ChangeOutcome::NotAttempted), 12);
    assert_eq!(began(&account).len(), 4);
    assert_eq!(outcome.changes.len(), 16);
}

#[test]
fn told_to_stop_at_once_it_calls_what_is_under_way_unknown() {
    let account = Account { latency: Duration::from_secs(3600), ..Account::default() };
    let signals = [(20, Urgency::Finish), (30, Urgency::Immediate)];
    let (outcome, took) = kept(&account, &notebook(&account, 99), &signals);
    assert_eq!((outcome.halt.clone(), took), (Some(Halt::StoppedAtOnce), Duration::from_millis(30)));
    assert_eq!(of(&outcome, |status| matches!(status, ChangeOutcome::Unknown { .. })), 4);
    assert_eq!(of(&outcome, |status| *status == ChangeOutcome::NotAttempted), 12);

    // What was not kept yet has certainly not left.
    let account = Account::default();
    let (outcome, _) = kept(&account, &notebook(&account, 99), &[(2, Urgency::Immediate)]);
    assert_eq!(of(&outcome, |status| *status == ChangeOutcome::NotAttempted), 16);
}

#[test]
fn what_cannot_be_kept_is_not_attempted_and_ends_the_run() {
    let account = Account { latency: Duration::from_millis(100), ..Account::default() };
    let (outcome, _) = kept(&account, &notebook(&account, 6), &[]);
    assert_eq!(outcome.halt, Some(Halt::Unrecorded("the disk is full".into())));
    assert_eq!(began(&account).len(), 6);
    assert_eq!((outcome.applied(), of(&outcome, |status| *status == ChangeOutcome::NotAttempted)), (6, 10));
    let summary = outcome.summary(None, 6);
    assert_eq!((summary.counts.applied, summary.counts.not_attempted, summary.exit), (6, 10, 6));
}

#[test]
fn nobody_who_could_say_stop_is_nobody_who_did() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let waited = runtime.block_on(async {
        let stop = ShutdownSignal::never();
        assert!(!stop.is_asked());
        tokio::time::timeout(Duration::from_secs(60), stop.until(Urgency::Finish)).await
    });
    assert!(waited.is_err());
}

/// Counts what it is told.
#[derive(Default)]
struct Counter(Mutex<(Vec<ChangeId>, Vec<ChangeId>)>);

impl Observer for Counter {
    fn started(&self, change: &Change) {
        self.0.lock().unwrap().0.push(change.id);
    }

    fn finished(&self, change: &Change, _: &ChangeOutcome) {
        self.0.lock().unwrap().1.push(change.id);
    }
}

prop_compose! {
    /// Any graph whose changes depend on earlier ones, and which of them fail.
    fn graphs()(size in 1..60_usize)(
        all in prop::collection::vec((prop::collection::vec(any::<prop::sample::Index>(), 0..4), prop::bool::weighted(0.1)), size),
        concurrency in 1..20_usize,
    ) -> (Vec<Vec<u32>>, HashSet<u32>, usize) {
        let failing = (1..).zip(&all).filter(|(_, (_, fails))| *fails).map(|(id, _)| id).collect();
        let edges = all.into_iter().enumerate().map(|(position, (picks, _))| {
            if position == 0 { return Vec::new() }
            picks.iter().map(|pick| u32::try_from(pick.index(position)).unwrap() + 1).collect()
        });
        (edges.collect(), failing, concurrency)
    }
}

proptest! {
    #[test]
    fn nothing_starts_early_and_everything_is_accounted_for_once((edges, failing, concurrency) in graphs()) {
        let changes: Vec<_> = (1..).zip(&edges).map(|(id, on)| change(id, Verb::Update, &id.to_string(), on)).collect();
        let failures = failing.iter().map(|id| (ChangeId(*id), WriteError::ReadOnly)).collect();
        let account = Account { latency: Duration::from_millis(10), failures, ..Account::default() };
        let plan = plan(changes);
        let counter = Counter::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let outcome = runtime.block_on(apply::execute(&plan, &account, Options { concurrency }, &counter as &dyn Observer));

        let mut done = HashSet::new();
        let mut began = Vec::new();
        for event in &account.log.lock().unwrap().events {
            match event {
                Event::Began(change) => {
                    prop_assert!(change.depends_on.iter().all(|id| done.contains(id)), "{:?} began early", change.id);
                    began.push(change.id);
                }
                Event::Done(id) => prop_assert!(done.insert(*id)),
            }
        }
        prop_assert!(account.log.lock().unwrap().most_under_way <= concurrency);
        let ids: Vec<_> = plan.changes.iter().map(|change| change.id).collect();
        prop_assert_eq!(outcome.changes.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids.clone());
        let applied: HashMap<_, _> = outcome.changes.iter().cloned().collect();
        for change in &plan.changes {
            let blocked = change.depends_on.iter().any(|id| !matches!(applied[id], ChangeOutcome::Applied { .. }));
            match &applied[&change.id] {
                ChangeOutcome::Applied { .. } => prop_assert!(!blocked && done.contains(&change.id)),
                ChangeOutcome::Failed { .. } => prop_assert!(!blocked && failing.contains(&change.id.0)),
                ChangeOutcome::Skipped { because } => prop_assert!(blocked && failing.contains(&because.0)),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        let (mut started, mut finished) = counter.0.into_inner().unwrap();
        started.sort();
        began.sort();
        prop_assert_eq!(started, began);
        finished.sort();
        prop_assert_eq!(finished, ids);
    }
}

/// A hundred changes that have nothing to do with each other, of which some fail.
fn hundred(failures: impl IntoIterator<Item = (u32, WriteError)>) -> (apply::Outcome, Account) {
    let failures = failures.into_iter().map(|(id, error)| (ChangeId(id), error)).collect();
    let account = Account { latency: Duration::from_millis(10), failures, ..Account::default() };
    let changes = (1..=100).map(|id| change(id, Verb::Update, &id.to_string(), &[]));
    let (outcome, _) = run(&plan(changes.collect()), &account, 4);
    (outcome, account)
}

fn silent() -> WriteError {
    WriteError::Unavailable { attempts: 5, why: "no connection".into() }
}

#[test]
fn an_account_that_answers_nothing_any_longer_is_given_up() {
    let (outcome, account) = hundred((11..=100).map(|id| (id, silent())));
    assert_eq!(outcome.halt, Some(Halt::Unreachable("no connection".into())));
    assert_eq!(outcome.applied(), 10);
    let tried = began(&account).len();
    assert!((18..=22).contains(&tried), "{tried}: eight in a row, and what was under way");
    assert_eq!(of(&outcome, |status| *status == ChangeOutcome::NotAttempted), 100 - tried);
}

#[test]
fn failures_between_successes_stop_nothing_else() {
    let (outcome, _) = hundred((1..=100).filter(|id| id % 4 != 0).map(|id| (id, silent())));
    assert_eq!(outcome.halt, None);
    assert_eq!(outcome.applied(), 25);
    assert_eq!(of(&outcome, |status| matches!(status, ChangeOutcome::Failed { .. })), 75);
}

#[test]
fn a_token_that_expired_in_the_middle_ends_the_run() {
    let expired = || WriteError::Unauthorized { status: 401, detail: String::new() };
    let (outcome, account) = hundred((21..=100).map(|id| (id, expired())));
    assert!(matches!(outcome.halt, Some(Halt::Unreachable(_))), "{:?}", outcome.halt);
    assert!(began(&account).len() <= 24, "nothing more was started");
    assert_eq!(outcome.applied(), 20);
}
