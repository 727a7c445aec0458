//! A plan for people, on a terminal or in a log.
//!
//! Signs as in a unified diff, one block for each change, the place in the file beside it. The text holds
//! colour codes where colour is wanted and no other escape sequences, whatever the account is called.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Paint};

use crate::model::{Change, FieldChange, FieldName, Verb};
use crate::plan::Plan;

use super::diagnostics::Style;
use super::{fields, summary};

/// The plan, the unmanaged objects as one line, the counts and the price.
pub fn plan(plan: &Plan, style: Style) -> String {
    let mut page = Page { text: String::new(), style };
    let title = page.paint(Paint::new().bold(), &fields::shown(&plan.account));
    page.line(&format!("Account {title}"));
    if !plan.changes.is_empty() {
        let changes = changes(plan, style);
        page.text.push('\n');
        page.text.push_str(&changes);
        page.text.push('\n');
    }
    if let Some(unmanaged) = summary::unmanaged(plan) {
        let line = page.paint(Paint::new().dimmed(), &format!("  {unmanaged}"));
        page.line(&line);
    }
    page.line(&format!("Plan: {}", summary::counts(plan)));
    page.line(&format!("Price: {}", summary::price(plan)));
    page.text
}

/// Only the changes, a block each, with empty lines between them.
pub(super) fn changes(plan: &Plan, style: Style) -> String {
    let mut page = Page { text: String::new(), style };
    for (index, change) in plan.changes.iter().enumerate() {
        if index > 0 {
            page.line("");
        }
        page.change(change);
    }
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

    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.style.color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }

    fn change(&mut self, change: &Change) {
        let sign = fields::sign(change.verb);
        let object = fields::object(change);
        let mut line =
            format!("  {} {}", self.paint(color(sign), &sign.to_string()), self.paint(Paint::new().bold(), &object));
        if let Some(place) = &change.place {
            let place = format!("{}:{}:{}", fields::shown(&place.file), place.line, place.column);
            // On a narrow terminal the place gets a line of its own rather than a broken one.
            let used = 4 + object.chars().count();
            let fits = used + 3 + place.chars().count() <= self.style.width;
            let gap = if fits { "  ".to_owned() } else { "\n      ".to_owned() };
            let _ = write!(line, "{gap}{}", self.paint(Paint::new().dimmed(), &place));
        }
        self.line(&line);
        let width = change.fields.iter().map(|field| fields::name(field.field).len()).max().unwrap_or_default() + 1;
        for field in &change.fields {
            self.field(change.verb, field, width);
        }
        for note in fields::notes(change) {
            let note = self.paint(AnsiColor::Yellow.on_default(), &note);
            self.line(&format!("      note: {note}"));
        }
    }

    fn field(&mut self, verb: Verb, field: &FieldChange, width: usize) {
        let name = format!("{}:", fields::name(field.field));
        if verb != Verb::Update {
            self.line(&format!("      {name:width$} {}", fields::value(fields::only(field, verb))));
            return;
        }
        if let Some(lines) = fields::unified(field) {
            self.line(&format!("      {name}"));
            for (sign, text) in lines {
                let line = self.paint(color(sign), &format!("{sign} {text}"));
                self.line(&format!("        {line}"));
            }
            return;
        }
        let before = self.paint(AnsiColor::Red.on_default(), &fields::value(&field.before));
        let after = self.paint(AnsiColor::Green.on_default(), &fields::value(&field.after));
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
