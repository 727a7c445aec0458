//! An account in memory behind the loop's edge, on whatever time tokio has, and everything that a test wants to know
//! of it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use strowger::apply::{Lock, Recorder, ShutdownHandle, ShutdownSignal};
use strowger::config::{self, Account as Configured};
use strowger::ledger::{Approval, Approver, ApproverSource, Planned, RunId};
use strowger::model::{Change, Kind, LiveAccount, ObjectId, Revision, Verb};
use strowger::plan::Plan;
use strowger::providers::snapshot::{Format, parse};
use strowger::providers::{
    Access, AuditEntry, BoxFuture, ChangeCheck, FetchedAccount, Progress, Provider, ReadError, WriteError, WriteReceipt,
};
use strowger::watch::status::{AccountState, AccountStatus, Event, EventKind};
use strowger::watch::{Clock, Command, Connection, Environment, LoadedRevision, Options, Reason, Setup, StatusStore};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::support::account::Account;

/// The account's name in [`FILE`].
pub const NAME: &str = "office";

/// 2026-11-23, a Monday, at 09:00 in Paris.
pub const START: u64 = 1_795_420_800;

pub const SEED: &str = r#"
snapshot: 1
account: { name: office, country: FR, default_number: "+33142685300" }
users:
  amelie@example.org: { name: Amélie, extension: "201" }
  bruno@example.org: { name: Bruno, extension: "202" }
receptionists:
  main: { extension: "100" }
ring_groups:
  ventes: { extension: "300", ring: simultaneous, members: [user/201], ring_for: 20s, no_answer: none }
numbers:
  "+33142685300": { to: receptionist/main }
  "+33142685301": { to: user/amelie@example.org }
  "+33142685302": { to: ring_group/ventes }
"#;

pub const FILE: &str = r#"
version: 1
account: { name: office, provider: sandbox }
numbers:
  "+33142685301": { to: user/amelie@example.org, label: Amélie }
  "+33142685302": { to: ring_group/ventes, label: Ventes }
ring_groups:
  ventes: { members: [user/201, user/202], ring_for: 20s }
"#;

/// How the account takes what is asked of it.
#[derive(Default)]
pub struct Mood {
    pub read_fails: Option<String>,
    pub write_fails: Option<WriteError>,
    pub read_panics: bool,
    /// Somebody undoes every write at once.
    pub undoes: bool,
    pub read_takes: Duration,
    pub write_takes: Duration,
}

pub struct Portal {
    account: Mutex<(Account, u64)>,
    seen: Mutex<Option<u64>>,
    pub mood: Mutex<Mood>,
    pub reads: Mutex<Vec<Instant>>,
    pub looks: AtomicUsize,
    pub writes: Mutex<Vec<(Instant, String)>>,
    pub under_way: AtomicUsize,
    pub most_under_way: AtomicUsize,
    pub open: AtomicUsize,
}

impl Portal {
    fn new() -> Arc<Self> {
        let live = parse(SEED, Format::Yaml).unwrap();
        Arc::new(Self {
            account: Mutex::new((Account::new(&live), 0)),
            seen: Mutex::default(),
            mood: Mutex::default(),
            reads: Mutex::default(),
            looks: AtomicUsize::new(0),
            writes: Mutex::default(),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        })
    }

    pub fn live(&self) -> LiveAccount {
        self.account.lock().unwrap().0.live()
    }

    /// Somebody changes the account by hand.
    pub fn meddle(&self, how: impl FnOnce(&mut LiveAccount)) {
        let mut guard = self.account.lock().unwrap();
        let mut live = guard.0.live();
        how(&mut live);
        guard.0 = Account::new(&live.validated().unwrap());
        guard.1 += 1;
    }

    pub fn label(&self, number: &str) -> String {
        let live = self.live();
        live.numbers.iter().find(|one| one.number.to_string() == number).unwrap().label.to_string()
    }

    /// Somebody labels a number by hand.
    pub fn relabel(&self, number: &str, label: &str) {
        self.meddle(|live| {
            let number = live.numbers.iter_mut().find(|one| one.number.to_string() == number).unwrap();
            number.label = label.into();
        });
    }

    /// Somebody takes a group's duration back by hand.
    pub fn slow_down(&self, seconds: u64) {
        self.meddle(|live| live.ring_groups[0].ring_for = strowger::model::RingFor::from_seconds(seconds).ok());
    }

    pub fn written(&self) -> usize {
        self.writes.lock().unwrap().len()
    }

    pub fn read(&self) -> usize {
        self.reads.lock().unwrap().len()
    }

    async fn busy<T>(&self, takes: Duration, done: impl FnOnce() -> T) -> T {
        let busy = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(busy, Ordering::SeqCst);
        tokio::time::sleep(takes).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        done()
    }
}

impl Provider for Portal {
    fn read(&self) -> BoxFuture<'_, Result<FetchedAccount, ReadError>> {
        Box::pin(async {
            self.reads.lock().unwrap().push(Instant::now());
            let takes = self.mood.lock().unwrap().read_takes;
            self.busy(takes, || {
                let panics = std::mem::take(&mut self.mood.lock().unwrap().read_panics);
                assert!(!panics, "this panic is meant");
                if let Some(why) = &self.mood.lock().unwrap().read_fails {
                    return Err(ReadError::Settings(why.clone()));
                }
                let guard = self.account.lock().unwrap();
                *self.seen.lock().unwrap() = Some(guard.1);
                Ok(FetchedAccount { live: guard.0.live(), requests: 6, versions: Vec::new() })
            })
            .await
        })
    }

    fn check_unchanged(&self) -> BoxFuture<'_, Result<ChangeCheck, ReadError>> {
        Box::pin(async {
            self.looks.fetch_add(1, Ordering::SeqCst);
            let unchanged = *self.seen.lock().unwrap() == Some(self.account.lock().unwrap().1);
            Ok(ChangeCheck { unchanged, requests: 6 })
        })
    }

    /// Its log: the loop and somebody at the portal take turns with one number.
    fn recent_audit_entries(&self) -> BoxFuture<'_, Vec<AuditEntry>> {
        let live = self.live();
        let number = live.numbers.iter().find(|one| one.number.to_string() == "+33142685302").unwrap();
        let touch = |who: &str, at: &str| AuditEntry { object: number.id.clone(), at: at.into(), who: who.into() };
        let touches = vec![touch("ada (portal/1.0)", "09:03"), touch("loop (strowger/1)", "09:02")];
        Box::pin(std::future::ready(touches))
    }

    fn perform<'a>(&'a self, change: &'a Change, _: usize) -> BoxFuture<'a, Result<WriteReceipt, WriteError>> {
        Box::pin(async move {
            let takes = self.mood.lock().unwrap().write_takes;
            self.busy(takes, || {
                self.writes.lock().unwrap().push((Instant::now(), change.object.name.clone()));
                if let Some(error) = &self.mood.lock().unwrap().write_fails {
                    return Err(error.clone());
                }
                let mut guard = self.account.lock().unwrap();
                let before = guard.0.live();
                guard.0.apply(change).map_err(WriteError::Unsupported)?;
                guard.1 += 1;
                let made = guard.0.group_id(&change.object.name).map(|id| ObjectId::from(id.as_str()));
                let id = if change.verb == Verb::Create { made } else { change.object.id.clone() };
                let revision = (change.object.kind != Kind::Other).then(|| Revision(guard.1.to_string().into()));
                if self.mood.lock().unwrap().undoes {
                    guard.0 = Account::new(&before);
                }
                Ok(WriteReceipt { id: id.unwrap(), revision, document: None, requests: 1 })
            })
            .await
        })
    }

    fn inspect<'a>(&'a self, _: &'a Change) -> BoxFuture<'a, Result<Progress, WriteError>> {
        unreachable!("no change has steps")
    }
}

struct Line(Arc<Portal>);

impl Connection for Line {
    fn provider(&self) -> &dyn Provider {
        &*self.0
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}

struct Process {
    portal: Arc<Portal>,
}

impl Environment for Process {
    fn open<'a>(&'a self, _: &'a Configured, _: Access) -> BoxFuture<'a, Result<Box<dyn Connection>, String>> {
        self.portal.open.fetch_add(1, Ordering::SeqCst);
        let line: Box<dyn Connection> = Box::new(Line(Arc::clone(&self.portal)));
        Box::pin(std::future::ready(Ok(line)))
    }

    fn begin(&self, _: &Configured, plan: &Plan, _: Option<&str>, _: Option<Approval>) -> Result<Recorder, String> {
        let run = RunId::new("2026-11-23T08:00:00.000Z", fastrand::u32(..)).unwrap();
        let planned = Planned::of(plan);
        // Without its ledger: that is written by a thread, for which a clock that stands still does not wait.
        Ok(Recorder::new(run, planned, || "2026-11-23T08:00:00.000Z".to_owned(), None))
    }

    fn lock(&self, _: &Configured) -> Result<Option<Lock>, String> {
        Ok(None)
    }
}

/// A loop under test. It begins with [`Watch::start`] and ends with the test.
pub struct Watch {
    pub portal: Arc<Portal>,
    pub status_store: StatusStore,
    pub folder: TempDir,
    revisions: mpsc::Sender<LoadedRevision>,
    commands: mpsc::Sender<Command>,
    stopper: ShutdownHandle,
    running: JoinHandle<()>,
}

impl Watch {
    /// Changes the label of +33142685302 in the portal as often as it is corrected, until the watch gives up.
    pub async fn fight(&self) {
        for round in 1..=3 {
            self.portal.relabel("+33142685302", &format!("by hand {round}"));
            self.until("corrected", |status| status.counts.runs == 1 + round && status.state == AccountState::InSync)
                .await;
        }
        self.portal.relabel("+33142685302", "by hand 4");
        self.until_state(AccountState::Fighting).await;
    }

    /// Watches an account whose file says this.
    pub async fn start(options: Options, file: &str) -> Self {
        let (folder, portal, status_store) = (tempfile::tempdir().unwrap(), Portal::new(), StatusStore::default());
        let (stopper, stop): (ShutdownHandle, ShutdownSignal) = ShutdownHandle::new();
        let (revisions, revisions_out) = mpsc::channel(8);
        let (commands, commands_out) = mpsc::channel(8);
        let environment = Arc::new(Process { portal: Arc::clone(&portal) });
        let clock = Clock::from(SystemTime::UNIX_EPOCH + Duration::from_secs(START));
        let setup = Setup {
            options,
            environment,
            status_store: status_store.clone(),
            clock,
            stop,
            approved: Vec::new(),
            revisions: revisions_out,
            commands: commands_out,
            refresh: mpsc::channel(1).0,
        };
        let running = tokio::spawn(strowger::watch::run(setup));
        let watch = Self { portal, status_store, folder, revisions, commands, stopper, running };
        watch.file(file).await;
        watch
    }

    /// The file says this from now on.
    pub async fn file(&self, text: &str) {
        self.take(&[("account.yaml", text)]).await;
    }

    /// The fleet has these files from now on.
    pub async fn take(&self, files: &[(&str, &str)]) {
        let paths: Vec<PathBuf> = files.iter().map(|(name, text)| write(self.folder.path(), name, text)).collect();
        self.revisions.send(LoadedRevision { loaded: config::load(&paths), commit: None }).await.unwrap();
    }

    /// In mode `correct`, once the account is as the file asks.
    pub async fn correcting(file: &str) -> Self {
        let watch = Self::start(Options { access: Access::Write, ..Options::default() }, file).await;
        watch.until_state(AccountState::InSync).await;
        watch
    }

    pub fn status(&self) -> Arc<AccountStatus> {
        self.status_store.get(NAME).unwrap_or_default()
    }

    /// Waits until this holds, however long that takes.
    #[track_caller]
    pub fn until(&self, what: &'static str, holds: impl Fn(&AccountStatus) -> bool) -> impl Future<Output = ()> {
        let (status_store, mut follow) = (self.status_store.clone(), self.status_store.follow());
        async move {
            let wait = async {
                while !holds(&status_store.get(NAME).unwrap_or_default()) {
                    follow.changed().await.unwrap();
                }
            };
            let waited = tokio::time::timeout(Duration::from_secs(30 * 24 * 3600), wait).await;
            assert!(waited.is_ok(), "never {what}: {:#?}", status_store.get(NAME));
        }
    }

    pub async fn until_state(&self, state: AccountState) {
        self.until("in that state", move |status| status.state == state && status.next_check.is_some()).await;
    }

    /// Asks for a look at all accounts.
    pub async fn ask(&self) {
        let (answer, woken) = oneshot::channel();
        let command = Command::Reconcile { account: None, reason: Reason::Request, answer: Some(answer) };
        self.commands.send(command).await.unwrap();
        assert_eq!(woken.await.unwrap(), 1);
    }

    /// Approves the plan that is on the board.
    pub async fn approve(&self) {
        let digest = self.status().plan.as_ref().unwrap().digest.clone();
        let (answer, known) = oneshot::channel();
        let by = Approver::new(Some("ada"), ApproverSource::Token);
        self.commands.send(Command::Approve { account: NAME.into(), digest, by, answer }).await.unwrap();
        assert!(known.await.unwrap());
    }

    pub fn told(&self, what: EventKind) -> Vec<Event> {
        self.status().history.iter().filter(|event| event.kind == what).cloned().collect()
    }

    /// Stops, and waits for the end.
    pub async fn stop(self) -> Arc<Portal> {
        self.stopper.tell(strowger::apply::Urgency::Finish);
        self.running.await.unwrap();
        self.portal
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}
