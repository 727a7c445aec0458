//! What a right file means: the wanted state and the settings, with their places.

use std::path::PathBuf;

use strowger::config::{Account, Loaded, load};
use strowger::diag::Severity::{Error, Info, Warning};
use strowger::model::{RingMode, Span};
use strowger::providers::settings::{SecretRef, StateFile};
use strowger::providers::{office, sandbox, snapshot};
use strowger::render::diagnostics::{Style, human, plain};

fn loaded(text: &str) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, text).unwrap();
    load(&[path])
}

fn account(text: &str) -> Account {
    let loaded = loaded(text);
    assert_eq!(loaded.diagnostics, []);
    loaded.accounts.into_iter().next().unwrap()
}

const WHOLE: &str = r#"version: 1
account:
  name: wework-republique
  provider: sandbox
  seed: seed.yaml
numbers:
  "+33142685302": { to: ring_group/ventes }
  "+33142685300": { to: receptionist/main, label: Accueil }
  "+33142685309": { to: none }
ring_groups:
  ventes:
    extension: "300"
    ring: sequential
    members: [user/amelie@example.org, user/202, device/front-desk]
    ring_for: 20s
    no_answer: voicemail/amelie@example.org
    renamed_from: sales
  Accueil: { members: [user/202], no_answer: none }
absent: [ring_group/old]
policy: { prune: ring_groups }
tests: []
"#;

fn place(span: Span) -> (u32, u32, u32) {
    (span.line, span.column, span.length)
}

#[test]
fn a_whole_file_becomes_the_wanted_state_with_places() {
    let desired = account(WHOLE).desired;
    let numbers: Vec<String> = desired.numbers.iter().map(|number| number.number.to_string()).collect();
    assert_eq!(numbers, ["+33142685300", "+33142685302", "+33142685309"], "sorted");
    let [first, second, third] = desired.numbers.as_slice() else { panic!() };
    assert_eq!(place(first.span), (8, 3, 14));
    assert_eq!(first.to.value.as_ref().unwrap().to_string(), "receptionist/main");
    assert_eq!(place(first.to.span), (8, 25, 17));
    assert_eq!(&*first.label.as_ref().unwrap().value, "Accueil");
    assert_eq!(second.label, None);
    assert_eq!(third.to.value, None);

    let [accueil, ventes] = desired.ring_groups.as_slice() else { panic!() };
    assert_eq!(accueil.name.value.as_str(), "Accueil");
    assert_eq!((&accueil.extension, &accueil.ring, &accueil.ring_for), (&None, &None, &None), "not managed");
    assert_eq!(accueil.no_answer.as_ref().unwrap().value, None, "deliberately nobody");
    assert_eq!(ventes.extension.as_ref().unwrap().value.as_str(), "300");
    assert_eq!(ventes.ring.unwrap().value, RingMode::Sequential);
    let members: Vec<String> = ventes.members.iter().map(|member| member.value.to_string()).collect();
    assert_eq!(members, ["user/amelie@example.org", "user/202", "device/front-desk"], "in order");
    assert_eq!(place(ventes.members_span), (14, 5, 7));
    assert_eq!(ventes.renamed_from.as_ref().unwrap().value.as_str(), "sales");
    assert_eq!(desired.absent[0].reference.value.to_string(), "ring_group/old");
    assert_eq!(place(desired.policy.prune_ring_groups.unwrap()), (20, 18, 11));
    assert_eq!(&*desired.account, "wework-republique");
}

#[test]
fn each_provider_has_its_settings() {
    let provider = |fields: &str| {
        let text =
            format!("version: 1\naccount: {{ name: a, {fields} }}\nnumbers: {{ \"+33142685300\": {{ to: none }} }}\n");
        account(&text).settings.provider
    };
    assert_eq!(
        provider("provider: sandbox, seed: s.yaml"),
        sandbox::settings(StateFile::File(".strowger/a.db".into()), Some("s.yaml".into()))
    );
    assert_eq!(provider("provider: sandbox, state: \":memory:\""), sandbox::settings(StateFile::Memory, None));
    assert_eq!(provider("provider: snapshot, file: l.yaml"), snapshot::settings("l.yaml"));
    for url in ["https://a.example.org/v1", "http://127.0.0.1:8080", "http://localhost:1/v1", "http://[::1]:8080"] {
        let read = provider(&format!("provider: office, url: \"{url}\", token: {{ command: [pass, show, x] }}"));
        let token = SecretRef::Command { program: "pass".into(), arguments: vec!["show".into(), "x".into()] };
        assert_eq!(read, office::settings(url, token));
    }
}

#[test]
fn paths_are_relative_to_the_folder_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, WHOLE).unwrap();
    let accounts = load(&[path]).accounts;
    assert_eq!(accounts[0].root, PathBuf::from(folder.path()));
}

#[test]
fn a_written_secret_is_never_shown() {
    for token in [
        "hunter2",
        "\"hunter2\"",
        "{ value: hunter2 }",
        "{ env: \"hunter2 !\" }",
        "[hunter2]",
        "{ env: A, file: hunter2 }",
        "{ command: hunter2 }",
        "|\n    hunter2",
        "{ enw: hunter2 }",
        "\n    vallue: hunter2",
    ] {
        let text = format!(
            "version: 1\naccount:\n  name: a\n  provider: office\n  url: https://u:hunter2@example.org\n  token: {token}\n"
        );
        let loaded = loaded(&text);
        assert!(loaded.accounts.is_empty(), "{token}");
        let shown = human(&loaded.diagnostics, &loaded.sources, Style::default());
        let lines = plain(&loaded.diagnostics, &loaded.sources);
        assert!(!shown.contains("hunter2") && !lines.contains("hunter2"), "{token}:\n{shown}\n{lines}");
        assert!(!format!("{:?}", loaded.diagnostics).contains("hunter2"), "{token}");
    }
}

#[test]
fn the_policy_changes_severities_and_what_is_an_account() {
    let group = "ring_groups: { v: { members: [user/202, user/203], ring: sequential, ring_for: 40s } }\n";
    let text = |policy: &str| format!("version: 1\naccount: {{ name: a, provider: sandbox }}\n{group}{policy}");
    let outcome = |policy: &str| {
        let loaded = loaded(&text(policy));
        (loaded.accounts.len(), loaded.diagnostics.iter().map(|finding| finding.severity).collect::<Vec<_>>())
    };
    assert_eq!(outcome(""), (1, vec![Warning]));
    assert_eq!(outcome("policy: { rules: { long-wait: error } }\n"), (0, vec![Error]));
    assert_eq!(outcome("policy: { rules: { long-wait: info } }\n"), (1, vec![Info]));
    assert_eq!(outcome("policy: { rules: { long-wait: off } }\n"), (1, vec![]));
}

#[test]
fn a_destination_is_not_refused_because_the_settings_of_the_account_are_wrong() {
    let files = r#"version: 1
account: { name: a, provider: office, url: "http://phones.example.org", token: { env: T } }
numbers: { "+33142685300": { to: voicemail/201 }, "+33142685301": { to: external/+33612345678 } }
ring_groups: { ventes: { members: [user/201], no_answer: receptionist/main } }
"#;
    let rules: Vec<_> = loaded(files).diagnostics.iter().map(|finding| finding.rule.id).collect();
    assert_eq!(rules, ["insecure-url"]);
}
