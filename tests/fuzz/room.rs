//! What inputs are held against: a small office and what its files ask for; and what is true of whatever is shown.

use std::path::Path;

use strowger::config;
use strowger::diag::{Diagnostic, Sources};
use strowger::model::{Desired, LiveAccount};
use strowger::plan::{self, Plan};
use strowger::providers::snapshot::{self, Format};
use strowger::render::{
    diagnostics, github, human,
    json::{self, Report},
    markdown,
    repository::Repository,
    runbook, sarif,
};

/// An account and what it shall be, of which a plan has several kinds of changes.
pub struct Room {
    pub live: LiveAccount,
    pub desired: Desired,
}

impl Room {
    pub fn new() -> Self {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/wework");
        let seed = std::fs::read_to_string(example.join("sandbox/seed.yaml")).unwrap();
        let live = snapshot::parse(&seed, Format::Yaml).unwrap();
        let mut loaded = config::load(&[example]);
        Self { live, desired: loaded.accounts.remove(0).desired }
    }
}

/// What people and programs get to see: nothing that a terminal or a CI runner obeys.
pub fn shown(plans: &[Plan], findings: &[Diagnostic], sources: &Sources) {
    // Thousands of findings are told as hundreds are, and a few seconds later.
    let findings = &findings[..findings.len().min(300)];
    let repository = Repository::new(Path::new("/repo"), Path::new("/repo"));
    let mut texts = vec![
        diagnostics::human(findings, sources, diagnostics::Style::default()),
        github::plans(plans, &[], findings, sources, &repository),
        sarif::plans(plans, &[], findings, sources, &repository),
        markdown::plans(plans, markdown::COMMENT),
        runbook::plans(plans, runbook::Language::French),
    ];
    texts.extend(plans.iter().map(|plan| human::plan(plan, diagnostics::Style::default())));
    for text in texts {
        let odd = text.chars().find(|character| character.is_control() && *character != '\n');
        assert_eq!(odd, None, "{text}");
    }
}

/// A plan that was just made is saved, read, and ready for its account.
pub fn saved(plan: Plan, desired: &Desired, live: &LiveAccount) {
    let report = Report::new(vec!["account".to_owned()], vec![plan], Vec::new(), serde_json::json!([]));
    let text = json::text(&report);
    let mut read = Report::read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(json::text(&read), text);
    let plan = read.plans.remove(0);
    assert_eq!(plan, report.plans[0]);
    let ready = plan::revalidate(plan, desired, live).unwrap_or_else(|moved| panic!("{moved:#?}\n{text}"));
    assert_eq!(ready.changes, report.plans[0].changes);
}
