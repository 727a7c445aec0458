//! Plans as Markdown, for pull requests and job summaries, within a number of bytes.
//!
//! Everything that came from a file or an account stands inside a code block whose fence is longer than any
//! run of back-ticks in it, so that no mark-up, mention or HTML in a name can take effect.
//!
//! A host refuses a comment that is too long, so a long one is cut: between changes, never inside one, with
//! every fence closed, and it says what is missing. Blocked changes stay longest, then deletions.

mod section;

use crate::plan::Plan;

use super::failed_accounts::{self, Unplanned};
use super::summary::counted;

use section::Section;

/// What a host takes as a comment.
pub const COMMENT: usize = 65_536;
/// Less than this has no room for an account's frame and what was cut.
pub const LEAST: usize = 4_096;

/// Room for the line about accounts that are left out.
const CLOSING: usize = 256;

/// The accounts without a plan, then the plans of all others, together at most `budget` bytes long, if that is
/// [`LEAST`] or more.
pub fn report(plans: &[Plan], unplanned: &[Unplanned], budget: usize) -> String {
    let first = failed_accounts::markdown(unplanned, budget / 4);
    let total = failed_accounts::total(plans, unplanned).map(|total| section::strong(&total));
    // Ten long names in letters of many bytes leave no room for plans.
    let total = total.filter(|total| total.len() <= budget / 8).unwrap_or_default();
    let rest = self::plans(plans, budget.saturating_sub(first.len() + total.len() + 2));
    [first, rest, total].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The plans of all accounts, together at most `budget` bytes long, if that is [`LEAST`] or more.
pub fn plans(plans: &[Plan], budget: usize) -> String {
    let mut sections: Vec<Section<'_>> = plans.iter().map(Section::new).collect();
    let whole: usize = sections.iter().map(Section::whole).sum();
    if whole + sections.len().saturating_sub(1) <= budget {
        sections.iter_mut().for_each(Section::show_all);
        return join(&sections, &[]);
    }
    let mut left = budget.saturating_sub(CLOSING);
    let omitted = choose(&mut sections, &mut left);
    fill(&mut sections, &mut left);
    join(&sections, &omitted)
}

/// Gives room to the accounts' frames: first where something is blocked, then where something is deleted, last
/// where nothing happens. Returns the accounts that got none.
fn choose<'a>(sections: &mut Vec<Section<'a>>, left: &mut usize) -> Vec<&'a Plan> {
    let mut order: Vec<usize> = (0..sections.len()).collect();
    order.sort_by_cached_key(|&index| sections.get(index).map(Section::rank));
    let mut chosen = vec![false; sections.len()];
    for index in order {
        let (Some(section), Some(chosen)) = (sections.get(index), chosen.get_mut(index)) else { continue };
        if section.frame() <= *left {
            *left -= section.frame();
            *chosen = true;
        }
    }
    let mut omitted = Vec::new();
    let mut chosen = chosen.into_iter();
    sections.retain(|section| {
        let keep = chosen.next().unwrap_or_default();
        if !keep {
            omitted.push(section.plan);
        }
        keep
    });
    omitted
}

/// Spends the rest on parts, the most urgent first, one of each account in turn, so that no long plan takes it all.
fn fill(sections: &mut [Section<'_>], left: &mut usize) {
    for urgency in section::URGENCIES {
        let mut open: Vec<&mut Section<'_>> = sections.iter_mut().collect();
        while !open.is_empty() {
            open.retain_mut(|section| section.show_next(urgency, left));
        }
    }
}

fn join(sections: &[Section<'_>], omitted: &[&Plan]) -> String {
    let mut parts: Vec<String> = sections.iter().map(Section::text).collect();
    if !omitted.is_empty() {
        let changes: usize = omitted.iter().map(|plan| plan.changes.len()).sum();
        let blocked = omitted.iter().filter(|plan| plan.is_blocked()).count();
        parts.push(format!(
            "**Cut:** {} more with {} not shown; {blocked} of these plans blocked.\n",
            counted(omitted.len(), "account"),
            counted(changes, "change"),
        ));
    }
    parts.join("\n")
}
