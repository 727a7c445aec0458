//! Turns ordered writes into the plan's self-contained changes.
#![expect(clippy::expect_used, reason = "a wrong position must not drop a change without a word")]

use std::collections::HashMap;

use crate::diff::{Difference, NumberDelta};
use crate::model::{
    Change, ChangeId, FieldChange, FieldName, FieldValue, Handle, Kind, LiveAccount, LiveObject, LiveRingGroup,
    ObjectLabel, ObjectRef, PlannedRef, Reason, Span, Verb,
};

use super::digest::Digest;
use super::order::Ordered;
use super::types::{CallEstimate, Plan, UnreadableObject};
use super::write::{Subject, Write};
use super::{live_fields, preimage};

/// The plan of these writes.
pub(super) fn build(difference: &Difference<'_>, ordered: &Ordered, reads: u64) -> Plan {
    let builder = Builder::new(difference, ordered);
    let changes: Vec<Change> = (0..ordered.writes.len()).map(|place| builder.change(place)).collect();
    let estimate = estimate(difference, &changes, reads);
    let live = difference.directory.live();
    let digest = Digest::of(&live.account.id, &changes);
    Plan {
        version: Plan::VERSION,
        account: difference.desired.account.to_string(),
        account_id: live.account.id.to_string(),
        changes,
        in_sync: difference.in_sync,
        unmanaged: difference.unmanaged,
        unreadable: unreadable(live),
        estimate,
        blocked: Vec::new(),
        skipped: Vec::new(),
        only: Vec::new(),
        digest,
        claim: None,
    }
}

fn unreadable(live: &LiveAccount) -> Vec<UnreadableObject> {
    let objects = live.unreadable.iter().map(|one| UnreadableObject {
        kind: one.kind,
        id: one.id.clone(),
        name: one.name.to_string(),
        reason: one.why.to_string(),
    });
    objects.collect()
}

fn estimate(difference: &Difference<'_>, changes: &[Change], reads: u64) -> CallEstimate {
    let writes = changes.iter().map(|change| u64::from(change.calls)).sum();
    let mut depth: Vec<u64> = Vec::with_capacity(changes.len());
    for change in changes {
        let earlier = |ChangeId(id): &ChangeId| depth.get((id - 1) as usize).expect("a change depends on earlier ones");
        let longest = change.depends_on.iter().map(earlier).max();
        depth.push(longest.copied().unwrap_or_default() + u64::from(change.calls));
    }
    let per_second = difference.directory.live().capabilities.requests.per_second;
    CallEstimate {
        reads,
        writes,
        longest_chain: depth.into_iter().max().unwrap_or_default(),
        least_milliseconds: per_second.map(|rate| (writes * 1000).div_ceil(u64::from(rate.get()))),
    }
}

struct Builder<'b, 'd> {
    difference: &'b Difference<'d>,
    ordered: &'b Ordered,
    /// The place of the write that creates a group.
    creations: HashMap<Handle, usize>,
}

fn change_id(place: usize) -> ChangeId {
    ChangeId(u32::try_from(place + 1).unwrap_or(u32::MAX))
}

impl<'b, 'd> Builder<'b, 'd> {
    fn new(difference: &'b Difference<'d>, ordered: &'b Ordered) -> Self {
        let creations = (0..).zip(&ordered.writes).filter_map(|(place, write)| Some((write.creates()?, place)));
        Self { difference, ordered, creations: creations.collect() }
    }

    fn change(&self, place: usize) -> Change {
        let write = self.ordered.writes.get(place).expect("the place of a write");
        let depends_on = self.ordered.depends_on.get(place).expect("each write has a list of those before it");
        let unreachable = self.ordered.unreachable.get(place).expect("each write has a list of unreachable groups");
        let change = match write.subject {
            Subject::Number(delta) => self.number(self.difference.numbers.get(delta).expect("a delta has a position")),
            Subject::Group(_) | Subject::Deletion(_) => self.group(write),
        };
        let mut change = Change {
            id: change_id(place),
            depends_on: depends_on.iter().map(|&before| change_id(before)).collect(),
            unreachable_meanwhile: unreachable.iter().map(|&group| self.difference.name_after(group)).collect(),
            ..change
        };
        let directory = &self.difference.directory;
        let live = change.object.id.as_ref().and_then(|id| directory.object(change.object.kind, id));
        change.document = live.and_then(LiveObject::document).cloned();
        change.steps = directory.live().capabilities.steps.of(&change, live);
        if !change.steps.is_empty() {
            change.calls = change.steps.iter().map(|step| step.calls).sum();
        }
        change
    }

    fn number(&self, delta: &NumberDelta) -> Change {
        let live = self.difference.directory.live().numbers.get(delta.live as usize).expect("a delta of a live number");
        let desired = self.difference.desired.numbers.get(delta.desired as usize).expect("a delta of a declaration");
        let mut fields = Vec::new();
        let mut span = desired.to.span;
        if let Some(to) = delta.to {
            let before = self.live_reference(live.to.as_ref());
            fields.push(FieldChange { field: FieldName::To, before, after: self.reference(to) });
        }
        if let Some(label) = desired.label.as_ref().filter(|_| delta.label) {
            if fields.is_empty() {
                span = label.span;
            }
            fields.push(FieldChange {
                field: FieldName::Label,
                before: live_fields::text(&live.label),
                after: live_fields::text(&label.value),
            });
        }
        Change {
            object: ObjectLabel { kind: Kind::Number, id: Some(live.id.clone()), name: live.number.to_string() },
            fields,
            place: Some(self.difference.desired.place(span)),
            expects: Some(preimage::of_number(live)),
            revision: live.revision.clone(),
            ..blank()
        }
    }

    fn group(&self, write: &Write) -> Change {
        let handle = write.group.expect("a write of a group has its handle");
        let live = self.difference.directory.live().ring_groups.get(handle.index as usize);
        let fields = match write.verb {
            Verb::Delete => self.deleted_fields(live.expect("only a live group is deleted"), write),
            Verb::Create | Verb::Update => self.fields(write, live),
        };
        // A second write finds what the first one left, so the live name is no longer right for a renamed one.
        let name = match live {
            Some(live) => live.name.to_string(),
            None => self.difference.name_after(handle),
        };
        Change {
            verb: write.verb,
            object: ObjectLabel { kind: Kind::RingGroup, id: live.map(|live| live.id.clone()), name },
            fields,
            reason: write.reason.clone(),
            place: Some(self.difference.desired.place(self.span(write))),
            expects: live.map(preimage::of_group),
            revision: live.and_then(|live| live.revision.clone()),
            ..blank()
        }
    }

    fn fields(&self, write: &Write, live: Option<&LiveRingGroup>) -> Vec<FieldChange> {
        let creating = write.verb == Verb::Create;
        let live = live.filter(|_| !creating);
        let mut list = Vec::new();
        let mut push = |field, before, after| list.push(FieldChange { field, before, after });
        let fields = &write.fields;
        if let Some(name) = &fields.name {
            let before = live.map_or(FieldValue::None, |live| FieldValue::Name(live.name.clone()));
            push(FieldName::Name, before, FieldValue::Name(name.clone()));
        }
        if fields.extension.is_some() || creating {
            let before = write.parked.as_ref().or(live.and_then(|live| live.extension.as_ref()));
            let before = match (before, creating) {
                // The number that the account chose when an earlier change of this plan made the group.
                (None, false) if live.is_none() => FieldValue::ChosenByAccount,
                (before, _) => live_fields::extension(before, FieldValue::None),
            };
            push(
                FieldName::Extension,
                before,
                live_fields::extension(fields.extension.as_ref(), FieldValue::ChosenByAccount),
            );
        }
        if let Some(ring) = fields.ring {
            let before = live.map_or(FieldValue::None, |live| FieldValue::Ring(live.ring));
            push(FieldName::Ring, before, FieldValue::Ring(ring));
        }
        if let Some(members) = &fields.members {
            let before = live.map_or(FieldValue::None, |live| self.live_references(&live.members));
            let after = members.iter().map(|&member| self.planned(member)).collect();
            push(FieldName::Members, before, FieldValue::References(after));
        }
        if let Some(ring_for) = fields.ring_for {
            let before = live.and_then(|live| live.ring_for).map_or(FieldValue::None, FieldValue::RingFor);
            push(FieldName::RingFor, before, FieldValue::RingFor(ring_for));
        }
        if let Some(target) = fields.no_answer {
            let before = live.filter(|_| !write.detached).and_then(|live| live.no_answer.as_ref());
            push(FieldName::NoAnswer, self.live_reference(before), self.reference(target));
        }
        list
    }

    fn deleted_fields(&self, live: &LiveRingGroup, write: &Write) -> Vec<FieldChange> {
        let gone = |field, before| FieldChange { field, before, after: FieldValue::None };
        let no_answer = live.no_answer.as_ref().filter(|_| !write.detached);
        let number = write.parked.as_ref().or(live.extension.as_ref());
        vec![
            gone(FieldName::Name, FieldValue::Name(live.name.clone())),
            gone(FieldName::Extension, live_fields::extension(number, FieldValue::None)),
            gone(FieldName::Ring, FieldValue::Ring(live.ring)),
            gone(FieldName::Members, self.live_references(&live.members)),
            gone(FieldName::RingFor, live.ring_for.map_or(FieldValue::None, FieldValue::RingFor)),
            gone(FieldName::NoAnswer, self.live_reference(no_answer)),
        ]
    }

    /// The place of the first field that is written, so that the reader lands on the line that matters.
    fn span(&self, write: &Write) -> Span {
        let delta = match write.subject {
            Subject::Group(delta) | Subject::Number(delta) => self.difference.groups.get(delta),
            Subject::Deletion(deletion) => {
                return self.difference.deletions.get(deletion).expect("a deletion has a position").span;
            }
        };
        let desired = delta.expect("a delta has a position").desired;
        let group = self.difference.desired.ring_groups.get(desired as usize).expect("a delta of a declaration");
        let fields = &write.fields;
        if write.verb == Verb::Create || fields.name.is_some() {
            return group.name.span;
        }
        let candidates = [
            group.extension.as_ref().filter(|_| fields.extension.is_some()).map(|one| one.span),
            group.ring.as_ref().filter(|_| fields.ring.is_some()).map(|one| one.span),
            Some(group.members_span).filter(|_| fields.members.is_some()),
            group.ring_for.as_ref().filter(|_| fields.ring_for.is_some()).map(|one| one.span),
            group.no_answer.as_ref().filter(|_| fields.no_answer.is_some()).map(|one| one.span),
        ];
        candidates.into_iter().flatten().next().unwrap_or(group.name.span)
    }

    fn live_reference(&self, target: Option<&ObjectRef>) -> FieldValue {
        live_fields::reference(&self.difference.directory, target)
    }

    fn live_references(&self, targets: &[ObjectRef]) -> FieldValue {
        live_fields::references(&self.difference.directory, targets)
    }

    fn reference(&self, target: Option<Handle>) -> FieldValue {
        target.map_or(FieldValue::None, |target| FieldValue::Reference(self.planned(target)))
    }

    fn planned(&self, target: Handle) -> PlannedRef {
        let id = self.difference.directory.id(target).cloned();
        let creation = || self.creations.get(&target).expect("a target is live, or created by the same plan");
        let created_by = if id.is_some() { None } else { Some(change_id(*creation())) };
        PlannedRef { kind: target.kind, id, name: self.difference.name_after(target), created_by }
    }
}

fn blank() -> Change {
    Change {
        id: ChangeId(0),
        verb: Verb::Update,
        object: ObjectLabel { kind: Kind::Number, id: None, name: String::new() },
        fields: Vec::new(),
        reason: Reason::Declared,
        place: None,
        depends_on: Vec::new(),
        expects: None,
        revision: None,
        unreachable_meanwhile: Vec::new(),
        calls: 1,
        steps: Vec::new(),
        document: None,
    }
}
