//! The routing graph of a live account and the changes of its plan is that of the account once they are applied.

use std::collections::BTreeSet;

use proptest::prelude::*;
use strowger::model::{Directory, Handle, Kind};
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

proptest! {
    #![proptest_config(config(stress(200)))]

    #[test]
    fn the_graph_after_each_prefix_of_a_plan_is_that_of_the_account_then(pair in pair(Size::Medium), seed: u64) {
        let plan = planned(&pair.desired, &pair.live);
        let before = Directory::new(&pair.live);
        let mut graph = RoutingGraph::live(&before);
        let mut account = Account::new(&pair.live);
        for change in any_order(&plan, seed) {
            graph.apply(change);
            account.apply(change).unwrap();
            let now = account.live();
            let after = Directory::new(&now);
            let expected = edges(&RoutingGraph::live(&after), &after, &account);
            prop_assert_eq!(edges(&graph, &before, &account), expected, "after {:#?}", change);
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
