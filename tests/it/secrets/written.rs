//! A token goes to the account and nowhere else: not to other machines in clear text, not into what is shown.

use crate::support::commands::{TOKEN, shown, strowger};

#[test]
fn an_export_sends_no_token_in_clear_text_to_another_machine() {
    let folder = tempfile::tempdir().unwrap();
    // A host that nobody can have: without the refusal, the error is that it does not answer.
    let arguments = ["export", "--url", "http://accounts.invalid", "--token-env", "STROWGER_TEST_TOKEN"];
    let output = strowger(folder.path(), &arguments);
    let shown = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("the token would travel unencrypted") && !shown.contains(TOKEN), "{shown}");
}

/// `validate` in every format, on a terminal's text too, of an account section or a whole file.
fn validated(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), text).unwrap();
    let formats = ["human", "github", "sarif", "json"];
    let outputs = formats.map(|format| {
        let output = strowger(folder.path(), &["validate", "--format", format, "a.yaml"]);
        assert_eq!(output.status.code(), Some(3), "{text}\n{}", shown(&output));
        shown(&output)
    });
    // Excerpts are for terminals only, and this is none.
    let loaded = ::strowger::config::load(&[folder.path().join("a.yaml")]);
    let human = ::strowger::render::diagnostics::human(
        &loaded.diagnostics,
        &loaded.sources,
        ::strowger::render::diagnostics::Style::default(),
    );
    assert!(human.contains("a.yaml:"), "{human}");
    outputs.concat() + &human
}

#[test]
fn a_secret_under_whatever_key_is_shown_nowhere() {
    let office = "provider: office, url: \"https://a.example\"";
    for section in [
        format!("{{ name: a, {office}, tokn: hunter2 }}"),
        format!("{{ name: a, {office}, nam: b, tokn: [x, hunter2] }}"),
        format!("{{ name: a, {office}, token: {{ env: TOK }}, password: hunter2 }}"),
        format!("{{ name: a, {office}, token: {{ env: TOK }}, api_key: {{ key: hunter2 }} }}"),
        format!("{{ name: a, {office}, token: {{ env: TOK }}, token: hunter2 }}"),
        format!("{{ name: a, {office}, token: {{ hunter2 }} }}"),
        format!("{{ name: a, {office}, token: {{ evn: hunter2 }} }}"),
        "{ name: a, provider: office, url: \"https://me:hunter2@a.example\", token: { env: TOK } }".to_owned(),
        "{ name: a, provider: office, url: \"https:\\/\\/me:hunter2@a.example\", token: { env: TOK } }".to_owned(),
        "{ name: a, provider: office, url: \"https://a.example?key=hunter2\", token: { env: TOK } }".to_owned(),
        "{ name: a, provider: sandbox, url: \"https:\\/\\/me:hunter2@a.example\" }".to_owned(),
        "{ name: a, provider: teapot, seed: 1, hidden: hunter2 }".to_owned(),
        "{ name: a, provider: office\n  password: hunter2 }".to_owned(),
    ] {
        let shown = validated(&format!("version: 1\naccount: {section}\n"));
        assert!(!shown.contains("hunter2"), "{section}\n{shown}");
    }
    for text in [
        "{ version: 2, account: { name: a, hidden: hunter2 } }\n",
        "{ version: 1, acount: { name: a, hidden: hunter2 } }\n",
        "{ version: 1, account: { name: a, provider: sandbox }, account: { name: a, token: { hidden: hunter2 } } }\n",
    ] {
        let shown = validated(text);
        assert!(!shown.contains("hunter2"), "{text}\n{shown}");
    }
}

#[cfg(unix)]
#[test]
fn what_a_token_command_says_on_standard_error_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let command = "[sh, -c, \"echo hunter2 >&2; exit 3\"]";
    let text = format!(
        "version: 1\naccount:\n  {{ name: a, provider: office, url: \"http://127.0.0.1:1\", token: {{ command: {command} }} }}\n\
         numbers: {{ \"+33142685300\": {{ to: none }} }}\n"
    );
    std::fs::write(folder.path().join("a.yaml"), text).unwrap();
    let output = strowger(folder.path(), &["plan", "a.yaml"]);
    let shown = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("the token's command sh failed (exit status: 3)"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
