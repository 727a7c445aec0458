//! The laws of plans for a part: what is left out stays as it is, and the rest keeps all the other laws.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use proptest::prelude::*;
use strowger::diag::{Diagnostic, Rule, has_errors};
use strowger::model::{
    Desired, DesiredNumber, FieldName, FieldValue, Kind, LiveAccount, LiveNumber, LiveRingGroup, Reference, Span,
    Spanned, Verb, WritableKind,
};
use strowger::plan::{Cause, Guard, Part, Plan, plan_part};

use super::{any_order, check_prefixes, config, planned, severities, stress};
use crate::support::account::Account;
use crate::support::generate::{Pair, Size, pair, pair_of};

/// What may be wrong with a declaration, as far as only the account tells.
fn broken(pair: &Pair, seed: u64) -> Desired {
    let mut random = Rng::with_seed(seed);
    let mut desired = pair.desired.clone();
    let gone = |text: &str| Spanned { value: text.parse::<Reference>().unwrap(), span: Span::default() };
    for number in &mut desired.numbers {
        if random.u8(..6) == 0 {
            number.to.value = Some(gone("user/gone@example.org").value);
        }
    }
    for group in &mut desired.ring_groups {
        match random.u8(..18) {
            0 => group.members.push(gone("user/gone@example.org")),
            1 => group.members.push(gone("device/gone")),
            2 => {
                let target = Some(gone("voicemail/gone@example.org").value);
                group.no_answer = Some(Spanned { value: target, span: Span::default() });
            }
            // The extension number of a user.
            3 => group.extension = Some(Spanned { value: "200".parse().unwrap(), span: Span::default() }),
            _ => {}
        }
    }
    if random.bool() {
        desired.numbers.push(DesiredNumber {
            number: "+33142689999".parse().unwrap(),
            span: Span::default(),
            to: Spanned { value: Some(gone("receptionist/main").value), span: Span::default() },
            label: None,
        });
    }
    if random.bool() {
        desired.policy.prune_ring_groups = Some(Span::default());
    }
    desired
}

fn part(desired: &Desired, live: &LiveAccount, part: &Part) -> (Option<Plan>, Vec<Diagnostic>) {
    plan_part(desired, live, &severities(), 1, part)
}

fn without_invalid(desired: &Desired, live: &LiveAccount) -> Plan {
    let (plan, findings) = part(desired, live, &Part { skip_invalid: true, ..Part::default() });
    plan.unwrap_or_else(|| panic!("no plan: {findings:#?}"))
}

fn applied(live: &LiveAccount, plan: &Plan, seed: u64) -> LiveAccount {
    let mut account = Account::new(live);
    for change in any_order(plan, seed) {
        account.apply(change).unwrap_or_else(|refusal| panic!("{refusal}\n{change:#?}\n{plan:#?}"));
    }
    account.live()
}

fn number<'l>(live: &'l LiveAccount, name: &str) -> Option<&'l LiveNumber> {
    live.numbers.iter().find(|number| number.number.to_string() == name)
}

fn group<'l>(live: &'l LiveAccount, name: &str) -> Option<&'l LiveRingGroup> {
    live.ring_groups.iter().find(|group| group.name.as_str() == name)
}

fn names(plan: &Plan) -> BTreeSet<(Kind, String)> {
    plan.skipped.iter().map(|skipped| (skipped.kind, skipped.name.clone())).collect()
}

/// What a plan makes of each field of each object, with references as the account or the plan knows them.
fn results(plan: &Plan) -> BTreeMap<(WritableKind, String, FieldName), FieldValue> {
    let mut results = BTreeMap::new();
    for change in &plan.changes {
        for field in &change.fields {
            let after = field.after.map(|target| {
                let name = if target.id.is_some() { String::new() } else { target.name.clone() };
                strowger::model::PlannedRef { name, created_by: None, ..target.clone() }
            });
            results.insert((change.object.kind, change.object.name.clone(), field.field), after);
        }
    }
    results
}

/// Protects some objects, applies what the guards do not hold back, and plans again.
fn without_blocked(pair: &Pair, seed: u64, order: u64) -> Result<(), TestCaseError> {
    let mut random = Rng::with_seed(seed);
    let mut desired = pair.desired.clone();
    for number in &pair.live.numbers {
        if random.u8(..3) == 0 {
            desired.policy.guards.protect.numbers.insert(number.number, Span::default());
        }
    }
    for group in &pair.live.ring_groups {
        if random.u8(..4) == 0 {
            let text = format!("ring_group/{}", group.name);
            let reference = Spanned { value: text.parse().unwrap(), span: Span::default() };
            desired.policy.guards.protect.groups.insert(group.name.key(), reference);
        }
    }
    let (plan, _) = part(&desired, &pair.live, &Part { skip_blocked: true, ..Part::default() });
    let plan = plan.unwrap();
    let whole = planned(&desired, &pair.live);
    if whole.blocked.iter().any(|block| block.guard == Guard::Cap) {
        prop_assert_eq!(plan, whole);
        return Ok(());
    }
    prop_assert!(plan.blocked.iter().all(|block| block.guard == Guard::Cap), "{:#?}", plan.blocked);
    check_prefixes(pair, &plan, order);
    let after = applied(&pair.live, &plan, order);
    for number in desired.policy.guards.protect.numbers.keys().map(ToString::to_string) {
        prop_assert_eq!(
            self::number(&after, &number).map(|number| &number.to),
            self::number(&pair.live, &number).map(|number| &number.to)
        );
    }
    let (again, _) = part(&desired, &after, &Part { skip_blocked: true, ..Part::default() });
    prop_assert!(again.is_some_and(|again| again.is_empty()));
    Ok(())
}

#[test]
fn a_group_that_takes_the_name_of_a_renamed_one_does_not_pass_its_protection_on() {
    for (pair, seed) in [
        (14_836_078_683_593_358_723, 9_967_902_743_415_612_455),
        (4_689_534_337_035_853_598, 7_695_643_920_095_931_300),
        (10_919_389_942_754_971_909, 3_351_101_514_709_847_700),
        (13_809_888_637_118_512_059, 17_456_627_978_298_377_568),
    ] {
        without_blocked(&pair_of(Size::Medium, pair), seed, 0).unwrap();
    }
}

proptest! {
    #![proptest_config(config(stress(600)))]

    #[test]
    fn without_invalid_declarations_a_plan_converges_and_is_safe_at_every_prefix(
        pair in pair(Size::Medium), seed: u64, order: u64,
    ) {
        let desired = broken(&pair, seed);
        let plan = without_invalid(&desired, &pair.live);
        check_prefixes(&pair, &plan, order);
        let after = applied(&pair.live, &plan, order);
        let again = without_invalid(&desired, &after);
        prop_assert!(again.is_empty(), "left to do: {:#?}\nafter {:#?}", again.changes, plan);
        prop_assert_eq!(names(&again), names(&plan));
    }

    #[test]
    fn what_is_left_out_is_not_touched_and_nothing_is_taken_away(pair in pair(Size::Medium), seed: u64, order: u64) {
        let desired = broken(&pair, seed);
        let plan = without_invalid(&desired, &pair.live);
        let after = applied(&pair.live, &plan, order);
        for (kind, name) in names(&plan) {
            if kind == Kind::Number {
                prop_assert_eq!(number(&after, &name), number(&pair.live, &name));
            } else {
                let before = group(&pair.live, &name);
                let after = before.and_then(|before| after.ring_groups.iter().find(|group| group.id == before.id));
                prop_assert_eq!(after, before);
            }
        }
        let (whole, findings) = part(&desired, &pair.live, &Part::default());
        prop_assert_eq!(whole.is_none(), has_errors(&findings));
        prop_assert_eq!(plan.skipped.is_empty(), whole.is_some());
        if whole.is_none() {
            prop_assert!(plan.skipped.iter().any(|skipped| skipped.cause == Cause::Invalid));
            prop_assert!(plan.changes.iter().all(|change| change.verb != Verb::Delete));
            let lost = |was: &&LiveNumber| {
                was.to.is_some() && number(&after, &was.number.to_string()).is_some_and(|now| now.to.is_none())
            };
            prop_assert_eq!(pair.live.numbers.iter().find(lost), None);
        }
    }

    #[test]
    fn what_is_not_left_out_becomes_what_it_would_have_become(pair in pair(Size::Medium), seed: u64) {
        let desired = broken(&pair, seed);
        let mut healthy = pair.desired.clone();
        healthy.policy = desired.policy.clone();
        let whole = results(&planned(&healthy, &pair.live));
        for (object, after) in results(&without_invalid(&desired, &pair.live)) {
            prop_assert_eq!(whole.get(&object), Some(&after), "{:?}", object);
        }
    }

    #[test]
    fn where_nothing_is_invalid_leaving_out_changes_nothing(pair in pair(Size::Medium)) {
        prop_assert_eq!(without_invalid(&pair.desired, &pair.live), planned(&pair.desired, &pair.live));
    }

    #[test]
    fn what_a_guard_on_objects_holds_back_stays_and_the_rest_converges(
        pair in pair(Size::Medium), seed: u64, order: u64,
    ) {
        without_blocked(&pair, seed, order)?;
    }

    #[test]
    fn a_selection_writes_itself_and_what_must_be_created_for_it(pair in pair(Size::Medium), seed: u64, order: u64) {
        let mut random = Rng::with_seed(seed);
        let numbers = pair.desired.numbers.iter().map(|number| number.number.to_string());
        let groups = pair.desired.ring_groups.iter().map(|group| format!("ring_group/{}", group.name.value));
        let only: Vec<_> = numbers.chain(groups).filter(|_| random.u8(..4) == 0).collect();
        if only.is_empty() {
            return Ok(());
        }
        // What is wrong elsewhere is of no matter.
        let mut desired = broken(&pair, seed);
        for (broken, healthy) in desired.numbers.iter_mut().zip(&pair.desired.numbers) {
            if only.contains(&broken.number.to_string()) {
                broken.clone_from(healthy);
            }
        }
        for (broken, healthy) in desired.ring_groups.iter_mut().zip(&pair.desired.ring_groups) {
            let new = healthy.name.value.as_str().starts_with("new");
            if new || only.contains(&format!("ring_group/{}", broken.name.value)) {
                broken.clone_from(healthy);
            }
        }
        let limited = Part { only: only.iter().map(|text| text.parse().unwrap()).collect(), ..Part::default() };
        let (plan, findings) = part(&desired, &pair.live, &limited);
        let Some(plan) = plan else {
            prop_assert!(findings.iter().any(|finding| {
                [Rule::NEEDS_UNSELECTED, Rule::EXTENSION_TAKEN].contains(&finding.rule)
            }), "{:#?}", findings);
            return Ok(());
        };
        prop_assert_eq!(&plan.only, &only);
        for change in &plan.changes {
            prop_assert_ne!(change.verb, Verb::Delete);
            let declared = |text: &String| match change.object.kind {
                WritableKind::Number => *text == change.object.name,
                WritableKind::RingGroup => pair.desired.ring_groups.iter().any(|group| {
                    let names = [Some(&group.name.value), group.renamed_from.as_ref().map(|name| &name.value)];
                    *text == format!("ring_group/{}", group.name.value)
                        && names.into_iter().flatten().any(|name| name.as_str() == change.object.name)
                }),
            };
            let made = change.object.kind == Kind::RingGroup && change.object.id.is_none();
            prop_assert!(made || only.iter().any(declared), "{:#?}\n{:?}", change, only);
        }
        check_prefixes(&pair, &plan, order);
        let after = applied(&pair.live, &plan, order);
        let (again, _) = part(&desired, &after, &limited);
        prop_assert!(again.is_some_and(|again| again.is_empty()));
    }
}
