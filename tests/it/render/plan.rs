//! What people and pull requests see of a plan, and what text from an account cannot do there.

use std::fs;

use strowger::config;
use strowger::plan::{Plan, plan};
use strowger::providers::snapshot::{Format, parse};
use strowger::render::diagnostics::Style;
use strowger::render::{human, markdown};

const LIVE: &str = r#"
snapshot: 1
account: { name: a, default_number: "+33142685300" }
users:
  ana@example.org: { name: Ana, extension: "201" }
  ben@example.org: { name: Ben, extension: "202" }
  cem@example.org: { name: Cem, extension: "203" }
receptionists: { main: { extension: "100" } }
ring_groups:
  sales: { extension: "300", ring: sequential, members: [user/ana@example.org, user/ben@example.org], ring_for: 10s, no_answer: none }
  night: { extension: "301", ring: simultaneous, members: [user/cem@example.org], ring_for: 20s, no_answer: none }
  day: { extension: "302", ring: simultaneous, members: [user/cem@example.org], ring_for: 20s, no_answer: none }
numbers:
  "+33142685300": { to: receptionist/main, label: "\e[2J```\n### @everyone <img src=x> ::error::\u202E" }
  "+33142685301": { to: ring_group/night }
  "+33142685302": { to: ring_group/day }
"#;

const WANTED: &str = r#"
version: 1
account: { name: "``` @team", provider: snapshot, file: live.yaml }
numbers:
  "+33142685300": { to: ring_group/ventes, label: Accueil }
  "+33142685301": { to: ring_group/day }
  "+33142685302": { to: ring_group/night }
ring_groups:
  ventes:
    renamed_from: sales
    members: [user/ben@example.org, user/cem@example.org, user/ana@example.org]
    ring_for: 15s
"#;

fn sample() -> Plan {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("account.yaml"), WANTED).unwrap();
    let loaded = config::load(&[folder.path().to_owned()]);
    let account = loaded.accounts.first().unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let live = parse(LIVE, Format::Yaml).unwrap();
    let (plan, findings) = plan(&account.desired, &live, &account.severities, 1);
    let mut plan = plan.unwrap_or_else(|| panic!("{findings:#?}"));
    for change in &mut plan.changes {
        // The folder's name is another one at every run.
        "account.yaml".clone_into(&mut change.place.as_mut().unwrap().file);
    }
    plan
}

#[test]
fn people_see_signs_fields_places_and_what_to_know() {
    insta::assert_snapshot!(human::plan(&sample(), Style::default()));
}

#[test]
fn pull_requests_get_a_diff_block() {
    insta::assert_snapshot!(markdown::plans(&[sample()], markdown::COMMENT));
}

#[test]
fn text_of_an_account_cannot_control_a_terminal() {
    let page = human::plan(&sample(), Style::default());
    assert!(!page.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{page:?}");
}

#[test]
fn text_of_an_account_cannot_leave_its_code_block() {
    let page = markdown::plans(&[sample()], markdown::COMMENT);
    let opening = page.lines().find(|line| line.ends_with("diff") && line.starts_with("```")).unwrap();
    let fence = opening.trim_end_matches("diff");
    assert!(fence.len() > 3, "a label with three back-ticks needs a longer fence");
    let (_, rest) = page.split_once(&format!("\n{opening}\n")).unwrap();
    let (inside, _) = rest.split_once(&format!("\n{fence}\n")).unwrap();
    assert!(inside.contains("@everyone"));
    assert_eq!(page.matches("@everyone").count(), inside.matches("@everyone").count());
}

#[test]
fn a_narrow_terminal_gets_the_place_on_a_line_of_its_own() {
    let page = human::plan(&sample(), Style { color: false, width: 30 });
    assert!(page.contains("\n      account.yaml:"), "{page}");
}
