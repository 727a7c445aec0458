//! A plan as a piece of a page, without style and script.
//!
//! Names, labels and messages are untrusted: everything that this module outputs and that is not its own markup is
//! escaped, and what could hide or turn the writing direction is shown as an escape.

use std::fmt::Write as _;

use crate::model::{Change, FieldChange, Verb};
use crate::plan::{GuardViolation, Plan};

use super::blocks::{self, BlockedChanges};
use super::{fields, summary};

/// Untrusted text on one line, for between tags and within quoted attributes; cut at `most` characters.
pub fn text(text: &str, most: usize) -> String {
    escaped(&crate::text::sanitized(text, most))
}

/// Exactly this text, for between tags and within quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// `1 to create, 2 to update, 9 in sync`.
pub fn counts(plan: &Plan) -> String {
    escaped(&summary::counts(plan))
}

/// The first `most` changes of a plan as a list, and how many more there are.
pub fn changes(plan: &Plan, most: usize) -> String {
    let blocked = BlockedChanges::of(plan);
    let mut page = "<ol class=\"changes\">".to_owned();
    for one in plan.changes.iter().take(most) {
        change(&mut page, one, blocked.by(one));
    }
    page.push_str("</ol>");
    if plan.changes.len() > most {
        let _ =
            write!(page, "<p class=\"more\">and {} more</p>", summary::counted(plan.changes.len() - most, "change"));
    }
    if let Some(unmanaged) = summary::unmanaged(plan) {
        let _ = write!(page, "<p class=\"unmanaged\">{}</p>", escaped(&unmanaged));
    }
    page
}

/// What guards hold back and why, as a list; nothing for a plan that they let through.
pub fn blocked(plan: &Plan) -> String {
    if plan.blocked.is_empty() {
        return String::new();
    }
    let blocked = BlockedChanges::of(plan);
    let mut page = format!("<p>{}</p><ul class=\"guards\">", escaped(&summary::blocked(plan, &blocked)));
    for one in &plan.blocked {
        block(&mut page, one, &blocked);
    }
    page.push_str("</ul>");
    page
}

fn block(page: &mut String, block: &GuardViolation, blocked: &BlockedChanges<'_>) {
    let (title, place) = blocks::title(block);
    let _ = write!(page, "<li>{}", escaped(&title));
    if let Some(place) = place {
        let _ = write!(page, " <span class=\"place\">{}</span>", escaped(&place));
    }
    let lines = blocked.list(block);
    if !lines.is_empty() {
        page.push_str("<ul>");
        for line in lines {
            let _ = write!(page, "<li><code>{}</code></li>", escaped(&line));
        }
        page.push_str("</ul>");
    }
    page.push_str("</li>");
}

fn change(page: &mut String, change: &Change, guards: Option<&str>) {
    let (sign, verb) = (fields::sign(change.verb), change.verb.as_str());
    let _ = write!(
        page,
        "<li class=\"change {verb}\"><p class=\"object\"><span class=\"sign\" aria-hidden=\"true\">{sign}</span>\
         <span class=\"verb\">{verb}</span> <code>{}</code>",
        escaped(&fields::object(change))
    );
    if let Some(place) = &change.place {
        let _ = write!(page, " <span class=\"place\">{}</span>", escaped(&blocks::position(place)));
    }
    page.push_str("</p>");
    if let Some(guards) = guards {
        let _ = write!(page, "<p class=\"held\">blocked by: {}</p>", escaped(guards));
    }
    page.push_str("<dl class=\"fields\">");
    for one in &change.fields {
        let _ = write!(page, "<div><dt>{}</dt><dd>", one.field.as_str());
        field(page, change.verb, one);
        page.push_str("</dd></div>");
    }
    page.push_str("</dl>");
    for note in fields::notes(change) {
        let _ = write!(page, "<p class=\"note\">{}</p>", escaped(&note));
    }
    page.push_str("</li>");
}

fn field(page: &mut String, verb: Verb, field: &FieldChange) {
    let value = |value| escaped(&fields::value(value));
    match verb {
        Verb::Create => {
            let _ = write!(page, "<ins>{}</ins>", value(&field.after));
        }
        Verb::Delete => {
            let _ = write!(page, "<del>{}</del>", value(&field.before));
        }
        Verb::Update => {
            if let Some(lines) = fields::unified(field) {
                return list(page, &lines);
            }
            let (before, after) = (value(&field.before), value(&field.after));
            let _ = write!(
                page,
                "<span class=\"unseen\">before: </span><del>{before}</del> \
                 <span class=\"arrow\" aria-hidden=\"true\">→</span><span class=\"unseen\">, after: </span> \
                 <ins>{after}</ins>"
            );
        }
    }
}

fn list(page: &mut String, lines: &[(char, String)]) {
    page.push_str("<ul class=\"diff\">");
    for (sign, line) in lines {
        let line = escaped(line);
        let _ = match sign {
            '-' => write!(
                page,
                "<li><del><span aria-hidden=\"true\">− </span><span class=\"unseen\">removed: </span>{line}</del></li>"
            ),
            '+' => write!(
                page,
                "<li><ins><span aria-hidden=\"true\">+ </span><span class=\"unseen\">added: </span>{line}</ins></li>"
            ),
            _ => write!(page, "<li><span aria-hidden=\"true\">\u{a0} </span>{line}</li>"),
        };
    }
    page.push_str("</ul>");
}
