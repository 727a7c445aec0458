//! What vendors differ in, found while planning: destinations, mailboxes, sites, and what an account accepts.

use std::num::NonZeroU16;
use std::path::Path;

use strowger::config;
use strowger::diag::{Rule, Severities};
use strowger::model::{
    Base, BasePolicy, ExtensionChoice, FieldValue, GuardPolicy, Kind, LiveAccount, LiveMailbox, LiveNumber, ObjectId,
    ObjectRef, RingForScope, Unassigned,
};
use strowger::plan::{Guard, Plan, plan};
use strowger::providers::snapshot::{Format, parse, write};

use crate::support::account::Account;

const LIVE: &str = r#"
snapshot: 1
account: { name: acme }
users:
  a@example.org: { name: A, extension: "201" }
  b@example.org: { name: B, extension: "202" }
receptionists:
  main: { extension: "100" }
ring_groups:
  sales: { extension: "300", ring: sequential, members: [user/201, user/202], ring_for: 20s, no_answer: user/201 }
numbers:
  "+33142685300": { to: user/201 }
  "+33142685301": { to: external/+33612345678 }
"#;

fn live() -> LiveAccount {
    parse(LIVE, Format::Yaml).unwrap()
}

fn declared(text: &str) -> config::Account {
    let head = "version: 1\naccount: { name: acme, provider: snapshot, file: live.yaml }\n";
    let loaded = config::text(Path::new(""), "a.yaml", &format!("{head}{text}"));
    assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
    loaded.accounts.into_iter().next().unwrap()
}

fn planned(text: &str, live: &LiveAccount) -> Plan {
    crate::laws::planned(&declared(text).desired, live)
}

/// The rules that are broken, with their messages.
fn findings(text: &str, live: &LiveAccount) -> Vec<(&'static str, String)> {
    let (_, findings) = plan(&declared(text).desired, live, &Severities::default(), 1);
    findings.into_iter().map(|finding| (finding.rule.id, finding.message)).collect()
}

#[track_caller]
fn unsupported(text: &str, live: &LiveAccount, message: &str) {
    assert_eq!(findings(text, live), [(Rule::UNSUPPORTED_BY_PROVIDER.id, format!("this account cannot {message}"))]);
}

/// Applies a plan to a model of the account; a second plan is then empty.
fn applied(text: &str, live: &LiveAccount) -> LiveAccount {
    let mut account = Account::new(live);
    for change in &planned(text, live).changes {
        account.apply(change).unwrap();
    }
    let after = account.live();
    assert!(planned(text, &after).changes.is_empty());
    after
}

fn number(plan: &Plan) -> &FieldValue {
    &plan.changes[0].fields[0].after
}

#[test]
fn a_number_leads_to_an_outside_number_and_back() {
    let to = |to: &str| format!("policy: {{ external: [\"FR\"] }}\nnumbers:\n  \"+33142685300\": {{ to: {to} }}\n");
    let plan = planned(&to("external/+33612345679"), &live());
    let FieldValue::Reference(target) = number(&plan) else { panic!("{plan:#?}") };
    assert_eq!((target.kind, target.id.as_ref().map(|id| &*id.0)), (Kind::External, Some("+33612345679")));
    let outside = applied(&to("external/+33612345679"), &live());
    assert_eq!(applied(&to("user/201"), &outside).numbers, live().numbers);
    // What leads outside already is not changed, and a snapshot has it.
    assert!(planned("numbers:\n  \"+33142685301\": { to: external/+33612345678 }\n", &live()).changes.is_empty());
    let text = write(&outside);
    assert_eq!(parse(&text, Format::Yaml).unwrap().numbers, outside.numbers, "{text}");
}

#[test]
fn an_outside_number_is_a_new_destination_only_if_the_policy_lists_it() {
    let guarded = |external: &str, to: &str| {
        let files = format!("policy: {{ external: {external} }}\nnumbers:\n  \"+33142685300\": {{ to: {to} }}\n");
        let plan = planned(&files, &live());
        plan.blocked.iter().map(|block| (block.guard, block.message.clone())).collect::<Vec<_>>()
    };
    let message =
        |why: &str| vec![(Guard::External, format!("`policy.external` does not list the outside number: {why}"))];
    assert_eq!(guarded("[\"FR\"]", "external/+33612345678"), []);
    assert_eq!(guarded("[\"+447400123456\"]", "external/+447400123456"), []);
    assert_eq!(guarded("[]", "external/+33612345678"), message("+33612345678 is in FR"));
    assert_eq!(guarded("[\"FR\"]", "external/+447400123456"), message("+447400123456 is in GB"));
    let costly = "+33899123456 may cost more than other numbers of its country, so it must be listed itself";
    assert_eq!(guarded("[\"FR\"]", "external/+33899123456"), message(costly));
    // Ring groups forward callers as well.
    let group = "ring_groups:\n  sales: { members: [user/201, user/202], no_answer: external/+33612345678 }\n";
    assert_eq!(planned(group, &live()).blocked.len(), 1);
    // What is kept is not new.
    assert!(
        planned("numbers:\n  \"+33142685301\": { to: external/+33612345678, label: x }\n", &live()).blocked.is_empty()
    );
}

#[test]
fn a_change_cannot_list_an_outside_number_and_use_it() {
    let files = "policy: { external: [\"FR\"] }\nnumbers:\n  \"+33142685300\": { to: external/+33612345678 }\n";
    let mut account = declared(files);
    let guards = GuardPolicy::default();
    account.desired.base = vec![Base::Read(Box::new(BasePolicy { revision: "HEAD^1".into(), account: None, guards }))];
    let (plan, _) = plan(&account.desired, &live(), &Severities::default(), 1);
    let blocks = plan.unwrap().blocked;
    let [block] = blocks.as_slice() else { panic!("{blocks:#?}") };
    assert_eq!((block.guard, block.changes.len()), (Guard::External, 1));
    assert!(block.message.contains("so the policy at `HEAD^1` says"), "{}", block.message);
}

#[test]
fn a_saved_plan_that_would_call_another_number_than_it_shows_is_refused() {
    let files = "policy: { external: [\"FR\"] }\nnumbers:\n  \"+33142685300\": { to: external/+33612345678 }\n";
    let mut plan = planned(files, &live());
    assert_eq!(plan.validate(), Ok(()));
    for id in ["+33899123456", "0612345678", "+33612345678;ext=1"] {
        let FieldValue::Reference(target) = &mut plan.changes[0].fields[0].after else { panic!("no target") };
        target.id = Some(id.into());
        let refused = plan.validate().unwrap_err();
        assert!(refused.contains("is not the number that would be called"), "{id}: {refused}");
    }
}

#[test]
fn an_outside_number_that_is_the_accounts_own_is_refused() {
    let files = "numbers:\n  \"+33142685300\": { to: external/+33142685301 }\n";
    let found = findings(files, &live());
    assert_eq!(found.iter().map(|one| one.0).collect::<Vec<_>>(), [Rule::EXTERNAL_OWN_NUMBER.id], "{found:#?}");
    let mut live = live();
    live.capabilities.destinations.retain(|kind| *kind != Kind::External);
    unsupported(
        "numbers:\n  \"+33142685300\": { to: external/+33612345678 }\n",
        &live,
        "send a number to an outside number",
    );
}

#[test]
fn a_mailbox_is_found_by_any_of_its_users_or_by_its_own_name_or_number() {
    let mut live = live();
    for user in &mut live.users {
        // As a provider reads it: the same text, each time a copy.
        user.voicemail = Some("shared".into());
    }
    let mailbox = |id: &str, name: &str, extension: &str| LiveMailbox {
        id: id.into(),
        name: name.into(),
        extension: extension.parse().ok(),
    };
    // Its number is also a user's, as at many vendors.
    live.mailboxes = vec![mailbox("m1", "sales", "301"), mailbox("m2", "night", "202")];
    let live = live.validated().unwrap();
    let target = |to: &str| {
        let plan = planned(&format!("numbers:\n  \"+33142685300\": {{ to: voicemail/{to} }}\n"), &live);
        let FieldValue::Reference(target) = number(&plan).clone() else { panic!("{plan:#?}") };
        (target.kind, target.id.unwrap().to_string())
    };
    for (to, id) in [
        ("201", "shared"),
        ("b@example.org", "shared"),
        ("202", "shared"),
        ("sales", "m1"),
        ("301", "m1"),
        ("night", "m2"),
    ] {
        assert_eq!(target(to), (Kind::Voicemail, id.to_owned()), "{to}");
    }
    let found = findings("numbers:\n  \"+33142685300\": { to: voicemail/nigth }\n", &live);
    assert_eq!(found.iter().map(|one| one.0).collect::<Vec<_>>(), [Rule::UNKNOWN_REFERENCE.id]);
    let shared = applied("numbers:\n  \"+33142685300\": { to: voicemail/202 }\n", &live);
    assert!(planned("numbers:\n  \"+33142685300\": { to: voicemail/201 }\n", &shared).changes.is_empty());
    let after = applied("numbers:\n  \"+33142685300\": { to: voicemail/sales }\n", &live);
    // A snapshot has all of them.
    let text = write(&after);
    let read = parse(&text, Format::Yaml).unwrap();
    assert_eq!(write(&read), text);
    assert_eq!(read.mailboxes.len(), 2);
    assert_eq!(read.users[0].voicemail, read.users[1].voicemail, "{text}");
    assert!(planned("numbers:\n  \"+33142685300\": { to: voicemail/301 }\n", &read).changes.is_empty(), "{text}");
}

#[test]
fn a_snapshot_has_mailboxes_whose_names_cannot_be_keys_and_none_that_is_missing() {
    let mut live = live();
    let mailbox = |id: &str, name: &str| LiveMailbox { id: id.into(), name: name.into(), extension: None };
    // All digits would be an extension number, and the other one is a user's key.
    live.mailboxes = vec![mailbox("m1", "7000"), mailbox("m2", "a@example.org")];
    let to = |id: &str| Some(ObjectRef { kind: Kind::Voicemail, id: id.into() });
    (live.numbers[0].to, live.numbers[1].to) = (to("m1"), to("m2"));
    let text = write(&live);
    let read = parse(&text, Format::Yaml).unwrap();
    assert_eq!(write(&read), text);
    let names = |live: &LiveAccount| {
        let name = |number: &LiveNumber| {
            let to = number.to.as_ref().unwrap();
            live.mailboxes.iter().find(|mailbox| mailbox.id == to.id).map(|mailbox| mailbox.name.clone())
        };
        live.numbers.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(&read), [Some("7000".into()), Some("a@example.org".into())], "{text}");

    let shares = |owner: &str| {
        let text = LIVE.replace("{ name: B,", &format!("{{ name: B, voicemail: voicemail/{owner},"));
        parse(&text, Format::Yaml).map(|live| live.users[1].voicemail == live.users[0].voicemail)
    };
    assert!(matches!(shares("a@example.org"), Ok(true)));
    for owner in ["a@example.com", "b@example.org"] {
        let refused = shares(owner).unwrap_err().to_string();
        assert!(refused.contains(&format!("there is no mailbox `voicemail/{owner}`")), "{refused}");
    }
}

#[test]
fn a_mailbox_that_a_user_has_is_one_under_all_of_its_names() {
    let mut live = live();
    live.users[0].voicemail = Some("m1".into());
    live.mailboxes = vec![LiveMailbox { id: "m1".into(), name: "night".into(), extension: None }];
    live.numbers[0].to = Some(ObjectRef { kind: Kind::Voicemail, id: "m1".into() });
    for name in ["201", "a@example.org", "night"] {
        let files = format!("numbers:\n  \"+33142685300\": {{ to: voicemail/{name} }}\n");
        assert!(planned(&files, &live).changes.is_empty(), "{name}");
    }
}

#[test]
fn what_becomes_of_an_unassigned_number_is_known_before_it_is_written() {
    let none = "numbers:\n  \"+33142685300\": { to: none }\n";
    let with = |unassigned| {
        let mut live = live();
        live.capabilities.unassigned = unassigned;
        live
    };
    assert!(findings(none, &with(Unassigned::EndsCall)).is_empty());
    let found = findings(none, &with(Unassigned::Default));
    assert_eq!(found.iter().map(|one| one.0).collect::<Vec<_>>(), [Rule::UNASSIGNED_GOES_TO_DEFAULT.id], "{found:#?}");
    unsupported(none, &with(Unassigned::Unsupported), "leave a number without a destination");
    let loses = "leave +33142685300 without a destination: it would lose the number";
    unsupported(none, &with(Unassigned::ReleasesNumber), loses);
    // A number that is without one already stays as it is.
    let mut live = with(Unassigned::ReleasesNumber);
    live.numbers[0].to = None;
    assert!(findings(none, &live).is_empty());
}

#[test]
fn a_plan_says_where_calls_may_fail_while_a_number_is_moved() {
    let files = "numbers:\n  \"+33142685300\": { to: user/202, label: x }\n  \"+33142685301\": { to: external/+33612345678, label: y }\n";
    let gaps = |is_atomic| {
        let mut live = live();
        live.capabilities.atomic_destination = is_atomic;
        planned(files, &live).changes.iter().map(|change| change.gap).collect::<Vec<_>>()
    };
    assert_eq!(gaps(true), [false, false]);
    assert_eq!(gaps(false), [true, false], "a label is written while calls go on");
}

#[test]
fn ring_durations_are_those_that_the_account_counts_in() {
    let mut live = live();
    let group =
        |ring_for: &str| format!("ring_groups:\n  sales: {{ members: [user/201, user/202], ring_for: {ring_for} }}\n");
    live.capabilities.ring_for_step = NonZeroU16::new(5).unwrap();
    unsupported(&group("22s"), &live, "ring for 22s, only for multiples of 5s");
    assert!(findings(&group("25s"), &live).is_empty());
    // Two members for 40 seconds each are a long wait, 40 seconds for the whole group are none.
    let rules = |live: &LiveAccount| findings(&group("40s"), live).iter().map(|one| one.0).collect::<Vec<_>>();
    assert_eq!(rules(&live), [Rule::LONG_WAIT.id]);
    live.capabilities.ring_for_scope = RingForScope::Group;
    assert!(rules(&live).is_empty());
}

#[test]
fn an_extension_number_is_written_only_where_it_can_be_chosen() {
    let change = "ring_groups:\n  sales: { members: [user/201, user/202], extension: \"310\" }\n";
    let keep = "ring_groups:\n  sales: { members: [user/201, user/202], extension: \"300\" }\n";
    let create = "ring_groups:\n  new: { members: [user/201], extension: \"310\" }\n";
    let none = "ring_groups:\n  new: { members: [user/201] }\n";
    let with = |choice| {
        let mut live = live();
        live.capabilities.extension_choice = choice;
        live
    };
    let (change_what, choose) =
        ("change the extension number of a ring group", "choose the extension number of a ring group");
    for choice in [ExtensionChoice::Never, ExtensionChoice::Creation] {
        unsupported(change, &with(choice), change_what);
        assert!(findings(keep, &with(choice)).is_empty());
        assert!(findings(none, &with(choice)).is_empty());
    }
    unsupported(create, &with(ExtensionChoice::Never), choose);
    assert!(findings(create, &with(ExtensionChoice::Creation)).is_empty());
    assert!(findings(change, &with(ExtensionChoice::Always)).is_empty());
}

#[test]
fn calls_stay_within_a_site_where_the_account_keeps_sites_apart() {
    let mut live = live();
    let object = |kind, id: &ObjectId| ObjectRef { kind, id: id.clone() };
    let (paris, lyon) = (live.users[0].id.clone(), live.users[1].id.clone());
    live.sites = [
        (object(Kind::User, &paris), "Paris".into()),
        (object(Kind::User, &lyon), "Lyon".into()),
        (object(Kind::Number, &live.numbers[0].id), "Paris".into()),
        (object(Kind::RingGroup, &live.ring_groups[0].id), "Paris".into()),
    ]
    .into();
    let to_lyon = "numbers:\n  \"+33142685300\": { to: user/202 }\n";
    let forward = "ring_groups:\n  sales: { members: [user/201], no_answer: user/202 }\n";
    assert!(findings(to_lyon, &live).is_empty());
    live.capabilities.across_sites = false;
    let other = "lead from the site `Paris` to an object of the site `Lyon`";
    unsupported(to_lyon, &live, other);
    unsupported(forward, &live, other);
    // A receptionist whose site is not known may be of all of them, and what is there already stays.
    assert!(findings("numbers:\n  \"+33142685300\": { to: receptionist/main }\n", &live).is_empty());
    assert!(findings("ring_groups:\n  sales: { members: [user/201, user/202] }\n", &live).is_empty());
}

#[test]
fn a_number_that_the_account_has_twice_is_not_managed_and_hides_no_other() {
    let mut live = live();
    let mut second = live.numbers[0].clone();
    second.id = "trunk-2".into();
    second.to = Some(ObjectRef { kind: Kind::RingGroup, id: live.ring_groups[0].id.clone() });
    live.numbers.push(second);
    let live = live.validated().unwrap();
    assert_eq!(live.numbers.iter().map(|number| number.number.to_string()).collect::<Vec<_>>(), ["+33142685301"]);
    let unreadable: Vec<_> = live.unreadable.iter().map(|one| (one.kind, &*one.name, &*one.why)).collect();
    let why = "the account has this number more than once, as on two trunks";
    assert_eq!(unreadable, [(Kind::Number, "+33142685300", why); 2]);
    // Declaring it is an error that says so, and what one of the two leads to is not deleted.
    let found = findings("numbers:\n  \"+33142685300\": { to: user/201 }\n", &live);
    let message = format!("the number +33142685300 of the account cannot be managed: {why}");
    assert_eq!(found, [(Rule::UNREADABLE_OBJECT.id, message)]);
    let found = findings("absent: [ring_group/sales]\n", &live);
    assert_eq!(found.iter().map(|one| one.0).collect::<Vec<_>>(), [Rule::STILL_IN_USE.id], "{found:#?}");
}
