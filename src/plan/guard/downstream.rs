//! What callers meet behind what is protected: the ring groups that a protected number or group leads to now.
//!
//! The account decides what that is, not the files: a number leads to one object, a group's unanswered calls to the
//! next, and so on. A receptionist's keys are choices, and are not followed.

use foldhash::HashMap;

use crate::model::{E164, Kind, LiveRingGroup, ObjectId, ObjectRef, Span};

use super::protection::Names;
use super::{GuardContext, PolicySource};

/// The ring groups behind what is protected, each with the first reason.
pub(super) struct Through<'c> {
    groups: HashMap<&'c ObjectId, Reason<'c>>,
}

/// Why a group is protected that no policy lists.
#[derive(Clone)]
pub(super) struct Reason<'c> {
    pub(super) policy: PolicySource<'c>,
    pub(super) span: Span,
    /// What leads to the group.
    pub(super) from: From<'c>,
}

/// What is protected.
#[derive(Clone, Copy)]
pub(super) enum From<'c> {
    Number(E164),
    Group(&'c LiveRingGroup),
}

impl<'c> Through<'c> {
    /// Follows what every policy protects. Linear in the size of the account and of the policies.
    pub(super) fn new(case: &GuardContext<'c>, names: Option<&Names<'_>>) -> Self {
        let mut through = Self { groups: HashMap::default() };
        if case.groups.is_empty() {
            return through;
        }
        for policy in &case.policies {
            for (number, span) in &policy.guards.protect.numbers {
                let found = case.live.numbers.binary_search_by_key(number, |live| live.number).ok();
                let to = found.and_then(|at| case.live.numbers.get(at)).and_then(|live| live.to.as_ref());
                through.follow(case, to, &Reason { policy: *policy, span: *span, from: From::Number(*number) });
            }
        }
        let Some(names) = names else { return through };
        for live in case.live.ring_groups.iter().filter(|live| live.no_answer.is_some()) {
            if let Some((policy, span)) = names.protected(case, live) {
                through.follow(case, live.no_answer.as_ref(), &Reason { policy, span, from: From::Group(live) });
            }
        }
        through
    }

    fn follow(&mut self, case: &GuardContext<'c>, mut to: Option<&'c ObjectRef>, reason: &Reason<'c>) {
        while let Some(next) = to.filter(|to| to.kind == Kind::RingGroup).and_then(|to| case.groups.get(&to.id)) {
            // What was followed before leads on to what was followed before.
            if self.groups.contains_key(&next.id) {
                return;
            }
            self.groups.insert(&next.id, reason.clone());
            to = next.no_answer.as_ref();
        }
    }

    /// Why a group is protected, if something protected leads to it.
    pub(super) fn reason(&self, group: &LiveRingGroup) -> Option<&Reason<'c>> {
        self.groups.get(&group.id)
    }
}
