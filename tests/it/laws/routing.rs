//! The routing graph of a live account and the changes of its plan is that of the account once they are applied.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use strowger::model::{Change, ChangeId, Directory, FieldName, FieldValue, Handle, Kind, ObjectRef, PlannedRef, Verb};
use strowger::routing::RoutingGraph;

use super::{any_order, config, planned, stress};
use crate::support::account::Account;
use crate::support::generate::{Size, pair};

/// The edges by the ids of the objects, and by the names of the groups that have none yet.
fn edges(graph: &RoutingGraph<'_, '_>, directory: &Directory<'_>, account: &Account) -> BTreeSet<String> {
    let text = |handle: Handle| match directory.target_id(handle) {
        Some(id) => format!("{} {id}", handle.kind),
        None => format!("{} {}", Kind::RingGroup, account.group_id(graph.group_name(handle)).unwrap()),
    };
    graph.edges().map(|edge| format!("{} {:?} {}", text(edge.from), edge.label, text(edge.to))).collect()
}

/// The graph of a live account, to which the changes of a plan are applied one by one.
struct Applied<'g, 'a> {
    graph: RoutingGraph<'g, 'a>,
    directory: &'g Directory<'a>,
    created_by: HashMap<ChangeId, Handle>,
}

impl<'g> Applied<'g, '_> {
    /// Applies the next change of a plan that was made for this account.
    fn apply(&mut self, change: &'g Change) {
        let Some(object) = self.object(change) else { return };
        if change.verb == Verb::Delete {
            self.graph.delete(object);
            return;
        }
        for field in &change.fields {
            match (field.field, &field.after) {
                (FieldName::To | FieldName::NoAnswer, FieldValue::Reference(to)) => {
                    let to = self.planned(to);
                    self.graph.set_target(object, to);
                }
                (FieldName::To | FieldName::NoAnswer, _) => self.graph.set_target(object, None),
                (FieldName::Members, value) => {
                    let members: Vec<Handle> = value.references().iter().filter_map(|to| self.planned(to)).collect();
                    self.graph.set_members(object, members);
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
            let group = self.graph.create(name);
            self.created_by.insert(change.id, group);
            return Some(group);
        }
        // The second write to a group that an earlier change created.
        let groups = change.depends_on.iter().filter_map(|before| self.created_by.get(before).copied());
        groups.into_iter().find(|group| self.graph.group_name(*group) == change.object.name)
    }

    fn planned(&self, to: &PlannedRef) -> Option<Handle> {
        let live = to.id.as_ref().and_then(|id| self.directory.by_id(&ObjectRef { kind: to.kind, id: id.clone() }));
        live.or_else(|| self.created_by.get(&to.created_by?).copied())
    }
}

proptest! {
    #![proptest_config(config(stress(200)))]

    #[test]
    fn the_graph_after_each_prefix_of_a_plan_is_that_of_the_account_then(pair in pair(Size::Medium), seed: u64) {
        let plan = planned(&pair.desired, &pair.live);
        let before = Directory::new(&pair.live);
        let graph = RoutingGraph::live(&before);
        let mut applied = Applied { graph, directory: &before, created_by: HashMap::new() };
        let mut account = Account::new(&pair.live);
        for change in any_order(&plan, seed) {
            applied.apply(change);
            account.apply(change).unwrap();
            let now = account.live();
            let after = Directory::new(&now);
            let expected = edges(&RoutingGraph::live(&after), &after, &account);
            prop_assert_eq!(edges(&applied.graph, &before, &account), expected, "after {:#?}", change);
        }
    }

    #[test]
    fn the_desired_graph_of_a_difference_is_that_of_the_account_after_the_plan(pair in pair(Size::Medium)) {
        let plan = planned(&pair.desired, &pair.live);
        let (difference, _) = strowger::diff::diff(&pair.desired, &pair.live);
        let mut account = Account::new(&pair.live);
        for change in &plan.changes {
            account.apply(change).unwrap();
        }
        let now = account.live();
        let after = Directory::new(&now);
        let expected = edges(&RoutingGraph::live(&after), &after, &account);
        prop_assert_eq!(edges(&difference.routing(), &difference.directory, &account), expected);
    }
}
