//! The examples: valid, planned against their own seeds, and accepted by the embedded account.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test asserts by failing, and shares the generator with its example"
)]

#[path = "../examples/generate/account.rs"]
mod account;
#[path = "../examples/generate/random.rs"]
mod random;
#[path = "../examples/generate/write.rs"]
mod write;

use std::path::{Path, PathBuf};

use strowger::check::settings::ProviderSettings;
use strowger::config::{self, Account, Loaded};
use strowger::plan::{Plan, plan};
use strowger::providers::snapshot::Snapshot;
use strowger::render::{diagnostics, human};
use strowger::sandbox::Seed;

/// Every account of an example, which has no finding of any severity.
fn example(name: &str) -> Vec<Account> {
    let Loaded { accounts, sources, diagnostics, .. } = config::load(&[Path::new("examples").join(name)]);
    assert!(diagnostics.is_empty(), "{}", diagnostics::plain(&diagnostics, &sources));
    accounts
}

fn seed(account: &Account) -> PathBuf {
    let ProviderSettings::Sandbox { seed: Some(seed), .. } = &account.settings.provider else {
        panic!("{} has no seed", account.settings.name)
    };
    account.root.join(seed)
}

fn planned(account: &Account) -> Plan {
    let live = Snapshot::new(seed(account)).load().unwrap();
    let (plan, diagnostics) = plan(&account.desired, &live, &account.severities, 1);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    plan.unwrap()
}

fn page(name: &str) -> String {
    let pages: Vec<_> =
        example(name).iter().map(|account| human::plan(&planned(account), diagnostics::Style::default())).collect();
    pages.join("\n")
}

#[test]
fn the_small_office_is_planned_from_its_seed() {
    insta::assert_snapshot!(page("wework"));
}

#[test]
fn the_agency_is_planned_from_its_seed() {
    insta::assert_snapshot!(page("agency"));
}

#[test]
fn the_fleet_is_planned_from_its_seeds() {
    insta::assert_snapshot!(page("fleet"));
}

#[test]
fn the_embedded_account_accepts_every_seed() {
    for name in ["wework", "agency", "fleet"] {
        for account in example(name) {
            let path = seed(&account);
            Seed::from_yaml(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|why| panic!("{path:?}: {why}"));
        }
    }
}

/// The plan of a generated account, and how many writes the generator announces.
fn generated(shape: account::Shape, provider: write::Provider) -> (Plan, u64) {
    let generated = account::Account::new(shape);
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = Vec::new();
    write::wanted(&generated, provider, &mut wanted).unwrap();
    std::fs::write(folder.path().join("account.yaml"), wanted).unwrap();
    let mut live = Vec::new();
    let differences = write::live(&generated, &mut live).unwrap();
    if provider == write::Provider::Sandbox {
        Seed::from_yaml(std::str::from_utf8(&live).unwrap()).unwrap();
    }
    let path = folder.path().join(write::LIVE);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, live).unwrap();

    let Loaded { accounts, sources, diagnostics, .. } = config::load(&[folder.path().to_path_buf()]);
    assert!(diagnostics.is_empty(), "{}", diagnostics::plain(&diagnostics, &sources));
    let live = Snapshot::new(path).load().unwrap();
    let (plan, diagnostics) = plan(&accounts[0].desired, &live, &accounts[0].severities, 1);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    (plan.unwrap(), differences.writes())
}

#[test]
fn a_generated_account_needs_exactly_the_announced_writes() {
    for (seed, different) in [(1, 10_000), (2, 10_000), (3, 100_000), (4, 500_000), (5, 0)] {
        let shape = account::Shape { numbers: 2000, groups: 200, users: 500, seed, different };
        let (plan, announced) = generated(shape, write::Provider::Snapshot);
        assert_eq!(plan.changes.len() as u64, announced, "seed {seed}, {different} of a million");
        assert_eq!(announced == 0, different == 0);
    }
}

#[test]
fn a_generated_account_can_be_a_seed() {
    let shape = account::Shape { numbers: 300, groups: 30, users: 80, seed: 7, different: 100_000 };
    let (plan, announced) = generated(shape, write::Provider::Sandbox);
    assert_eq!(plan.changes.len() as u64, announced);
}
