//! Whether an account still is what a plan expects of it.
//!
//! A plan that was saved is applied as it was read and approved, or not at all. So before the first write
//! every object that it writes must have the pre-image that it had then, everything that it points at must
//! still be there, what it takes must still be free, and what it deletes must have no new friends. Linear in
//! the size of the account. What happens between this look and the write is the vendor's precondition to catch.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::{
    Change, ChangeId, Directory, FieldName, FieldValue, Found, Handle, Kind, Live, LiveNumber, LiveRingGroup, ObjectId,
    ObjectLabel, ObjectRef, PlannedRef, Revision, Verb,
};

use super::{Plan, now, preimage};

/// A change that cannot be made as it was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The change.
    pub change: ChangeId,
    /// Its object, as the plan calls it.
    pub object: ObjectLabel,
    /// What is otherwise now; never empty.
    pub how: Vec<How>,
}

/// What is otherwise than a plan expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
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
        /// What points at it: `kind/name`.
        by: String,
    },
}

/// What keeps a plan from being applied to this account as it was made; nothing if it can be.
pub(super) fn moved(plan: &Plan, live: &Live) -> Vec<Moved> {
    let account = Account::new(plan, live);
    let mut seen: HashSet<&ObjectId> = HashSet::new();
    let mut list = Vec::new();
    for change in &plan.changes {
        let first = change.object.id.as_ref().is_none_or(|id| seen.insert(id));
        let mut how = if first { account.object(change) } else { Vec::new() };
        how.extend(account.taken(change));
        how.extend(account.targets(change));
        if !how.is_empty() {
            list.push(Moved { change: change.id, object: change.object.clone(), how });
        }
    }
    list
}

/// The same plan with the versions that the account's objects have now, so that a vendor who counts a version
/// for something that is no field of ours does not refuse it.
///
/// Only right after [`moved`] found nothing in the same account.
pub(super) fn refreshed(mut plan: Plan, live: &Live) -> Plan {
    let revisions: HashMap<ObjectId, Option<Revision>> = {
        let account = Account::new(&plan, live);
        let numbers = account.numbers.iter().map(|(id, number)| ((*id).clone(), number.revision.clone()));
        let groups = account.groups.iter().map(|(id, group)| ((*id).clone(), group.revision.clone()));
        numbers.chain(groups).collect()
    };
    for change in &mut plan.changes {
        if let Some(revision) = change.object.id.as_ref().and_then(|id| revisions.get(id)) {
            change.revision.clone_from(revision);
        }
    }
    plan
}

/// An account, looked at through a plan.
struct Account<'a> {
    live: &'a Live,
    directory: Directory<'a>,
    /// The changes of each object, in the order of the plan.
    changes: HashMap<&'a ObjectId, Vec<&'a Change>>,
    /// The objects that the plan writes, as they are now.
    numbers: HashMap<&'a ObjectId, &'a LiveNumber>,
    groups: HashMap<&'a ObjectId, &'a LiveRingGroup>,
    /// For each group that the plan deletes, what points at it and is not written by the plan.
    users: HashMap<&'a ObjectId, Vec<String>>,
}

impl<'a> Account<'a> {
    fn new(plan: &'a Plan, live: &'a Live) -> Self {
        let ids = |verbs: &[Verb], kind| -> HashSet<&'a ObjectId> {
            let changes =
                plan.changes.iter().filter(|change| verbs.contains(&change.verb) && change.object.kind == kind);
            changes.filter_map(|change| change.object.id.as_ref()).collect()
        };
        let written = [Verb::Update, Verb::Delete];
        let (numbers, groups) = (ids(&written, Kind::Number), ids(&written, Kind::RingGroup));
        let mut account = Self {
            live,
            directory: Directory::new(live),
            changes: HashMap::new(),
            numbers: live
                .numbers
                .iter()
                .map(|number| (&number.id, number))
                .filter(|(id, _)| numbers.contains(id))
                .collect(),
            groups: live
                .ring_groups
                .iter()
                .map(|group| (&group.id, group))
                .filter(|(id, _)| groups.contains(id))
                .collect(),
            users: HashMap::new(),
        };
        for change in &plan.changes {
            if let Some(id) = &change.object.id {
                account.changes.entry(id).or_default().push(change);
            }
        }
        let deleted = ids(&[Verb::Delete], Kind::RingGroup);
        if !deleted.is_empty() {
            account.users = account.users_of(&deleted);
        }
        account
    }

    /// Who points at these groups and is not written: whoever is written is held by their own pre-image.
    fn users_of(&self, deleted: &HashSet<&'a ObjectId>) -> HashMap<&'a ObjectId, Vec<String>> {
        let mut users: HashMap<&'a ObjectId, Vec<String>> = HashMap::new();
        let mut note = |target: &'a ObjectRef, by: &dyn Fn() -> String| {
            if target.kind == Kind::RingGroup && deleted.contains(&target.id) {
                users.entry(&target.id).or_default().push(by());
            }
        };
        for number in self.live.numbers.iter().filter(|number| !self.numbers.contains_key(&number.id)) {
            if let Some(to) = &number.to {
                note(to, &|| number.number.to_string());
            }
        }
        for group in self.live.ring_groups.iter().filter(|group| !self.groups.contains_key(&group.id)) {
            for target in group.members.iter().chain(&group.no_answer) {
                note(target, &|| format!("ring_group/{}", group.name));
            }
        }
        for receptionist in &self.live.receptionists {
            for (key, target) in &receptionist.keys {
                note(target, &|| format!("receptionist/{} (key {key})", receptionist.name));
            }
        }
        users
    }

    /// What is otherwise with the object itself.
    fn object(&self, change: &Change) -> Vec<How> {
        let Some(id) = &change.object.id else { return Vec::new() };
        let (name, pre_image, now): (_, _, Box<dyn Fn(FieldName) -> FieldValue + '_>) = match change.object.kind {
            Kind::Number => match self.numbers.get(id).copied() {
                None => return vec![How::Gone],
                Some(live) => {
                    let now = move |field| now::number(&self.directory, live, field);
                    (live.number.to_string(), preimage::of_number(live), Box::new(now))
                }
            },
            _ => match self.groups.get(id).copied() {
                None => return vec![How::Gone],
                Some(live) => {
                    let now = move |field| now::group(&self.directory, live, field);
                    (live.name.to_string(), preimage::of_group(live), Box::new(now))
                }
            },
        };
        let mut how = self.said(id, &name, &now);
        if how.is_empty() && change.expects.as_ref() != Some(&pre_image) {
            how.push(How::OtherField);
        }
        if change.verb == Verb::Delete {
            how.extend(self.users.get(id).into_iter().flatten().map(|by| How::Used { by: by.clone() }));
        }
        how
    }

    /// Where a plan says something else of an object than the account does. Whoever approved the plan, and the
    /// guards, went by what it says; so this is looked at even if the fingerprint is right.
    fn said(&self, id: &ObjectId, name: &str, now: &dyn Fn(FieldName) -> FieldValue) -> Vec<How> {
        let changes = self.changes.get(id).map_or(&[][..], Vec::as_slice);
        let mut how = Vec::new();
        if changes.iter().any(|change| change.object.name != name) {
            how.push(How::Name { now: name.to_owned() });
        }
        // What each field has between two writes to one object.
        let mut fields: BTreeMap<FieldName, &FieldValue> = BTreeMap::new();
        let last: BTreeMap<FieldName, &FieldValue> =
            changes.iter().flat_map(|change| &change.fields).map(|field| (field.field, &field.after)).collect();
        for field in changes.iter().flat_map(|change| &change.fields) {
            let earlier = fields.insert(field.field, &field.after);
            let found = earlier.map_or_else(|| now(field.field), Clone::clone);
            if found != field.before {
                let done = last.get(&field.field).is_some_and(|after| same(&found, after));
                how.push(How::Field { field: field.field, planned: field.before.clone(), now: found, done });
            }
        }
        how
    }

    /// Names and extension numbers that somebody else has by now. Whoever the plan writes was planned for.
    fn taken(&self, change: &Change) -> Vec<How> {
        let mut how = Vec::new();
        let other = |handle: &Handle| {
            self.directory.id(*handle).is_some_and(|id| {
                change.object.id.as_ref() != Some(id)
                    && (handle.kind != Kind::RingGroup || !self.groups.contains_key(id))
            })
        };
        let by = |handle: Handle| format!("{}/{}", handle.kind, self.directory.label(handle));
        if let Some(FieldValue::Name(name)) = change.after(FieldName::Name) {
            let found = match self.directory.named(Kind::RingGroup, &name.key()) {
                Found::None => Vec::new(),
                Found::One(handle) => vec![handle],
                Found::Several(handles) => handles,
            };
            how.extend(
                found.into_iter().find(other).map(|handle| How::Taken { field: FieldName::Name, by: by(handle) }),
            );
        }
        if let Some(FieldValue::Extension(extension)) = change.after(FieldName::Extension) {
            let holder = self.directory.by_extension(extension.as_str()).iter().copied().find(other);
            how.extend(holder.map(|handle| How::Taken { field: FieldName::Extension, by: by(handle) }));
        }
        how
    }

    fn targets(&self, change: &Change) -> Vec<How> {
        let fields = change.fields.iter().flat_map(|field| {
            let targets = match &field.after {
                FieldValue::Reference(target) => std::slice::from_ref(target),
                FieldValue::References(targets) => targets.as_slice(),
                _ => &[],
            };
            targets.iter().map(|target| (field.field, target))
        });
        fields.filter_map(|(field, target)| self.target(field, target)).collect()
    }

    fn target(&self, field: FieldName, target: &PlannedRef) -> Option<How> {
        let id = target.id.clone()?;
        let Some(handle) = self.directory.by_id(&ObjectRef { kind: target.kind, id: id.clone() }) else {
            return Some(How::TargetGone { field, target: target.clone() });
        };
        // A group that the plan renames is called what it will be called.
        let writes = self.changes.get(&id).into_iter().flatten();
        let renamed = writes.rev().find_map(|change| change.after(FieldName::Name));
        let name = match renamed {
            Some(FieldValue::Name(name)) if target.kind == Kind::RingGroup => name.to_string(),
            _ => self.directory.label(handle),
        };
        (name != target.name).then(|| How::TargetName { field, target: target.clone(), now: name })
    }
}

/// Whether two values are the same to the account: what an object is called is no part of a reference to it.
fn same(left: &FieldValue, right: &FieldValue) -> bool {
    let key = |target: &PlannedRef| (target.kind, target.id.clone());
    match (left, right) {
        (FieldValue::Reference(left), FieldValue::Reference(right)) => key(left) == key(right),
        (FieldValue::References(left), FieldValue::References(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| key(left) == key(right))
        }
        _ => left == right,
    }
}
