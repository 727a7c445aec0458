//! Workflow commands, which GitHub shows beside the lines of a pull request's files.
//!
//! Findings keep their severity. A change is a notice, and a warning if a guard holds it back: such a plan may be
//! right and waits for an approval, while an error leaves nothing to approve.
//!
//! A line is a command to the runner, so only this module's own begin with `::`, and what stands in them is
//! escaped as the runner reads it back.

use std::fmt::Write as _;

use crate::diag::{Diagnostic, Severity, Sources};
use crate::model::{Change, Place};
use crate::plan::{Cause, Plan};

use super::blocks::{self, BlockedChanges};
use super::failed_accounts::{self, Reason, Unplanned};
use super::repository::{Located, Repository};
use super::summary::{self, counted};
use super::{diagnostics, fields, human, skipped};

/// GitHub shows this many annotations of a kind for each step, and silently drops the others.
const MOST: usize = 10;
/// The most characters of a message; GitHub shows no more than about four thousand.
const LONGEST: usize = 4_000;

/// The findings of files, and how many there are.
pub fn findings(findings: &[Diagnostic], sources: &Sources, repository: &Repository) -> String {
    let mut page = Page::new(repository);
    page.findings(findings, sources);
    page.text(diagnostics::count(findings).into_iter().collect())
}

/// The findings, the accounts without a plan, what is blocked, the changes, and each plan's counts.
pub fn plans(
    plans: &[Plan],
    unplanned: &[Unplanned],
    findings: &[Diagnostic],
    sources: &Sources,
    repository: &Repository,
) -> String {
    let mut page = Page::new(repository);
    page.findings(findings, sources);
    // What is wrong with files has been annotated as findings.
    for one in unplanned.iter().filter(|one| one.reason != Reason::Invalid) {
        page.annotate(Severity::Error, one.place.as_ref(), || {
            (format!("{} is not planned", fields::sanitized(&one.account)), one.line())
        });
    }
    let mut lines = Vec::new();
    for plan in plans {
        page.plan(plan);
        let mut line = format!("Plan for {}: {}", fields::sanitized(&plan.account), summary::counts(plan));
        if !plan.is_empty() {
            let _ = write!(line, "; digest {}", fields::sanitized(&plan.digest.0));
        }
        lines.push(line);
        if plan.is_blocked() {
            lines.push(format!("Blocked: {}", summary::blocked(plan, &BlockedChanges::of(plan))));
        }
        lines.extend(summary::unreadable(plan));
        lines.extend(skipped::title(plan).map(|title| format!("Left out: {title}")));
    }
    lines.extend(unplanned.iter().map(|one| format!("Not planned: {}", one.line())));
    lines.extend(failed_accounts::total(plans, unplanned).map(|total| format!("Total: {total}")));
    page.text(lines)
}

/// The commands of one kind, and how many there would be.
#[derive(Default)]
struct Kind {
    text: String,
    shown: usize,
    count: usize,
}

struct Page<'a> {
    repository: &'a Repository,
    errors: Kind,
    warnings: Kind,
    notices: Kind,
}

impl<'a> Page<'a> {
    fn new(repository: &'a Repository) -> Self {
        Self { repository, errors: Kind::default(), warnings: Kind::default(), notices: Kind::default() }
    }

    fn kind(&mut self, severity: Severity) -> (&mut Kind, &'static str) {
        match severity {
            Severity::Error => (&mut self.errors, "error"),
            Severity::Warning => (&mut self.warnings, "warning"),
            Severity::Info => (&mut self.notices, "notice"),
        }
    }

    /// One annotation, unless there are enough of its kind: then the message is not even made.
    fn annotate(&mut self, severity: Severity, place: Option<&Place>, words: impl FnOnce() -> (String, String)) {
        let (kind, _) = self.kind(severity);
        kind.count += 1;
        if kind.shown >= MOST {
            return;
        }
        kind.shown += 1;
        let (title, mut message) = words();
        let mut properties = String::new();
        match place.map(|place| (place, self.repository.locate(&place.file))) {
            // A path that cannot be shown as it is would be looked for in vain.
            Some((place, Located::Inside(file))) if fields::sanitized(&file) == file => {
                properties = format!("file={},line={},col={},", property(&file), place.line, place.column);
            }
            Some((place, _)) => message = format!("{}: {message}", blocks::position(place)),
            None => {}
        }
        let (title, message) = (property(&title), data(&bounded(&message)));
        let (kind, name) = self.kind(severity);
        let _ = writeln!(kind.text, "::{name} {properties}title={title}::{message}");
    }

    fn findings(&mut self, findings: &[Diagnostic], sources: &Sources) {
        for finding in findings {
            let place = finding.span.map(|span| sources.place(span));
            self.kind(finding.severity).0.count += finding.more;
            self.annotate(finding.severity, place.as_ref(), || {
                (finding.rule.id.to_owned(), diagnostics::sentence(finding, sources))
            });
        }
    }

    fn plan(&mut self, plan: &Plan) {
        let blocked = BlockedChanges::of(plan);
        for block in plan.blocked.iter().filter(|block| block.changes.is_empty()) {
            self.annotate(Severity::Warning, block.place.as_ref(), || {
                (format!("blocked by {}", block.guard.as_str()), reasons(plan, None))
            });
        }
        // What is invalid itself is among the findings.
        for one in plan.skipped.iter().filter(|one| one.cause != Cause::Invalid) {
            self.annotate(Severity::Warning, one.place.as_ref(), || {
                (format!("left out: {}", skipped::object(one)), skipped::reason(one))
            });
        }
        for change in &plan.changes {
            let place = change.place.as_ref();
            let title = format!("{} {}", change.verb.as_str(), fields::object(change));
            match blocked.by(change) {
                None => self.annotate(Severity::Info, place, || (title, lines(change, None))),
                Some(guards) => self.annotate(Severity::Warning, place, || {
                    let message = format!("{}\n{}", reasons(plan, Some(change)), lines(change, Some(guards)));
                    (format!("blocked: {title}"), message)
                }),
            }
        }
    }

    /// All commands, the gravest first, then plain lines.
    fn text(self, lines: Vec<String>) -> String {
        let kinds = [(&self.errors, "error"), (&self.warnings, "warning"), (&self.notices, "notice")];
        let mut text: String = kinds.iter().map(|(kind, _)| kind.text.as_str()).collect();
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        let missing = kinds.iter().filter(|(kind, _)| kind.count > kind.shown);
        let missing: Vec<String> = missing.map(|(kind, word)| counted(kind.count - kind.shown, word)).collect();
        if !missing.is_empty() {
            let _ = writeln!(text, "Not annotated, because GitHub shows {MOST} of a kind: {}", missing.join(", "));
        }
        text
    }
}

/// The lines of a change below its first.
fn lines(change: &Change, guards: Option<&str>) -> String {
    let text = human::change(change, guards);
    let lines: Vec<&str> = text.lines().skip(1).map(|line| line.strip_prefix("      ").unwrap_or(line)).collect();
    lines.join("\n")
}

/// Why a change or the whole plan is blocked, and how to approve it.
fn reasons(plan: &Plan, change: Option<&Change>) -> String {
    let concerned = plan.blocked.iter().filter(|block| match change {
        Some(change) => block.changes.contains(&change.id),
        None => block.changes.is_empty(),
    });
    let mut lines: Vec<String> = concerned.map(|block| blocks::title(block).0).collect();
    lines.push(format!("To approve exactly this plan: strowger apply PATH {}", blocks::release(plan)));
    lines.join("\n")
}

/// A message that is too long is cut at the end of a line, or in the midst of an endless one.
fn bounded(message: &str) -> String {
    let Some((end, _)) = message.char_indices().nth(LONGEST) else { return message.to_owned() };
    let cut = message.get(..end).unwrap_or_default();
    format!("{}\n…", cut.rsplit_once('\n').map_or(cut, |(whole, _)| whole))
}

/// Text as the runner reads it after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as the runner reads it between `=` and the next `,` or `::`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
