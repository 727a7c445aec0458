//! One account's part of a Markdown page: a frame that is always there, and parts that may be left out.

use std::fmt::Write as _;

use crate::model::{Change, Verb};
use crate::plan::Plan;
use crate::text;

use super::super::blocks::{self, BlockedChanges};
use super::super::summary::{self, counted};
use super::super::{fields, human, skipped};

/// The longest name of an account in a heading.
const TITLE: usize = 80;
/// Room for a list in the frame, in bytes.
const BLOCK: usize = 1_000;
/// Room for the paragraph that says what was cut.
const CUT: usize = 320;

/// What is left out last comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// What a guard says.
    Reason,
    /// A change that a guard holds back.
    Blocked,
    Deletion,
    /// Any other change.
    Other,
}

/// Every urgency, the greatest first.
pub(super) const URGENCIES: [Urgency; 4] = [Urgency::Reason, Urgency::Blocked, Urgency::Deletion, Urgency::Other];

/// A change, or what a guard says, as whole lines.
struct Part {
    urgency: Urgency,
    verb: Option<Verb>,
    text: String,
    shown: bool,
}

/// The plan of one account: a heading, the changes as a diff, what is blocked, the counts, the API calls, the digest.
pub(super) struct Section<'a> {
    pub(super) plan: &'a Plan,
    title: String,
    /// The line before what is blocked.
    blocked: String,
    tail: String,
    fence: String,
    parts: Vec<Part>,
    /// Up to where parts of an urgency have been looked at.
    looked: usize,
    looking: Urgency,
}

impl<'a> Section<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let blocked = BlockedChanges::of(plan);
        let mut parts: Vec<Part> = plan.changes.iter().map(|change| of_change(change, &blocked)).collect();
        parts.extend(plan.blocked.iter().map(|block| {
            let (title, place) = blocks::title(block);
            let mut text = place.map_or(format!("{title}\n"), |place| format!("{title}  {place}\n"));
            for line in blocked.list(block) {
                let _ = writeln!(text, "    {line}");
            }
            Part { urgency: Urgency::Reason, verb: None, text, shown: false }
        }));
        let longest = parts.iter().map(|part| longest_run(&part.text)).max().unwrap_or_default();
        let account = code(&text::sanitized(&plan.account, TITLE));
        let only =
            skipped::only(plan).map(|only| format!(", {}", code(&text::sanitized(&only, TITLE)))).unwrap_or_default();
        let title = format!("### Strowger plan for {account}{only}\n\n**{}**\n", summary::counts(plan));
        let heading = format!("\n**Blocked: {}.**\n", summary::blocked(plan, &blocked));
        let blocked = if plan.is_blocked() { heading } else { String::new() };
        let fence = "`".repeat(longest.max(2) + 1);
        Self { plan, title, blocked, tail: tail(plan), fence, parts, looked: 0, looking: Urgency::Reason }
    }

    /// How early the account's frame gets its room; an account without changes comes last.
    pub(super) fn rank(&self) -> usize {
        let urgency = self.parts.iter().map(|part| part.urgency).min();
        URGENCIES.iter().position(|one| Some(*one) == urgency).unwrap_or(URGENCIES.len())
    }

    /// The bytes of the whole section.
    pub(super) fn whole(&self) -> usize {
        self.frame() - CUT + self.parts.iter().map(Part::cost).sum::<usize>()
    }

    /// The most bytes that the section has without its parts, with the empty line before the next one.
    pub(super) fn frame(&self) -> usize {
        let fences = 2 * (2 * self.fence.len() + "\ndiff\n\n".len());
        self.title.len() + self.blocked.len() + self.tail.len() + fences + CUT + 1
    }

    pub(super) fn show_all(&mut self) {
        self.parts.iter_mut().for_each(|part| part.shown = true);
    }

    /// Shows the next part of this urgency that there is room for; false if there is none.
    pub(super) fn show_next(&mut self, urgency: Urgency, left: &mut usize) -> bool {
        if self.looking != urgency {
            (self.looking, self.looked) = (urgency, 0);
        }
        for part in self.parts.iter_mut().skip(self.looked) {
            self.looked += 1;
            if part.urgency == urgency && part.cost() <= *left {
                *left -= part.cost();
                part.shown = true;
                return true;
            }
        }
        false
    }

    pub(super) fn text(&self) -> String {
        let shown = |reasons: bool| {
            let parts = self.parts.iter().filter(|part| part.shown && (part.urgency == Urgency::Reason) == reasons);
            parts.map(|part| part.text.as_str()).collect::<Vec<_>>()
        };
        let mut text = self.title.clone();
        text.push_str(&self.cut());
        let fence = &self.fence;
        let changes = shown(false);
        if !changes.is_empty() {
            let _ = writeln!(text, "\n{fence}diff\n{}{fence}", changes.join("\n"));
        }
        text.push_str(&self.blocked);
        let reasons = shown(true);
        if !reasons.is_empty() {
            let _ = writeln!(text, "\n{fence}text\n{}{fence}", reasons.concat());
        }
        text.push_str(&self.tail);
        text
    }

    /// What is not shown, if anything is not.
    fn cut(&self) -> String {
        let hidden = || self.parts.iter().filter(|part| !part.shown);
        if hidden().next().is_none() {
            return String::new();
        }
        let of = |verb| hidden().filter(|part| part.verb == Some(verb)).count();
        let mut parts = summary::by_verb(of);
        let urgent = |urgency| hidden().filter(|part| part.urgency == urgency).count();
        if urgent(Urgency::Reason) > 0 {
            parts.push(format!("{} for a block", counted(urgent(Urgency::Reason), "reason")));
        }
        let rest = match (urgent(Urgency::Blocked), of(Verb::Delete)) {
            (0, 0) => "no blocked change and no deletion among it".to_owned(),
            (0, _) => "no blocked change among it".to_owned(),
            (blocked, _) => format!("{} among it", counted(blocked, "blocked change")),
        };
        format!("\n**Cut to fit, not shown: {}; {rest}.**\n", parts.join(", "))
    }
}

impl Part {
    /// The bytes that the part takes, with the line break between it and the next one.
    fn cost(&self) -> usize {
        self.text.len() + 1
    }
}

/// The change as the terminal shows it, with the sign in the first column, where a `diff` block wants it; `!` is its
/// sign for a changed line.
fn of_change(change: &Change, blocked: &BlockedChanges<'_>) -> Part {
    let mut text = String::new();
    for line in human::change(change, blocked.by(change)).lines() {
        match line.strip_prefix("  ") {
            Some(change) if change.starts_with('~') => text.push_str(&change.replacen('~', "!", 1)),
            Some(change) => text.push_str(change),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    let urgency = match (blocked.by(change), change.verb) {
        (Some(_), _) => Urgency::Blocked,
        (None, Verb::Delete) => Urgency::Deletion,
        (None, Verb::Create | Verb::Update) => Urgency::Other,
    };
    Part { urgency, verb: Some(change.verb), text, shown: false }
}

fn tail(plan: &Plan) -> String {
    let mut parts = Vec::new();
    if plan.is_blocked() {
        parts.push(format!(
            "To approve exactly this plan: {}.",
            code(&format!("strowger apply PATH {}", blocks::release(plan)))
        ));
    }
    if let Some(title) = skipped::title(plan) {
        parts.push(format!("**Left out: {title}.**\n\n{}", block(&skipped::list(plan))));
    }
    parts.extend(summary::unmanaged(plan).map(|line| line + "."));
    let unreadable = summary::unreadable(plan);
    if !unreadable.is_empty() {
        parts.push(block(&unreadable));
    }
    parts.push(format!("API calls: {}.", summary::api_calls(plan)));
    if !plan.is_empty() {
        parts.push(format!("Digest: {}", code(&fields::sanitized(&plan.digest.0))));
    }
    parts.iter().fold(String::new(), |tail, part| format!("{tail}\n{part}\n"))
}

/// A line of ours that holds names, as inline code that they cannot leave.
pub(super) fn strong(text: &str) -> String {
    format!("{}\n", code(text))
}

/// Lines as a block that they cannot leave, as many as have room in a frame that is always shown.
fn block(lines: &[String]) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut left = BLOCK;
    for line in lines.iter().map(|line| text::sanitized(line, BLOCK / 4)) {
        let Some(rest) = left.checked_sub(line.len() + 1) else { break };
        left = rest;
        shown.push(line);
    }
    if shown.len() < lines.len() {
        shown.push(format!("and {} more", counted(lines.len() - shown.len(), "line")));
    }
    let fence = "`".repeat(shown.iter().map(|line| longest_run(line)).max().unwrap_or_default().max(2) + 1);
    format!("{fence}text\n{}\n{fence}", shown.join("\n"))
}

/// Text as inline code that it cannot leave.
fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}
