//! One finding.

use crate::model::{Declaration, Span};

use super::{Rule, Severity};

/// A finding: which rule, how bad, where, what, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub rule: &'static Rule,
    /// How bad it is, after the operator's policy.
    pub severity: Severity,
    /// Where; `None` if it concerns no line of a file.
    pub span: Option<Span>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Other places that matter, such as the first of two duplicates.
    pub related: Vec<Label>,
    /// The remedy, with the text to write where there is one.
    pub hint: Option<String>,
    /// The declarations that are wrong, if it is about single ones: a plan can be made without them. Empty if it
    /// concerns the files, or the account, as a whole.
    pub concerns: Box<[Declaration]>,
    /// How many further findings of this rule and severity it stands for, which are not kept.
    pub more: usize,
}

/// A second place of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub message: String,
}

impl Diagnostic {
    /// A finding with the rule's own severity.
    pub fn new(rule: &'static Rule, span: Option<Span>, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            span,
            message: message.into(),
            related: Vec::new(),
            hint: None,
            concerns: Box::default(),
            more: 0,
        }
    }

    /// The same finding, with its remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same finding, of one more declaration.
    #[must_use]
    pub fn of(mut self, declaration: Declaration) -> Self {
        self.concerns = self.concerns.iter().copied().chain([declaration]).collect();
        self
    }

    /// The same finding, pointing at one more place.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Label { span, message: message.into() });
        self
    }
}

/// Notes that these findings are about one declaration.
pub fn attribute(findings: &mut [Diagnostic], declaration: Declaration) {
    for finding in findings {
        finding.concerns = finding.concerns.iter().copied().chain([declaration]).collect();
    }
}

/// Puts findings in the order in which they are shown (file, line, column, rule) and drops repetitions. Of more than
/// [`MOST`](super::MOST) the first are kept, errors before all others, and the rest is counted.
pub fn sort(findings: &mut Vec<Diagnostic>) {
    findings.sort_by(|left, right| {
        (left.span, left.rule.id, &left.message).cmp(&(right.span, right.rule.id, &right.message))
    });
    findings.dedup();
    super::findings::cut(findings);
}

/// Whether one of these findings stops everything.
pub fn has_errors(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// The first texts of a list, and how many more there are: `a, b and 3 more`.
pub fn first_few(texts: &[impl AsRef<str>], most: usize, separator: &str) -> String {
    let first = texts.iter().take(most).map(AsRef::as_ref).collect::<Vec<_>>().join(separator);
    match texts.len().saturating_sub(most) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// `a, b and c`.
pub fn enumerated(texts: &[impl AsRef<str>]) -> String {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    match texts.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// Words in backticks, [`enumerated`].
pub fn list(words: &[&str]) -> String {
    enumerated(&words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>())
}
