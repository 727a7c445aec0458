//! Findings as text: with excerpts for people, one line each for pipes, objects for programs.
//!
//! Messages, paths and excerpts hold text of files that nobody has vouched for, so nothing in them reaches
//! a terminal as a control character, and no secret reaches it at all (see [`Sources`]).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::{Value, json};

use crate::diag::{Diagnostic, Severity, Sources};
use crate::model::{FileId, Span};
use crate::text;

use super::summary::counted;

/// How text for people looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether colours are wanted.
    pub color: bool,
    /// How many columns there are.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 100 }
    }
}

/// The last column whose line is looked at. A machine wrote what stands further right, and a line that has all of
/// a file's findings would be gone through once for each.
pub(super) const FAR: u32 = 2_000;
/// The most characters of a line that an excerpt shows.
const WINDOW: usize = 160;
/// The most characters of a message.
const MOST: usize = 2_000;
/// The most second places of a finding that are shown with an excerpt.
const PLACES: usize = 10;

/// Findings with caret excerpts, for a terminal; nothing if there are none.
pub fn human(findings: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(style.width.clamp(40, 400));
    let mut text = String::new();
    for finding in findings {
        text.push_str(&one(finding, sources, &renderer));
        text.push_str("\n\n");
    }
    if let Some(line) = count(findings) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// One line for each finding: `file:line:column: error[rule]: message (hint)`; nothing if there are none.
pub fn plain(findings: &[Diagnostic], sources: &Sources) -> String {
    let mut text = String::new();
    for finding in findings {
        if let Some(span) = finding.span {
            text.push_str(&position(span, sources));
            text.push_str(": ");
        }
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}[{}]: {}", word(finding.severity), finding.rule.id, sentence(finding, sources));
    }
    if let Some(line) = count(findings) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// A finding on one line: the message, other places that matter, and the hint in parentheses.
pub(super) fn sentence(finding: &Diagnostic, sources: &Sources) -> String {
    let mut text = escape(&finding.message);
    for label in finding.related.iter().take(PLACES) {
        // Writing to a string does not fail, here and below.
        let _ = write!(text, "; {}: {}", position(label.span, sources), escape(&label.message));
    }
    if let Some(hint) = &finding.hint {
        let _ = write!(text, " ({})", escape(hint));
    }
    text
}

/// The exact message, with the exact hint in parentheses.
pub(super) fn remark(finding: &Diagnostic) -> String {
    match &finding.hint {
        Some(hint) => format!("{} ({hint})", finding.message),
        None => finding.message.clone(),
    }
}

/// An array with one object for each finding.
pub fn json(findings: &[Diagnostic], sources: &Sources) -> Value {
    let place = |span: Span| {
        let place = sources.place(span);
        (place.file, place.line, place.column)
    };
    findings
        .iter()
        .map(|finding| {
            let (file, line, column) = match finding.span.map(place) {
                Some((file, line, column)) => (json!(file), json!(line), json!(column)),
                None => (Value::Null, Value::Null, Value::Null),
            };
            let related: Value = finding
                .related
                .iter()
                .map(|label| {
                    let (file, line, column) = place(label.span);
                    json!({"file": file, "line": line, "column": column, "message": label.message})
                })
                .collect();
            json!({
                "rule": finding.rule.id,
                "severity": finding.severity,
                "message": finding.message,
                "file": file,
                "line": line,
                "column": column,
                "hint": finding.hint,
                "related": related,
            })
        })
        .collect()
}

/// `2 errors, 1 warning in 3 files`; nothing if there are none.
pub fn count(findings: &[Diagnostic]) -> Option<String> {
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let counts = [(of(Severity::Error), "error"), (of(Severity::Warning), "warning"), (of(Severity::Info), "note")];
    let words: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| counted(count, word)).collect();
    if words.is_empty() {
        return None;
    }
    let files: BTreeSet<FileId> = findings.iter().filter_map(|finding| finding.span).map(|span| span.file).collect();
    let place = if files.is_empty() { String::new() } else { format!(" in {}", counted(files.len(), "file")) };
    Some(format!("{}{place}", words.join(", ")))
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn position(span: Span, sources: &Sources) -> String {
    let place = sources.place(span);
    format!("{}:{}:{}", text::path(&place.file, MOST), place.line, place.column)
}

fn one(finding: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::NOTE,
    };
    let title = level.primary_title(escape(&finding.message)).id(finding.rule.id);
    let related = finding.related.iter().take(PLACES).map(|label| (label.span, escape(&label.message)));
    let excerpts = std::iter::once((finding.span, None, AnnotationKind::Primary))
        .chain(related.map(|(span, message)| (Some(span), Some(message), AnnotationKind::Context)));
    let mut group = annotate_snippets::Group::with_title(title);
    for (span, label, kind) in excerpts {
        let Some(span) = span else { continue };
        let Some(Excerpt { text, range }) = excerpt(span, sources) else {
            group = group.element(annotate_snippets::Origin::path(position(span, sources)));
            continue;
        };
        let mut annotation = kind.span(range);
        if let Some(label) = label {
            annotation = annotation.label(label);
        }
        let path = sources.get(span.file).map(|source| text::path(source.display(), MOST)).unwrap_or_default();
        let line = usize::try_from(span.line).unwrap_or(usize::MAX);
        group = group.element(Snippet::source(text).line_start(line).path(path).annotation(annotation));
    }
    let more = finding.related.len().saturating_sub(PLACES);
    if more > 0 {
        group = group.element(Level::NOTE.message(format!("and {} more", counted(more, "place"))));
    }
    if let Some(hint) = &finding.hint {
        group = group.element(Level::HELP.message(escape(hint)));
    }
    renderer.render(&[group])
}

/// A line of a file, and the bytes of it that are meant.
struct Excerpt {
    text: String,
    range: std::ops::Range<usize>,
}

/// The line of a place, with control characters made visible.
///
/// The excerpt keeps its line's columns, because the renderer tells them; so a long line is cut after the
/// place, and the renderer leaves out what is too far before it.
fn excerpt(span: Span, sources: &Sources) -> Option<Excerpt> {
    if span.column > FAR {
        return None;
    }
    let line = sources.get(span.file)?.line(span.line)?;
    let first = (span.column as usize).saturating_sub(1);
    let after = first.saturating_add(span.length.max(1) as usize).min(first.saturating_add(WINDOW));
    let mut text = String::new();
    let (mut from, mut to, mut before) = (None, None, ' ');
    for (index, character) in line.chars().take(after.saturating_add(WINDOW)).enumerate() {
        if index == first {
            from = Some(text.len());
        }
        if index == after {
            to = Some(text.len());
        }
        text.push(visible(before, character));
        before = character;
    }
    let from = from.unwrap_or(text.len());
    let to = to.unwrap_or(text.len()).max(from);
    // A place after the end of the line, such as where something is missing, needs a column to point at.
    if from == text.len() {
        text.push(' ');
        return Some(Excerpt { range: from..from + 1, text });
    }
    Some(Excerpt { text, range: from..to })
}

/// A character of an excerpt, one for one, so that columns stay right.
fn visible(before: char, character: char) -> char {
    match character {
        '\t' => ' ',
        _ if text::is_unsafe(character) || text::starts_command(before, character) => '\u{fffd}',
        _ => character,
    }
}

/// A message on one line.
fn escape(message: &str) -> String {
    text::shown(message, MOST)
}
