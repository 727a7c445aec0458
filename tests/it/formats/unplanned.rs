//! Accounts without a plan, beside one that has one.

use strowger::diag::Sources;
use strowger::model::Place;
use strowger::render::failed_accounts::{Reason, Unplanned, human, total};
use strowger::render::json::{self, Report};
use strowger::render::runbook::{self, Language};
use strowger::render::{github, markdown, sarif};

use super::sample::{repository, sample};
use super::untrusted::assert_safe_in_a_log;

fn unplanned(count: usize) -> Vec<Unplanned> {
    let reasons = [Reason::Unreadable, Reason::Invalid, Reason::Held];
    (0..count)
        .map(|at| Unplanned {
            account: format!("lyon-{at}"),
            reason: reasons[at % 3],
            message: format!("its server {at} does not answer"),
            place: Some(Place { file: "fleet/lyon/account.yaml".to_owned(), line: 2, column: 18 }),
        })
        .collect()
}

/// Every format, of one plan and these accounts without one.
fn every(list: &[Unplanned], budget: usize) -> [(&'static str, String); 7] {
    let (plans, findings, sources) = ([sample()], [], Sources::default());
    let report = Report::new(Vec::new(), plans.to_vec(), list.to_vec(), serde_json::json!([]));
    [
        ("human", human(list, strowger::render::diagnostics::Style::default())),
        ("json", json::text(&report)),
        ("markdown", markdown::report(&plans, list, budget)),
        ("github", github::plans(&plans, list, &findings, &sources, &repository())),
        ("sarif", sarif::plans(&plans, list, &findings, &sources, &repository())),
        ("runbook", runbook::unplanned(list, Language::English)),
        ("runbook in French", runbook::unplanned(list, Language::French)),
    ]
}

#[test]
fn every_format_names_every_account_without_a_plan_and_why() {
    for (format, page) in every(&unplanned(12), markdown::COMMENT) {
        for at in 0..12 {
            assert!(page.contains(&format!("lyon-{at}")), "{format}: {page}");
            assert!(page.contains(&format!("its server {at} does not answer")), "{format}: {page}");
        }
    }
}

#[test]
fn accounts_without_a_plan_stay_within_the_budget_and_leave_room_for_the_plans() {
    for (count, name) in [(1, "a".repeat(5_000)), (3_000, "é`".repeat(40))] {
        let mut list = unplanned(count);
        for one in &mut list {
            one.account.clone_from(&name);
        }
        for budget in [markdown::LEAST, 10_000, markdown::COMMENT] {
            let page = markdown::report(&[sample()], &list, budget);
            assert!(page.len() <= budget, "{} of {budget}", page.len());
            let words = if count == 1 { "could not plan 1 account" } else { "could not plan 3000 accounts" };
            assert!(page.contains(words), "{page}");
            assert!(count == 1 || page.contains(" more\n"), "{page}");
        }
    }
}

#[test]
fn a_sarif_log_that_lacks_an_account_says_that_the_run_did_not_succeed() {
    let page = sarif::plans(&[sample()], &unplanned(2), &[], &Sources::default(), &repository());
    let invocation = &super::sarif::valid(&page)["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notification = &invocation["toolExecutionNotifications"][0];
    assert_eq!(notification["properties"]["account"], "lyon-0");
    let place = &notification["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "fleet/lyon/account.yaml");
    assert_eq!(place["region"]["startLine"], 2);
}

#[test]
fn an_account_that_cannot_be_read_is_annotated_where_it_is_declared() {
    let page = github::plans(&[], &unplanned(3), &[], &Sources::default(), &repository());
    let errors: Vec<&str> = page.lines().filter(|line| line.starts_with("::error ")).collect();
    // The files' own errors are annotated where they are.
    assert_eq!(errors.len(), 2, "{page}");
    assert!(errors[0].contains("fleet/lyon/account.yaml,line=2") && errors[0].contains("title=lyon-0"), "{page}");
    assert!(page.contains("\nTotal: 3 accounts: 3 not planned (lyon-0, lyon-1, lyon-2)\n"), "{page}");
}

#[test]
fn a_total_counts_what_is_in_sync_what_changes_and_what_has_no_plan() {
    let mut still = sample();
    (still.changes, still.account) = (Vec::new(), "paris".to_owned());
    let changes = sample().changes.len();
    assert_eq!(total(&[sample()], &[]), None);
    let all = total(&[sample(), still], &unplanned(1)).unwrap();
    assert_eq!(all, format!("3 accounts: {changes} changes planned in 1, 1 in sync, 1 not planned (lyon-0)"));
}

#[test]
fn names_and_reasons_are_not_trusted() {
    let evil = "a\u{1b}[2J\n::error::x\n##[error]`````\u{202e}";
    let mut list = unplanned(3);
    for one in &mut list {
        (one.account, one.message) = (evil.to_owned(), evil.to_owned());
    }
    for (format, page) in every(&list, markdown::COMMENT) {
        if format != "github" {
            assert_safe_in_a_log(&page);
        }
        assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}'), "{format}: {page}");
        assert!(!page.contains("\n::error::x"), "{format}: {page}");
    }
}
