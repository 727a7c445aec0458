//! Reading `policy`: what a right one means, and what a wrong one is told.

#![allow(clippy::unwrap_used, reason = "in a test, an unwrap is an assertion; clippy spares only the test itself")]

use std::path::PathBuf;

use strowger::config::{Loaded, load};
use strowger::model::{Cap, Capped, Ignorable, NameKey, Policy};

/// The account of these files in one folder.
fn loaded(files: &[&str]) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    for (index, text) in files.iter().enumerate() {
        let head = if index == 0 {
            "version: 1\naccount: { name: a, provider: sandbox, country: FR }\n"
        } else {
            "version: 1\n"
        };
        let numbers = if index == 0 { "numbers: { \"+33142685300\": { to: none } }\n" } else { "" };
        std::fs::write(folder.path().join(format!("{index}.yaml")), format!("{head}{numbers}{text}")).unwrap();
    }
    load(&[PathBuf::from(folder.path())])
}

fn policy(files: &[&str]) -> Policy {
    let loaded = loaded(files);
    assert_eq!(loaded.diagnostics, []);
    loaded.accounts.into_iter().next().unwrap().desired.policy
}

/// The one finding: its rule and its hint.
fn told(policy: &str) -> (&'static str, String) {
    let loaded = loaded(&[&format!("policy: {policy}\n")]);
    assert!(loaded.accounts.is_empty(), "{policy}");
    assert_eq!(loaded.diagnostics.len(), 1, "{policy}: {:#?}", loaded.diagnostics);
    let finding = loaded.diagnostics.first().unwrap();
    assert_eq!(finding.span.unwrap().line, 4);
    (finding.rule.id, finding.hint.clone().unwrap())
}

#[test]
fn caps_have_what_is_written_and_else_their_defaults() {
    let caps = policy(&["policy: { caps: { numbers: { update: { percent: 5 }, unassign: off } } }\n"]).guards.caps;
    let (update, span) = caps.get(Capped::NumberUpdate);
    assert_eq!(update, Some(Cap { most: None, percent: 5, floor: 10 }));
    assert_eq!(span.map(|span| (span.line, span.column)), Some((4, 30)));
    assert_eq!(caps.get(Capped::NumberUnassign).0, None);
    assert_eq!(caps.get(Capped::GroupDelete), (Some(Capped::GroupDelete.default_cap()), None));
}

#[test]
fn the_policies_of_several_files_merge_and_a_cap_stands_in_one() {
    let first = "policy: { protect: [\"+33142685300\", ring_group/Ventes], scope: { ring_groups: [\"fr-*\"] } }\n";
    let second = "policy: { protect: [ring_group/300], scope: { ring_groups: [ventes] }, ignore: [numbers.label] }\n";
    let policy = policy(&[first, second]);
    let guards = policy.guards;
    assert_eq!(guards.protect.numbers.len(), 1);
    let names: Vec<&str> = guards.protect.groups.keys().map(NameKey::as_str).collect();
    assert_eq!(names, ["300", "ventes"]);
    let (owned, _) = guards.scope.ring_groups.unwrap();
    assert!(owned.contains(&NameKey::of("FR-nord")) && owned.contains(&NameKey::of("Ventes")));
    assert!(!owned.contains(&NameKey::of("accueil")));
    assert_eq!(guards.scope.numbers, None, "all numbers");
    assert_eq!(policy.ignore, [Ignorable::NumberLabel].into());

    let cap = "policy: { caps: { numbers: { update: off } } }\n";
    let twice = loaded(&[cap, cap]).diagnostics;
    assert_eq!(twice.iter().map(|finding| finding.rule.id).collect::<Vec<_>>(), ["duplicate-key"]);
    assert_eq!(twice[0].related.len(), 1);
}

const NUMBERS: &str =
    "write a number `\"+33142685300\"`, a range `\"+33142685300..+33142685399\"` or a beginning `\"+331426853*\"`";

#[test]
fn every_mistake_is_told_once_with_what_to_write() {
    for (policy, rule, hint) in [
        (
            "{ caps: { numbers: { update: 10 } } }",
            "wrong-type",
            "write `{ most: 100, percent: 30, floor: 10 }`, some of these, or `off`",
        ),
        (
            "{ caps: { numbers: { update: { percent: 30% } } } }",
            "wrong-value",
            "write a number without quotes and unit, such as `percent: 10`",
        ),
        (
            "{ caps: { numbers: { update: { percent: 101 } } } }",
            "wrong-value",
            "write a number without quotes and unit, such as `percent: 10`",
        ),
        (
            "{ caps: { numbers: { update: { most: \"5\" } } } }",
            "wrong-value",
            "write a number without quotes and unit, such as `most: 10`",
        ),
        ("{ caps: { numbers: { delete: off } } }", "unknown-field", "fields here are `update` and `unassign`"),
        ("{ caps: { ring_groups: { crate: off } } }", "unknown-field", "did you mean `create`?"),
        ("{ protect: [+33142685300] }", "unquoted-number", "write `\"+33142685300\"`"),
        ("{ protect: [\"01 42 68 53 00\"] }", "not-e164", "write `\"+33142685300\"`"),
        ("{ protect: [ventes] }", "bad-reference", "write `ring_group/…`"),
        ("{ protect: [user/202] }", "wrong-kind", "`protect` takes `ring_group`"),
        ("{ protect: \"+33142685300\" }", "wrong-type", "write a list, such as `[a, b]`"),
        ("{ scope: { numbers: [33142685300] } }", "unquoted-number", NUMBERS),
        ("{ scope: { numbers: [+33142685300] } }", "unquoted-number", "write `\"+33142685300\"`"),
        (
            "{ scope: { ring_groups: [\"a*b\"] } }",
            "bad-scope",
            "write a name, or the beginning of one and `*`, such as `\"fr-*\"`",
        ),
        ("{ ignore: [ring_groups.member] }", "wrong-value", "did you mean `ring_groups.members`?"),
        (
            "{ ignore: [numbers.to] }",
            "wrong-value",
            "remove the number from the file: what is not there is not managed",
        ),
        ("{ protects: [] }", "unknown-field", "did you mean `protect`?"),
    ] {
        assert_eq!(told(policy), (rule, hint.to_owned()), "{policy}");
    }
}

#[test]
fn the_documented_policies_are_right() {
    let pages = ["docs/guards.md", "docs/format.md"].map(|page| std::fs::read_to_string(page).unwrap());
    let pages = pages.concat();
    let examples: Vec<&str> = pages
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|example| example.starts_with("policy:"))
        .collect();
    assert_eq!(examples.len(), 5);
    for example in examples {
        policy(&[example]);
    }
}

#[test]
fn the_documented_defaults_are_those_of_the_code() {
    let page = std::fs::read_to_string("docs/guards.md").unwrap();
    let table = std::fs::read_to_string("docs/format.md").unwrap();
    for capped in Capped::ALL {
        let Cap { percent, floor, .. } = capped.default_cap();
        let row = |page: &str, end: &str| {
            page.lines().any(|line| line.starts_with(&format!("| `{}` |", capped.as_str())) && line.ends_with(end))
        };
        assert!(row(&page, &format!("| {percent} %, at least {floor} |")), "{}", capped.as_str());
        assert!(row(&table, &format!("| {percent} | {floor} |")), "{}", capped.as_str());
    }
}
