//! No input makes reading panic, hang or accept what the schema refuses.

#![allow(clippy::unwrap_used, reason = "in a test, an unwrap is an assertion; clippy spares only the test itself")]

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

fn read(text: &str) {
    let Ok(document) = config::parse(FileId(0), text) else { return };
    let schema = AccountSchema::new();
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
    fn any_bytes_in_a_file_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, bytes).unwrap();
        let loaded = config::load(&[path]);
        let text = diagnostics::human(&loaded.diagnostics, &loaded.sources, diagnostics::Style::default());
        prop_assert!(!text.chars().any(|character| character.is_control() && character != '\n'));
    }
}
