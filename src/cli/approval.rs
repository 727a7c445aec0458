//! Blocked plans: `apply` refuses them unless exactly these plans are approved.

use std::fmt::Write as _;

use crate::plan::{Digest, GuardViolation, Plan};
use crate::render::counted;
use crate::text;

/// The most characters of a message, which may contain names from the account.
const MOST: usize = 400;
/// The most blocks of a plan that are listed; the plan has them all.
const SHOWN: usize = 20;

/// Why these plans are not applied, in lines for people; `None` if they may be.
///
/// Every plan that a guard holds back must be approved, and every approval must be of one of these plans: an
/// approval of another plan was given for something else.
pub(super) fn refusal(plans: &[&Plan], approved: &[Digest]) -> Option<String> {
    let strangers: Vec<&Digest> =
        approved.iter().filter(|digest| !plans.iter().any(|plan| plan.digest == **digest)).collect();
    let blocked: Vec<&Plan> = plans.iter().copied().filter(|plan| plan.is_blocked()).collect();
    let waiting = blocked.iter().filter(|plan| plan.is_refused() || !approved.contains(&plan.digest));
    let mut lines = String::new();
    for digest in &strangers {
        let _ = writeln!(lines, "strowger: `--approve {digest}` does not match the plan above");
    }
    for plan in waiting {
        list_blocks(&mut lines, plan);
    }
    if lines.is_empty() {
        return None;
    }
    lines.push_str("strowger: nothing was applied");
    if blocked.is_empty() {
        lines.push_str("; the plan needs no approval: remove `--approve`\n");
    } else {
        let needs_approval = |plan: &&&Plan| plan.blocked.iter().any(|block| block.guard.is_approvable());
        let approve = blocked.iter().filter(needs_approval).map(|plan| format!("--approve {}", plan.digest));
        let take_over = blocked.iter().any(|plan| plan.is_refused()).then(|| "--take-over".to_owned());
        let words: Vec<String> = approve.chain(take_over).collect();
        let _ = writeln!(lines, "; if this plan is intended, approve it with:");
        let _ = writeln!(lines, "  {}", words.join(" "));
    }
    Some(lines)
}

fn list_blocks(lines: &mut String, plan: &Plan) {
    let account = text::sanitized(&plan.account, MOST);
    let blocked: std::collections::HashSet<_> = plan.blocked.iter().flat_map(|block| &block.changes).collect();
    let (blocked, all) = (blocked.len(), counted(plan.changes.len(), "change"));
    let _ = writeln!(lines, "strowger: guards hold back {blocked} of {all} to {account}:");
    for block in plan.blocked.iter().take(SHOWN) {
        let _ = writeln!(lines, "  {}", line(block));
    }
    if plan.blocked.len() > SHOWN {
        let _ = writeln!(lines, "  and {} more", plan.blocked.len() - SHOWN);
    }
}

fn line(block: &GuardViolation) -> String {
    let message = text::sanitized(&block.message, MOST);
    let place = block.place.as_ref().map(|place| {
        let file = text::sanitized(&place.file, MOST);
        format!(" ({file}:{}:{})", place.line, place.column)
    });
    format!("{}: {message}{}", block.guard.as_str(), place.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::{CallEstimate, Guard};

    fn plan(digest: &Digest, blocked: bool) -> Plan {
        let block =
            GuardViolation { guard: Guard::Scope, message: "a\u{1b}[2J\nb".into(), changes: Vec::new(), place: None };
        Plan {
            version: Plan::VERSION,
            account: "paris\u{1b}".into(),
            account_id: "1".into(),
            changes: Vec::new(),
            in_sync: 0,
            unmanaged: crate::diff::Unmanaged::default(),
            estimate: CallEstimate::default(),
            blocked: if blocked { vec![block] } else { Vec::new() },
            unreadable: Vec::new(),
            skipped: Vec::new(),
            only: Vec::new(),
            digest: digest.clone(),
            claim: None,
        }
    }

    fn digest(name: u8) -> Digest {
        Digest(format!("{name:064x}"))
    }

    proptest! {
        #[test]
        fn plans_pass_only_if_each_blocked_one_is_approved_and_nothing_else_is(
            plans in prop::collection::vec((0..6_u8, any::<bool>()), 1..4), approved in prop::collection::vec(0..6_u8, 0..4),
        ) {
            let made: Vec<Plan> = plans.iter().map(|(name, blocked)| plan(&digest(*name), *blocked)).collect();
            let given: Vec<Digest> = approved.iter().map(|name| digest(*name)).collect();
            let all: Vec<&Plan> = made.iter().collect();
            let let_through = plans.iter().all(|(name, blocked)| !blocked || approved.contains(name));
            let no_stranger = approved.iter().all(|name| plans.iter().any(|(known, _)| known == name));
            let refusal = refusal(&all, &given);
            prop_assert_eq!(refusal.is_none(), let_through && no_stranger);
            let text = refusal.unwrap_or_default();
            prop_assert!(!text.contains('\u{1b}'), "{}", text);
            // What is printed is what lets them through.
            let printed: Vec<Digest> = text.lines().last().unwrap_or_default().split("--approve ").skip(1)
                .filter_map(|word| word.trim().parse().ok()).collect();
            if text.ends_with('\n') && !text.contains("remove `--approve`") {
                prop_assert!(super::refusal(&all, &printed).is_none(), "{}", text);
            }
        }
    }
}
