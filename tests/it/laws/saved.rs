//! Saved plans: what was planned is ready for the same account, is not there before it is applied, and is there
//! afterwards; also for a vendor who counts each kind of object from one.

use std::collections::HashMap;

use proptest::prelude::*;
use strowger::model::{Kind, LiveAccount, ObjectId, ObjectRef};
use strowger::plan::{revalidate, unapplied_objects};

use super::{config, planned, stress};
use crate::support::account::Account;
use crate::support::generate::{Size, pair};

/// The same account with ids that tell an object from others of its kind only.
fn counted(mut live: LiveAccount) -> LiveAccount {
    let groups: HashMap<ObjectId, ObjectId> = (1..)
        .zip(&live.ring_groups)
        .map(|(count, group)| (group.id.clone(), count.to_string().as_str().into()))
        .collect();
    let count = |reference: &mut ObjectRef| {
        if let Some(id) = groups.get(&reference.id).filter(|_| reference.kind == Kind::RingGroup) {
            reference.id = id.clone();
        }
    };
    for (index, number) in (1..).zip(&mut live.numbers) {
        number.id = index.to_string().as_str().into();
        number.to.iter_mut().for_each(count);
    }
    for group in &mut live.ring_groups {
        group.id = groups[&group.id].clone();
        group.members.iter_mut().chain(&mut group.no_answer).for_each(count);
    }
    for receptionist in &mut live.receptionists {
        receptionist.keys.iter_mut().for_each(|(_, target)| count(target));
    }
    live.validated().unwrap()
}

proptest! {
    #![proptest_config(config(stress(100)))]

    #[test]
    fn a_saved_plan_is_ready_for_the_same_account_and_seen_in_it_once_applied(pair in pair(Size::Medium)) {
        let live = counted(pair.live.clone());
        let plan = planned(&pair.desired, &live);
        let ready = revalidate(plan.clone(), &pair.desired, &live);
        prop_assert_eq!(ready.as_ref(), Ok(&plan));
        let mut account = Account::new(&live);
        for change in &plan.changes {
            prop_assert!(!unapplied_objects(&plan, &account.live()).is_empty());
            account.apply(change).unwrap();
        }
        prop_assert_eq!(unapplied_objects(&plan, &account.live()), []);
    }
}
