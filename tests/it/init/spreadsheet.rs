//! The way in for a system without an API: a spreadsheet of its numbers becomes a snapshot and the account's files.

use std::fs;
use std::path::Path;

use crate::support::commands::{expect, stderr, strowger};

const NUMBERS: &str = "\u{feff}Numéro de téléphone;Site;Renvoi;Libellé\r\n\
    01 42 68 53 00;Paris;Standard;Accueil\r\n\
    01 42 68 53 01;Paris;poste 201;\"Amélie\r\nDurand\"\r\n\
    01 42 68 53 02;Lyon;Groupe: Ventes (300);\r\n\
    01 42 68 53 03;Lyon;salle de conférence;\r\n\
    01 42 68 53 04;Lyon;aucun;Réserve\r\n\
    +33 6 12 34 56 78;Lyon;+33 6 98 76 54 32;Astreinte\r\n";

fn init<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["init", "phones", "--provider", "snapshot", "--from", "numbers.csv", "--yes"], more].concat()
}

#[track_caller]
fn read(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn a_spreadsheet_becomes_an_account_whose_plan_is_empty_and_whose_edit_is_a_runbook() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("numbers.csv"), NUMBERS).unwrap();
    let out = expect(&strowger(folder.path(), &init(&["--country", "FR"])), 0);
    assert!(out.contains("wrote phones/snapshot/live.yaml") && out.contains("No changes. 6 objects match."), "{out}");
    assert!(out.contains("--format runbook") && !out.contains("strowger apply"), "{out}");

    let snapshot = read(folder.path(), "phones/snapshot/live.yaml");
    let value: serde_json::Value = serde_yaml::from_str(&snapshot).unwrap();
    assert!(jsonschema::is_valid(&strowger::providers::snapshot::schema(), &value), "{snapshot}");
    assert_eq!(value["numbers"]["+33142685301"]["label"], "Amélie Durand");
    assert_eq!(value["numbers"]["+33612345678"]["to"], "external/+33698765432");

    let account = read(folder.path(), "phones/account.yaml");
    for line in ["name: phones", "country: FR", "provider: snapshot", "file: snapshot/live.yaml"] {
        assert!(account.contains(line), "{line}: {account}");
    }
    expect(&strowger(folder.path(), &["validate", "phones"]), 0);
    expect(&strowger(folder.path(), &["plan", "phones", "--detailed-exitcode"]), 0);

    // What a person clicks in the portal after an edit.
    let number = account.find("\"+33142685304\"").unwrap();
    let edited = format!("{}{}", &account[..number], account[number..].replacen("to: none", "to: user/201", 1));
    assert_ne!(edited, account);
    fs::write(folder.path().join("phones/account.yaml"), edited).unwrap();
    let out = expect(&strowger(folder.path(), &["plan", "phones", "--format", "runbook"]), 0);
    assert!(out.contains("+33142685304") && out.contains("201"), "{out}");
}

#[test]
fn every_error_is_named_with_its_row_and_column_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let broken = NUMBERS.replace("poste 201", "Amélie").replace("01 42 68 53 04", "01 42 68 53 03");
    fs::write(folder.path().join("numbers.csv"), broken).unwrap();
    let output = strowger(folder.path(), &init(&["--country", "FR"]));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for wanted in [
        "numbers.csv: row 3, column C (`Renvoi`): `Amélie` does not say what kind of destination it is",
        "numbers.csv: row 6, column A (`Numéro de téléphone`): +33142685303 is in row 5 already (keep one of the two rows)",
        "Nothing written.",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(!folder.path().join("phones").exists());
}

#[test]
fn national_numbers_need_the_country() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("numbers.csv"), "number,destination\n01 42 68 53 00,none\n").unwrap();
    let output = strowger(folder.path(), &init(&[]));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("row 2, column A (`number`): `01 42 68 53 00` is not a phone number"), "{said}");
    assert!(said.contains("`--country`") && !folder.path().join("phones").exists(), "{said}");
    expect(&strowger(folder.path(), &init(&["--country", "FR"])), 0);
}

#[test]
fn what_is_not_a_csv_file_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("numbers.xlsx"), b"PK\x03\x04").unwrap();
    fs::write(folder.path().join("latin1.csv"), b"num\xe9ro;renvoi\n").unwrap();
    for (file, code, wanted) in [
        (
            "numbers.xlsx",
            3,
            "numbers.xlsx: a `.xlsx` file cannot be read: export it from the spreadsheet as CSV (UTF-8)",
        ),
        ("latin1.csv", 1, "latin1.csv: line 1 is not UTF-8: save the file as UTF-8"),
        ("missing.csv", 1, "missing.csv: the spreadsheet cannot be read"),
        (".", 1, "a spreadsheet is a regular file"),
    ] {
        let output = strowger(folder.path(), &["init", "phones", "--from", file, "--yes"]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(wanted) && !folder.path().join("phones").exists(), "{said}");
    }
}
