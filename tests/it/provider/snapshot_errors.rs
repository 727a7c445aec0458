//! What is said of a file that is not a snapshot: the place, the rule and the remedy, and nothing of the file if it does
//! not say of itself that it is one.

use strowger::providers::snapshot::{self, DocumentError, Format, Snapshot, SnapshotError};

/// Valid. Each case below breaks one line of it.
const OFFICE: &str = r#"snapshot: 1
account: { name: office, default_number: "+33142685300" }
users:
  amelie@example.org: { name: Amélie, extension: "201", devices: { desk: ip_phone } }
  Bruno: { extension: "202", voicemail: false, devices: { desk: ip_phone } }
ring_groups:
  sales: { extension: "300", ring: sequential, ring_for: 20s, members: [user/201, user/Bruno] }
numbers:
  "+33142685300": { to: ring_group/sales, label: Office, emergency_callback: true }
"#;

#[track_caller]
fn error(text: &str, format: Format) -> DocumentError {
    match snapshot::parse(text, format) {
        Err(SnapshotError::Document(error)) => *error,
        other => panic!("{other:?}\n{text}"),
    }
}

/// What is replaced, by what, the text at the place of the error, and the finding with its hint.
const CASES: [(&str, &str, &str, &str); 24] = [
    (
        "label: Office",
        "lable: Office",
        "lable",
        "error[unknown-field]: there is no field `lable` here (did you mean `label`?)",
    ),
    (
        "label: Office",
        "colour: red",
        "colour",
        "error[unknown-field]: there is no field `colour` here (known fields are `to`, `label`, `kind`, `emergency_callback` and `owner`)",
    ),
    (
        "numbers:\n",
        "nmbers:\n",
        "nmbers",
        "error[unknown-field]: there is no field `nmbers` here (did you mean `numbers`?)",
    ),
    (
        "snapshot: 1",
        "snapshot: 2",
        "snapshot",
        "error[unsupported-version]: this is a snapshot of version 2, and only version 1 can be read (write `snapshot: 1`, or use a newer Strowger)",
    ),
    ("name: office, ", "", "{ default", "error[missing-field]: `name` is missing (add `name:` and its value)"),
    (
        "\"+33142685300\" }\nusers",
        "\"01 42\" }\nusers",
        "account",
        "error[not-e164]: the default number `01 42`: an E.164 number starts with `+` and the country code (write `+`, the country code and the number, such as `\"+33142685300\"`)",
    ),
    (
        "extension: \"202\"",
        "extension: \"2\"",
        "\"2\"",
        "error[bad-extension]: `2`: an extension number has 2 to 8 digits (write its digits in quotes, such as `\"201\"`)",
    ),
    ("extension: \"202\"", "extension: [202]", "[202]", "error[wrong-type]: found a list, not text (write text)"),
    (
        "voicemail: false",
        "voicemail: no",
        "no, devices",
        "error[wrong-value]: found the text `no`, not `true`, `false`, or `voicemail/` and the key of another user (write `true`, `false`, or `voicemail/` and the key of another user)",
    ),
    (
        "voicemail: false",
        "voicemail: voicemail/Anna",
        "voicemail/Anna",
        "error[unknown-reference]: there is no mailbox `voicemail/Anna` in the snapshot (write `voicemail/` and the key of a user with a mailbox, or of an entry of `mailboxes`)",
    ),
    (
        "ring: sequential",
        "ring: sequentiel",
        "sequentiel",
        "error[wrong-value]: `sequentiel` is not a known value (did you mean `sequential`?)",
    ),
    ("ring_for: 20s", "ring_for: soon", "sales", "error[bad-duration]: `ring_for` of `sales`: "),
    (
        "members: [user/201, user/Bruno]",
        "members: user/201",
        "user/201 }",
        "error[wrong-type]: found the text `user/201`, not a list, such as `[a, b]` (write a list, such as `[a, b]`)",
    ),
    (
        "user/Bruno]",
        "user/Brune]",
        "user/Brune",
        "error[unknown-reference]: `user/Brune`: there is no such object in the snapshot (did you mean `user/bruno`?)",
    ),
    ("user/Bruno]", "Bruno]", "Bruno]", "error[bad-reference]: `Bruno`: "),
    ("user/Bruno]", "device/desk]", "device/desk", "error[ambiguous-reference]: `device/desk`: it could be any of "),
    (
        "to: ring_group/sales",
        "to: ring_group/400",
        "ring_group/400",
        "error[unknown-reference]: `ring_group/400`: there is no such object in the snapshot (add it to the snapshot's section of ring_groups, or correct the reference)",
    ),
    (
        "\"+33142685300\": { to",
        "\"01 42 68\": { to",
        "\"01 42 68\"",
        "error[not-e164]: `01 42 68` is not an E.164 number: ",
    ),
    (
        "emergency_callback: true",
        "emergency_callback: 1",
        "1 }\n",
        "error[wrong-type]: found the number 1, not `true` or `false` (write `true` or `false`)",
    ),
    (
        "Bruno: {",
        "amelie@example.org: { name: Bruno,",
        "{ name: Bruno",
        "error[duplicate-key]: `amelie@example.org` is given twice (keep one of the two)",
    ),
    (
        "devices: { desk: ip_phone } }\n  Bruno",
        "devices: &d { desk: ip_phone } }\n  Bruno",
        "&d",
        "error[alias-limit]: a snapshot has no anchors and aliases (write the values out)",
    ),
    (
        "name: Amélie",
        "name: !!str Amélie",
        "!!str",
        "error[yaml-tag]: a snapshot has no tags (remove the word that begins with `!`)",
    ),
    ("  sales:", "\tsales:", "\tsales", "error[tab-indentation]: a tab indents the line (indent with spaces)"),
    (
        "numbers:\n",
        "---\nnumbers:\n",
        "---",
        "error[several-documents]: a snapshot has one document (remove the line `---` and what follows it)",
    ),
];

#[test]
fn an_error_has_its_place_its_rule_and_its_remedy() {
    snapshot::parse(OFFICE, Format::Yaml).unwrap();
    let mut wrong = Vec::new();
    for (from, to, at, wanted) in CASES {
        let text = OFFICE.replacen(from, to, 1);
        assert_ne!(text, OFFICE, "{from} is not in the snapshot");
        let before = text.split_once(at).unwrap().0;
        let (line, column) =
            (before.matches('\n').count() + 1, before.chars().rev().take_while(|c| *c != '\n').count() + 1);
        let wanted = format!("{line}:{column}: {wanted}");
        let said = error(&text, Format::Yaml).to_string();
        if !said.starts_with(&wanted) || !said.ends_with(')') {
            wrong.push(format!("{said}\nnot\n{wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn json_has_the_same_errors() {
    for (from, to, wanted) in [
        ("\"label\"", "\"lable\"", "error[unknown-field]: there is no field `lable` here (did you mean `label`?)"),
        ("\"Office\"", "[]", "error[wrong-type]: found a list, not text (write text)"),
        ("+33142685300", "0142685300", "error[not-e164]: `0142685300` is not an E.164 number: "),
        ("}}}", "}}", "error[yaml-syntax]: "),
    ] {
        let text = r#"{"snapshot":1,"numbers":{"+33142685300":{"label":"Office"}}}"#.replacen(from, to, 1);
        let said = error(&text, Format::Json).to_string();
        assert!(said.starts_with("1:") && said.contains(wanted), "{said}\nnot\n{wanted}");
    }
    // The YAML reader takes digits without quotes for text, and the JSON reader does not.
    let said = error(r#"{"snapshot": 1, "users": {"a": {"extension": 201}}}"#, Format::Json).to_string();
    assert!(said.contains("error[wrong-type]") && said.ends_with("(put text and digits in quotes)"), "{said}");
}

#[test]
fn an_error_in_a_file_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.yaml");
    std::fs::write(&path, OFFICE.replace("user/Bruno]", "user/Brune]")).unwrap();
    let said = Snapshot::new(&path).load().unwrap_err().to_string();
    assert!(said.starts_with(&format!("{}:7:", path.display())) && said.contains("error[unknown-reference]"), "{said}");
}

/// A commit may name any file, such as one with passwords.
#[test]
fn nothing_is_shown_of_a_file_that_is_not_marked_as_a_snapshot() {
    for (from, to, ..) in CASES {
        let text = OFFICE.replacen(from, to, 1).replacen("snapshot: ", "secrets_of: ", 1);
        let error = error(&text, Format::Yaml);
        assert_eq!(error.rule.id, "missing-field", "{error}");
        assert_eq!(error.message, "this is not a snapshot of an account: `snapshot: 1` is missing");
        assert_eq!(error.hint, "begin a snapshot with `snapshot: 1`; docs/snapshot.md describes the format");
    }
    for text in
        ["hunter2", "root:x:0:0:hunter2:/root:/bin/sh\n", "[hunter2", "{\"token\": \"hunter2\"}", "a: hunter2\n\tb"]
    {
        for format in [Format::Yaml, Format::Json] {
            let said = error(text, format).to_string();
            assert!(said.contains("`snapshot: 1` is missing") && !said.contains("hunter2"), "{said}");
        }
    }
}
