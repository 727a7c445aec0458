//! A page that is too long is cut where it hurts least, and says so.

use proptest::prelude::*;
use proptest::test_runner::Config;
use pulldown_cmark::{Event, Parser, Tag};

use strowger::plan::Plan;
use strowger::render::markdown::{COMMENT, LEAST, plans};

use super::sample::{blocked, long};

fn sanitized(page: &str, ids: impl Iterator<Item = u32>) -> usize {
    ids.filter(|id| page.contains(&format!("/object-{id}.  ")) || page.contains(&format!(" object-{id}.  "))).count()
}

/// The number before these words in the line about what was cut.
fn hidden(page: &str, words: &str) -> usize {
    let line = page.lines().find(|line| line.starts_with("**Cut to fit")).unwrap_or_default();
    let before = line.split(words).next().filter(|before| before.len() < line.len());
    before.and_then(|before| before.trim_end().rsplit(' ').next()).map_or(0, |count| count.parse().unwrap())
}

#[test]
fn what_fits_is_not_cut() {
    let page = plans(&[blocked()], COMMENT);
    assert!(!page.contains("Cut"), "{page}");
}

#[test]
fn blocked_changes_and_deletions_are_cut_last() {
    let plan = long(3_000, 20, 10);
    let page = plans(&[plan], COMMENT);
    assert!(page.len() <= COMMENT && page.len() > COMMENT - 1_000, "{} bytes", page.len());
    assert_eq!(sanitized(&page, 1..=20), 20, "all that is blocked");
    assert_eq!(sanitized(&page, 2_991..=3_000), 10, "all deletions");
    let others = sanitized(&page, 21..=2_990);
    assert_eq!(others + hidden(&page, "to update"), 2_970, "what is not shown is counted");
    assert!(page.contains("no blocked change and no deletion among it"), "{page:.600}");
}

#[test]
fn blocked_changes_that_do_not_fit_are_owned_up_to() {
    let page = plans(&[long(3_000, 3_000, 0)], COMMENT);
    let shown = sanitized(&page, 1..=3_000);
    assert!(page.contains(&format!("; {} blocked changes among it", 3_000 - shown)), "{page:.600}");
    assert!(page.contains("cap: too many"), "{page:.600}");
}

#[test]
fn accounts_share_the_room() {
    let page = plans(&[long(3_000, 0, 0), long(5, 0, 0)], 16_384);
    assert!(page.len() <= 16_384);
    let (_, second) = page.rsplit_once("### Strowger plan").unwrap();
    assert!(!second.contains("Cut") && second.contains("object-5."), "{second}");
}

#[test]
fn accounts_that_do_not_fit_are_counted() {
    let mut empty = long(0, 0, 0);
    empty.changes.clear();
    let all: Vec<Plan> = (0..300).map(|index| if index == 250 { long(3, 1, 1) } else { empty.clone() }).collect();
    let page = plans(&all, LEAST);
    assert!(page.len() <= LEAST);
    assert!(page.contains("object-1."), "the account where something is blocked stays: {page}");
    let shown = page.matches("### Strowger plan").count();
    assert!(
        page.ends_with(&format!(
            "**Cut:** {} accounts more with 0 changes not shown; 0 of these plans blocked.\n",
            300 - shown
        )),
        "{page}"
    );
}

proptest! {
    #![proptest_config(Config { cases: 40, ..Config::default() })]

    #[test]
    fn a_cut_page_fits_and_has_whole_changes_and_closed_fences(
        sizes in prop::collection::vec((0..120_u32, 0..4_u32, 0..3_u32), 1..6), budget in LEAST..20_000,
    ) {
        let all: Vec<Plan> = sizes.iter().map(|(size, held, gone)| long(size + held + gone, *held, *gone)).collect();
        let page = plans(&all, budget);
        prop_assert!(page.len() <= budget, "{} of {budget}", page.len());
        let whole = plans(&all, usize::MAX);
        // A change and what follows it up to the next empty line or the end of the block is there as a whole.
        for block in page.split("\n\n").filter(|block| block.contains("/account.yaml:")) {
            let inner = block.trim_start_matches("```diff\n").trim_end_matches("\n```");
            prop_assert!(whole.contains(inner), "{inner}");
        }
        let blocks = Parser::new(&page).filter(|event| matches!(event, Event::Start(Tag::CodeBlock(_)))).count();
        prop_assert_eq!(blocks * 2, page.matches("\n```").count(), "{}", page);
    }
}
