//! Findings as text: with excerpts for people, one line each for pipes, objects for programs.
//!
//! Messages, paths and excerpts contain untrusted text, so nothing in them reaches
//! a terminal as a control character, and no secret reaches it at all (see [`Sources`]).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use anstyle::Style as Paint;
use serde_json::{Value, json};

use crate::diag::{Diagnostic, Label, Severity, Sources, more};
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

impl Style {
    /// The text, in this paint if colours are wanted.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        if self.color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 100 }
    }
}

/// The most characters of a line that an excerpt shows of the place, before it and after it.
const MARGIN: usize = 70;
/// The most findings that are shown with an excerpt; further ones get one line each.
const EXCERPTS: usize = 100;
/// Stands between a place and the one that the renderer puts behind it.
const SEAM: char = '\u{e000}';
/// The most characters of a message.
const MOST: usize = 2_000;
/// The most second places of a finding that are shown with an excerpt.
const PLACES: usize = 10;

/// Findings with caret excerpts, for a terminal, the first hundred of them, and the rest as lines; nothing if
/// there are none.
pub fn human(findings: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(style.width.clamp(40, 400));
    let mut text = String::new();
    let (shown, rest) = findings.split_at(findings.len().min(EXCERPTS));
    for finding in shown {
        text.push_str(&one(finding, sources, &renderer));
        text.push_str("\n\n");
    }
    lines(&mut text, rest, sources);
    if !rest.is_empty() {
        text.push('\n');
    }
    close(&mut text, findings);
    text
}

/// One line for each finding: `file:line:column: error[rule]: message (hint)`; nothing if there are none.
pub fn plain(findings: &[Diagnostic], sources: &Sources) -> String {
    let mut text = String::new();
    lines(&mut text, findings, sources);
    close(&mut text, findings);
    text
}

/// The last lines: how many findings are not shown, and how many there are.
fn close(text: &mut String, findings: &[Diagnostic]) {
    for line in rest_of(findings).into_iter().chain(count(findings)) {
        text.push_str(&line);
        text.push('\n');
    }
}

fn lines(text: &mut String, findings: &[Diagnostic], sources: &Sources) {
    for finding in findings {
        if let Some(span) = finding.span {
            text.push_str(&position(span, sources));
            text.push_str(": ");
        }
        let _ = writeln!(text, "{}[{}]: {}", word(finding.severity), finding.rule.id, sentence(finding, sources));
    }
}

/// A finding on one line: the message, other places that matter, and the hint in parentheses.
pub(super) fn sentence(finding: &Diagnostic, sources: &Sources) -> String {
    let mut text = escape(&finding.message);
    for label in finding.related.iter().take(PLACES) {
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

/// An array with one object for each finding; `more` is how many further ones of its rule it stands for.
pub fn json(findings: &[Diagnostic], sources: &Sources) -> Value {
    let related = |label: &Label| {
        let place = sources.place(label.span);
        json!({"file": place.file, "line": place.line, "column": place.column, "message": label.message})
    };
    findings
        .iter()
        .map(|finding| {
            let place = finding.span.map(|span| sources.place(span));
            let mut object = json!({
                "rule": finding.rule.id,
                "severity": finding.severity,
                "message": finding.message,
                "file": place.as_ref().map(|place| &place.file),
                "line": place.as_ref().map(|place| place.line),
                "column": place.as_ref().map(|place| place.column),
                "hint": finding.hint,
                "related": finding.related.iter().map(related).collect::<Value>(),
            });
            if let (Value::Object(object), true) = (&mut object, finding.more > 0) {
                object.insert("more".to_owned(), finding.more.into());
            }
            object
        })
        .collect()
}

/// `and 7 more findings, not shown`, if there are more than are shown.
pub(super) fn rest_of(findings: &[Diagnostic]) -> Option<String> {
    let more = more(findings);
    (more > 0).then(|| format!("and {}, not shown", counted(more, "more finding")))
}

/// `2 errors, 1 warning in 3 files`, also of those that are not shown; nothing if there are none.
pub fn count(findings: &[Diagnostic]) -> Option<String> {
    let of = |severity| {
        let these = findings.iter().filter(|finding| finding.severity == severity);
        these.map(|finding| 1 + finding.more).sum::<usize>()
    };
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

/// As SARIF has it, too.
pub(super) fn word(severity: Severity) -> &'static str {
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
    let mut seams = Vec::new();
    for (span, label, kind) in excerpts {
        let Some(span) = span else { continue };
        let Some(Excerpt { text, range, shifted }) = excerpt(span, sources) else {
            group = group.element(annotate_snippets::Origin::path(position(span, sources)));
            continue;
        };
        let column = text.get(..range.start).unwrap_or_default().chars().count() + 1;
        let mut annotation = kind.span(range);
        if let Some(label) = label {
            annotation = annotation.label(label);
        }
        let path = sources.get(span.file).map(|source| text::path(source.display(), MOST)).unwrap_or_default();
        let line = usize::try_from(span.line).unwrap_or(usize::MAX);
        let snippet = Snippet::source(text).line_start(line).annotation(annotation);
        group = if shifted {
            seams.push(format!("{SEAM}:{line}:{column}"));
            group.element(snippet.path(format!("{}{SEAM}", position(span, sources))))
        } else {
            group.element(snippet.path(path))
        };
    }
    let more = finding.related.len().saturating_sub(PLACES);
    if more > 0 {
        group = group.element(Level::NOTE.message(format!("and {} more", counted(more, "place"))));
    }
    if let Some(hint) = &finding.hint {
        group = group.element(Level::HELP.message(escape(hint)));
    }
    // The renderer tells the column that it sees, which in a window is another one than that of the place.
    seams.iter().fold(renderer.render(&[group]), |text, seam| text.replace(seam, ""))
}

/// A line of a file, or a window of a long one, and the bytes of it that are meant.
struct Excerpt {
    text: String,
    range: std::ops::Range<usize>,
    /// Whether the line's beginning is missing, so that the excerpt's columns are not the line's.
    shifted: bool,
}

/// The line of a place, with control characters made visible.
///
/// The renderer takes time in the square of what it is given, so of a long line it gets a window around the
/// place, with `…` where the line goes on.
fn excerpt(span: Span, sources: &Sources) -> Option<Excerpt> {
    let line = sources.get(span.file)?.line(span.line)?;
    let start = (span.column as usize).saturating_sub(1).min(line.chars().count());
    let first = start.saturating_sub(MARGIN);
    let after = start.saturating_add((span.length.max(1) as usize).min(MARGIN));
    let (mut text, mut before) = (String::new(), ' ');
    let (mut from, mut to) = (None, None);
    let shifted = first > 0;
    if shifted {
        text.push('…');
    }
    for (index, character) in line.chars().enumerate().skip(first) {
        if index == start {
            from = Some(text.len());
        }
        if index == after {
            to = Some(text.len());
        }
        if index >= after.saturating_add(MARGIN) {
            text.push('…');
            break;
        }
        text.push(visible(before, character));
        before = character;
    }
    let from = from.unwrap_or(text.len());
    let to = to.unwrap_or(text.len()).max(from);
    // A place after the end of the line, such as where something is missing, needs a column to point at.
    if from == text.len() {
        text.push(' ');
        return Some(Excerpt { range: from..from + 1, text, shifted });
    }
    Some(Excerpt { text, range: from..to, shifted })
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
    text::sanitized(message, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;

    #[test]
    fn the_renderer_gets_a_window_of_a_long_line_and_the_place_is_in_it() {
        let line: String = ('a'..='z').cycle().take(20_000).collect();
        let mut sources = Sources::default();
        sources.push(Source::unread("a.yaml", "a.yaml".into()).with_text(line.clone().into()));
        for (column, length) in [(1, 3), (70, 5), (72, 5), (5_000, 1), (5_000, 9_000), (19_999, 2), (20_001, 1)] {
            let span = Span { file: FileId(0), line: 1, column, length };
            let Excerpt { text, range, shifted } = excerpt(span, &sources).unwrap_or_else(|| panic!("{column}"));
            assert!(text.chars().count() <= 3 * MARGIN + 2, "{column}: {}", text.chars().count());
            assert_eq!(shifted, text.starts_with('…') && column > 1, "{column}");
            let meant: String = line.chars().skip(column as usize - 1).take((length as usize).min(MARGIN)).collect();
            assert_eq!(text.get(range).map(str::trim), Some(meant.as_str()), "{column}");
        }
    }
}
