//! What guards hold back, as a function of files, account and earlier policies.

use strowger::config::{self, Account};
use strowger::diag::Severities;
use strowger::model::{
    AccountInfo, Base, BasePolicy, Kind, LiveAccount, LiveNumber, LiveRingGroup, LiveUser, ObjectId, ObjectRef,
    RingFor, RingMode,
};
use strowger::plan::{Guard, Plan};

fn account(text: &str) -> Account {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, format!("version: 1\naccount: {{ name: a, provider: sandbox }}\n{text}")).unwrap();
    let loaded = config::load(&[path]);
    loaded.accounts.into_iter().next().unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

/// Two users; the numbers `…00` to `…09`, all of them the first one's, `…00` the default number and `…01` one
/// that is called back; the groups `g0` to `g5` with extensions from 300, each of which rings the first user.
fn live() -> LiveAccount {
    let user = |index: usize| LiveUser {
        id: ObjectId(format!("u{index}").into()),
        name: format!("U{index}").into(),
        email: None,
        extension: format!("20{index}").parse().ok(),
        voicemail: None,
        always_forwarded: false,
    };
    let first = ObjectRef { kind: Kind::User, id: "u0".into() };
    let number = |index: usize| LiveNumber {
        id: ObjectId(format!("n{index}").into()),
        number: format!("+3314268530{index}").parse().unwrap(),
        to: Some(first.clone()),
        label: "".into(),
        emergency_callback: index == 1,
        revision: None,
        document: None,
    };
    let group = |index: usize| LiveRingGroup {
        id: ObjectId(format!("g{index}-id").into()),
        name: format!("g{index}").parse().unwrap(),
        extension: format!("30{index}").parse().ok(),
        ring: RingMode::Simultaneous,
        members: vec![first.clone()],
        ring_for: RingFor::from_seconds(20).ok(),
        no_answer: None,
        revision: None,
        document: None,
    };
    let account =
        AccountInfo { id: "x".into(), name: "X".into(), default_number: "+33142685300".parse().ok(), owners: None };
    LiveAccount {
        account,
        numbers: (0..10).map(number).collect(),
        ring_groups: (0..6).map(group).collect(),
        users: (0..2).map(user).collect(),
        ..LiveAccount::default()
    }
}

fn plan_of(account: &Account, live: &LiveAccount) -> Plan {
    let (plan, findings) = strowger::plan::plan(&account.desired, live, &Severities::default(), 1);
    plan.unwrap_or_else(|| panic!("{findings:#?}"))
}

fn plan(text: &str) -> Plan {
    plan_of(&account(text), &live())
}

/// The plan of these files after files with another policy.
fn plan_after(text: &str, before: &str) -> Plan {
    plan_of(&account_after(text, before), &live())
}

/// These files after files with another policy.
fn account_after(text: &str, before: &str) -> Account {
    let mut now = account(text);
    let before = account(before).desired;
    let mut guards = before.policy.guards;
    guards.protect.alias(&before.ring_groups);
    now.desired.base = vec![Base::Read(Box::new(BasePolicy { revision: "HEAD^1".into(), account: None, guards }))];
    now
}

/// Guard, message and changed objects of each block.
fn blocks(plan: &Plan) -> Vec<(Guard, String, Vec<String>)> {
    let name = |id| plan.changes.iter().find(|change| change.id == id).unwrap().object.name.clone();
    let block = |block: &strowger::plan::GuardViolation| {
        (block.guard, block.message.clone(), block.changes.iter().map(|id| name(*id)).collect())
    };
    plan.blocked.iter().map(block).collect()
}

#[track_caller]
fn one(plan: &Plan, guard: Guard, message: &str, objects: &[&str]) {
    assert_eq!(
        blocks(plan),
        [(guard, message.to_owned(), objects.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())]
    );
}

#[test]
fn the_main_line_and_a_call_back_number_are_protected_without_a_policy_and_their_labels_are_not() {
    let moved = plan("numbers: { \"+33142685300\": { to: user/201 }, \"+33142685302\": { to: user/201 } }\n");
    one(
        &moved,
        Guard::Protected,
        "+33142685300, the account's default number, would lead elsewhere",
        &["+33142685300"],
    );
    let none = plan("numbers: { \"+33142685301\": { to: none } }\n");
    let message = "+33142685301, which an emergency service calls back, would lead elsewhere";
    one(&none, Guard::Protected, message, &["+33142685301"]);
    let label = plan("numbers: { \"+33142685300\": { to: user/200, label: Main } }\n");
    assert_eq!((label.changes.len(), blocks(&label)), (1, vec![]));
}

#[test]
fn what_callers_of_a_protected_group_meet_stays_and_what_it_is_called_may_change() {
    let message = "the protected ring group `g0` would answer its calls in another way";
    for (fields, name) in [
        ("g0: { members: [user/201] }", "ring_group/g0"),
        ("g0: { members: [user/200], ring: sequential }", "ring_group/G0"),
        ("g0: { members: [user/200], ring_for: 30s }", "ring_group/300"),
        ("g0: { members: [user/200], no_answer: user/201 }", "ring_group/g0"),
        ("new: { renamed_from: g0, members: [user/201] }", "ring_group/g0"),
        ("new: { renamed_from: g0, members: [user/201] }", "ring_group/new"),
        ("g0: { extension: \"399\", members: [user/201] }", "ring_group/399"),
    ] {
        let plan = plan(&format!("ring_groups: {{ {fields} }}\npolicy: {{ protect: [{name}] }}\n"));
        one(&plan, Guard::Protected, message, &["g0"]);
    }
    let deleted = plan("absent: [ring_group/g0]\npolicy: { protect: [ring_group/g0] }\n");
    one(&deleted, Guard::Protected, "the protected ring group `g0` would be deleted", &["g0"]);
    for free in ["new: { renamed_from: g0, extension: \"399\", members: [user/200] }", "g1: { members: [user/201] }"] {
        let plan = plan(&format!("ring_groups: {{ {free} }}\npolicy: {{ protect: [ring_group/g0] }}\n"));
        assert_eq!((plan.changes.len(), blocks(&plan)), (1, vec![]), "{free}");
    }
}

#[test]
fn a_group_that_was_renamed_is_still_protected_under_the_name_in_renamed_from() {
    let mut live = live();
    live.ring_groups[0].name = "new".parse().unwrap();
    let text =
        "ring_groups: { new: { renamed_from: g0, members: [user/201] } }\npolicy: { protect: [ring_group/g0] }\n";
    let plan = plan_of(&account(text), &live);
    assert_eq!(plan.blocked[0].guard, Guard::Protected);
}

#[test]
fn a_circle_of_extension_numbers_is_two_writes_to_one_group_and_counts_once() {
    let swap = "ring_groups: { g0: { extension: \"301\", members: [user/200] }, g1: { extension: \"300\", members: [user/200] } }\n";
    let cap = |most: u32| format!("{swap}policy: {{ caps: {{ ring_groups: {{ update: {{ most: {most} }} }} }} }}\n");
    let two = plan(&cap(2));
    assert_eq!((two.changes.len(), blocks(&two)), (3, vec![]));
    let one = plan(&cap(1));
    assert_eq!(
        blocks(&one)[0].1,
        "2 ring groups would be changed, and `caps.ring_groups.update` allows 1 in an account of 6"
    );
    assert_eq!(blocks(&one)[0].2.len(), 3, "all three writes are held back");
    assert_eq!(one.blocked[0].place.as_ref().map(|place| place.line), Some(4));
}

#[test]
fn unassigned_numbers_and_deleted_groups_have_caps_of_their_own() {
    let none = plan("numbers: { \"+33142685302\": { to: none }, \"+33142685303\": { to: none } }\n");
    let message =
        "2 numbers would be left without a destination, and `caps.numbers.unassign` allows 1 in an account of 10";
    one(&none, Guard::Cap, message, &["+33142685302", "+33142685303"]);
    let gone = plan("absent: [ring_group/g0, ring_group/g1, ring_group/g2]\n");
    let message = "3 ring groups would be deleted, and `caps.ring_groups.delete` allows 2 in an account of 6";
    one(&gone, Guard::Cap, message, &["g0", "g1", "g2"]);
    assert_eq!(blocks(&plan("absent: [ring_group/g0, ring_group/g1]\n")), []);
}

#[test]
fn the_stricter_of_two_policies_counts_and_of_two_alike_the_one_in_the_files() {
    let move_two = "numbers: { \"+33142685302\": { to: user/201 }, \"+33142685303\": { to: user/201 } }\n";
    let strict = "policy: { caps: { numbers: { update: { most: 1 } } }, protect: [\"+33142685302\"], scope: { numbers: [\"+33142685303\"] } }\n";
    let both = format!("{move_two}{strict}");
    let guards = |plan: &Plan| plan.blocked.iter().map(|block| block.guard).collect::<Vec<_>>();
    let all = [Guard::Cap, Guard::Protected, Guard::Scope];
    assert_eq!(guards(&plan(&both)), all);
    let loosened = plan_after(move_two, &both);
    assert_eq!(guards(&loosened), all);
    assert!(loosened.blocked.iter().all(|block| block.place.is_none()));
    assert!(loosened.blocked.iter().all(|block| block.message.ends_with("; so the policy at `HEAD^1` says")));
    let tightened = plan_after(&both, move_two);
    assert_eq!(blocks(&tightened), blocks(&plan(&both)));
    assert_eq!(blocks(&plan_after(&both, &both)), blocks(&plan(&both)), "nothing is said twice");
    assert_eq!(loosened.digest, plan(move_two).digest, "guards are no part of what is approved");
}

#[test]
fn a_scope_is_about_names_before_and_after_and_an_empty_one_owns_nothing() {
    let rename = "ring_groups: { new: { renamed_from: g0, members: [user/200] } }\n";
    let scope = |names: &str| plan(&format!("{rename}policy: {{ scope: {{ ring_groups: [{names}] }} }}\n"));
    one(&scope("\"g*\""), Guard::Scope, "`scope.ring_groups` does not own g0", &["g0"]);
    one(&scope("new"), Guard::Scope, "`scope.ring_groups` does not own g0", &["g0"]);
    one(&scope(""), Guard::Scope, "`scope.ring_groups` does not own g0", &["g0"]);
    assert_eq!(blocks(&scope("\"g*\", NEW")), []);
    let create = "ring_groups: { fresh: { members: [user/200] } }\npolicy: { scope: { ring_groups: [\"g*\"] } }\n";
    one(&plan(create), Guard::Scope, "`scope.ring_groups` does not own fresh", &["fresh"]);
    let numbers: Vec<String> = (2..8).map(|index| format!("\"+3314268530{index}\": {{ to: user/201 }}")).collect();
    let plan = plan(&format!("numbers: {{ {} }}\npolicy: {{ scope: {{ numbers: [] }} }}\n", numbers.join(", ")));
    let message = "`scope.numbers` does not own +33142685302, +33142685303, +33142685304 and 3 more";
    assert_eq!(blocks(&plan)[0].1, message);
}

#[test]
fn pruning_asks_if_hardly_a_group_is_declared_of_those_that_the_files_own() {
    let prune = |declared: &[&str], scope: &str| {
        let groups: Vec<String> = declared.iter().map(|name| format!("{name}: {{ members: [user/200] }}")).collect();
        let caps = "caps: { ring_groups: { delete: off } }";
        plan(&format!("ring_groups: {{ {} }}\npolicy: {{ prune: ring_groups, {caps}{scope} }}\n", groups.join(", ")))
    };
    let empty = prune(&[], "");
    let message = "the files declare none of the account's 6 ring groups, and pruning would delete 6";
    one(&empty, Guard::NearlyEmpty, message, &["g0", "g1", "g2", "g3", "g4", "g5"]);
    assert_eq!(blocks(&prune(&["g0", "g1"], ""))[0].0, Guard::NearlyEmpty);
    assert_eq!(blocks(&prune(&["g0", "g1", "g2"], "")), []);
    assert_eq!(blocks(&prune(&["x", "y", "z"], ""))[0].0, Guard::NearlyEmpty, "renames that were forgotten");
    let few = prune(&["g0"], ", scope: { ring_groups: [g0, g1, g2] }");
    assert_eq!((few.changes.len(), blocks(&few)), (2, vec![]), "three of six are owned");
    let absent = plan("absent: [ring_group/g0, ring_group/g1]\npolicy: { caps: { ring_groups: { delete: off } } }\n");
    assert_eq!(blocks(&absent), []);
}

#[test]
fn ignored_fields_of_existing_groups_need_not_even_make_sense() {
    let text = "ring_groups: { g0: { members: [user/left], no_answer: user/gone, extension: \"301\", ring: sequential } }\n\
                policy: { ignore: [ring_groups.members, ring_groups.no_answer, ring_groups.extension, ring_groups.ring] }\n";
    assert_eq!(plan(text).changes, []);
    let label = "numbers: { \"+33142685302\": { to: user/201, label: x } }\npolicy: { ignore: [numbers.label] }\n";
    assert_eq!(plan(label).changes[0].fields.len(), 1);
}

#[test]
fn what_a_protected_number_leads_to_is_protected_with_it_and_so_is_what_follows() {
    let mut live = live();
    let group = |index: usize| ObjectRef { kind: Kind::RingGroup, id: format!("g{index}-id").as_str().into() };
    // The numbers of the files: one leads to g0, whose unanswered calls go to g1, then g2, then back to g1.
    live.numbers[2].to = Some(group(0));
    live.ring_groups[0].no_answer = Some(group(1));
    live.ring_groups[1].no_answer = Some(group(2));
    live.ring_groups[2].no_answer = Some(group(1));
    // The default number leads to g3, which nobody asked to protect.
    live.numbers[0].to = Some(group(3));
    let policy = "policy: { protect: [\"+33142685302\"] }\n";
    for (name, verb) in [("g0", "answer"), ("g1", "answer"), ("g2", "answer"), ("g2", "be deleted")] {
        let text = match verb {
            "answer" => format!("ring_groups: {{ {name}: {{ members: [user/201] }} }}\n"),
            _ => format!(
                "absent: [ring_group/{name}]\nring_groups: {{ g1: {{ members: [user/200], no_answer: none }} }}\n"
            ),
        };
        for plan in [plan_of(&account(&(text.clone() + policy)), &live), plan_of(&account_after(&text, policy), &live)]
        {
            let (guard, message, _) =
                blocks(&plan).into_iter().find(|(_, _, objects)| objects.contains(&name.into())).unwrap();
            assert_eq!(guard, Guard::Protected);
            let says =
                format!("the ring group `{name}`, to which the protected number +33142685302 leads, would {verb}");
            assert!(message.starts_with(&says), "{message}");
        }
    }
    for free in
        ["g3: { members: [user/201] }", "g4: { members: [user/201] }", "new: { renamed_from: g0, members: [user/200] }"]
    {
        let plan = plan_of(&account(&format!("ring_groups: {{ {free} }}\n{policy}")), &live);
        assert_eq!((plan.changes.len(), blocks(&plan)), (1, vec![]), "{free}");
    }
    // Once the number leads elsewhere, what it led to is free.
    live.numbers[2].to = None;
    let text = format!("ring_groups: {{ g0: {{ members: [user/201] }} }}\n{policy}");
    assert_eq!(blocks(&plan_of(&account(&text), &live)), []);
    // A protected group's unanswered calls are followed as well.
    let text = "ring_groups: { g2: { members: [user/201] } }\npolicy: { protect: [ring_group/g0] }\n";
    let message = "the ring group `g2`, to which the protected ring group `g0` leaves unanswered calls, would answer its \
                   calls in another way";
    one(&plan_of(&account(text), &live), Guard::Protected, message, &["g2"]);
}

#[test]
fn no_rename_ends_a_protection_wherever_it_was_made() {
    let declared = |name: &str, fields: &str| format!("ring_groups: {{ {name}: {{ {fields} }} }}\n");
    let before = declared("g0", "extension: \"300\", members: [user/200]");
    let by_name = before.clone() + "policy: { protect: [ring_group/g0] }\n";
    let by_extension = before + "policy: { protect: [ring_group/300] }\n";
    let not_applied =
        declared("g0", "renamed_from: old, members: [user/200]") + "policy: { protect: [ring_group/g0] }\n";
    let moved = "members: [user/201]";
    for (what, live_name, live_extension, text, before) in [
        ("in the files", "g0", "300", declared("sales", &format!("renamed_from: g0, {moved}")), &by_name),
        ("in files that no longer say so", "sales", "300", declared("sales", moved), &by_name),
        ("in the portal", "verkauf", "300", declared("verkauf", moved), &by_name),
        ("of the extension", "g0", "300", declared("g0", &format!("extension: \"399\", {moved}")), &by_extension),
        ("of the extension in the portal", "g0", "377", declared("g0", moved), &by_extension),
        ("that was not applied yet", "old", "300", declared("old", moved), &not_applied),
    ] {
        let mut live = live();
        live.ring_groups[0].name = live_name.parse().unwrap();
        live.ring_groups[0].extension = live_extension.parse().ok();
        let plan = plan_of(&account_after(&text, before), &live);
        let guards: Vec<Guard> = plan.blocked.iter().map(|block| block.guard).collect();
        assert_eq!(guards, [Guard::Protected], "{what}: {:?}", blocks(&plan));
    }
}

#[test]
fn a_protected_object_that_nobody_finds_holds_every_change_back() {
    let change = "numbers: { \"+33142685305\": { to: user/201 } }\n";
    let says =
        |what: &str| format!("`protect` lists {what}, which the account does not have, so any change may be of it");
    for (entry, what) in [
        ("\"+33142685399\"", "+33142685399"),
        ("ring_group/gone", "ring_group/gone"),
        ("ring_group/399", "ring_group/399"),
    ] {
        let policy = format!("policy: {{ protect: [{entry}], rules: {{ unknown-protected: off }} }}\n");
        one(&plan(&(change.to_owned() + &policy)), Guard::UnknownProtected, &says(what), &["+33142685305"]);
        let before = says(what) + "; so the policy at `HEAD^1` says";
        one(&plan_after(change, &policy), Guard::UnknownProtected, &before, &["+33142685305"]);
        // In both, it is said once; and nothing to do is nothing to hold back.
        one(
            &plan_after(&(change.to_owned() + &policy), &policy),
            Guard::UnknownProtected,
            &says(what),
            &["+33142685305"],
        );
        assert_eq!(blocks(&plan(&policy)), []);
    }
    // What the same files make is known, but does not pass for what was protected before.
    let made = "ring_groups: { gone: { extension: \"399\", members: [user/200] } }\n";
    let policy = "policy: { protect: [ring_group/gone] }\n";
    assert_eq!(blocks(&plan(&(made.to_owned() + policy))), []);
    let plan = plan_after(made, policy);
    assert_eq!(plan.blocked.iter().map(|block| block.guard).collect::<Vec<_>>(), [Guard::UnknownProtected]);
}

#[test]
fn files_cannot_pass_another_group_for_a_protected_one_that_was_renamed_in_the_portal() {
    let before = "ring_groups: { g0: { members: [user/200] } }\npolicy: { protect: [ring_group/g0] }\n";
    let mut live = live();
    live.ring_groups[0].name = "verkauf".parse().unwrap();
    live.ring_groups[0].extension = "377".parse().ok();
    let passed = "g1: { renamed_from: g0, members: [user/200] }";
    let moved = "verkauf: { members: [user/201] }";
    for policy in ["", "policy: { protect: [ring_group/g0] }\n"] {
        let text = format!("ring_groups: {{ {passed}, {moved} }}\n{policy}");
        let plan = plan_of(&account_after(&text, before), &live);
        let guards: Vec<Guard> = plan.blocked.iter().map(|block| block.guard).collect();
        assert_eq!(guards, [Guard::UnknownProtected], "{policy}: {:?}", blocks(&plan));
    }
    // Where the extension number tells which group it is, a rename that was applied holds nothing else back.
    let before = before.replace("members", "extension: \"300\", members");
    let mut live = self::live();
    live.ring_groups[0].name = "sales".parse().unwrap();
    let text = "ring_groups: { sales: { renamed_from: g0, members: [user/200] }, g1: { members: [user/201] } }\n";
    assert_eq!(blocks(&plan_of(&account_after(text, &before), &live)), []);
}

#[test]
fn protection_of_what_does_not_exist_is_told_and_of_what_is_about_to_exist_is_not() {
    let found = |text: &str| -> Vec<(&'static str, String)> {
        let (_, findings) = strowger::plan::plan(&account(text).desired, &live(), &Severities::default(), 1);
        findings.into_iter().map(|finding| (finding.rule.id, finding.message)).collect()
    };
    let told = found(
        "policy: { protect: [\"+33142685399\", ring_group/g9, ring_group/g0, \"+33142685300\"] }\nabsent: [ring_group/g1]\n",
    );
    let message = |what: &str| format!("`policy.protect` lists {what}, which neither the account nor the files have");
    assert_eq!(
        told,
        [("unknown-protected", message("+33142685399")), ("unknown-protected", message("`ring_group/g9`"))]
    );
    let groups = "ring_groups: { g9: { extension: \"399\", members: [user/200] } }\n";
    assert_eq!(found(&format!("{groups}policy: {{ protect: [ring_group/G9, ring_group/399] }}\n")), []);
    let nothing = found("policy: {}\n");
    assert_eq!(
        nothing,
        [(
            "nothing-left",
            "the files of `a` declare nothing, and the account has 10 numbers and 6 ring groups".to_owned()
        )]
    );
}
