//! The laws of rolling back, over generated accounts and plans: what a run really did is taken back, all of it
//! and nothing else; what somebody changed since is listed and left alone.

use crate::support::generate;
use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use strowger::ledger::{ChangeOutcome, Planned, Run, RunId};
use strowger::model::{
    Change, ChangeId, Desired, FieldName, Kind, LiveAccount, LiveNumber, LiveRingGroup, LiveUser, ObjectId, ObjectRef,
    RingFor, RingMode, Span, Verb,
};
use strowger::plan::Plan;
use strowger::rollback::{Rollback, rollback};

use crate::laws::{config, planned, stress};
use crate::support::account::Account;
use crate::support::generate::{Size, pair};

fn applied(id: ObjectId) -> ChangeOutcome {
    ChangeOutcome::Applied { id, revision: None, requests: 1 }
}

/// A run of the first changes of a plan, of which the last few may be unknown, and the account after it.
fn run(plan: &Plan, live: &LiveAccount, cut: usize, random: &mut Rng) -> (Run, Account) {
    let mut account = Account::new(live);
    let mut outcomes = vec![ChangeOutcome::NotAttempted; plan.changes.len()];
    let done = cut.min(plan.changes.len());
    for (change, outcome) in plan.changes[..done].iter().zip(&mut outcomes) {
        account.apply(change).unwrap();
        let made = || ObjectId::from(account.group_id(&change.object.name).unwrap().as_str());
        *outcome = applied(change.object.id.clone().unwrap_or_else(made));
    }
    let needed: BTreeSet<ChangeId> =
        plan.changes[..done].iter().flat_map(|change| change.depends_on.iter().copied()).collect();
    for (change, outcome) in plan.changes[..done].iter().zip(&mut outcomes) {
        if !needed.contains(&change.id) && random.u8(..4) == 0 {
            *outcome = ChangeOutcome::Unknown { why: "lost".to_owned() };
        }
    }
    let ready = |change: &Change| change.depends_on.iter().all(|id| id.0 as usize <= done);
    if let Some(next) = plan.changes.get(done).filter(|change| ready(change)) {
        outcomes[next.id.0 as usize - 1] = ChangeOutcome::Unknown { why: "never arrived".to_owned() };
    }
    let planned = Planned::of(plan);
    let id = RunId::new("2026-11-23T14:25:00.000Z", 1).unwrap();
    (Run { id, at: String::new(), planned, approval: None, outcomes, summary: None, torn: false }, account)
}

fn undone(run: &Run, live: &LiveAccount) -> Rollback {
    rollback(run, live, Desired { files: vec!["ledger".into()], ..Desired::default() }, Span::default())
}

/// Carries a plan out on an account that another plan was carried out on before.
fn apply(account: &mut Account, plan: &Plan) {
    account.forget_creations();
    for change in &plan.changes {
        account.apply(change).unwrap_or_else(|refusal| panic!("{refusal}\n{change:#?}\n{plan:#?}"));
    }
}

/// Everything that a plan can write, by names instead of ids.
fn picture(live: &LiveAccount) -> BTreeMap<String, String> {
    let names: BTreeMap<&ObjectId, &str> =
        live.ring_groups.iter().map(|group| (&group.id, group.name.as_str())).collect();
    let name = |to: &ObjectRef| format!("{}/{}", to.kind, names.get(&to.id).copied().unwrap_or(&to.id.0));
    let numbers = live
        .numbers
        .iter()
        .map(|number| (number.number.to_string(), format!("{:?} {:?}", number.to.as_ref().map(name), number.label)));
    let groups = live.ring_groups.iter().map(|group| {
        let mut members: Vec<String> = group.members.iter().map(name).collect();
        if group.ring == RingMode::Simultaneous {
            members.sort();
        }
        let target = group.no_answer.as_ref().map(name);
        let LiveRingGroup { extension, ring, ring_for, .. } = group;
        (group.name.to_string(), format!("{extension:?} {ring} {members:?} {ring_for:?} {target:?}"))
    });
    numbers.chain(groups).collect()
}

/// Changes one field that the run wrote to something that it never had.
fn meddle(live: &mut LiveAccount, run: &Run, random: &mut Rng) -> Option<(Kind, ObjectId, FieldName)> {
    let applied: Vec<_> = run
        .changes()
        .filter(|(change, _)| change.verb != Verb::Delete)
        .filter_map(|(change, outcome)| match outcome {
            ChangeOutcome::Applied { id, .. } => Some((change, id.clone())),
            _ => None,
        })
        .collect();
    if applied.is_empty() {
        return None;
    }
    let (change, id) = &applied[random.usize(..applied.len())];
    let field = change.fields[random.usize(..change.fields.len())].field;
    if change.object.kind == Kind::Number {
        let number = live.numbers.iter_mut().find(|number| number.id == *id)?;
        match field {
            FieldName::To => number.to = Some(ObjectRef { kind: Kind::User, id: "usr_stranger".into() }),
            _ => number.label = "a stranger's".into(),
        }
        return Some((Kind::Number, id.clone(), field));
    }
    let group = live.ring_groups.iter_mut().find(|group| group.id == *id)?;
    match field {
        FieldName::Name => group.name = "a stranger's".parse().unwrap(),
        FieldName::Extension => {
            // What the account chose is whatever it is: that a stranger chose it nobody can tell.
            change
                .fields
                .iter()
                .find(|one| one.field == field && matches!(one.after, strowger::model::FieldValue::Extension(_)))?;
            group.extension = "4999".parse().ok();
        }
        FieldName::Members => group.members = vec![ObjectRef { kind: Kind::User, id: "usr_stranger".into() }],
        FieldName::RingFor => group.ring_for = RingFor::from_seconds(299).ok(),
        FieldName::NoAnswer => group.no_answer = Some(ObjectRef { kind: Kind::User, id: "usr_stranger".into() }),
        _ => return None,
    }
    Some((Kind::RingGroup, id.clone(), field))
}

fn with_a_stranger(mut live: LiveAccount) -> LiveAccount {
    let mut stranger = live.users[0].clone();
    stranger.id = "usr_stranger".into();
    stranger.email = Some("stranger@example.org".into());
    stranger.extension = "299".parse().ok();
    stranger.voicemail = None;
    live.users.push(stranger);
    live.validated().unwrap()
}

proptest! {
    #![proptest_config(config(stress(300)))]

    #[test]
    fn a_rollback_restores_everything_that_the_run_wrote(pair in pair(Size::Medium), seed in any::<u64>()) {
        let mut random = Rng::with_seed(seed);
        let plan = planned(&pair.desired, &pair.live);
        let cut = if random.bool() { plan.changes.len() } else { random.usize(..=plan.changes.len()) };
        let (run, mut account) = run(&plan, &pair.live, cut, &mut random);
        let found = undone(&run, &account.live());
        prop_assert_eq!(&found.conflicts, &[]);
        let back = planned(&found.desired, &account.live());
        apply(&mut account, &back);
        prop_assert_eq!(picture(&account.live()), picture(&pair.live));

        // Once is enough, and a second time is no mistake.
        let again = undone(&run, &account.live());
        prop_assert_eq!(&again.conflicts, &[]);
        prop_assert!(planned(&again.desired, &account.live()).is_empty());
    }

    #[test]
    fn a_rollback_that_died_is_finished_by_the_next(pair in pair(Size::Medium), seed in any::<u64>()) {
        let mut random = Rng::with_seed(seed);
        let plan = planned(&pair.desired, &pair.live);
        let (run, mut account) = run(&plan, &pair.live, plan.changes.len(), &mut random);
        let back = planned(&undone(&run, &account.live()).desired, &account.live());
        account.forget_creations();
        let (done, rest) = back.changes.split_at(random.usize(..=back.changes.len()));
        for change in done {
            account.apply(change).unwrap();
        }
        // Between two writes to one object it is neither as before nor as after, and the run to undo is the
        // rollback itself.
        let half = |change: &Change| rest.iter().any(|later| later.object == change.object);
        prop_assume!(!done.iter().any(half));
        let rest = planned(&undone(&run, &account.live()).desired, &account.live());
        apply(&mut account, &rest);
        let left = undone(&run, &account.live()).conflicts;
        prop_assert_eq!(&left, &[], "{:#?}", back);
        prop_assert_eq!(picture(&account.live()), picture(&pair.live));
    }

    #[test]
    fn an_object_that_somebody_changed_is_a_conflict_and_is_left_alone(pair in pair(Size::Medium), seed in any::<u64>()) {
        meddled(pair, seed)?;
    }
}

/// Cases that once failed.
#[test]
fn a_known_object_that_somebody_changed_is_a_conflict_and_is_left_alone() {
    meddled(generate::pair_of(Size::Medium, 8_879_926_305_543_798_979), 11_849_425_135_886_955_144).unwrap();
}

/// Somebody changes an object of a run before it is undone.
fn meddled(pair: generate::Pair, seed: u64) -> Result<(), TestCaseError> {
    let mut random = Rng::with_seed(seed);
    let mut pair = pair;
    pair.live = with_a_stranger(pair.live);
    let plan = planned(&pair.desired, &pair.live);
    let (run, account) = run(&plan, &pair.live, plan.changes.len(), &mut random);
    let mut live = account.live();
    let Some((kind, id, field)) = meddle(&mut live, &run, &mut random) else { return Ok(()) };
    let live = live.validated().unwrap();
    let found = undone(&run, &live);

    // An object that the run made has no id in its plan, and of its two writes only one may be known to have been
    // carried out.
    let hit = |conflict: &strowger::rollback::Conflict| {
        let made = |(change, outcome): (&Change, &ChangeOutcome)| {
            change.object.name == conflict.object.name
                && matches!(outcome, ChangeOutcome::Applied { id: of, .. } if *of == id)
        };
        conflict.object.kind == kind && (conflict.object.id.as_ref() == Some(&id) || run.changes().any(made))
    };
    prop_assert!(found.conflicts.iter().any(|one| hit(one) && one.field == Some(field)), "{:#?}", found.conflicts);
    // Whatever else is left alone is so because of an object that is, never by itself.
    for other in found.conflicts.iter().filter(|one| !hit(one)) {
        prop_assert!(!other.why.contains("changed since"), "{other:#?}");
    }
    let mut account = Account::new(&live);
    let back = planned(&found.desired, &live);
    for conflict in &found.conflicts {
        let touched =
            back.changes.iter().any(|change| change.object.id.is_some() && change.object.id == conflict.object.id);
        prop_assert!(!touched, "{conflict:#?}");
    }
    apply(&mut account, &back);
    let after = account.live();
    prop_assert_eq!(
        live.numbers.iter().find(|number| number.id == id),
        after.numbers.iter().find(|number| number.id == id)
    );
    prop_assert_eq!(
        live.ring_groups.iter().find(|group| group.id == id),
        after.ring_groups.iter().find(|group| group.id == id)
    );
    if found.conflicts.iter().all(hit) {
        // Everything else is as it was before the run.
        let (then, now) = (picture(&pair.live), picture(&after));
        let own = |live: &LiveAccount| {
            let number = live.numbers.iter().find(|number| number.id == id).map(|number| number.number.to_string());
            let group = live.ring_groups.iter().find(|group| group.id == id).map(|group| group.name.to_string());
            number.or(group)
        };
        let spared: BTreeSet<String> = [own(&pair.live), own(&after)].into_iter().flatten().collect();
        // Who leads to a group that kept another name is pictured with that name.
        let named = |text: &str| spared.iter().any(|name| text.contains(&format!("ring_group/{name}\"")));
        for (object, state) in &then {
            if !spared.contains(object) && !named(state) {
                prop_assert_eq!(now.get(object), Some(state), "{}", object);
            }
        }
    }
    Ok(())
}

/// An account of three numbers and three groups, each group with one member.
fn office() -> LiveAccount {
    let mut live = generate::pair(Size::Medium).new_tree(&mut TestRunner::deterministic()).unwrap().current().live;
    let number = live.numbers[0].clone();
    let user = live.users[0].clone();
    live.numbers = (0..3)
        .map(|index| LiveNumber {
            id: format!("num_{index}").as_str().into(),
            number: format!("+3314268530{index}").parse().unwrap(),
            to: Some(ObjectRef { kind: Kind::User, id: user.id.clone() }),
            ..number.clone()
        })
        .collect();
    live.users = vec![user.clone()];
    live.ring_groups =
        [("a", "301"), ("b", "302"), ("c", "303")].map(|(name, number)| group(name, number, &user)).into();
    for receptionist in &mut live.receptionists {
        receptionist.keys.clear();
    }
    live.account.default_number = None;
    live
}

fn group(name: &str, number: &str, user: &LiveUser) -> LiveRingGroup {
    LiveRingGroup {
        id: format!("grp_{name}").as_str().into(),
        name: name.parse().unwrap(),
        extension: number.parse().ok(),
        ring: RingMode::Simultaneous,
        members: vec![ObjectRef { kind: Kind::User, id: user.id.clone() }],
        ring_for: RingFor::from_seconds(20).ok(),
        no_answer: None,
        revision: None,
        document: None,
    }
}

/// A run of one change, by what its ledger says.
fn ran(changes: Value) -> Run {
    let changes: Vec<Change> = serde_json::from_value(changes).unwrap();
    let outcomes = changes.iter().map(|change| {
        let id = change.object.id.clone().unwrap_or_else(|| format!("grp_{}", change.object.name).as_str().into());
        applied(id)
    });
    let planned = Planned {
        claim: None,
        strowger: String::new(),
        account: "a".into(),
        account_id: "a".into(),
        digest: strowger::plan::Digest::of("a", &changes),
        commit: None,
        actor: None,
        undoes: None,
        changes: changes.clone(),
    };
    let id = RunId::new("2026-11-23T14:25:00.000Z", 1).unwrap();
    Run { id, at: String::new(), outcomes: outcomes.collect(), planned, approval: None, summary: None, torn: false }
}

/// The reasons, each with its object and its field.
fn reasons(run: &Run, live: &LiveAccount) -> Vec<String> {
    let found = undone(run, live);
    // What is left fits together.
    planned(&found.desired, live);
    let field = |conflict: &strowger::rollback::Conflict| conflict.field.map_or("", FieldName::as_str);
    found.conflicts.iter().map(|one| format!("{} {}: {}", one.object.name, field(one), one.why)).collect()
}

fn change(id: u32, verb: &str, kind: &str, name: &str, fields: &[(&str, Value, Value)]) -> Value {
    let object = match (verb, kind) {
        ("create", _) => json!({ "kind": kind, "name": name }),
        (_, "number") => json!({ "kind": kind, "id": format!("num_{}", &name[name.len() - 1..]), "name": name }),
        _ => json!({ "kind": kind, "id": format!("grp_{name}"), "name": name }),
    };
    let fields: Vec<Value> = fields
        .iter()
        .map(|(field, before, after)| json!({ "field": field, "before": before, "after": after }))
        .collect();
    json!({ "id": id, "verb": verb, "object": object, "fields": fields, "reason": "declared", "calls": 1 })
}

fn to(kind: &str, id: &str) -> Value {
    json!({ "reference": { "kind": kind, "id": id, "name": id } })
}

#[test]
fn what_is_gone_cannot_be_pointed_at_again() {
    let live = office();
    let moved =
        change(1, "update", "number", "+33142685300", &[("to", to("conference", "cnf_9"), to("user", "usr_0"))]);
    assert_eq!(reasons(&ran(json!([moved])), &live), ["+33142685300 to: conference cnf_9 is gone"]);
    let other = change(1, "update", "number", "+33142685300", &[("to", to("other", "fax_9"), to("user", "usr_0"))]);
    assert_eq!(reasons(&ran(json!([other])), &live), ["+33142685300 to: it is something that no file can name"]);
    let gone = change(1, "update", "number", "+33142685309", &[("label", json!("none"), json!({"text": "x"}))]);
    assert_eq!(reasons(&ran(json!([gone])), &live), ["+33142685309 : it is gone"]);
}

#[test]
fn what_no_file_can_say_is_left_alone() {
    let live = office();
    let forever = json!("none");
    let rang = change(1, "update", "ring_group", "a", &[("ring_for", forever, json!({"ring_for": "20s"}))]);
    assert_eq!(reasons(&ran(json!([rang])), &live), ["a ring_for: it rang for ever, which no file can say"]);
    let number = live.ring_groups[0].extension.clone().unwrap();
    let bare = change(1, "update", "ring_group", "a", &[("extension", json!("none"), json!({"extension": number}))]);
    assert_eq!(reasons(&ran(json!([bare])), &live), ["a extension: it had no extension number, which no file can say"]);
    let members = json!({"references": [{"kind": "user", "id": "usr_0", "name": "u"}]});
    let empty = change(1, "update", "ring_group", "a", &[("members", json!({"references": []}), members)]);
    assert_eq!(reasons(&ran(json!([empty])), &live), ["a members: it had no members, which no file can say"]);
}

#[test]
fn what_the_policy_leaves_to_the_portal_by_now_is_left_alone() {
    let mut live = office();
    live.numbers[0].label = "x".into();
    let run =
        ran(json!([change(1, "update", "number", "+33142685300", &[("label", json!("none"), json!({"text": "x"}))])]));
    let mut template = Desired::default();
    template.policy.ignore.insert(FieldName::Label);
    let found = rollback(&run, &live, template, Span::default());
    assert_eq!(found.conflicts[0].why, "`policy.ignore` leaves it to the portal by now");
    assert!(found.desired.numbers.is_empty());
    assert_eq!(reasons(&run, &live), Vec::<String>::new());
}

#[test]
fn a_name_or_a_number_that_something_else_has_now_is_not_taken_from_it() {
    let live = office();
    let name = |name: &str| json!({ "name": name });
    // The run renamed `b` to `a`, and somebody has called another group `b` since.
    let renamed = change(1, "update", "ring_group", "a", &[("name", name("b"), name("a"))]);
    assert_eq!(reasons(&ran(json!([renamed])), &live), ["a name: another ring group is called b now"]);
    let person = live.users[0].name.clone();
    let person = change(1, "update", "ring_group", "a", &[("name", name(&person), name("a"))]);
    assert_eq!(reasons(&ran(json!([person])), &live), [format!("a name: a user is called {} now", live.users[0].name)]);
    let number = |at: usize| json!({ "extension": live.ring_groups[at].extension });
    let moved = change(1, "update", "ring_group", "a", &[("extension", number(1), number(0))]);
    let taken = live.ring_groups[1].extension.as_ref().unwrap();
    let why = format!("a extension: the extension {taken} belongs to ring_group/b now");
    assert_eq!(reasons(&ran(json!([moved])), &live), [why]);
}

#[test]
fn a_name_that_the_run_gave_to_a_new_group_is_free_only_after_that_group() {
    let live = office();
    // The run renamed `b` to `a` and made a new group `b`; both are as it left them.
    let renamed = change(1, "update", "ring_group", "a", &[("name", json!({"name": "b"}), json!({"name": "a"}))]);
    let made = change(2, "create", "ring_group", "b", &[("name", json!("none"), json!({"name": "b"}))]);
    let run = ran(json!([renamed, made]));
    let why = "a name: the name b is free only once the group that the run made is deleted; roll back again then";
    assert_eq!(reasons(&run, &live), [why]);
    let mut account = Account::new(&live);
    apply(&mut account, &planned(&undone(&run, &live).desired, &live));
    assert_eq!(reasons(&run, &account.live()), Vec::<String>::new());
}

#[test]
fn a_group_that_something_leads_to_stays_and_takes_nothing_else_with_it() {
    let mut live = office();
    live.numbers[1].to = Some(ObjectRef { kind: Kind::RingGroup, id: "grp_a".into() });
    let made = change(1, "create", "ring_group", "a", &[("name", json!("none"), json!({"name": "a"}))]);
    let label = change(2, "update", "number", "+33142685300", &[("label", json!("none"), json!({"text": "x"}))]);
    live.numbers[0].label = "x".into();
    let run = ran(json!([made, label]));
    assert_eq!(reasons(&run, &live), ["a : number +33142685301 leads to a, and would lead nowhere"]);
    assert_eq!(planned(&undone(&run, &live).desired, &live).changes.len(), 1);
}
