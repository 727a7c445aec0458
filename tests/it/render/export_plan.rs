//! An exported account has nothing left to plan: the way in for an account that exists already.

use crate::support::accounts;
use std::collections::HashSet;
use std::fs;

use proptest::prelude::*;
use strowger::config;
use strowger::model::LiveAccount;
use strowger::plan::plan;
use strowger::render::export::{ByFolder, Choice, ExportOptions, export};

use crate::support::generate::{Size, pair};

/// Writes the export, reads it as an operator's files, and plans it against the account it came from.
fn changes_after_export(live: &LiveAccount, by_folder: ByFolder) -> usize {
    let (numbers, groups, changes) = exported(live, by_folder, Choice::default());
    assert_eq!(numbers, live.numbers.len());
    assert_eq!(groups, live.ring_groups.len());
    changes
}

/// How many numbers and groups the export declares, and how many changes its plan has.
fn exported(live: &LiveAccount, by_folder: ByFolder, only: Choice) -> (usize, usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    let options = ExportOptions {
        country: None,
        name: "exported".to_owned(),
        provider: vec!["provider: snapshot".to_owned(), "file: live.yaml".to_owned()],
        schema: "account.v1.schema.json".to_owned(),
        by_folder,
        only,
    };
    for (name, text) in export(live, &options) {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let loaded = config::load(&[folder.path().to_owned()]);
    let errors: Vec<_> =
        loaded.diagnostics.iter().filter(|finding| finding.severity == strowger::diag::Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let account = &loaded.accounts[0];
    let (plan, diagnostics) = plan(&account.desired, live, &account.severities, 0);
    let changes = plan.unwrap_or_else(|| panic!("{diagnostics:#?}")).changes.len();
    (account.desired.numbers.len(), account.desired.ring_groups.len(), changes)
}

/// Everything of a kind, or each object of it by the toss of a coin.
fn any_choice(live: &LiveAccount, seed: u64) -> Choice {
    let mut random = fastrand::Rng::with_seed(seed);
    let numbers =
        random.bool().then(|| live.numbers.iter().map(|number| number.number).filter(|_| random.bool()).collect());
    let ring_groups = random
        .bool()
        .then(|| live.ring_groups.iter().map(|group| group.id.clone()).filter(|_| random.bool()).collect());
    Choice { numbers, ring_groups }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_of_an_export_is_empty(pair in pair(Size::Medium), parts: bool) {
        let by_folder = if parts { ByFolder::Always } else { ByFolder::Never };
        prop_assert_eq!(changes_after_export(&pair.live, by_folder), 0);
    }

    #[test]
    fn the_export_of_any_account_is_valid_and_its_plan_is_empty(live in accounts::accounts(), parts: bool) {
        let by_folder = if parts { ByFolder::Always } else { ByFolder::Never };
        prop_assert_eq!(exported(&live, by_folder, Choice::default()).2, 0);
    }

    #[test]
    fn the_plan_of_any_choice_is_empty(live in accounts::accounts(), seed: u64) {
        prop_assert_eq!(exported(&live, ByFolder::Auto, any_choice(&live, seed)).2, 0);
    }

    /// Also where numbers lead to groups that are not chosen, and groups hand on to them.
    #[test]
    fn a_choice_declares_what_is_chosen_and_nothing_else(pair in pair(Size::Medium), seed: u64) {
        let only = any_choice(&pair.live, seed);
        let chosen = |list: Option<usize>, all: usize| list.unwrap_or(all);
        let numbers = chosen(only.numbers.as_ref().map(HashSet::len), pair.live.numbers.len());
        let groups = chosen(only.ring_groups.as_ref().map(HashSet::len), pair.live.ring_groups.len());
        prop_assert_eq!(exported(&pair.live, ByFolder::Auto, only), (numbers, groups, 0));
    }
}

#[test]
fn the_plan_of_an_export_of_a_new_embedded_account_is_empty() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use strowger::providers::ClientOptions;
        use strowger::providers::office::Office;
        use strowger::providers::{Provider as _, Secret};
        use strowger::sandbox::{SandboxOptions, start};

        let server = start(SandboxOptions::new("t")).await.unwrap();
        let office = Office::new(&server.url(), Secret::new("t"), ClientOptions::default()).unwrap();
        let read = office.read().await.unwrap();
        assert_eq!(read.live.numbers.len(), 2);
        assert_eq!(changes_after_export(&read.live, ByFolder::Auto), 0);
        server.stop().await;
    });
}
