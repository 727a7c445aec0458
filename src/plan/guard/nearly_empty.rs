//! Files that declare next to nothing, and a policy that prunes what they do not declare.
//!
//! A file that was lost in a merge looks like a request to delete everything. Such a request is rare, so it always needs
//! an approval: this guard has no setting.

use crate::model::{Kind, Reason, Verb};

use super::{Guard, GuardContext, GuardViolation, PolicySource};

/// In an account of so few groups, less than half of them is no sign of an accident.
const FEW: usize = 4;

/// The pruned deletions, if hardly any of the account's groups are declared.
pub(super) fn evaluate(case: &GuardContext<'_>) -> Option<GuardViolation> {
    let pruned: Vec<_> =
        case.changes.iter().filter(|change| change.reason == Reason::Pruned).map(|change| change.id).collect();
    if pruned.is_empty() {
        return None;
    }
    let policy = PolicySource { revision: None, account: None, guards: &case.desired.policy.guards };
    let scope = policy.guards.scope.ring_groups.as_ref();
    let groups = case.live.ring_groups.iter();
    let owned = groups.filter(|group| scope.is_none_or(|(owned, _)| owned.contains(&group.name.key()))).count();
    let is_made = |kind, verb| kind == Kind::RingGroup && verb == Verb::Create;
    let made = case.changes.iter().filter(|change| is_made(change.object.kind, change.verb)).count();
    let declared = case.desired.ring_groups.len().saturating_sub(made);
    if declared > 0 && (owned <= FEW || declared.saturating_mul(2) >= owned) {
        return None;
    }
    let some = if declared == 0 { "none".to_owned() } else { format!("only {declared}") };
    let message = format!(
        "the files declare {some} of the account's {owned} ring groups, and pruning would delete {}",
        pruned.len()
    );
    let mut block = case.block(Guard::NearlyEmpty, policy, case.desired.policy.prune_ring_groups, message);
    block.changes = pruned;
    Some(block)
}
