//! Findings and blocked changes as SARIF 2.1.0, for code scanning and editors.
//!
//! The specification is the OASIS Standard "Static Analysis Results Interchange Format 2.1.0"; sections below are
//! its own. A message's braces and brackets are escaped as it demands, so that text of a file is neither a
//! placeholder nor a link; `properties` has the exact text.
//!
//! A result keeps its fingerprint when lines move: it is made of the rule, the file, the offending text and the
//! message, and a number that tells repetitions apart.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::diag::{Diagnostic, MOST, Sources};
use crate::model::{Change, Place, Span};
use crate::plan::{Cause, Guard, GuardViolation, Plan};
use crate::text::hex;

use super::blocks::{self, BlockedChanges};
use super::failed_accounts::Unplanned;
use super::repository::{Located, Repository};
use super::summary::counted;
use super::{diagnostics, fields, skipped};

/// The schema that the output is valid against.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What a path stays as it is of: the unreserved characters of a URI, and the separator.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// The folder that relative URIs begin at.
const ROOT: &str = "%SRCROOT%";
/// The last column whose line is part of a fingerprint: longer lines are machine-written.
const FAR: u32 = 2_000;

/// The findings of files.
pub fn findings(findings: &[Diagnostic], sources: &Sources, repository: &Repository) -> String {
    plans(&[], &[], findings, sources, repository)
}

/// The findings, each change that a guard holds back, and the accounts without a plan: those are notifications of an
/// execution that did not succeed (3.20.14), so that a reader does not take their earlier results for solved.
pub fn plans(
    plans: &[Plan],
    unplanned: &[Unplanned],
    findings: &[Diagnostic],
    sources: &Sources,
    repository: &Repository,
) -> String {
    let first = sources.iter().next();
    let fallback = first.map(|source| Place { file: source.display().to_owned(), line: 1, column: 1 });
    let mut run = Run {
        repository,
        fallback,
        rules: Vec::new(),
        results: Vec::new(),
        seen: BTreeMap::new(),
        more: None,
        blocked: 0,
    };
    for finding in findings {
        run.finding(finding, sources);
    }
    run.more = diagnostics::rest_of(findings);
    for plan in plans {
        run.plan(plan);
    }
    let notifications: Vec<Value> = unplanned.iter().map(|one| run.notification(one)).collect();
    super::json::text(&run.log(notifications))
}

/// A rule of ours, or a guard.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Rule {
    id: &'static str,
    summary: &'static str,
    level: &'static str,
    page: &'static str,
}

/// What a plan leaves out although the files declare it.
const SKIPPED: Rule = Rule {
    id: "left-out",
    summary: "A plan covers everything that the files declare.",
    level: "warning",
    page: "docs/output.md",
};

/// One result before it has its fingerprint.
struct Found<'a> {
    rule: Rule,
    level: &'static str,
    /// What is shown, and read back exactly from `properties`.
    message: String,
    place: Option<&'a Place>,
    /// The characters that are meant, if they are known.
    length: Option<u32>,
    /// What tells this result from others of its rule and file.
    mark: String,
    related: Vec<Value>,
}

struct Run<'a> {
    repository: &'a Repository,
    /// Where a result is that no line of a file causes. GitHub refuses a log with a result that is nowhere.
    fallback: Option<Place>,
    rules: Vec<Rule>,
    results: Vec<Value>,
    /// How often each result was there already.
    seen: BTreeMap<String, u32>,
    /// Messages about findings that are not results.
    more: Option<String>,
    /// How many changes are blocked, results or not.
    blocked: usize,
}

impl Run<'_> {
    fn finding(&mut self, finding: &Diagnostic, sources: &Sources) {
        let place = finding.span.map(|span| sources.place(span));
        let text = finding.span.map(|span| offending(span, sources)).unwrap_or_default();
        let related = finding
            .related
            .iter()
            .map(|label| self.location(&sources.place(label.span), Some(label.span.length), Some(&label.message)));
        let related = related.collect();
        self.push(Found {
            rule: of_rule(finding.rule),
            level: diagnostics::word(finding.severity),
            message: diagnostics::remark(finding),
            place: place.as_ref(),
            length: finding.span.map(|span| span.length),
            mark: [text.as_str(), &finding.message].join("\n"),
            related,
        });
    }

    fn plan(&mut self, plan: &Plan) {
        let blocked = BlockedChanges::of(plan);
        for block in &plan.blocked {
            for change in blocked.changes(block) {
                self.block(plan, block, Some(change));
            }
            if block.changes.is_empty() {
                self.block(plan, block, None);
            }
        }
        // What is invalid itself is among the findings.
        for one in plan.skipped.iter().filter(|one| one.cause != Cause::Invalid) {
            let object = skipped::object(one);
            self.push(Found {
                rule: SKIPPED,
                level: "warning",
                message: format!("{object} is left out: {}", one.reason),
                place: one.place.as_ref(),
                length: None,
                mark: [plan.account.as_str(), &object].join("\n"),
                related: Vec::new(),
            });
        }
    }

    fn block(&mut self, plan: &Plan, block: &GuardViolation, change: Option<&Change>) {
        self.blocked += 1;
        if self.blocked > MOST {
            return;
        }
        let object = change.map(|change| format!("{} {}", fields::sign(change.verb), fields::object(change)));
        let what = object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default();
        let message = format!("{what}{} (to approve exactly this plan: {})", block.message, blocks::release(plan));
        let own = change.and_then(|change| change.place.as_ref());
        let policy = block.place.as_ref().filter(|_| own.is_some());
        let related = policy.map(|place| self.location(place, None, Some("the policy that says so")));
        self.push(Found {
            rule: of_guard(block.guard),
            level: "warning",
            message,
            place: own.or(block.place.as_ref()),
            length: None,
            mark: [plan.account.as_str(), object.as_deref().unwrap_or_default()].join("\n"),
            related: related.into_iter().collect(),
        });
    }

    fn push(&mut self, found: Found<'_>) {
        let index = self.rules.iter().position(|rule| *rule == found.rule).unwrap_or_else(|| {
            self.rules.push(found.rule);
            self.rules.len() - 1
        });
        let fingerprint = self.fingerprint(&found);
        let mut result = Map::new();
        result.insert("ruleId".to_owned(), found.rule.id.into());
        result.insert("ruleIndex".to_owned(), index.into());
        result.insert("level".to_owned(), found.level.into());
        result.insert("message".to_owned(), json!({"text": escaped(&found.message)}));
        if let Some(place) = found.place.or(self.fallback.as_ref()) {
            result.insert("locations".to_owned(), json!([self.location(place, found.length, None)]));
        }
        if !found.related.is_empty() {
            result.insert("relatedLocations".to_owned(), found.related.into());
        }
        result.insert("partialFingerprints".to_owned(), json!({"strowger/v1": fingerprint}));
        result.insert("properties".to_owned(), json!({"message": found.message}));
        self.results.push(result.into());
    }

    fn fingerprint(&mut self, found: &Found<'_>) -> String {
        let file = found.place.map(|place| self.uri(&place.file).0).unwrap_or_default();
        let mut hash = Sha256::new();
        for part in [found.rule.id, &file, &found.mark] {
            // Lengths come first, so that no two lists of parts look the same.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let same = hex(&hash.finalize());
        let ordinal = self.seen.entry(same.clone()).or_default();
        *ordinal += 1;
        format!("{same}:{ordinal}")
    }

    /// The URI of a file, and whether it is relative to the repository.
    fn uri(&self, file: &str) -> (String, bool) {
        let encoded = |path: &str| utf8_percent_encode(path, ENCODED).to_string();
        match self.repository.locate(file) {
            Located::Inside(path) => (encoded(&path), true),
            Located::Outside(path) => (format!("file://{}", encoded(&path)), false),
        }
    }

    fn location(&self, place: &Place, length: Option<u32>, message: Option<&str>) -> Value {
        let (uri, relative) = self.uri(&place.file);
        let mut artifact = Map::new();
        artifact.insert("uri".to_owned(), uri.into());
        if relative {
            artifact.insert("uriBaseId".to_owned(), ROOT.into());
        }
        // Lines and columns count from 1, which is also the default of an unknown place.
        let (line, column) = (place.line.max(1), place.column.max(1));
        let mut region = Map::new();
        region.insert("startLine".to_owned(), line.into());
        region.insert("startColumn".to_owned(), column.into());
        if let Some(length) = length {
            region.insert("endColumn".to_owned(), column.saturating_add(length).into());
        }
        let mut location = Map::new();
        location.insert("physicalLocation".to_owned(), json!({"artifactLocation": artifact, "region": region}));
        if let Some(message) = message {
            location.insert("message".to_owned(), json!({"text": escaped(message)}));
        }
        location.into()
    }

    fn notification(&self, one: &Unplanned) -> Value {
        let mut notification = Map::new();
        notification.insert("level".to_owned(), "error".into());
        let message = format!("not planned: {}: {}", one.account, one.message);
        notification.insert("message".to_owned(), json!({"text": escaped(&message)}));
        if let Some(place) = &one.place {
            notification.insert("locations".to_owned(), json!([self.location(place, None, None)]));
        }
        notification.insert("properties".to_owned(), json!({"account": one.account, "message": one.message}));
        notification.into()
    }

    /// What the results leave out, in sentences.
    fn cuts(&self) -> Vec<Value> {
        let blocked = self.blocked.saturating_sub(MOST);
        let blocked = (blocked > 0).then(|| format!("and {}, not shown", counted(blocked, "more blocked change")));
        let all = self.more.iter().chain(blocked.iter());
        all.map(|text| json!({"level": "note", "message": {"text": escaped(text)}})).collect()
    }

    fn log(self, mut notifications: Vec<Value>) -> Value {
        // Findings that are not shown are not a failure of the program.
        let successful = notifications.is_empty();
        notifications.extend(self.cuts());
        let rules: Vec<Value> = self.rules.iter().map(|rule| rule.describe()).collect();
        let mut log = json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {"name": "Strowger", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
                // Columns are counted in characters, not in bytes or in units of UTF-16.
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
                "results": self.results,
            }],
        });
        if !notifications.is_empty()
            && let Some(Value::Object(run)) = log.pointer_mut("/runs/0")
        {
            let invocation = json!({"executionSuccessful": successful, "toolExecutionNotifications": notifications});
            run.insert("invocations".to_owned(), json!([invocation]));
        }
        log
    }
}

impl Rule {
    fn describe(self) -> Value {
        let help = format!("{} See {}#{}.", self.summary, self.page, self.id);
        json!({
            "id": self.id,
            "shortDescription": {"text": escaped(self.summary)},
            "help": {"text": escaped(&help)},
            "defaultConfiguration": {"level": self.level},
        })
    }
}

fn of_rule(rule: &'static crate::diag::Rule) -> Rule {
    Rule { id: rule.id, summary: rule.summary, level: diagnostics::word(rule.severity), page: "docs/rules.md" }
}

fn of_guard(guard: Guard) -> Rule {
    let (id, summary) = match guard {
        Guard::Cap => ("guard-cap", "One run makes no more changes of a verb and kind than the policy allows."),
        Guard::Protected => {
            ("guard-protected", "Where a protected number leads, and a protected ring group, stay as they are.")
        }
        Guard::NearlyEmpty => ("guard-nearly-empty", "Files that declare almost nothing do not empty an account."),
        Guard::Scope => ("guard-scope", "Only objects that the files own are written."),
        Guard::External => {
            ("guard-external", "A new destination outside of the account is one that `policy.external` lists.")
        }
        Guard::Base => ("guard-base", "The policy that guarded the account before this change is known."),
        Guard::Window => ("guard-window", "Changes are written while a window of the policy is open."),
        Guard::Suspended => ("guard-suspended", "Nothing is written while the policy suspends changes."),
        Guard::Owner => ("guard-owner", "What another owner manages is written only if it is taken over."),
        Guard::UnknownProtected => ("guard-unknown-protected", "What a policy protects is in the account."),
    };
    Rule { id, summary, level: "warning", page: "docs/output.md" }
}

/// What stands in the file at this place, unless it is far to the right; secrets are hidden by the sources
/// themselves.
fn offending(span: Span, sources: &Sources) -> String {
    if span.column > FAR {
        return String::new();
    }
    let line = sources.get(span.file).and_then(|source| source.line(span.line)).unwrap_or_default();
    line.chars().skip((span.column as usize).saturating_sub(1)).take(span.length as usize).collect()
}

/// Text as a message's: braces doubled (3.11.5), and brackets and what escapes them escaped (3.11.6), so that it
/// holds neither placeholders nor links.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '{' | '}' => escaped.push(c),
            '[' | ']' | '\\' => escaped.push('\\'),
            _ => {}
        }
        escaped.push(c);
    }
    escaped
}
