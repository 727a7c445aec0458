//! The account as it would be after the rollback, and what keeps an object from being taken back.

use std::collections::{HashMap, HashSet};

use crate::model::{
    ExtensionNumber, FieldName, FieldValues, Found, Handle, Kind, Name, NameKey, ObjectId, ObjectRef, Reference,
    Selector, Value,
};
use crate::routing::RoutingGraph;

use super::live_index::CurrentAccount;
use super::net_effect::NetEffect;
use super::reversal::{Reversal, Reversals};

/// The names and extension numbers of ring groups after the rollback.
pub(super) struct Projected<'w, 'l> {
    world: &'w CurrentAccount<'l>,
    deleted: HashSet<Handle>,
    renamed: HashMap<Handle, &'w Name>,
    renumbered: HashMap<Handle, &'w ExtensionNumber>,
    /// Groups that are created again, by the ids that they had.
    remade: HashMap<&'w ObjectId, &'w Name>,
    /// How many groups would have a name.
    names: HashMap<NameKey, usize>,
    /// How many reversals give a group this extension number.
    numbers: HashMap<&'w str, usize>,
    /// What would point at a group that is deleted, as messages write it.
    referrers: HashMap<Handle, String>,
}

/// The field in the way, if it is one, and why.
type Obstacle = (Option<FieldName>, String);

impl<'w, 'l> Projected<'w, 'l> {
    pub(super) fn new(reversals: &'w Reversals<'_, '_, 'l>) -> Self {
        let world = &reversals.past.world;
        let mut after = Self {
            world,
            deleted: HashSet::new(),
            renamed: HashMap::new(),
            renumbered: HashMap::new(),
            remade: HashMap::new(),
            names: HashMap::new(),
            numbers: HashMap::new(),
            referrers: HashMap::new(),
        };
        for (position, reversal) in &reversals.open {
            match (reversal, reversals.past.nets.get(*position)) {
                (Reversal::Delete { live }, _) => after.deleted.extend(world.handle(&live.id)),
                (Reversal::Change { live, fields }, _) => {
                    if let Some(handle) = world.handle(&live.id) {
                        after.renamed.extend(fields.name().map(|name| (handle, name)));
                        after.renumbered.extend(fields.extension().map(|number| (handle, number)));
                    }
                    after.count_extension(fields);
                }
                (Reversal::Make { name, fields }, Some(net)) => {
                    after.remade.insert(&net.id, name);
                    *after.names.entry(name.key()).or_default() += 1;
                    after.count_extension(fields);
                }
                (Reversal::Make { .. } | Reversal::Number { .. }, _) => {}
            }
        }
        for (index, group) in (0..).zip(&world.live.ring_groups) {
            let handle = Handle { kind: Kind::RingGroup, index };
            if !after.deleted.contains(&handle) {
                *after.names.entry(after.name(handle, &group.name).key()).or_default() += 1;
            }
        }
        after.find_referrers(reversals);
        after
    }

    fn count_extension(&mut self, fields: &'w FieldValues<ObjectRef>) {
        if let Some(extension) = fields.extension() {
            *self.numbers.entry(extension.as_str()).or_default() += 1;
        }
    }

    fn name<'n>(&self, handle: Handle, now: &'n Name) -> &'n Name
    where
        'w: 'n,
    {
        self.renamed.get(&handle).copied().unwrap_or(now)
    }

    /// Everything that would still point at a group that is deleted. What gets another target is not counted: that target
    /// is checked on its own.
    fn find_referrers(&mut self, reversals: &Reversals<'_, '_, 'l>) {
        if self.deleted.is_empty() {
            return;
        }
        let world = self.world;
        let mut graph = RoutingGraph::live(&world.directory);
        for reversal in reversals.open.values() {
            match reversal {
                Reversal::Number { live, fields } if fields.get(FieldName::To).is_some() => {
                    let found = world.live.numbers.binary_search_by_key(&live.number, |number| number.number);
                    if let Some(index) = found.ok().and_then(|index| u32::try_from(index).ok()) {
                        graph.set_target(Handle { kind: Kind::Number, index }, None);
                    }
                }
                Reversal::Change { live, fields } => {
                    let Some(group) = world.handle(&live.id) else { continue };
                    if fields.no_answer().is_some() {
                        graph.set_target(group, None);
                    }
                    if fields.members().is_some() {
                        graph.set_members(group, Vec::new());
                    }
                }
                Reversal::Delete { live } => {
                    if let Some(group) = world.handle(&live.id) {
                        graph.delete(group);
                    }
                }
                Reversal::Number { .. } | Reversal::Make { .. } => {}
            }
        }
        for edge in graph.referrers(Kind::RingGroup, |to| self.deleted.contains(&to)) {
            self.referrers.entry(edge.to).or_insert_with(|| graph.referrer(&edge));
        }
    }

    /// The reference that will mean this object, or why there is none.
    pub(super) fn reference(&self, to: &ObjectRef) -> Result<Reference, String> {
        if let (Kind::RingGroup, Some(name)) = (to.kind, self.remade.get(&to.id)) {
            return self.group_reference(name);
        }
        let directory = &self.world.directory;
        let handle = directory.by_id(to).ok_or_else(|| match to.kind {
            Kind::Other => "it is something that no file can name".to_owned(),
            kind => format!("{kind} {} is gone", to.id),
        })?;
        if self.deleted.contains(&handle) {
            return Err(format!("ring_group/{} goes with this rollback", directory.label(handle)));
        }
        if let Some(group) = self.world.group(handle).filter(|_| to.kind == Kind::RingGroup) {
            return self.group_reference(self.name(handle, &group.name));
        }
        let label = directory.label(handle);
        let exact =
            Reference::parse(to.kind, &label).ok().filter(|reference| directory.find(reference) == Found::One(handle));
        exact.ok_or_else(|| format!("nothing that a file can say tells {} {label} from others", to.kind))
    }

    fn group_reference(&self, name: &Name) -> Result<Reference, String> {
        if self.names.get(&name.key()).is_some_and(|count| *count > 1) {
            return Err(format!("several ring groups are called {name}"));
        }
        Ok(Reference { kind: Kind::RingGroup, selector: Selector::Name(name.clone()) })
    }

    /// What keeps an object from being taken back.
    pub(super) fn obstacle(&self, net: &NetEffect<'_>, reversal: &Reversal<'_>) -> Option<Obstacle> {
        match reversal {
            Reversal::Number { live, fields } => {
                let to = fields.get(FieldName::To);
                let account = &self.world.live.account;
                if to == Some(&Value::None) && account.default_number == Some(live.number) {
                    let why = "it led nowhere, and has become the account's default number, which must lead somewhere";
                    return Some((Some(FieldName::To), why.to_owned()));
                }
                let kept = if to.is_none() { "where it leads now, a file cannot say: " } else { "" };
                let target = to.map_or(live.to.as_ref(), |to| to.references().first())?;
                self.reference(target).err().map(|why| (Some(FieldName::To), format!("{kept}{why}")))
            }
            Reversal::Change { live, fields } => {
                let handle = self.world.handle(&live.id)?;
                if self.world.directory.named(Kind::RingGroup, &live.name.key()) != Found::One(handle) {
                    return Some((Some(FieldName::Name), "another group has the same name now".to_owned()));
                }
                if fields.members().is_none() && live.members.is_empty() {
                    return Some((Some(FieldName::Members), "it has no members now, which no file can say".to_owned()));
                }
                let members = fields.members().unwrap_or(&live.members);
                let name = fields.name().filter(|name| name.key() != live.name.key());
                self.group_obstacle(Some(handle), name, fields, members)
            }
            Reversal::Make { name, fields } => {
                self.group_obstacle(None, Some(name), fields, fields.members().unwrap_or_default())
            }
            Reversal::Delete { live } => {
                let handle = self.world.handle(&live.id)?;
                if self.world.directory.named(Kind::RingGroup, &live.name.key()) != Found::One(handle) {
                    return Some((Some(FieldName::Name), "another group has the same name now".to_owned()));
                }
                let referrer = self.referrers.get(&handle)?;
                Some((None, format!("{referrer} leads to {}, and would lead nowhere", net.label.name)))
            }
        }
    }

    fn group_obstacle(
        &self,
        own: Option<Handle>,
        name: Option<&Name>,
        fields: &FieldValues<ObjectRef>,
        members: &[ObjectRef],
    ) -> Option<Obstacle> {
        if let Some(why) = name.and_then(|name| self.name_obstacle(own, name)) {
            return Some((Some(FieldName::Name), why));
        }
        if let Some(why) = fields.extension().and_then(|number| self.extension_obstacle(own, number)) {
            return Some((Some(FieldName::Extension), why));
        }
        if let Some(why) = members.iter().find_map(|member| self.reference(member).err()) {
            return Some((Some(FieldName::Members), why));
        }
        let target = fields.no_answer()??;
        self.reference(target).err().map(|why| (Some(FieldName::NoAnswer), why))
    }

    /// Why a group cannot get its name back.
    fn name_obstacle(&self, own: Option<Handle>, name: &Name) -> Option<String> {
        let key = name.key();
        for kind in [Kind::User, Kind::Receptionist, Kind::Conference] {
            if self.world.directory.named(kind, &key) != Found::None {
                return Some(format!("a {kind} is called {name} now"));
            }
        }
        if self.names.get(&key).is_some_and(|count| *count > 1) {
            return Some(format!("another ring group is called {name} now"));
        }
        // Names may be passed on along a chain, as the plan can; the end of it must be free.
        let (mut needed, mut seen) = (key, HashSet::from([own]));
        while let Found::One(holder) = self.world.directory.named(Kind::RingGroup, &needed) {
            if self.deleted.contains(&holder) {
                return Some(format!(
                    "the name {name} is free only once the group that the run made is deleted; roll back again then"
                ));
            }
            if !seen.insert(Some(holder)) {
                return Some(format!("the name {name} goes round in a cycle"));
            }
            needed = self.renamed.get(&holder)?.key();
        }
        None
    }

    /// Why a group cannot get its extension number back.
    fn extension_obstacle(&self, own: Option<Handle>, number: &ExtensionNumber) -> Option<String> {
        if self.numbers.get(number.as_str()).is_some_and(|count| *count > 1) {
            return Some(format!("two groups would get the extension {number} back"));
        }
        let holders = self.world.directory.by_extension(number.as_str());
        let keeper = holders.iter().find(|holder| {
            let gives = self.renumbered.get(holder).is_some_and(|other| *other != number);
            Some(**holder) != own && !gives && !self.deleted.contains(holder)
        })?;
        Some(format!("the extension {number} belongs to {}/{} now", keeper.kind, self.world.directory.label(*keeper)))
    }
}
