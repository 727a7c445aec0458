//! A provider under test, with a server that keeps its state in a file; and the account and the files of the suite.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};

use strowger::config;
use strowger::diag::Severities;
use strowger::model::{AccountInfo, Desired, LiveAccount, Verb};
use strowger::plan::{Plan, plan};
use strowger::providers::{Provider, snapshot};

pub trait Subject: Sized + Send {
    /// The word for it, for a process of its own.
    const WORD: &'static str;

    /// Whether the vendor's server can run here.
    fn is_available() -> bool {
        true
    }

    /// Starts the vendor's server on a state that outlives it, which is filled from the seed if it is new.
    fn start(state: &Path) -> impl Future<Output = Self> + Send;

    fn url(&self) -> &str;

    fn provider(url: &str) -> Box<dyn Provider>;

    /// Something of each ring group that Strowger does not know of.
    fn unmodelled(url: &str) -> impl Future<Output = BTreeMap<String, String>> + Send;
}

/// The vendor's server, until it is dropped.
pub struct Server<S> {
    subject: S,
}

impl<S: Subject> Server<S> {
    pub async fn start(folder: &Path) -> Self {
        Self { subject: S::start(&state(folder)).await }
    }

    pub fn url(&self) -> &str {
        self.subject.url()
    }

    pub fn provider(&self) -> Box<dyn Provider> {
        S::provider(self.url())
    }
}

fn state(folder: &Path) -> PathBuf {
    folder.join("state.db")
}

pub const SEED: &str = r#"snapshot: 1
account: { name: conformance, country: FR, default_number: "+33142685300" }
users:
  ana@example.org: { name: Ana, extension: "201" }
  ben@example.org: { name: Ben, extension: "202" }
ring_groups:
  support: { extension: "300", members: [user/201], ring_for: 20s, no_answer: none }
  old: { extension: "309", members: [user/201], ring_for: 20s, no_answer: none }
numbers:
  "+33142685300": { to: user/201 }
  "+33142685301": { to: user/202 }
  "+33142685302": { to: ring_group/old }
"#;

const DESIRED: &str = r#"version: 1
account: { name: conformance, provider: sandbox }
ring_groups:
  sales: { extension: "301", ring: sequential, members: [user/202, user/201], ring_for: 25s, no_answer: ring_group/support }
  support: { extension: "302", members: [user/202], ring_for: 30s }
absent: [ring_group/old]
numbers:
  "+33142685301": { to: ring_group/sales, label: Sales }
  "+33142685302": { to: ring_group/support }
"#;

pub fn seed() -> LiveAccount {
    snapshot::parse(SEED, snapshot::Format::Yaml).unwrap()
}

pub fn desired() -> Desired {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("account.yaml"), DESIRED).unwrap();
    let mut loaded = config::load(&[folder.path().to_owned()]);
    assert_eq!(loaded.accounts.len(), 1, "{:#?}", loaded.diagnostics);
    loaded.accounts.remove(0).desired
}

/// What the account holds, by names, without what only the vendor or the seed says of the account itself.
pub fn holdings(live: &LiveAccount) -> String {
    let mut live = LiveAccount { account: AccountInfo::default(), ..live.clone() };
    // Of some providers, these are settings.
    live.receptionists.clear();
    live.conferences.clear();
    for user in &mut live.users {
        user.voicemail = None;
    }
    snapshot::write(&live)
}

pub async fn planned(provider: &dyn Provider, desired: &Desired) -> Plan {
    let read = provider.read().await.unwrap();
    let (plan, diagnostics) = plan(desired, &read.live, &Severities::default(), read.requests);
    plan.unwrap_or_else(|| panic!("{diagnostics:#?}"))
}

/// How many changes of each verb a plan has.
pub fn kinds(plan: &Plan) -> [(Verb, usize); 3] {
    [Verb::Create, Verb::Update, Verb::Delete]
        .map(|verb| (verb, plan.changes.iter().filter(|change| change.verb == verb).count()))
}
