//! A runbook gives the clicks that are documented, owns up to the others, and says what must be true.

use strowger::render::runbook::{Language, plans};

use super::sample::{blocked, long, sample};

#[test]
fn every_change_is_a_step_in_english() {
    insta::assert_snapshot!(plans(&[blocked()], Language::English));
}

#[test]
fn every_change_is_a_step_in_french() {
    insta::assert_snapshot!(plans(&[blocked()], Language::French));
}

#[test]
fn both_languages_have_the_same_steps_and_clicks_and_fill_every_blank() {
    let plan = sample();
    let numbers = |page: &str| -> Vec<String> {
        let words = page.lines().filter_map(|line| line.split_whitespace().next());
        words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned).collect()
    };
    let pages = [Language::English, Language::French].map(|language| plans(&[sample()], language));
    let steps = numbers(&pages[0]).iter().filter(|number| number.ends_with('.')).count();
    assert_eq!(steps, plan.changes.len() + 2, "each change, signing in, and looking again");
    for page in &pages {
        assert!(!page.contains(['{', '}']), "{page}");
        for change in &plan.changes {
            assert!(page.contains(&change.object.name), "{}", change.object.name);
        }
    }
}

#[test]
fn nothing_to_do_needs_no_clicks() {
    let page = plans(&[long(0, 0, 0)], Language::English);
    assert!(page.ends_with("\n\nNothing to do.\n"), "{page}");
}

#[test]
fn a_group_that_was_renamed_is_found_under_its_new_name() {
    let mut plan = sample();
    let mut again = plan.changes.iter().find(|change| change.object.name == "sales").unwrap().clone();
    again.fields.retain(|field| field.field == strowger::model::FieldName::RingFor);
    plan.changes.push(again);
    let page = plans(&[plan], Language::English);
    assert!(page.contains("10.1 Settings → the line of \"ventes\""), "{page}");
}
