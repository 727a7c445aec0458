//! Accounts that have no plan, and the total over several accounts, in every format.
//!
//! Names and reasons may come from files and servers; but for JSON, whatever leaves this module stays on its line.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Paint};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diag::first_few;
use crate::model::Place;
use crate::plan::Plan;
use crate::text;

use super::diagnostics::Style;
use super::fields;
use super::summary::counted;

/// The most characters of a reason.
const LONGEST: usize = 1_000;
/// The most characters of a reason in Markdown, where all accounts share the room.
const SHORT: usize = 300;
/// The most names of a list in one line.
const NAMES: usize = 10;

/// An account that has no plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unplanned {
    /// The account's name; if its files do not say it, their path.
    pub account: String,
    /// What kind of reason it is.
    pub reason: Reason,
    /// The reason, as a sentence without a full stop.
    pub message: String,
    /// Where the account is declared, if that is known.
    pub place: Option<Place>,
}

/// Why an account has no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its files have errors or do not fit the account; `diagnostics` has them.
    Invalid,
    /// The account could not be read.
    Unreadable,
    /// Something has to be accepted before anything is sent to the account.
    Held,
}

/// For people: a block for each account.
pub fn human(unplanned: &[Unplanned], style: Style) -> String {
    let mut blocks = Vec::with_capacity(unplanned.len());
    for one in unplanned {
        let title = style.paint(Paint::new().bold(), &fields::sanitized(&one.account));
        let line = style
            .paint(AnsiColor::Red.on_default(), &format!("Not planned: {}", text::sanitized(&one.message, LONGEST)));
        blocks.push(format!("Account {title}\n  {line}\n"));
    }
    blocks.join("\n")
}

/// The counts over all accounts, as one line; nothing for a single account.
pub fn total(plans: &[Plan], unplanned: &[Unplanned]) -> Option<String> {
    let accounts = plans.len() + unplanned.len();
    if accounts < 2 {
        return None;
    }
    let changes: usize = plans.iter().map(|plan| plan.changes.len()).sum();
    let changing = plans.iter().filter(|plan| !plan.is_empty()).count();
    let mut parts = Vec::new();
    if changing > 0 {
        parts.push(format!("{} planned in {changing}", counted(changes, "change")));
    }
    if plans.len() > changing {
        parts.push(format!("{} in sync", plans.len() - changing));
    }
    let blocked: Vec<&str> = plans.iter().filter(|plan| plan.is_blocked()).map(|plan| plan.account.as_str()).collect();
    if !blocked.is_empty() {
        parts.push(format!("{} blocked ({})", blocked.len(), names(&blocked)));
    }
    if !unplanned.is_empty() {
        let list: Vec<&str> = unplanned.iter().map(|one| one.account.as_str()).collect();
        parts.push(format!("{} not planned ({})", unplanned.len(), names(&list)));
    }
    Some(format!("{}: {}", counted(accounts, "account"), parts.join(", ")))
}

/// The first names of a list, on one line.
pub(crate) fn names(list: &[&str]) -> String {
    let names: Vec<String> = list.iter().map(|name| fields::sanitized(name)).collect();
    first_few(&names, NAMES, ", ")
}

/// A section for Markdown within `budget` bytes, which are enough for a heading and a name; empty if every
/// account has a plan.
pub(super) fn markdown(unplanned: &[Unplanned], budget: usize) -> String {
    if unplanned.is_empty() {
        return String::new();
    }
    let title = format!("### Strowger could not plan {}\n\n", counted(unplanned.len(), "account"));
    let lines: Vec<String> = unplanned.iter().map(|one| line(one, SHORT)).collect();
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let frame = title.len() + 2 * fence.len() + "text\n\n".len() + "and 1000000 more\n".len();
    let mut left = budget.saturating_sub(frame);
    let mut list = String::new();
    for (at, line) in lines.iter().enumerate() {
        if line.len() >= left {
            let _ = writeln!(list, "and {} more", lines.len() - at);
            break;
        }
        left -= line.len() + 1;
        list.push_str(line);
        list.push('\n');
    }
    format!("{title}{fence}text\n{list}{fence}\n")
}

/// `lyon: cannot reach the server`.
pub(super) fn line(one: &Unplanned, most: usize) -> String {
    format!("{}: {}", fields::sanitized(&one.account), text::sanitized(&one.message, most))
}

impl Unplanned {
    /// The account and the reason on one line, safe to show.
    pub fn line(&self) -> String {
        line(self, LONGEST)
    }
}
