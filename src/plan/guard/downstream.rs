//! The ring groups that a protected number or group leads to now.
//!
//! The account decides what that is, not the files: a number leads to one object, a group's unanswered calls to the
//! next, and so on. A receptionist's keys are choices, and are not followed.

use foldhash::HashMap;

use crate::model::{Directory, E164, Handle, Kind, LiveRingGroup, ObjectId, Span};
use crate::routing::RoutingGraph;

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
        let directory = Directory::new(case.live);
        let graph = RoutingGraph::live(&directory);
        for policy in &case.policies {
            for (number, span) in &policy.guards.protect.numbers {
                let found = case.live.numbers.binary_search_by_key(number, |live| live.number).ok();
                let to = found.and_then(|at| case.live.numbers.get(at)).and_then(|live| live.to.as_ref());
                let reason = Reason { policy: *policy, span: *span, from: From::Number(*number) };
                through.follow(&graph, to.and_then(|to| directory.by_id(to)), &reason);
            }
        }
        let Some(names) = names else { return through };
        for (index, live) in (0u32..).zip(&case.live.ring_groups).filter(|(_, live)| live.no_answer.is_some()) {
            if let Some((policy, span)) = names.protected(case, live) {
                let to = graph.target(Handle { kind: Kind::RingGroup, index });
                through.follow(&graph, to, &Reason { policy, span, from: From::Group(live) });
            }
        }
        through
    }

    fn follow(&mut self, graph: &RoutingGraph<'_, 'c>, first: Option<Handle>, reason: &Reason<'c>) {
        let groups = first.into_iter().flat_map(|first| std::iter::once(first).chain(graph.walk(first)));
        for group in groups.map_while(|to| graph.live_group(to)) {
            // What leads on from a group that was followed before was followed before as well.
            if self.groups.contains_key(&group.id) {
                return;
            }
            self.groups.insert(&group.id, reason.clone());
        }
    }

    /// Why a group is protected, if something protected leads to it.
    pub(super) fn reason(&self, group: &LiveRingGroup) -> Option<&Reason<'c>> {
        self.groups.get(&group.id)
    }
}
