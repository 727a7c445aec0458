//! The graph after the first changes of a plan.

use crate::model::{Change, FieldName, FieldValue, Handle, Kind, ObjectRef, PlannedRef, Verb};

use super::RoutingGraph;

impl<'g> RoutingGraph<'g, '_> {
    /// Applies the next change of a plan that was made for this account.
    pub fn apply(&mut self, change: &'g Change) {
        let Some(object) = self.object(change) else { return };
        if change.verb == Verb::Delete {
            self.delete(object);
            return;
        }
        for field in &change.fields {
            match (field.field, &field.after) {
                (FieldName::To | FieldName::NoAnswer, FieldValue::Reference(to)) => {
                    let to = self.planned(to);
                    self.set_target(object, to);
                }
                (FieldName::To | FieldName::NoAnswer, _) => self.set_target(object, None),
                (FieldName::Members, value) => {
                    let members: Vec<Handle> = value.references().iter().filter_map(|to| self.planned(to)).collect();
                    self.set_members(object, members);
                }
                _ => {}
            }
        }
    }

    /// The object that a change writes; `None` if the account does not have it.
    fn object(&mut self, change: &'g Change) -> Option<Handle> {
        let kind = change.object.kind;
        if kind == Kind::Number {
            let found = self.directory.live().numbers.binary_search_by_key(&change.number()?, |number| number.number);
            return Some(Handle { kind: kind.into(), index: u32::try_from(found.ok()?).ok()? });
        }
        if let Some(id) = &change.object.id {
            return self.directory.by_id(&ObjectRef { kind: kind.into(), id: id.clone() });
        }
        if let (Verb::Create, Some(FieldValue::Name(name))) = (change.verb, change.after(FieldName::Name)) {
            let group = self.create(name);
            self.created_by.insert(change.id, group);
            return Some(group);
        }
        // The second write to a group that an earlier change created.
        let groups = change.depends_on.iter().filter_map(|before| self.created_by.get(before).copied());
        groups.into_iter().find(|group| self.group_name(*group) == change.object.name)
    }

    fn planned(&self, to: &PlannedRef) -> Option<Handle> {
        let live = to.id.as_ref().and_then(|id| self.directory.by_id(&ObjectRef { kind: to.kind, id: id.clone() }));
        live.or_else(|| self.created_by.get(&to.created_by?).copied())
    }
}
