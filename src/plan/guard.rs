//! What the guards hold back: a pure function of the changes, the account and the policies.
//!
//! Guards never make planning fail and change nothing of a plan but its list of blocks. They judge by the
//! policy of the files and by the policies of the revisions before them, so that one change cannot loosen a
//! guard and make use of that; where both say the same, the files are named. Time is linear in the size of
//! the plan and of the account. Blocks come in the order of [`Guard`], their changes in the plan's.

mod caps;
mod downstream;
mod external;
mod nearly_empty;
mod protection;
mod scope;
mod unknown_protected;
mod unreadable_base;

use foldhash::HashMap;

use crate::model::{Base, Change, Desired, GuardPolicy, Kind, LiveAccount, LiveRingGroup, ObjectId, Place, Span};

use crate::text::sanitized;

use super::violation::{Guard, GuardViolation};

pub use caps::{Sharing, Size, cap_together};

/// What the guards hold back; empty if nothing.
pub(super) fn evaluate(changes: &[Change], desired: &Desired, live: &LiveAccount) -> Vec<GuardViolation> {
    if changes.is_empty() {
        return Vec::new();
    }
    let case = GuardContext::new(changes, desired, live);
    let mut blocks = caps::evaluate(&case);
    blocks.extend(protection::evaluate(&case));
    blocks.extend(nearly_empty::evaluate(&case));
    blocks.extend(scope::evaluate(&case));
    blocks.extend(external::evaluate(&case));
    blocks.extend(unreadable_base::evaluate(&case));
    blocks.extend(unknown_protected::evaluate(&case));
    blocks
}

/// A message names at most so many objects, and counts the rest.
const NAMED: usize = 3;

/// Everything that a guard looks at.
struct GuardContext<'a> {
    changes: &'a [Change],
    desired: &'a Desired,
    live: &'a LiveAccount,
    /// That of the files first.
    policies: Vec<PolicySource<'a>>,
    groups: HashMap<&'a ObjectId, &'a LiveRingGroup>,
}

/// A policy, and whose it is.
#[derive(Clone, Copy)]
struct PolicySource<'a> {
    /// The revision; `None` for the files as they are.
    revision: Option<&'a str>,
    /// The account there, if it had another name.
    account: Option<&'a str>,
    guards: &'a GuardPolicy,
}

/// Those of the files and of the revisions before.
fn policies(desired: &Desired) -> Vec<PolicySource<'_>> {
    let files = PolicySource { revision: None, account: None, guards: &desired.policy.guards };
    let base = desired.base.iter().filter_map(|base| match base {
        Base::Read(base) => Some(PolicySource {
            revision: Some(&base.revision),
            account: base.account.as_deref(),
            guards: &base.guards,
        }),
        Base::Unread(_) => None,
    });
    std::iter::once(files).chain(base).collect()
}

impl<'a> GuardContext<'a> {
    fn new(changes: &'a [Change], desired: &'a Desired, live: &'a LiveAccount) -> Self {
        let policies = policies(desired);
        let touched = changes.iter().any(|change| change.object.kind == Kind::RingGroup);
        let groups = live.ring_groups.iter().filter(|_| touched).map(|group| (&group.id, group)).collect();
        Self { changes, desired, live, policies, groups }
    }

    /// The live group that a change writes; `None` for a number and for a group that the plan makes.
    fn group(&self, change: &Change) -> Option<&'a LiveRingGroup> {
        let id = change.object.id.as_ref().filter(|_| change.object.kind == Kind::RingGroup)?;
        self.groups.get(id).copied()
    }

    /// A block with nothing in it yet.
    fn block(&self, guard: Guard, policy: PolicySource<'_>, span: Option<Span>, message: String) -> GuardViolation {
        let place = span.filter(|_| policy.revision.is_none()).map(|span| self.place(span));
        GuardViolation { guard, message: message + &policy.suffix(), changes: Vec::new(), place }
    }

    fn place(&self, span: Span) -> Place {
        self.desired.place(span)
    }
}

impl PolicySource<'_> {
    /// What a message says of a policy that is not in the files any more, or not in these words.
    fn suffix(self) -> String {
        let Some(revision) = self.revision else { return String::new() };
        let account = self.account.map_or_else(String::new, |account| format!(" of `{}`", sanitized(account, 200)));
        format!("; so the policy{account} at `{revision}` says")
    }
}
