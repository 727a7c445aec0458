//! Plans and findings to show.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use strowger::config;
use strowger::diag::{Diagnostic, Rule, Source, Sources};
use strowger::model::{ChangeId, FileId, Place, Span};
use strowger::plan::{Guard, GuardViolation, Plan, plan};
use strowger::providers::snapshot::{Format, parse};
use strowger::render::repository::Repository;

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
  old: { extension: "301", ring: simultaneous, members: [user/cem@example.org], ring_for: 20s, no_answer: none }
  night: { extension: "302", ring: simultaneous, members: [user/cem@example.org], ring_for: 20s, no_answer: none }
  day: { extension: "303", ring: simultaneous, members: [user/cem@example.org], ring_for: 20s, no_answer: none }
numbers:
  "+33142685300": { to: receptionist/main, label: Main }
  "+33142685301": { to: ring_group/old }
  "+33142685302": { to: ring_group/sales }
  "+33142685303": { to: user/cem@example.org }
  "+33142685304": { to: ring_group/night }
  "+33142685305": { to: ring_group/day }
"#;

const WANTED: &str = r#"
version: 1
account: { name: office, provider: snapshot, file: live.yaml }
absent: [ring_group/old]
numbers:
  "+33142685300": { to: receptionist/main, label: Accueil }
  "+33142685301": { to: ring_group/support }
  "+33142685302": { to: ring_group/ventes }
  "+33142685303": { to: none }
  "+33142685304": { to: ring_group/day }
  "+33142685305": { to: ring_group/night }
ring_groups:
  ventes:
    renamed_from: sales
    extension: "310"
    members: [user/ben@example.org, user/cem@example.org]
    ring_for: 15s
    no_answer: voicemail/ana@example.org
  support: { members: [user/ana@example.org, user/cem@example.org], no_answer: ring_group/ventes }
"#;

/// A plan with every verb, every kind of value, a rename, a swap and a deletion.
pub fn sample() -> Plan {
    static SAMPLE: LazyLock<Plan> = LazyLock::new(planned);
    SAMPLE.clone()
}

fn planned() -> Plan {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("account.yaml"), WANTED).unwrap();
    let loaded = config::load(&[folder.path().to_owned()]);
    let account = loaded.accounts.first().unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let live = parse(LIVE, Format::Yaml).unwrap();
    let (plan, findings) = plan(&account.desired, &live, &account.severities, 1);
    let mut plan = plan.unwrap_or_else(|| panic!("{findings:#?}"));
    for place in plan.changes.iter_mut().filter_map(|change| change.place.as_mut()) {
        // The folder's name is another one at every run.
        "phones/account.yaml".clone_into(&mut place.file);
    }
    plan
}

/// The sample with its default number protected, and its deletion above a cap.
pub fn blocked() -> Plan {
    let mut plan = sample();
    let id = |name: &str| plan.changes.iter().find(|change| change.object.name == name).unwrap().id;
    let (number, group) = (id("+33142685301"), id("old"));
    plan.blocked = vec![
        GuardViolation {
            guard: Guard::Protected,
            message: "+33142685301 is protected".to_owned(),
            changes: vec![number],
            place: Some(Place { file: "phones/account.yaml".to_owned(), line: 3, column: 5 }),
        },
        GuardViolation {
            guard: Guard::Cap,
            message: "2 changes, and one run makes at most 1".to_owned(),
            changes: vec![number, group],
            place: None,
        },
    ];
    plan
}

/// A plan of so many changes: the first few held back, the last few deletions.
pub fn long(changes: u32, held: u32, deletions: u32) -> Plan {
    let mut plan = sample();
    let number = plan.changes.iter().find(|change| change.object.name == "+33142685303").unwrap().clone();
    let group = plan.changes.iter().find(|change| change.object.name == "old").unwrap().clone();
    plan.changes = (1..=changes)
        .map(|id| {
            let mut change = if id > changes - deletions { group.clone() } else { number.clone() };
            change.id = ChangeId(id);
            change.object.name = format!("object-{id}.");
            change.depends_on.clear();
            change
        })
        .collect();
    plan.blocked.clear();
    if held > 0 {
        plan.blocked.push(GuardViolation {
            guard: Guard::Cap,
            message: "too many".to_owned(),
            changes: (1..=held).map(ChangeId).collect(),
            place: None,
        });
    }
    plan
}

/// A file called so, with this text.
pub fn sources(file: &str, text: &str) -> Sources {
    let mut sources = Sources::default();
    sources.push(Source::unread(file, PathBuf::from(file)).with_text(text.into()));
    sources
}

/// A finding at a place of that file.
pub fn finding(rule: &'static Rule, line: u32, column: u32, length: u32, message: &str) -> Diagnostic {
    Diagnostic::new(rule, Some(Span { file: FileId(0), line, column, length }), message)
}

/// A repository, and we are in its root.
pub fn repository() -> Repository {
    Repository::new(Path::new("/repo"), Path::new("/repo"))
}
