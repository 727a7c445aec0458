//! Turns ordered writes into the plan's self-contained changes.
#![expect(clippy::expect_used, reason = "a wrong position must not drop a change without a word")]

use std::collections::HashMap;

use crate::diff::{Difference, NumberDelta};
use crate::model::{
    Change, ChangeId, Declared, FieldChange, FieldName, FieldValue, FieldValues, Handle, LiveAccount, LiveObject,
    ObjectLabel, PlannedRef, Reason, Span, Value, Verb, WritableKind,
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
        // While a vendor deletes the former destination and then sets the new one, callers of the number meet neither.
        let is_atomic = self.difference.directory.live().capabilities.atomic_destination;
        change.gap = !is_atomic && change.after(FieldName::To).is_some();
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
        let mut fields = FieldValues::default();
        if let Some(to) = delta.to {
            fields.insert(FieldName::To, to.into());
        }
        if let Some(label) = desired.label.as_ref().filter(|_| delta.label) {
            fields.insert(FieldName::Label, Value::text(&label.value));
        }
        let span = span(Declared::Number(desired), &fields).unwrap_or(desired.span);
        let live = LiveObject::Number(live);
        let change = |field| {
            let after = fields.get(field)?.map(|target| self.planned(*target));
            Some(FieldChange { field, before: live_fields::field(&self.difference.directory, live, field), after })
        };
        Change {
            fields: live.kind().fields().filter_map(change).collect(),
            place: Some(self.difference.desired.place(span)),
            ..blank(Verb::Update, live.kind(), live.name(), Some(live))
        }
    }

    fn group(&self, write: &Write) -> Change {
        let handle = write.group.expect("a write of a group has its handle");
        let live = self.difference.directory.live().ring_groups.get(handle.index as usize).map(LiveObject::RingGroup);
        let kind = WritableKind::RingGroup;
        let change = |field| {
            let after = match (write.verb, write.fields.get(field)) {
                (Verb::Delete, _) => FieldValue::None,
                (Verb::Create | Verb::Update, after) => after?.map(|target| self.planned(*target)),
            };
            Some(FieldChange { field, before: self.before(write, live, field), after })
        };
        // A second write finds what the first one left, so the live name is no longer right for a renamed one.
        let name = live.map_or_else(|| self.difference.name_after(handle), LiveObject::name);
        Change {
            fields: kind.fields().filter_map(change).collect(),
            reason: write.reason.clone(),
            place: Some(self.difference.desired.place(self.span(write))),
            ..blank(write.verb, kind, name, live)
        }
    }

    /// What the write finds: what the account has, unless an earlier write of this plan changed that.
    fn before(&self, write: &Write, live: Option<LiveObject<'_>>, field: FieldName) -> FieldValue {
        match (field, &write.parked, live) {
            (_, _, _) if write.verb == Verb::Create => FieldValue::None,
            (FieldName::Extension, Some(parked), _) => FieldValue::Extension(parked.clone()),
            // The number that the account chose when an earlier change of this plan made the group.
            (FieldName::Extension, None, None) => FieldValue::ChosenByAccount,
            (FieldName::NoAnswer, _, _) if write.detached => FieldValue::None,
            (_, _, None) => FieldValue::None,
            (_, _, Some(live)) => live_fields::field(&self.difference.directory, live, field),
        }
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
        let first = span(Declared::RingGroup(group), &write.fields).filter(|_| write.verb != Verb::Create);
        first.unwrap_or(group.name.span)
    }

    fn planned(&self, target: Handle) -> PlannedRef {
        let id = self.difference.directory.target_id(target);
        let creation = || self.creations.get(&target).expect("a target is live, or created by the same plan");
        let created_by = if id.is_some() { None } else { Some(change_id(*creation())) };
        PlannedRef { kind: target.kind, id, name: self.difference.name_after(target), created_by }
    }
}

fn span(declared: Declared<'_>, fields: &FieldValues<Handle>) -> Option<Span> {
    fields.fields().find_map(|field| declared.field(field)).map(|written| written.span)
}

fn blank(verb: Verb, kind: WritableKind, name: String, live: Option<LiveObject<'_>>) -> Change {
    Change {
        id: ChangeId(0),
        verb,
        object: ObjectLabel { kind, id: live.map(|live| live.id().clone()), name },
        fields: Vec::new(),
        reason: Reason::Declared,
        place: None,
        depends_on: Vec::new(),
        expects: live.map(preimage::of),
        revision: live.and_then(LiveObject::revision).cloned(),
        unreachable_meanwhile: Vec::new(),
        gap: false,
        calls: 1,
        steps: Vec::new(),
        document: None,
    }
}
