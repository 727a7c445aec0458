//! What a plan leaves out, as every view of a plan words it. All of it is safe to show on one line.

use crate::plan::{Plan, Skipped};

use super::summary::counted;
use super::{blocks, fields};

/// A view for people lists no more than this; the JSON has all of them.
const LISTED: usize = 20;

/// `2 objects stay as they are`; nothing if the plan covers everything.
pub(super) fn title(plan: &Plan) -> Option<String> {
    let verb = if plan.skipped.len() == 1 { "stays as it is" } else { "stay as they are" };
    (!plan.skipped.is_empty()).then(|| format!("{} {verb}", counted(plan.skipped.len(), "object")))
}

/// `only +33142685300, ring_group/ventes`; nothing if the plan is about everything.
pub(super) fn only(plan: &Plan) -> Option<String> {
    let selectors: Vec<String> = plan.only.iter().map(|text| fields::sanitized(text)).collect();
    (!selectors.is_empty()).then(|| format!("only {}", selectors.join(", ")))
}

/// A line for each of the first objects, and how many more there are.
pub(crate) fn list(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> = plan.skipped.iter().take(LISTED).map(line).collect();
    if plan.skipped.len() > LISTED {
        lines.push(format!("and {} more", counted(plan.skipped.len() - LISTED, "object")));
    }
    lines
}

/// `ring_group/ventes  acme.yaml:12:3: the account has no user …`.
fn line(skipped: &Skipped) -> String {
    let place = skipped.place.as_ref().map(|place| format!("  {}", blocks::position(place))).unwrap_or_default();
    format!("{}{place}: {}", object(skipped), reason(skipped))
}

/// The object as changes are called.
pub(super) fn object(skipped: &Skipped) -> String {
    fields::named(skipped.kind, &skipped.name)
}

/// Why it is left out, with the rule or the word for programs.
pub(super) fn reason(skipped: &Skipped) -> String {
    let word = skipped.rule.as_ref().map_or_else(|| skipped.cause.as_str().to_owned(), |rule| fields::sanitized(rule));
    format!("{} [{word}]", fields::sanitized(&skipped.reason))
}
