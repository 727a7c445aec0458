//! Workflow commands: on the right lines, escaped as the runner reads them, the gravest first.

use std::path::Path;

use strowger::diag::{Rule, Sources};
use strowger::render::github::{findings, plans};
use strowger::render::repository::Repository;

use super::runner::{Command, commands};
use super::sample::{blocked, finding, long, repository, sources};

fn property<'a>(command: &'a Command, key: &str) -> &'a str {
    command.properties.get(key).map_or("", String::as_str)
}

#[test]
fn a_plan_is_notices_and_what_is_blocked_is_warnings() {
    insta::assert_snapshot!(plans(&[blocked()], &[], &[], &Sources::default(), &repository()));
}

#[test]
fn a_finding_is_on_its_line_from_the_root_of_the_repository() {
    let sources = sources("a,b:50%.yaml", "x\n");
    let finding = finding(Rule::LONG_WAIT, 4, 9, 3, "100% of a: b, c").hint("write less");
    let page = findings(&[finding], &sources, &Repository::new(Path::new("/repo/phones"), Path::new("/repo")));
    assert_eq!(
        page,
        "::warning file=phones/a%2Cb%3A50%25.yaml,line=4,col=9,title=long-wait::100%25 of a: b, c (write less)\n\
         1 warning in 1 file\n"
    );
    let read = commands(&page);
    assert_eq!(property(&read[0], "file"), "phones/a,b:50%.yaml");
    assert_eq!(read[0].message, "100% of a: b, c (write less)");
}

#[test]
fn a_file_outside_of_the_repository_is_named_in_the_message() {
    let page = findings(&[finding(Rule::LONG_WAIT, 4, 9, 3, "m")], &sources("../a.yaml", ""), &repository());
    assert!(page.starts_with("::warning title=long-wait::../a.yaml:4:9: m\n"), "{page}");
}

#[test]
fn ten_of_a_kind_the_gravest_first_and_the_others_counted() {
    let mut list: Vec<_> = (1..=12).map(|line| finding(Rule::LONG_WAIT, line, 1, 1, "w")).collect();
    list.extend((1..=11).map(|line| finding(Rule::NOT_E164, line, 1, 1, "e")));
    let page = plans(&[long(25, 0, 0)], &[], &list, &sources("a.yaml", ""), &repository());
    let kinds: Vec<String> = commands(&page).into_iter().map(|command| command.name).collect();
    let wanted: Vec<&str> = ["error", "warning", "notice"].into_iter().flat_map(|kind| [kind; 10]).collect();
    assert_eq!(kinds, wanted);
    let closing = "Not annotated, because GitHub shows 10 of a kind: 1 error, 2 warnings, 15 notices\n";
    assert!(page.ends_with(closing), "{page}");
}

#[test]
fn what_fits_leaves_nothing_to_count() {
    let page = plans(&[long(10, 0, 0)], &[], &[], &Sources::default(), &repository());
    assert!(!page.contains("Not annotated"), "{page}");
}
