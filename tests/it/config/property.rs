//! No input makes reading panic, hang or accept what the schema refuses.

use proptest::prelude::*;
use strowger::check::{self, AccountSchema};
use strowger::config;
use strowger::diag::{Sources, has_errors};
use strowger::model::FileId;
use strowger::render::diagnostics;

/// Pieces of which something like an account file may come about.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "version: 1\n",
        "account:\n",
        "  name: a\n",
        "  provider: sandbox\n",
        "numbers:\n",
        "ring_groups:\n",
        "  ",
        "\"+33142685300\"",
        "+33142685300",
        ": ",
        "{ to: none }",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\n",
        "- ",
        "&a ",
        "*a",
        "<<",
        "!!str ",
        "|\n",
        ">-\n",
        "'",
        "\"",
        "\\x41",
        "#",
        "\t",
        "? ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "é",
        "\u{feff}",
        "\r\n",
        "\r",
        "\u{85}",
        "user/202",
        "members: ",
        "policy: { rules: { long-wait: off } }\n",
        "absent: [ring_group/x]\n",
        "no",
        "~",
        "token: x\n",
        "\0",
        "\u{202e}",
    ];
    prop_oneof![3 => prop::sample::select(words.map(str::to_owned).to_vec()), 1 => ".{0,3}"]
}

/// A value that a field of a policy may be given, rightly or wrongly.
fn policy_value() -> impl Strategy<Value = String> {
    let words = [
        "off",
        "'off'",
        "on",
        "~",
        "''",
        "0",
        "7",
        "100",
        "101",
        "10000000",
        "10000001",
        "-1",
        "+1",
        "007",
        "0x1f",
        "1e2",
        "5.0",
        "5%",
        "'5'",
        "[]",
        "{}",
        "[~]",
        "[off]",
        "g*",
        "'*'",
        "' *'",
        "'a*b'",
        "'a '",
        "' a'",
        "'\u{2028}a'",
        "\"a\\u0085\"",
        "ring_group/ventes",
        "ring_group/300",
        "ring_group/ ",
        "user/202",
        "\"+33142685300\"",
        "+33142685300",
        "\"01 42 68 53 00\"",
        "\"+33142685300..+33142685399\"",
        "\"+33142685399..+33142685300\"",
        "\"+33142685300..\"",
        "\"+331426853*\"",
        "\"+*\"",
        "\"+0*\"",
        "\"+3314268530012345*\"",
        "numbers.label",
        "numbers.to",
        "ring_groups.members",
        "ring_groups",
        "{ most: 1, percent: 2, floor: 3 }",
        "{ most: 1.0 }",
        "{ percent: 101 }",
        "{ floor: off }",
        "{ flor: 1 }",
        "{ update: off }",
        "{ update: { most: 0 }, update: off }",
        "{ unassign: 5 }",
        "{ delete: { percent: '5' } }",
        "report",
        "Correct",
        "{ numbers: report, ring_groups: adopt }",
        "{ numbers: off }",
        "mon",
        "Monday",
        "[mon, mon]",
        "'08:00'",
        "08:00",
        "'24:00'",
        "'8:00'",
        "Europe/Paris",
        "Paris",
        "{ from: '08:00', to: '18:00', zone: Europe/Paris }",
        "{ from: '08:00', to: '08:00', zone: UTC }",
        "{ from: '24:00', to: '08:00', zone: UTC }",
        "{ days: [], from: '08:00', to: '09:00', zone: UTC }",
        "{ days: [sat, sunday], from: 8, to: '09:00', zone: Mars }",
        "{ from: 22:00, to: 02:00 }",
        "{ reason: porting }",
        "{ reason: '  ' }",
        "{ reason: \"a\\u0085\" }",
        "{ reason: x, until: '2026-12-01T08:00:00+01:00' }",
        "{ reason: x, until: '2026-12-01T08:00Z' }",
        "{ reason: x, until: '2026-13-01T08:00:00Z' }",
        "{ reason: x, until: 2026-12-01 }",
        "'2026-12-01T08:00:00+01:00'",
        "'2026-12-01T08:00:00,5Z'",
    ];
    let one = prop::sample::select(words.map(str::to_owned).to_vec());
    let long = "[a*]{0,3}x{120,131}\\*?".prop_map(|name| format!("'{name}'"));
    let one = prop_oneof![20 => one, 1 => long];
    prop_oneof![one.clone(), prop::collection::vec(one, 0..4).prop_map(|items| format!("[{}]", items.join(", ")))]
}

fn policy() -> impl Strategy<Value = String> {
    let fields = [
        "caps",
        "protect",
        "scope",
        "ignore",
        "prune",
        "caps: { numbers",
        "caps: { ring_groups",
        "scope: { numbers",
        "scope: { ring_groups",
        "drift",
        "drift: { numbers",
        "windows",
        "windows: [{ days",
        "windows: [{ from: '08:00', to: '18:00', zone",
        "windows: [{ from: '08:00', zone: Europe/Paris, to",
        "windows: [{ to: '08:00', zone: Europe/Paris, from",
        "suspend",
        "suspend: { reason",
        "suspend: { reason: x, until",
    ];
    let field = (prop::sample::select(fields.to_vec()), policy_value()).prop_map(|(field, value)| {
        let close = if field.contains("[{") {
            " }]"
        } else if field.contains('{') {
            " }"
        } else {
            ""
        };
        format!("{field}: {value}{close}")
    });
    prop::collection::vec(field, 0..4).prop_map(|fields| format!("policy: {{ {} }}\n", fields.join(", ")))
}

fn read(text: &str) {
    let Ok(document) = config::parse(FileId(0), text) else { return };
    let schema = AccountSchema::default();
    let checked = check::account(&schema, std::slice::from_ref(&document), Vec::new(), true);
    assert_eq!(checked.account.is_some(), !has_errors(&checked.findings), "{text:?}");
    // A reader and a schema that disagree would leave the `schema` rule to explain it.
    assert!(checked.account.is_none() || schema.accepts(&document), "{text:?}");
    let unexplained = checked.findings.iter().find(|finding| finding.rule.id == "schema");
    assert!(unexplained.is_none(), "{text:?}: {unexplained:?}");
    let _ = diagnostics::human(&checked.findings, &Sources::default(), diagnostics::Style::default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}") {
        read(&text);
    }

    #[test]
    fn anything_like_yaml_is_read_without_a_panic(pieces in prop::collection::vec(piece(), 0..40)) {
        read(&pieces.concat());
    }

    #[test]
    fn a_policy_is_accepted_only_if_the_schema_accepts_it(text in policy()) {
        read(&format!("version: 1\naccount: {{ name: a, provider: sandbox }}\n{text}"));
    }

    #[test]
    fn any_bytes_in_a_file_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, bytes).unwrap();
        let loaded = config::load(&[path]);
        let text = diagnostics::human(&loaded.diagnostics, &loaded.sources, diagnostics::Style::default());
        prop_assert!(!text.chars().any(|character| character.is_control() && character != '\n'));
    }
}
