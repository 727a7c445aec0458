//! Reading `policy`: what a right one means, and what a wrong one is told.

use std::path::PathBuf;

use strowger::config::{Loaded, load};
use strowger::model::{Cap, Capped, DriftPolicy, FieldName, NameKey, OnDrift, Policy, Suspend, WatchPolicy};

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
    assert_eq!(policy.ignore, [FieldName::Label].into());

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
        ("{ caps: { numbers: { delete: off } } }", "unknown-field", "known fields are `update` and `unassign`"),
        ("{ caps: { ring_groups: { crate: off } } }", "unknown-field", "did you mean `create`?"),
        ("{ protect: [+33142685300] }", "unquoted-number", "write `\"+33142685300\"`"),
        ("{ protect: [\"01 42 68 53 00\"] }", "not-e164", "write `\"+33142685300\"`"),
        ("{ protect: [ventes] }", "bad-reference", "write `ring_group/…`"),
        ("{ protect: [user/202] }", "wrong-kind", "`protect` accepts `ring_group`"),
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
            "remove the number from the file: numbers that are not in a file are not managed",
        ),
        ("{ protects: [] }", "unknown-field", "did you mean `protect`?"),
        ("{ drift: report }", "wrong-type", "write `{ numbers: correct, ring_groups: report }`, or one of the two"),
        ("{ drift: { numbers: off } }", "unquoted-word", "write `report`, `correct` or `adopt`"),
        ("{ drift: { numbers: ignore } }", "wrong-value", "write `report`, `correct` or `adopt`"),
        ("{ drift: { numbers: corect } }", "wrong-value", "did you mean `correct`?"),
        ("{ drift: { users: report } }", "unknown-field", "known fields are `numbers` and `ring_groups`"),
        ("{ suspend: porting }", "wrong-type", SUSPEND),
        ("{ suspend: true }", "wrong-type", SUSPEND),
        ("{ suspend: {} }", "missing-field", REASON),
        ("{ suspend: { reason: \" \" } }", "wrong-value", REASON),
        ("{ suspend: { reason: \"a\\nb\" } }", "wrong-value", REASON),
        (
            "{ suspend: { reason: x, until: 2026-12-01T08:00:00+01:00 } }",
            "unquoted-word",
            "write `\"2026-12-01T08:00:00+01:00\"`",
        ),
        ("{ suspend: { reason: x, until: 2026-12-01 } }", "unquoted-word", UNTIL),
        ("{ suspend: { reason: x, until: \"2026-12-01\" } }", "wrong-value", UNTIL),
        ("{ suspend: { reason: x, until: \"2026-12-01T08:00:00\" } }", "wrong-value", UNTIL),
        ("{ suspend: { reason: x, until: \"2026-02-30T08:00:00Z\" } }", "wrong-value", UNTIL),
        ("{ suspend: { reason: x, until: \"2026-12-01T08:00:00+01:00[Europe/Paris]\" } }", "wrong-value", UNTIL),
    ] {
        assert_eq!(told(policy), (rule, hint.to_owned()), "{policy}");
    }
}

const SUSPEND: &str = "write `{ reason: \"porting to the new carrier\" }`, and `until` if it ends by itself";
const REASON: &str = "say why in a few words on one line, such as `reason: \"porting to the new carrier\"`";
const UNTIL: &str =
    "write date, time and offset in quotes, such as `\"2026-12-01T08:00:00+01:00\"`, or remove the field";

#[test]
fn every_mistake_in_a_window_is_told_once_with_what_to_write() {
    let time = "write hours and minutes in quotes, from `\"00:00\"` to `\"24:00\"`";
    let form = "write `{ days: [mon, fri], from: \"08:00\", to: \"18:00\", zone: Europe/Paris }`";
    let days = "days are `mon`, `tue`, `wed`, `thu`, `fri`, `sat` and `sun`";
    let whole = "the whole day is `from: \"00:00\", to: \"24:00\"`";
    let (from, to, zone) = ("from: \"08:00\"", "to: \"18:00\"", "zone: UTC");
    for (window, rule, hint) in [
        ("always".to_owned(), "wrong-type", form),
        (format!("{{ days: [monday], {from}, {to}, {zone} }}"), "wrong-value", "did you mean `mon`?"),
        (format!("{{ days: [tu], {from}, {to}, {zone} }}"), "wrong-value", "did you mean `tue`?"),
        (format!("{{ days: [mon, lundi], {from}, {to}, {zone} }}"), "wrong-value", days),
        (format!("{{ days: [1], {from}, {to}, {zone} }}"), "unquoted-number", days),
        (format!("{{ days: [], {from}, {to}, {zone} }}"), "wrong-value", "remove the field for every day"),
        (format!("{{ days: sat, {from}, {to}, {zone} }}"), "wrong-type", "write a list, such as `[a, b]`"),
        (format!("{{ {to}, {zone} }}"), "missing-field", time),
        (format!("{{ {from}, {zone} }}"), "missing-field", time),
        (format!("{{ {from}, {to} }}"), "missing-field", "write the name of a time zone, such as `Europe/Paris`"),
        (format!("{{ from: 08:00, {to}, {zone} }}"), "unquoted-number", "write `\"08:00\"`"),
        (format!("{{ from: 8:00, {to}, {zone} }}"), "unquoted-number", "write `\"08:00\"`"),
        (format!("{{ from: 8, {to}, {zone} }}"), "unquoted-number", "write `\"08:00\"`"),
        (format!("{{ from: 480, {to}, {zone} }}"), "unquoted-number", time),
        (format!("{{ from: \"8:00\", {to}, {zone} }}"), "wrong-value", "write `\"08:00\"`"),
        (format!("{{ {from}, to: 18h, {zone} }}"), "wrong-value", "write `\"18:00\"`"),
        (format!("{{ {from}, to: \"18:60\", {zone} }}"), "wrong-value", time),
        (format!("{{ {from}, to: \"6 pm\", {zone} }}"), "wrong-value", time),
        (format!("{{ from: \"24:00\", {to}, {zone} }}"), "wrong-value", "write `\"00:00\"` and the next day"),
        (format!("{{ {from}, to: \"08:00\", {zone} }}"), "wrong-value", whole),
        (format!("{{ {from}, {to}, zone: Europe/Pari }}"), "wrong-value", "did you mean `Europe/Paris`?"),
        (format!("{{ {from}, {to}, zone: europe/paris }}"), "wrong-value", "did you mean `Europe/Paris`?"),
        (format!("{{ {from}, {to}, zone: Paris }}"), "wrong-value", "did you mean `Europe/Paris`?"),
        (format!("{{ {from}, {to}, zone: New York }}"), "wrong-value", "did you mean `America/New_York`?"),
        (
            format!("{{ {from}, {to}, zone: \"+01:00\" }}"),
            "wrong-value",
            "write the name of a time zone, such as `Europe/Paris`",
        ),
        (
            format!("{{ {from}, till: \"18:00\", {zone}, {to} }}"),
            "unknown-field",
            "known fields are `days`, `from`, `to` and `zone`",
        ),
    ] {
        assert_eq!(told(&format!("{{ windows: [{window}] }}")), (rule, hint.to_owned()), "{window}");
    }
    let never = "remove the field to allow changes at any time, or write `suspend` to allow none";
    assert_eq!(told("{ windows: [] }"), ("wrong-value", never.to_owned()));
    assert_eq!(told("{ windows: { from: x } }").0, "wrong-type");
    let many = vec![format!("{{ {from}, {to}, {zone} }}"); 101].join(", ");
    assert_eq!(told(&format!("{{ windows: [{many}] }}")).1, "one window can have several days");
}

#[test]
fn what_a_watch_may_do_is_read_and_joined_from_several_files() {
    let first = "policy: { drift: { numbers: report }, suspend: { reason: porting } }\n";
    let second = "policy:\n  drift: { ring_groups: adopt }\n  windows:\n    - { days: [mon, tue, wed, thu, fri, sat, sun], \
                  from: \"08:00\", to: \"18:00\", zone: Europe/Paris }\n";
    let third = "policy: { windows: [{ days: [sat], from: \"22:00\", to: \"02:00\", zone: UTC }] }\n";
    let joined = policy(&[first, second, third]);
    let freeze = joined.guards.freeze;
    assert_eq!(joined.watch.drift, DriftPolicy { numbers: OnDrift::Report, ring_groups: OnDrift::Adopt });
    assert_eq!(freeze.suspend.unwrap().value, Suspend { until: None, reason: "porting".into() });
    // 2026-11-28 is a Saturday.
    for (at, open) in
        [("28T07:00", true), ("28T18:00", false), ("28T22:00", true), ("29T01:59", true), ("29T02:00", false)]
    {
        assert_eq!(freeze.windows.is_open(format!("2026-11-{at}Z").parse().unwrap()), open, "{at}");
    }
    assert_eq!(policy(&[""]).watch, WatchPolicy::default());
    assert_eq!(WatchPolicy::default().drift.numbers, OnDrift::Correct);
    let until = policy(&["policy: { suspend: { until: \"2026-12-01T08:00+01:00\", reason: x } }\n"])
        .guards
        .freeze
        .suspend
        .map(|suspend| suspend.value);
    let at = |at: &str| at.parse().unwrap();
    assert!(until.clone().unwrap().is_active(at("2026-12-01T06:59:59Z")));
    assert!(!until.unwrap().is_active(at("2026-12-01T07:00:00Z")));
    for one in ["policy: { drift: { numbers: report } }\n", "policy: { suspend: { reason: x } }\n"] {
        let twice = loaded(&[one, one]).diagnostics;
        assert_eq!(twice.iter().map(|finding| finding.rule.id).collect::<Vec<_>>(), ["duplicate-key"]);
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
    assert_eq!(examples.len(), 8);
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
