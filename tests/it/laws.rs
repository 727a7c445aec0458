//! The laws that every plan keeps (design, section 5), as properties over generated pairs of accounts.
//!
//! The plans are applied to a pure account in memory that refuses what the real ones refuse: a taken name or
//! extension number, a reference to nothing, the deletion of what something points at. Orders are drawn at
//! random among those that the plan's dependencies allow, because the engine is as free.

mod guards;
mod honest;
mod part;
mod review;
mod routing;
mod saved;

use crate::support::generate;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use strowger::diag::{Rule, Severities};
use strowger::model::{Change, ChangeId, Desired, LiveAccount, Verb, WritableKind};
use strowger::plan::{Plan, plan};

use crate::support::account::Account;
use crate::support::generate::{Pair, Size, pair};

/// Enough cases to meet the rare shapes, few enough for every run of the tests.
pub fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// More cases for a longer look: `STROWGER_LAWS=25` runs twenty-five times as many, which is what `scripts/test`
/// does: ten thousand of each law.
pub fn stress(cases: u32) -> u32 {
    std::env::var("STROWGER_LAWS")
        .ok()
        .and_then(|factor| factor.parse().ok())
        .map_or(cases, |factor: u32| cases * factor)
}

/// An operator may switch the rule on cycles of groups off, and the laws hold all the same.
pub fn severities() -> Severities {
    let mut severities = Severities::default();
    assert!(severities.set(Rule::NO_ANSWER_CYCLE, None));
    severities
}

pub fn planned(desired: &Desired, live: &LiveAccount) -> Plan {
    let (plan, diagnostics) = plan(desired, live, &severities(), 1);
    plan.unwrap_or_else(|| panic!("no plan: {diagnostics:#?}"))
}

/// One of the orders that the dependencies allow, by a seed.
fn any_order(plan: &Plan, seed: u64) -> Vec<&Change> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut done: BTreeSet<ChangeId> = BTreeSet::new();
    let mut left: Vec<&Change> = plan.changes.iter().collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let ready: Vec<usize> =
            (0..left.len()).filter(|&at| left[at].depends_on.iter().all(|before| done.contains(before))).collect();
        let chosen = left.remove(ready[random.usize(..ready.len())]);
        done.insert(chosen.id);
        order.push(chosen);
    }
    order
}

/// The objects that a plan writes, with how often.
fn objects(plan: &Plan) -> BTreeMap<(WritableKind, String), usize> {
    let mut counts = BTreeMap::new();
    for change in &plan.changes {
        *counts.entry((change.object.kind, key(change))).or_default() += 1;
    }
    counts
}

fn key(change: &Change) -> String {
    change.object.id.as_ref().map_or_else(|| format!("new {}", change.object.name), ToString::to_string)
}

/// Every order of a few things.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1);
    let insert = |order: &Vec<usize>, at: usize| {
        let mut longer = order.clone();
        longer.insert(at, count - 1);
        longer
    };
    shorter.iter().flat_map(|order| (0..count).map(move |at| insert(order, at))).collect()
}

/// The plan's changes with all writes to one object made into one.
fn single_writes(plan: &Plan) -> Vec<Change> {
    let mut merged: BTreeMap<(WritableKind, String), Change> = BTreeMap::new();
    for change in &plan.changes {
        let entry = merged.entry((change.object.kind, key(change)));
        entry
            .and_modify(|first| {
                if change.verb == Verb::Delete {
                    *first = change.clone();
                }
                for field in &change.fields {
                    first.fields.retain(|old| old.field != field.field);
                    first.fields.push(field.clone());
                }
            })
            .or_insert_with(|| change.clone());
    }
    merged.into_values().collect()
}

fn check_prefixes(pair: &Pair, plan: &Plan, seed: u64) {
    let after = {
        let mut account = Account::new(&pair.live);
        plan.changes.iter().for_each(|change| account.apply(change).unwrap());
        account
    };
    let mut account = Account::new(&pair.live);
    let mapped: BTreeSet<String> = account.mapped().intersection(&after.mapped()).cloned().collect();
    let reachable: BTreeSet<String> = account.reachable().intersection(&after.reachable()).cloned().collect();
    let mut excused: BTreeSet<String> = BTreeSet::new();
    for change in any_order(plan, seed) {
        account.apply(change).unwrap_or_else(|refusal| panic!("{refusal}\n{change:#?}\n{plan:#?}"));
        excused.extend(change.unreachable_meanwhile.iter().filter_map(|name| after.group_id(name)));
        let still = account.mapped();
        let lost: Vec<&String> = mapped.difference(&still).collect();
        assert!(lost.is_empty(), "{lost:?} lost their destination");
        assert_eq!(account.dangling(), Vec::<String>::new());
        let now = account.reachable();
        let silent: Vec<&String> = reachable.difference(&now).filter(|group| !excused.contains(*group)).collect();
        assert!(silent.is_empty(), "{silent:?} cannot be reached after {change:#?}\n{plan:#?}");
    }
}

fn check_minimal(pair: &Pair) {
    let plan = planned(&pair.desired, &pair.live);
    let objects = objects(&plan);
    assert_eq!(objects.len(), generate::differing(pair), "{:#?}", plan.changes);
    for (object, count) in &objects {
        assert!(*count <= 2, "{object:?} is written {count} times: {:#?}", plan.changes);
    }
    for change in plan.changes.iter().filter(|change| change.verb == Verb::Update) {
        assert!(change.fields.iter().all(|field| field.before != field.after), "{change:#?}");
    }
}

/// A pair of which one object once got three writes: a second one for its extension number, and a third to keep a
/// group in reach.
#[test]
fn law_2_of_a_known_pair_no_object_is_written_three_times() {
    check_minimal(&generate::pair_of(Size::Medium, 3_003_620_683_451_839_436));
}

proptest! {
    #![proptest_config(config(stress(400)))]

    #[test]
    fn law_1_a_plan_converges_and_a_second_one_is_empty(pair in pair(Size::Medium), seed: u64) {
        let plan = planned(&pair.desired, &pair.live);
        let mut account = Account::new(&pair.live);
        for change in any_order(&plan, seed) {
            account.apply(change).unwrap_or_else(|refusal| panic!("{refusal}\n{change:#?}\n{plan:#?}"));
        }
        let again = planned(&pair.desired, &account.live());
        prop_assert!(again.is_empty(), "left to do: {:#?}\nafter {:#?}", again.changes, plan.changes);
    }

    #[test]
    fn law_2_no_object_is_written_that_does_not_differ_and_none_twice_without_need(pair in pair(Size::Medium)) {
        check_minimal(&pair);
    }

    #[test]
    fn law_3_every_prefix_of_every_order_is_safe(pair in pair(Size::Medium), seed: u64) {
        check_prefixes(&pair, &planned(&pair.desired, &pair.live), seed);
    }

    #[test]
    fn law_4_a_run_cut_short_is_finished_by_the_next(pair in pair(Size::Medium), seed: u64, cut in 0.0..1.0f64) {
        let plan = planned(&pair.desired, &pair.live);
        let mut account = Account::new(&pair.live);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let done = (plan.changes.len() as f64 * cut) as usize;
        for change in any_order(&plan, seed).into_iter().take(done) {
            account.apply(change).unwrap();
        }
        let rest = planned(&pair.desired, &account.live());
        account.forget_creations();
        for change in &rest.changes {
            account.apply(change).unwrap_or_else(|refusal| panic!("{refusal}\n{change:#?}\n{rest:#?}"));
        }
        let last = planned(&pair.desired, &account.live());
        prop_assert!(last.is_empty(), "{:#?}", last.changes);
    }

    #[test]
    fn law_5_the_same_inputs_give_the_same_bytes(pair in pair(Size::Medium), seed: u64) {
        let first = serde_json::to_string(&planned(&pair.desired, &pair.live)).unwrap();
        let mut shuffled = pair.live.clone();
        let mut random = fastrand::Rng::with_seed(seed);
        random.shuffle(&mut shuffled.numbers);
        random.shuffle(&mut shuffled.ring_groups);
        random.shuffle(&mut shuffled.users);
        let second = serde_json::to_string(&planned(&pair.desired, &shuffled.validated().unwrap())).unwrap();
        prop_assert_eq!(first.clone(), second);
        let read: Plan = serde_json::from_str(&first).unwrap();
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), first);
    }
}

proptest! {
    #![proptest_config(config(stress(1500)))]

    #[test]
    fn a_second_write_is_proven_necessary(pair in pair(Size::Tiny)) {
        let plan = planned(&pair.desired, &pair.live);
        let single = single_writes(&plan);
        if single.len() == plan.changes.len() || single.len() > 6 {
            return Ok(());
        }
        let mut after = Account::new(&pair.live);
        plan.changes.iter().for_each(|change| after.apply(change).unwrap());
        for order in permutations(single.len()) {
            let mut account = Account::new(&pair.live);
            let protected: BTreeSet<String> = account.reachable().intersection(&after.reachable()).cloned().collect();
            let fine = order.iter().all(|&at| {
                account.apply(&single[at]).is_ok() && protected.is_subset(&account.reachable())
            });
            prop_assert!(!fine, "{order:?} of single writes would have done:\n{single:#?}");
        }
    }

    #[test]
    fn a_group_is_out_of_reach_only_where_no_order_avoids_it(pair in pair(Size::Tiny)) {
        let plan = planned(&pair.desired, &pair.live);
        let gaps = plan.changes.iter().any(|change| !change.unreachable_meanwhile.is_empty());
        if !gaps || plan.changes.len() > 6 {
            return Ok(());
        }
        let mut after = Account::new(&pair.live);
        plan.changes.iter().for_each(|change| after.apply(change).unwrap());
        for order in permutations(plan.changes.len()) {
            let mut account = Account::new(&pair.live);
            let protected: BTreeSet<String> = account.reachable().intersection(&after.reachable()).cloned().collect();
            let fine = order.iter().all(|&at| {
                account.apply(&plan.changes[at]).is_ok() && protected.is_subset(&account.reachable())
            });
            prop_assert!(!fine, "{order:?} avoids the gap of\n{:#?}", plan.changes);
        }
    }

    #[test]
    fn tiny_accounts_are_safe_at_every_prefix(pair in pair(Size::Tiny), seed: u64) {
        check_prefixes(&pair, &planned(&pair.desired, &pair.live), seed);
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn large_accounts_keep_the_laws(pair in pair(Size::Large), seed: u64) {
        let plan = planned(&pair.desired, &pair.live);
        check_prefixes(&pair, &plan, seed);
        let mut account = Account::new(&pair.live);
        plan.changes.iter().for_each(|change| account.apply(change).unwrap());
        prop_assert!(planned(&pair.desired, &account.live()).is_empty());
    }
}
