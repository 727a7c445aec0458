//! Whether an account still is as a saved plan expects it.
//!
//! A saved plan is applied as it was approved, or not at all. So before the first write every object that it writes must
//! have the same pre-image, everything that it points at must exist, the names and extension numbers that it gives must
//! be free, and nothing new may point at what it deletes. Linear in the size of the account. What changes between this
//! check and the write is left to the vendor's precondition.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::{
    Change, ChangeId, Directory, FieldName, FieldValue, Found, Handle, Kind, LiveAccount, LiveObject, NameKey,
    ObjectId, ObjectLabel, ObjectRef, PlannedRef, Revision, VendorDocument, Verb,
};
use crate::routing::RoutingGraph;

use super::{Plan, live_fields, preimage};

/// A change that cannot be made as it was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleChange {
    /// The change.
    pub change: ChangeId,
    /// Its object, as the plan calls it.
    pub object: ObjectLabel,
    /// What differs; never empty.
    pub how: Vec<StaleReason>,
}

/// How an account differs from what a plan expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaleReason {
    /// The object is gone.
    Gone,
    /// The account calls the object by another name than the plan does.
    Name {
        /// The name that it has.
        now: String,
    },
    /// A field that the plan writes has another value.
    Field {
        /// The field.
        field: FieldName,
        /// Its value when the plan was made.
        planned: FieldValue,
        /// Its value now.
        now: FieldValue,
        /// Whether that is what the plan would have made of it.
        done: bool,
    },
    /// A field that the plan does not write has another value.
    OtherField,
    /// What the plan gives the object belongs to another one by now.
    Taken {
        /// The name or the extension number.
        field: FieldName,
        /// The one who has it: `kind/name`.
        by: String,
    },
    /// What the plan points the object at is gone.
    TargetGone {
        /// The field.
        field: FieldName,
        /// The target.
        target: PlannedRef,
    },
    /// What the plan points the object at has another name than the plan says.
    TargetName {
        /// The field.
        field: FieldName,
        /// The target.
        target: PlannedRef,
        /// The name that it has.
        now: String,
    },
    /// Something else points at what the plan deletes.
    Used {
        /// What points at it, as messages write it.
        by: String,
    },
}

/// An account, looked at through a plan.
pub(super) struct Account<'a> {
    plan: &'a Plan,
    directory: Directory<'a>,
    /// The changes of each object that exists, in the order of the plan.
    changes: HashMap<(Kind, &'a ObjectId), Vec<&'a Change>>,
}

impl<'a> Account<'a> {
    pub(super) fn new(plan: &'a Plan, live: &'a LiveAccount) -> Self {
        let mut changes: HashMap<_, Vec<&Change>> = HashMap::new();
        for change in &plan.changes {
            if let Some(id) = &change.object.id {
                changes.entry((change.object.kind.into(), id)).or_default().push(change);
            }
        }
        Self { plan, directory: Directory::new(live), changes }
    }

    /// What keeps the plan from being applied as it was made; empty if it can be.
    pub(super) fn moved(&self) -> Vec<StaleChange> {
        let referrers = self.referrers();
        let mut seen = HashSet::new();
        let mut list = Vec::new();
        for change in &self.plan.changes {
            let first = change.object.id.as_ref().filter(|id| seen.insert((change.object.kind, *id)));
            let mut how = first.map(|id| self.object(change, id)).unwrap_or_default();
            if change.verb == Verb::Delete {
                let used = change.object.id.as_ref().and_then(|id| referrers.get(id)).into_iter().flatten();
                how.extend(used.map(|by| StaleReason::Used { by: by.clone() }));
            }
            how.extend(self.taken(change));
            how.extend(self.targets(change));
            if !how.is_empty() {
                list.push(StaleChange { change: change.id, object: change.object.clone(), how });
            }
        }
        list
    }

    /// The versions and documents that the plan's objects have now, in the order of its changes.
    pub(super) fn versions(&self) -> Vec<(Option<Revision>, Option<VendorDocument>)> {
        let version = |change: &Change| {
            let object = self.directory.object(change.object.kind, change.object.id.as_ref()?)?;
            Some((object.revision().cloned(), object.document().cloned()))
        };
        self.plan.changes.iter().map(|change| version(change).unwrap_or_default()).collect()
    }

    fn writes(&self, kind: Kind, id: &'a ObjectId) -> &[&'a Change] {
        self.changes.get(&(kind, id)).map_or(&[], Vec::as_slice)
    }

    /// What points at each group that the plan deletes, but for what the plan writes: the pre-image of that is compared
    /// anyway.
    fn referrers(&self) -> HashMap<&'a ObjectId, Vec<String>> {
        let deletions = self.plan.changes.iter().filter(|change| change.verb == Verb::Delete);
        let ids = deletions.filter_map(|change| change.object.id.as_ref());
        let handle = |id: &'a ObjectId| self.directory.by_id(&ObjectRef { kind: Kind::RingGroup, id: id.clone() });
        let deleted: HashMap<Handle, &ObjectId> = ids.filter_map(|id| Some((handle(id)?, id))).collect();
        let mut referrers: HashMap<&'a ObjectId, Vec<String>> = HashMap::new();
        if deleted.is_empty() {
            return referrers;
        }
        let graph = RoutingGraph::live(&self.directory);
        for edge in graph.referrers(Kind::RingGroup, |to| deleted.contains_key(&to)) {
            let from = edge.from;
            let is_written = self.directory.id(from).is_some_and(|id| !self.writes(from.kind, id).is_empty());
            if let Some(id) = deleted.get(&edge.to).filter(|_| !is_written) {
                referrers.entry(id).or_default().push(graph.referrer(&edge));
            }
        }
        referrers
    }

    /// How the object itself differs.
    fn object(&self, change: &Change, id: &'a ObjectId) -> Vec<StaleReason> {
        let Some(live) = self.directory.object(change.object.kind, id) else { return vec![StaleReason::Gone] };
        let mut how = self.stated(self.writes(change.object.kind.into(), id), &live.name(), live);
        if how.is_empty() && change.expects.as_ref() != Some(&preimage::of(live)) {
            how.push(StaleReason::OtherField);
        }
        how
    }

    /// Names and fields that the plan states otherwise than the account. The approval and the guards relied on what the
    /// plan states, so these are compared even if the fingerprint is right.
    fn stated(&self, changes: &[&Change], name: &str, live: LiveObject<'_>) -> Vec<StaleReason> {
        let mut how = Vec::new();
        if changes.iter().any(|change| change.object.name != name) {
            how.push(StaleReason::Name { now: name.to_owned() });
        }
        // What each field has between two writes to one object.
        let mut fields: BTreeMap<FieldName, &FieldValue> = BTreeMap::new();
        let last: BTreeMap<FieldName, &FieldValue> =
            changes.iter().flat_map(|change| &change.fields).map(|field| (field.field, &field.after)).collect();
        for field in changes.iter().flat_map(|change| &change.fields) {
            let earlier = fields.insert(field.field, &field.after);
            let found = earlier.map_or_else(|| live_fields::field(&self.directory, live, field.field), Clone::clone);
            if found != field.before {
                let after = last.get(&field.field);
                let done = after.is_some_and(|after| earlier.is_none() && live.has(field.field, after));
                how.push(StaleReason::Field { field: field.field, planned: field.before.clone(), now: found, done });
            }
        }
        how
    }

    /// Names and extension numbers that another object has by now. An object that the plan writes may have them.
    fn taken(&self, change: &Change) -> Vec<StaleReason> {
        let mut how = Vec::new();
        let other = |handle: &Handle| {
            self.directory
                .id(*handle)
                .is_some_and(|id| change.object.id.as_ref() != Some(id) && self.writes(handle.kind, id).is_empty())
        };
        let by = |handle: Handle| format!("{}/{}", handle.kind, self.directory.label(handle));
        if let Some(FieldValue::Name(name)) = change.after(FieldName::Name) {
            let found = match self.directory.named(Kind::RingGroup, &name.key()) {
                Found::None => Vec::new(),
                Found::One(handle) => vec![handle],
                Found::Several(handles) => handles,
            };
            // A new spelling of its own name takes nothing.
            let own = change.object.id.is_some() && NameKey::of(&change.object.name) == name.key();
            let unreadable = self.directory.unreadable_group(&name.key()).filter(|_| !own);
            how.extend(
                unreadable
                    .map(|one| StaleReason::Taken { field: FieldName::Name, by: format!("{}/{}", one.kind, one.name) }),
            );
            how.extend(
                found
                    .into_iter()
                    .find(other)
                    .map(|handle| StaleReason::Taken { field: FieldName::Name, by: by(handle) }),
            );
        }
        if let Some(FieldValue::Extension(extension)) = change.after(FieldName::Extension) {
            let unreadable = self.directory.unreadable_extension(extension);
            how.extend(unreadable.map(|one| StaleReason::Taken {
                field: FieldName::Extension,
                by: format!("{}/{}", one.kind, one.name),
            }));
            let holder = self.directory.by_extension(extension.as_str()).iter().copied().find(other);
            how.extend(holder.map(|handle| StaleReason::Taken { field: FieldName::Extension, by: by(handle) }));
        }
        how
    }

    fn targets(&self, change: &'a Change) -> Vec<StaleReason> {
        let fields = change.fields.iter();
        let targets = fields.flat_map(|field| field.after.references().iter().map(|target| (field.field, target)));
        targets.filter_map(|(field, target)| self.target(field, target)).collect()
    }

    fn target(&self, field: FieldName, target: &'a PlannedRef) -> Option<StaleReason> {
        let id = target.id.as_ref()?;
        let Some(handle) = self.directory.by_id(&ObjectRef { kind: target.kind, id: id.clone() }) else {
            return Some(StaleReason::TargetGone { field, target: target.clone() });
        };
        // The plan calls a group that it renames by its new name.
        let renamed = self.writes(target.kind, id).iter().rev().find_map(|change| change.after(FieldName::Name));
        let name = match renamed {
            Some(FieldValue::Name(name)) => name.to_string(),
            _ => self.directory.label(handle),
        };
        (name != target.name).then(|| StaleReason::TargetName { field, target: target.clone(), now: name })
    }
}
