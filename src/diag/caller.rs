//! Findings on what a caller experiences. The files alone show some of them, the files together with the account
//! show others; both have the same wording.

use crate::model::{FieldName, RingFor, Span};

use super::{Diagnostic, Rule};

/// The longest wait for one group, in seconds, that is not reported.
const LONGEST_WAIT: u32 = 60;
/// The most groups of a cycle that a finding lists.
const PLACES: usize = 10;

/// The finding on a group that rings too many members one after the other for too long.
pub fn long_wait(span: Span, members: usize, each: RingFor) -> Option<Diagnostic> {
    let members = u32::try_from(members).unwrap_or(u32::MAX);
    let wait = members.saturating_mul(u32::from(each.seconds()));
    if wait <= LONGEST_WAIT {
        return None;
    }
    let message = format!("a caller may wait {wait}s: {members} members, {each} each");
    let hint = match LONGEST_WAIT / members.max(1) {
        0 => "ring fewer members, or all at once with `ring: simultaneous`".to_owned(),
        seconds => {
            let field = FieldName::RingFor.as_str();
            format!("write `{field}: {seconds}s`, ring fewer members, or all at once")
        }
    };
    Some(Diagnostic::new(Rule::LONG_WAIT, Some(span), message).hint(hint))
}

/// A group of a cycle: its name, and where a file says who takes its unanswered calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    pub name: &'a str,
    /// Its `no_answer` in the files; `None` if the account alone says it.
    pub span: Option<Span>,
}

/// The finding on a cycle of unanswered calls, in the order of the calls. It is reported at its
/// first place in the files; `None` if no file says anything of it.
pub fn cycle(mut steps: Vec<Step<'_>>) -> Option<Diagnostic> {
    let placed = steps.iter().enumerate().filter_map(|(index, step)| Some((step.span?, index)));
    let (first, at) = placed.min()?;
    steps.rotate_left(at);
    let names: Vec<&str> = steps.iter().take(PLACES).map(|step| step.name).collect();
    let more = if steps.len() > PLACES { format!(" → … {} more", steps.len() - PLACES) } else { String::new() };
    let back = names.first().copied().unwrap_or_default();
    let message = format!("unanswered calls form a cycle: {}{more} → {back}", names.join(" → "));
    let live = steps.iter().find(|step| step.span.is_none()).map(|step| step.name);
    let hint = match live {
        None => "let one of them end elsewhere: a user, a voicemail box, or `no_answer: none`".to_owned(),
        Some(name) => {
            format!("`{name}` sends them on in the account: write another target here, or a `no_answer` for `{name}`")
        }
    };
    let mut finding = Diagnostic::new(Rule::NO_ANSWER_CYCLE, Some(first), message).hint(hint);
    for step in steps.iter().skip(1).take(PLACES - 1) {
        if let Some(span) = step.span {
            finding = finding.related(span, format!("then from `{}`", step.name));
        }
    }
    Some(finding)
}
