//! The laws of guards, over the same pairs of accounts as those of plans.

use proptest::prelude::*;
use strowger::model::{
    Base, BasePolicy, Cap, Capped, Caps, Change, ChangeId, Desired, FieldName, GuardPolicy, LiveAccount, Reason, Span,
    Spanned, Verb,
};
use strowger::plan::{Digest, Guard, Plan, plan};

use super::{any_order, config, planned};
use crate::support::account::Account;
use crate::support::generate::{Size, pair};

fn any_cap() -> impl Strategy<Value = Cap> {
    (prop::option::of(0..20_u32), 0..=100_u8, 0..20_u32).prop_map(|(most, percent, floor)| Cap { most, percent, floor })
}

fn guards(caps: &[(Capped, Option<Cap>)]) -> GuardPolicy {
    let mut written = Caps::default();
    for (capped, value) in caps {
        written.set(*capped, Spanned { value: *value, span: Span::default() }).unwrap();
    }
    GuardPolicy { caps: written, ..GuardPolicy::default() }
}

fn held(plan: &Plan, guard: Guard) -> Vec<ChangeId> {
    let blocks = plan.blocked.iter().filter(|block| block.guard == guard);
    let mut held: Vec<ChangeId> = blocks.flat_map(|block| block.changes.iter().copied()).collect();
    held.sort_unstable();
    held.dedup();
    held
}

fn with(desired: &Desired, live: &LiveAccount, guards: GuardPolicy) -> Plan {
    let mut desired = desired.clone();
    desired.policy.guards = guards;
    planned(&desired, live)
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn raising_a_cap_never_holds_back_more(pair in pair(Size::Medium), cap in any_cap(), most in 0..20_u32, percent in 0..50_u8, floor in 0..20_u32) {
        let all = |cap| guards(&Capped::ALL.map(|capped| (capped, cap)));
        let low = with(&pair.desired, &pair.live, all(Some(cap)));
        let higher = Cap {
            most: cap.most.map(|before| before + most),
            percent: (cap.percent + percent).min(100),
            floor: cap.floor + floor,
        };
        let high = with(&pair.desired, &pair.live, all(Some(higher)));
        let before = held(&low, Guard::Cap);
        prop_assert!(held(&high, Guard::Cap).iter().all(|id| before.contains(id)));
        prop_assert_eq!(held(&with(&pair.desired, &pair.live, all(None)), Guard::Cap), vec![]);
    }

    #[test]
    fn no_cap_holds_back_what_is_within_the_floors(pair in pair(Size::Medium)) {
        let floor = u32::try_from(planned(&pair.desired, &pair.live).changes.len()).unwrap();
        let cap = Some(Cap { most: None, percent: 0, floor });
        let plan = with(&pair.desired, &pair.live, guards(&Capped::ALL.map(|capped| (capped, cap))));
        prop_assert_eq!(held(&plan, Guard::Cap), vec![]);
    }

    #[test]
    fn guards_change_nothing_but_the_blocks_and_say_the_same_again(pair in pair(Size::Medium), cap in any_cap()) {
        let strict = guards(&Capped::ALL.map(|capped| (capped, Some(cap))));
        let free = planned(&pair.desired, &pair.live);
        let mut desired = pair.desired.clone();
        desired.base = vec![Base::Read(Box::new(BasePolicy { revision: "HEAD".into(), account: None, guards: strict }))];
        let blocked = planned(&desired, &pair.live);
        prop_assert_eq!(&blocked, &planned(&desired, &pair.live));
        prop_assert_eq!(Plan { blocked: free.blocked.clone(), ..blocked.clone() }, free);
        for block in &blocked.blocked {
            prop_assert!(block.changes.is_sorted() && !block.changes.is_empty());
        }
    }

    #[test]
    fn ignored_fields_of_existing_objects_are_never_written_and_the_rest_converges(
        pair in pair(Size::Medium), ignore in prop::collection::btree_set(prop::sample::select(FieldName::ignorable().collect::<Vec<_>>()), 0..4), seed: u64,
    ) {
        let mut desired = pair.desired.clone();
        desired.policy.ignore.clone_from(&ignore);
        // Without its new number a group may stand in another's way, which is told; that is not this law.
        let (Some(plan), _) = plan(&desired, &pair.live, &super::severities(), 1) else { return Ok(()) };
        let declared = |change: &&Change| matches!(change.reason, Reason::Declared | Reason::Renamed);
        let existing = plan.changes.iter().filter(|change| change.verb == Verb::Update && change.object.id.is_some());
        for change in existing.filter(declared) {
            for field in &change.fields {
                prop_assert!(!ignore.contains(&field.field), "{:#?}", change);
            }
        }
        let mut account = Account::new(&pair.live);
        for change in any_order(&plan, seed) {
            account.apply(change).unwrap_or_else(|refusal| panic!("{refusal}\n{change:#?}\n{plan:#?}"));
        }
        prop_assert!(planned(&desired, &account.live()).is_empty());
    }

    #[test]
    fn an_approval_is_of_one_plan(one in pair(Size::Medium), other in pair(Size::Medium), at: prop::sample::Index) {
        let plan = planned(&one.desired, &one.live);
        let stranger = planned(&other.desired, &other.live);
        let same = (&plan.account_id, &plan.changes) == (&stranger.account_id, &stranger.changes);
        prop_assert_eq!(plan.digest == stranger.digest, same);
        if plan.is_empty() {
            return Ok(());
        }
        let at = at.index(plan.changes.len());
        let mut less = plan.changes.clone();
        less.remove(at);
        prop_assert_ne!(&Digest::of(&plan.account_id, &less), &plan.digest);
        let mut elsewhere = plan.changes.clone();
        elsewhere[at].object.name.push('x');
        prop_assert_ne!(&Digest::of(&plan.account_id, &elsewhere), &plan.digest);
        let mut stale = plan.changes.clone();
        stale[at].expects = Some(strowger::model::PreImage("0".repeat(64)));
        prop_assert_ne!(&Digest::of(&plan.account_id, &stale), &plan.digest);
    }
}
