//! The examples: valid, planned against their own seeds, and accepted by the embedded account.

use std::path::{Path, PathBuf};

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
    let Some(seed) = account.settings.provider.file("seed") else { panic!("{} has no seed", account.settings.name) };
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
