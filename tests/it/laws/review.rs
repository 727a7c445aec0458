//! Reviews: a plan is reviewed by others exactly if it does what they do together, no less and no more, wherever the planner
//! puts it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use strowger::model::{Change, Desired, PlannedRef};
use strowger::plan::{Plan, Review, plan, unreviewed};

use super::{config, planned, severities, stress};
use crate::support::generate::{Pair, Size, pair, pair_of};

/// What a change does, told without its digest.
fn does(change: &Change) -> String {
    let bare = |target: &PlannedRef| PlannedRef { created_by: None, ..target.clone() };
    let fields: Vec<_> =
        change.fields.iter().map(|one| (one.field, one.before.map(bare), one.after.map(bare))).collect();
    let meanwhile = &change.unreachable_meanwhile;
    format!("{:?}", (change.verb, &change.object, fields, &change.reason, &change.expects, meanwhile))
}

fn all(plans: &[&Plan]) -> BTreeSet<String> {
    plans.iter().flat_map(|plan| &plan.changes).map(does).collect()
}

/// The plans of two people who each leave some numbers out, if what they leave can be planned.
fn halves(pair: &Pair, seed: u64) -> Option<(Plan, Plan)> {
    let mut random = fastrand::Rng::with_seed(seed);
    let sides: Vec<u8> = pair.desired.numbers.iter().map(|_| random.u8(0..3)).collect();
    let half = |left_out: u8| {
        let numbers = pair.desired.numbers.iter().zip(&sides).filter(|(_, side)| **side != left_out);
        let desired = Desired { numbers: numbers.map(|(number, _)| number.clone()).collect(), ..pair.desired.clone() };
        plan(&desired, &pair.live, &severities(), 1).0
    };
    Some((half(0)?, half(1)?))
}

proptest! {
    #![proptest_config(config(stress(200)))]

    #[test]
    fn law_a_plan_is_reviewed_by_others_exactly_if_it_does_what_they_do_together(
        pair in pair(Size::Medium), seed in any::<u64>(),
    ) {
        let whole = planned(&pair.desired, &pair.live);
        prop_assert_eq!(unreviewed(&whole, &[Review::of(&whole)]), None);
        prop_assert_eq!(unreviewed(&whole, &[]).is_none(), whole.is_empty());
        let Some((one, other)) = halves(&pair, seed) else { return Ok(()) };
        for plans in [vec![&one, &other], vec![&one], vec![&other, &other]] {
            let reviews: Vec<Review> = plans.iter().map(|plan| Review::of(plan)).collect();
            let difference = unreviewed(&whole, &reviews);
            let (theirs, ours) = (all(&plans), all(&[&whole]));
            prop_assert_eq!(difference.is_none(), theirs == ours);
            if let Some(difference) = difference {
                let unread = whole.changes.iter().filter(|change| !theirs.contains(&does(change)));
                prop_assert_eq!(difference.changes, unread.map(|change| change.id).collect::<Vec<_>>());
                prop_assert_eq!(difference.missing, theirs.difference(&ours).count());
            }
        }
    }
}

#[test]
fn plans_of_different_numbers_are_usually_one_reviewed_plan() {
    let (mut together, mut apart) = (0, 0);
    for seed in 0..200 {
        let pair = pair_of(Size::Medium, seed);
        let Some((one, other)) = halves(&pair, seed) else { continue };
        let whole = planned(&pair.desired, &pair.live);
        let accepted = |plans: &[&Plan]| {
            unreviewed(&whole, &plans.iter().map(|plan| Review::of(plan)).collect::<Vec<_>>()).is_none()
        };
        if accepted(&[&one]) || accepted(&[&other]) {
            continue;
        }
        if accepted(&[&one, &other]) { together += 1 } else { apart += 1 }
    }
    assert!(together > 20 && together > apart, "{together} together, {apart} apart");
}
