//! An account in memory that refuses what the real ones refuse.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use strowger::model::{
    Change, ChangeId, FieldName, FieldValue, Kind, LiveAccount, LiveRingGroup, NameKey, ObjectId, ObjectRef,
    PlannedRef, RingFor, RingMode, Verb, WritableKind,
};

#[derive(Clone)]
pub struct Account {
    live: LiveAccount,
    created: BTreeMap<ChangeId, ObjectId>,
    next: u32,
}

impl Account {
    pub fn new(live: &LiveAccount) -> Self {
        // Ids are never given twice, also not to an account that was written to before.
        let given = live.ring_groups.iter().filter_map(|group| group.id.0.strip_prefix("grp_")?.parse::<u32>().ok());
        Self { live: live.clone(), created: BTreeMap::new(), next: given.max().unwrap_or_default().max(999) + 1 }
    }

    pub fn live(&self) -> LiveAccount {
        self.live.clone().validated().unwrap()
    }

    /// Another plan counts its changes anew.
    pub fn forget_creations(&mut self) {
        self.created.clear();
    }

    pub fn apply(&mut self, change: &Change) -> Result<(), String> {
        match (change.object.kind, change.verb) {
            (WritableKind::Number, Verb::Update) => self.write_number(change),
            (WritableKind::RingGroup, Verb::Create) => self.create(change),
            (WritableKind::RingGroup, Verb::Update) => {
                let id = self.id_of(change)?;
                let group = self.live.ring_groups.iter().find(|group| group.id == id).cloned();
                let group = self.written(group.ok_or("no such group")?, change)?;
                self.accept(&group)?;
                *self.live.ring_groups.iter_mut().find(|group| group.id == id).unwrap() = group;
                Ok(())
            }
            (WritableKind::RingGroup, Verb::Delete) => self.delete(&self.id_of(change)?),
            other => Err(format!("nobody writes {other:?}")),
        }
    }

    /// A change of a group that the plan made has no id: the change that it depends on made it.
    fn id_of(&self, change: &Change) -> Result<ObjectId, String> {
        if let Some(id) = &change.object.id {
            return Ok(id.clone());
        }
        let mut makers = change.depends_on.iter().filter_map(|before| self.created.get(before));
        makers
            .find(|id| {
                self.live.ring_groups.iter().any(|group| group.id == **id && group.name.as_str() == change.object.name)
            })
            .cloned()
            .ok_or_else(|| "the group is not made yet".to_owned())
    }

    fn write_number(&mut self, change: &Change) -> Result<(), String> {
        let to = change.after(FieldName::To).map(|value| self.target(value)).transpose()?;
        let is_default = self.live.account.default_number == change.number();
        let number = self
            .live
            .numbers
            .iter_mut()
            .find(|number| Some(&number.id) == change.object.id.as_ref())
            .ok_or("no such number")?;
        if let Some(to) = to {
            if to.is_none() && is_default {
                return Err("the default number keeps a destination".to_owned());
            }
            number.to = to;
        }
        match change.after(FieldName::Label) {
            Some(FieldValue::Text(label)) => number.label = label.as_str().into(),
            Some(_) => number.label = "".into(),
            None => {}
        }
        Ok(())
    }

    fn create(&mut self, change: &Change) -> Result<(), String> {
        let id = ObjectId::from(format!("grp_{}", self.next).as_str());
        self.next += 1;
        let Some(FieldValue::Name(name)) = change.after(FieldName::Name) else { return Err("no name".to_owned()) };
        let blank = LiveRingGroup {
            id: id.clone(),
            name: name.clone(),
            extension: None,
            ring: RingMode::Simultaneous,
            members: Vec::new(),
            ring_for: RingFor::from_seconds(20).ok(),
            no_answer: None,
            revision: None,
            document: None,
        };
        let mut group = self.written(blank, change)?;
        if group.extension.is_none() {
            let used = self.extensions();
            group.extension = (7000..8000)
                .map(|number: u32| number.to_string())
                .find(|text| !used.contains(text))
                .map(|text| text.parse().unwrap());
        }
        self.accept(&group)?;
        self.live.ring_groups.push(group);
        self.created.insert(change.id, id);
        Ok(())
    }

    fn delete(&mut self, id: &ObjectId) -> Result<(), String> {
        let points = |target: &ObjectRef| target.kind == Kind::RingGroup && target.id == *id;
        let number = self.live.numbers.iter().find(|number| number.to.as_ref().is_some_and(points));
        let group =
            self.live.ring_groups.iter().find(|group| group.id != *id && group.no_answer.as_ref().is_some_and(points));
        let key = self.live.receptionists.iter().find(|one| one.keys.iter().any(|(_, target)| points(target)));
        if number.is_some() || group.is_some() || key.is_some() {
            return Err(format!("{id} is in use by {number:?} {group:?} {key:?}"));
        }
        self.live.ring_groups.retain(|group| group.id != *id);
        Ok(())
    }

    fn written(&self, mut group: LiveRingGroup, change: &Change) -> Result<LiveRingGroup, String> {
        for field in &change.fields {
            match (field.field, &field.after) {
                (FieldName::Name, FieldValue::Name(name)) => group.name = name.clone(),
                (FieldName::Extension, FieldValue::Extension(extension)) => group.extension = Some(extension.clone()),
                (FieldName::Extension, FieldValue::ChosenByAccount) if change.verb == Verb::Create => {}
                (FieldName::Ring, FieldValue::Ring(ring)) => group.ring = *ring,
                (FieldName::RingFor, FieldValue::RingFor(ring_for)) => group.ring_for = Some(*ring_for),
                (FieldName::Members, FieldValue::References(members)) => {
                    group.members = members.iter().map(|member| self.reference(member)).collect::<Result<_, _>>()?;
                }
                (FieldName::NoAnswer, value) => group.no_answer = self.target(value)?,
                other => return Err(format!("no such field: {other:?}")),
            }
        }
        Ok(group)
    }

    /// The rules that hold for every stored group.
    fn accept(&self, group: &LiveRingGroup) -> Result<(), String> {
        let others = || self.live.ring_groups.iter().filter(|other| other.id != group.id);
        if others().any(|other| other.name.key() == group.name.key()) {
            return Err(format!("the name {} is taken", group.name));
        }
        let taken = others().any(|other| other.extension == group.extension)
            || self.live.users.iter().any(|user| user.extension == group.extension);
        if taken {
            return Err(format!("the extension {:?} is taken", group.extension));
        }
        if group.members.is_empty() {
            return Err("no members".to_owned());
        }
        if group.no_answer.as_ref().is_some_and(|target| target.kind == Kind::RingGroup && target.id == group.id) {
            return Err("a group is its own no-answer target".to_owned());
        }
        Ok(())
    }

    fn target(&self, value: &FieldValue) -> Result<Option<ObjectRef>, String> {
        match value {
            FieldValue::None => Ok(None),
            FieldValue::Reference(reference) => self.reference(reference).map(Some),
            other => Err(format!("no target: {other:?}")),
        }
    }

    fn reference(&self, reference: &PlannedRef) -> Result<ObjectRef, String> {
        let id = reference.id.clone().or_else(|| self.created.get(reference.created_by.as_ref()?).cloned());
        let found = ObjectRef { kind: reference.kind, id: id.ok_or("the target is not made yet")? };
        if self.exists(&found) { Ok(found) } else { Err(format!("{found:?} does not exist")) }
    }

    fn exists(&self, target: &ObjectRef) -> bool {
        match target.kind {
            Kind::User => self.live.users.iter().any(|user| user.id == target.id),
            Kind::Voicemail => {
                let own = self.live.users.iter().any(|user| user.voicemail.as_ref() == Some(&target.id));
                own || self.live.mailboxes.iter().any(|mailbox| mailbox.id == target.id)
            }
            Kind::RingGroup => self.live.ring_groups.iter().any(|group| group.id == target.id),
            Kind::Receptionist => self.live.receptionists.iter().any(|one| one.id == target.id),
            Kind::Conference => self.live.conferences.iter().any(|one| one.id == target.id),
            Kind::Device => self.live.devices.iter().any(|one| one.id == target.id),
            Kind::External => target.id.0.parse::<strowger::model::E164>().is_ok(),
            Kind::Number | Kind::Other => false,
        }
    }

    fn extensions(&self) -> BTreeSet<String> {
        let groups = self.live.ring_groups.iter().filter_map(|group| group.extension.as_ref());
        let users = self.live.users.iter().filter_map(|user| user.extension.as_ref());
        groups.chain(users).map(ToString::to_string).collect()
    }

    /// The numbers that have a destination.
    pub fn mapped(&self) -> BTreeSet<String> {
        self.live.numbers.iter().filter(|number| number.to.is_some()).map(|number| number.number.to_string()).collect()
    }

    /// The references that point at nothing.
    pub fn dangling(&self) -> Vec<String> {
        let groups: HashSet<&str> = self.live.ring_groups.iter().map(|group| &*group.id.0).collect();
        let gone = |target: &ObjectRef| match target.kind {
            Kind::RingGroup => !groups.contains(&*target.id.0),
            _ => !self.exists(target),
        };
        let numbers = self.live.numbers.iter().filter_map(|number| number.to.as_ref());
        let targets = self.live.ring_groups.iter().flat_map(|group| group.no_answer.iter().chain(&group.members));
        numbers.chain(targets).filter(|target| gone(target)).map(|target| format!("{target:?}")).collect()
    }

    pub fn group_id(&self, name: &str) -> Option<String> {
        let key = NameKey::of(name);
        self.live.ring_groups.iter().find(|group| group.name.key() == key).map(|group| group.id.to_string())
    }

    /// The ids of the groups that a caller of some number can get to.
    pub fn reachable(&self) -> BTreeSet<String> {
        let groups: HashMap<&str, &LiveRingGroup> =
            self.live.ring_groups.iter().map(|group| (&*group.id.0, group)).collect();
        let mut open: Vec<&ObjectRef> = self.live.numbers.iter().filter_map(|number| number.to.as_ref()).collect();
        let mut seen: HashSet<&ObjectRef> = HashSet::new();
        while let Some(target) = open.pop() {
            if !seen.insert(target) {
                continue;
            }
            match target.kind {
                Kind::RingGroup => open.extend(groups.get(&*target.id.0).and_then(|group| group.no_answer.as_ref())),
                Kind::Receptionist => {
                    let found = self.live.receptionists.iter().filter(|one| one.id == target.id);
                    open.extend(found.flat_map(|one| one.keys.iter().map(|(_, target)| target)));
                }
                _ => {}
            }
        }
        seen.into_iter().filter(|target| target.kind == Kind::RingGroup).map(|target| target.id.to_string()).collect()
    }
}
