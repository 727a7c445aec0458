//! Every field of the table is noticed wherever an object is compared: one field at a time is changed.

use strowger::ledger::{ChangeOutcome, Planned, Run, RunId};
use strowger::model::{
    Change, Declared, Desired, DesiredNumber, DesiredRingGroup, FieldName, LiveAccount, LiveObject, Reference, RingFor,
    RingMode, Span, Spanned, Value, WritableKind,
};
use strowger::plan::Plan;
use strowger::providers::snapshot::{Format, parse};
use strowger::rollback::rollback;

use crate::laws::planned;
use crate::support::account::Account;

const NUMBER: &str = "+33142685300";

fn account() -> LiveAccount {
    let text = r#"
snapshot: 1
account: { name: acme }
users:
  a@example.org: { name: A, extension: "201" }
  b@example.org: { name: B, extension: "202" }
ring_groups:
  sales: { extension: "300", ring: sequential, members: [user/201, user/202], ring_for: 20s, no_answer: user/201 }
numbers:
  "+33142685300": { to: user/201, label: Front }
"#;
    parse(text, Format::Yaml).unwrap()
}

fn user(extension: &str) -> Reference {
    format!("user/{extension}").parse().unwrap()
}

/// What the account has, and another value.
fn values(field: FieldName) -> [Value<Reference>; 2] {
    match field {
        FieldName::To | FieldName::NoAnswer => [Value::Reference(user("201")), Value::Reference(user("202"))],
        FieldName::Label => [Value::text("Front"), Value::text("Back")],
        FieldName::Name => ["sales", "ventes"].map(|name| Value::Name(name.parse().unwrap())),
        FieldName::Extension => ["300", "301"].map(|digits| Value::Extension(digits.parse().unwrap())),
        FieldName::Ring => [Value::Ring(RingMode::Sequential), Value::Ring(RingMode::Simultaneous)],
        FieldName::Members => [Value::References(vec![user("201"), user("202")]), Value::References(vec![user("202")])],
        FieldName::RingFor => [20, 25].map(|seconds| Value::RingFor(RingFor::from_seconds(seconds).unwrap())),
    }
}

fn desired(changed: Option<FieldName>) -> Desired {
    let span = Span::default();
    let to = Spanned { value: None, span };
    let mut number = DesiredNumber { number: NUMBER.parse().unwrap(), span, to, label: None };
    let mut group = DesiredRingGroup::new("sales".parse().unwrap(), span);
    for &field in FieldName::ALL {
        let [now, other] = values(field);
        let value = if changed == Some(field) { other } else { now };
        match field.spec().kind {
            WritableKind::Number => number.set(field, value, span),
            WritableKind::RingGroup => group.set(field, value, span),
        }
    }
    let former = if changed == Some(FieldName::Name) { "sales" } else { "ventes" };
    group.renamed_from = Some(Spanned { value: former.parse().unwrap(), span });
    Desired { account: "acme".into(), numbers: vec![number], ring_groups: vec![group], ..Desired::default() }
}

fn only(plan: &Plan) -> &Change {
    let [change] = plan.changes.as_slice() else { panic!("{:#?}", plan.changes) };
    change
}

/// The plan that changes one field, and the account after it.
fn change(field: FieldName) -> (Plan, LiveAccount) {
    let plan = planned(&desired(Some(field)), &account());
    let mut after = Account::new(&account());
    after.apply(only(&plan)).unwrap();
    (plan, after.live())
}

fn object(live: &LiveAccount, kind: WritableKind) -> LiveObject<'_> {
    match kind {
        WritableKind::Number => LiveObject::Number(&live.numbers[0]),
        WritableKind::RingGroup => LiveObject::RingGroup(&live.ring_groups[0]),
    }
}

fn declared(desired: &Desired, kind: WritableKind) -> Declared<'_> {
    match kind {
        WritableKind::Number => Declared::Number(&desired.numbers[0]),
        WritableKind::RingGroup => Declared::RingGroup(&desired.ring_groups[0]),
    }
}

#[test]
fn files_that_ask_for_another_value_of_a_field_are_planned_to_write_that_field_alone() {
    assert!(planned(&desired(None), &account()).changes.is_empty());
    for &field in FieldName::ALL {
        let (plan, after) = change(field);
        let written: Vec<_> = only(&plan).fields.iter().map(|change| change.field).collect();
        assert_eq!(written, [field]);
        assert!(planned(&desired(Some(field)), &after).changes.is_empty(), "{field:?} is applied");
    }
}

#[test]
fn an_object_has_the_value_of_a_field_before_its_change_or_the_one_after_it() {
    for &field in FieldName::ALL {
        let (plan, after) = change(field);
        let (kind, [written]) = (field.spec().kind, &*only(&plan).fields) else { panic!("{plan:#?}") };
        for (live, value, has) in [
            (&account(), &written.before, true),
            (&account(), &written.after, false),
            (&after, &written.before, false),
            (&after, &written.after, true),
        ] {
            assert_eq!(object(live, kind).has(field, value), has, "{field:?} {value:?}");
        }
    }
}

#[test]
fn a_pre_image_is_another_one_once_any_field_has_changed() {
    for &field in FieldName::ALL {
        let (plan, after) = change(field);
        let back = planned(&desired(None), &after);
        assert_ne!(only(&plan).expects, only(&back).expects, "{field:?}");
    }
}

#[test]
fn what_files_ask_for_is_not_the_same_if_one_field_differs() {
    for &field in FieldName::ALL {
        let (kind, before, after) = (field.spec().kind, desired(None), desired(Some(field)));
        assert_eq!(declared(&before, kind).values(), declared(&before.clone(), kind).values());
        assert_ne!(declared(&before, kind).values(), declared(&after, kind).values(), "{field:?}");
    }
}

#[test]
fn a_rollback_gives_every_field_its_value_back() {
    for &field in FieldName::ALL {
        let (plan, live) = change(field);
        let id = only(&plan).object.id.clone().unwrap();
        let run = Run {
            id: RunId::new("2026-11-23T14:25:00.000Z", 1).unwrap(),
            at: String::new(),
            planned: Planned::of(&plan),
            approval: None,
            outcomes: vec![ChangeOutcome::Applied { id, revision: None, requests: 1 }],
            summary: None,
            torn: false,
        };
        let rollback = rollback(&run, &live, Desired { account: "acme".into(), ..Desired::default() }, Span::default());
        assert!(rollback.conflicts.is_empty(), "{field:?}: {:#?}", rollback.conflicts);
        let back = planned(&rollback.desired, &live);
        let mut restored = Account::new(&live);
        restored.apply(only(&back)).unwrap();
        assert!(planned(&desired(None), &restored.live()).changes.is_empty(), "{field:?}");
    }
}
