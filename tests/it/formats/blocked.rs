//! A reviewer sees what is held back, why, and how to let it through.

use strowger::render::diagnostics::Style;
use strowger::render::{human, markdown};

use super::sample::{blocked, sample};

#[test]
fn people_see_what_is_blocked_and_how_to_release_it() {
    insta::assert_snapshot!(human::plan(&blocked(), Style::default()));
}

#[test]
fn pull_requests_see_what_is_blocked_and_how_to_release_it() {
    insta::assert_snapshot!(markdown::plans(&[blocked()], markdown::COMMENT));
}

#[test]
fn a_plan_has_its_digest_and_an_empty_one_none() {
    let mut plan = sample();
    let digest = plan.digest.to_string();
    assert!(human::plan(&plan, Style::default()).contains(&format!("\nDigest: {digest}\n")));
    assert!(markdown::plans(&[plan.clone()], markdown::COMMENT).contains(&format!("\nDigest: `{digest}`\n")));
    plan.changes.clear();
    assert!(!human::plan(&plan, Style::default()).contains("Digest"));
    assert!(!markdown::plans(&[plan], markdown::COMMENT).contains("Digest"));
}
