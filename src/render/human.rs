//! A plan for people, on a terminal or in a log.
//!
//! Signs as in a unified diff, one block for each change, the place in the file beside it. The text holds
//! colour codes where colour is wanted and no other escape sequences, whatever the account is called.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Paint};

use crate::model::{Change, FieldChange, FieldName, Verb};
use crate::plan::Plan;

use super::blocks::{self, BlockedChanges};
use super::diagnostics::Style;
use super::{fields, skipped, summary};

/// The plan, what is blocked and why, the unmanaged objects as one line, the counts, the API calls and the digest.
pub fn plan(plan: &Plan, style: Style) -> String {
    plan_of(plan, style, "strowger apply PATH")
}

/// The plan of `command`, which is shown with the options that approve it.
pub fn plan_of(plan: &Plan, style: Style, command: &str) -> String {
    let mut page = Page { text: String::new(), style };
    let blocked = BlockedChanges::of(plan);
    let title = style.paint(Paint::new().bold(), &fields::sanitized(&plan.account));
    let only = skipped::only(plan).map(|only| format!(" ({only})")).unwrap_or_default();
    page.line(&format!("Account {title}{only}"));
    for one in &plan.changes {
        page.text.push('\n');
        page.change(one, blocked.by(one));
    }
    page.blocks(plan, &blocked, command);
    page.skipped(plan);
    if !plan.changes.is_empty() || !plan.skipped.is_empty() {
        page.text.push('\n');
    }
    if let Some(unmanaged) = summary::unmanaged(plan) {
        let line = style.paint(Paint::new().dimmed(), &format!("  {unmanaged}"));
        page.line(&line);
    }
    for line in summary::unreadable(plan) {
        let line = style.paint(Paint::new().dimmed(), &format!("    {line}"));
        page.line(&line);
    }
    let label = if plan.changes.is_empty() { "" } else { "Plan: " };
    page.line(&format!("{label}{}", summary::counts(plan)));
    page.line(&format!("API calls: {}", summary::api_calls(plan)));
    if !plan.changes.is_empty() {
        page.line(&format!("Digest: {}", fields::sanitized(&plan.digest.0)));
    }
    page.text
}

/// One change without colours, as a block of lines; `guards` names the guards that block it.
pub(super) fn change(change: &Change, guards: Option<&str>) -> String {
    let mut page = Page { text: String::new(), style: Style { color: false, width: usize::MAX } };
    page.change(change, guards);
    page.text
}

struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn change(&mut self, change: &Change, guards: Option<&str>) {
        let sign = fields::sign(change.verb);
        let object = fields::object(change);
        let mut line = format!(
            "  {} {}",
            self.style.paint(color(sign), &sign.to_string()),
            self.style.paint(Paint::new().bold(), &object)
        );
        if let Some(place) = &change.place {
            let place = blocks::position(place);
            // On a narrow terminal the place goes on the next line.
            let used = 4 + object.chars().count();
            let fits = used + 3 + place.chars().count() <= self.style.width;
            let gap = if fits { "  ".to_owned() } else { "\n      ".to_owned() };
            let _ = write!(line, "{gap}{}", self.style.paint(Paint::new().dimmed(), &place));
        }
        self.line(&line);
        if let Some(guards) = guards {
            let guards = self.style.paint(AnsiColor::Red.on_default(), &format!("blocked: {guards}"));
            self.line(&format!("      {guards}"));
        }
        let width = change.fields.iter().map(|field| field.field.as_str().len()).max().unwrap_or_default() + 1;
        for field in &change.fields {
            self.field(change.verb, field, width);
        }
        for note in fields::notes(change) {
            let note = self.style.paint(AnsiColor::Yellow.on_default(), &note);
            self.line(&format!("      note: {note}"));
        }
    }

    /// Why each guard blocks the plan, and how to approve it.
    fn blocks(&mut self, plan: &Plan, blocked: &BlockedChanges<'_>, command: &str) {
        if plan.blocked.is_empty() {
            return;
        }
        self.line("");
        let title = format!("Blocked: {}", summary::blocked(plan, blocked));
        let title = self.style.paint(AnsiColor::Red.on_default().bold(), &title);
        self.line(&title);
        for block in &plan.blocked {
            let (title, place) = blocks::title(block);
            let place =
                place.map(|place| self.style.paint(Paint::new().dimmed(), &format!("  {place}"))).unwrap_or_default();
            self.line(&format!("  {title}{place}"));
            for line in blocked.list(block) {
                self.line(&format!("      {line}"));
            }
        }
        self.line(&format!("  To approve exactly this plan: `{command} {}`", blocks::release(plan)));
    }

    /// What stays as it is although the files declare it.
    fn skipped(&mut self, plan: &Plan) {
        let Some(title) = skipped::title(plan) else { return };
        self.line("");
        let title = self.style.paint(AnsiColor::Yellow.on_default().bold(), &format!("Left out: {title}"));
        self.line(&title);
        for line in skipped::list(plan) {
            self.line(&format!("  {line}"));
        }
    }

    fn field(&mut self, verb: Verb, field: &FieldChange, width: usize) {
        let name = format!("{}:", field.field.as_str());
        if verb != Verb::Update {
            self.line(&format!("      {name:width$} {}", fields::value(fields::only(field, verb))));
            return;
        }
        if let Some(lines) = fields::unified(field) {
            self.line(&format!("      {name}"));
            for (sign, text) in lines {
                let line = self.style.paint(color(sign), &format!("{sign} {text}"));
                self.line(&format!("        {line}"));
            }
            return;
        }
        let before = self.style.paint(AnsiColor::Red.on_default(), &fields::value(&field.before));
        let after = self.style.paint(AnsiColor::Green.on_default(), &fields::value(&field.after));
        let fresh = match (field.field, &field.after) {
            (FieldName::To | FieldName::NoAnswer, crate::model::FieldValue::Reference(target))
                if target.created_by.is_some() =>
            {
                " (new)"
            }
            _ => "",
        };
        self.line(&format!("      {name:width$} {before} → {after}{fresh}"));
    }
}

fn color(sign: char) -> Paint {
    match sign {
        '+' => AnsiColor::Green.on_default(),
        '-' => AnsiColor::Red.on_default(),
        '~' => AnsiColor::Yellow.on_default(),
        _ => Paint::new(),
    }
}
