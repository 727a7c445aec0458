//! Plans for part of what the files ask for.
//!
//! What is left out (`exclude`): invalid declarations, what a guard on single objects holds back, what was not selected,
//! and whatever depends on that. The rest is ordered, estimated and guarded like any other plan. References and identities
//! are those of the whole files, so a group whose declaration is left out is never taken for another one.

use crate::diag::{Diagnostic, Rule, Severities, has_errors};
use crate::diff::{Difference, diff};
use crate::model::{Desired, LiveAccount};

use super::exclude::Cut;
use super::order::{self, Ordered};
use super::selection::Select;
use super::{Digest, Guard, Plan, build, guard};

/// Which part of what the files ask for is planned; by default all of it.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Leave out invalid declarations, and what depends on them, instead of planning nothing.
    pub skip_invalid: bool,
    /// Leave out what a guard on single objects holds back, and what depends on it.
    pub skip_blocked: bool,
    /// Whole plans that were approved: of these nothing is left out as blocked.
    pub approved: Vec<Digest>,
    /// Only these objects, and the ring groups that must be created for them; empty is everything.
    pub only: Vec<Select>,
    /// Take the account over from other owners.
    pub take_over: bool,
}

impl Guard {
    /// Whether the guard judges single objects. The others judge the plan as a whole.
    pub fn is_of_objects(self) -> bool {
        matches!(self, Self::Protected | Self::Scope)
    }
}

/// Compares both sides and plans the writes of a part of what the files ask for.
///
/// `severities` is the operator's policy on rules; `reads` is how many calls it took to read the account.
/// Returns the plan, unless an error remains that nothing can be planned with. With `skip_invalid`, errors may come
/// with a plan: then they are about what it leaves out.
pub fn plan_part(
    desired: &Desired,
    live: &LiveAccount,
    severities: &Severities,
    reads: u64,
    part: &Part,
) -> (Option<Plan>, Vec<Diagnostic>) {
    let (mut difference, mut diagnostics) = diff(desired, live);
    severities.apply(&mut diagnostics);
    let mut cut = None;
    if !part.only.is_empty() {
        let cut = cut.insert(Cut::new(&difference));
        cut.select(desired, &part.only);
        diagnostics.retain(|finding| cut.is_about(finding));
    }
    if has_errors(&diagnostics) {
        let skipped = part.skip_invalid && cut.get_or_insert_with(|| Cut::new(&difference)).skip_invalid(&diagnostics);
        if !skipped {
            return (None, diagnostics);
        }
    }
    loop {
        if let Some(cut) = &mut cut {
            cut.close(&difference);
            diagnostics.extend(cut.refused(&difference));
            if diagnostics.iter().any(|finding| finding.rule == Rule::NEEDS_UNSELECTED) {
                return (None, diagnostics);
            }
            cut.reduce(&mut difference);
        }
        let (mut plan, ordered) = match built(&difference, reads) {
            Ok(built) => built,
            Err(diagnostic) => {
                diagnostics.push(*diagnostic);
                return (None, diagnostics);
            }
        };
        plan.blocked = guard::evaluate(&plan.changes, desired, live);
        plan.claim(desired, &live.account, part.take_over);
        plan.only = part.only.iter().map(|select| select.as_str().to_owned()).collect();
        plan.skipped = cut.as_ref().map(|cut| cut.skipped(&difference)).unwrap_or_default();
        // A guard on the whole plan holds all of it, also what another guard would leave.
        let objects = part.skip_blocked
            && plan.is_blocked()
            && plan.blocked.iter().all(|block| block.guard.is_of_objects())
            && !part.approved.contains(&plan.digest);
        if !objects || !cut.get_or_insert_with(|| Cut::new(&difference)).skip_blocked(&plan, &ordered) {
            return (Some(plan), diagnostics);
        }
    }
}

fn built(difference: &Difference<'_>, reads: u64) -> Result<(Plan, Ordered), Box<Diagnostic>> {
    let ordered = order::order(difference)?;
    Ok((build::build(difference, &ordered, reads), ordered))
}
