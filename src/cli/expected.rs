//! `apply --expect`: a fresh plan is applied only if it is one that somebody has read.
//!
//! A digest names exactly the changes, their order and what they expect of the account, so an equal digest says
//! that neither the files nor the objects that they write have moved since the plan was read.

use std::fmt::Write as _;
use std::str::FromStr;

use crate::plan::{Digest, DigestError, Plan};
use crate::text::shown;

/// A plan that was read, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// The plan with this digest.
    Plan(Digest),
    /// No changes at all.
    Nothing,
}

impl FromStr for Expected {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" { Ok(Self::Nothing) } else { text.parse().map(Self::Plan) }
    }
}

/// Why these plans are not those that were read, in lines for people; `None` if they are, or if nobody asked.
///
/// A plan without changes surprises nobody: what was read has been done.
pub(super) fn surprise(plans: &[&Plan], expected: &[Expected]) -> Option<String> {
    if expected.is_empty() {
        return None;
    }
    let read = |plan: &Plan| expected.iter().any(|one| matches!(one, Expected::Plan(digest) if *digest == plan.digest));
    let mut lines = String::new();
    for plan in plans.iter().filter(|plan| !plan.is_empty() && !read(plan)) {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(
            lines,
            "strowger: the plan of {} is not one that was expected; its digest is {}",
            shown(&plan.account, 200),
            plan.digest
        );
    }
    if lines.is_empty() {
        return None;
    }
    for one in expected {
        let _ = match one {
            Expected::Plan(digest) => writeln!(lines, "strowger: expected {digest}"),
            Expected::Nothing => writeln!(lines, "strowger: expected that nothing is left to do"),
        };
    }
    lines.push_str("strowger: nothing was applied; the files or the account moved since: have the plan above read\n");
    Some(lines)
}
