//! A token goes to the account and nowhere else: not to other machines in clear text, not into what is shown.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test asserts by failing"
)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

const TOKEN: &str = "hunter2";

fn strowger(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_strowger"))
        .args(arguments)
        .current_dir(folder)
        .env("STROWGER_TEST_TOKEN", TOKEN)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn everything(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn an_export_sends_no_token_in_clear_text_to_another_machine() {
    let folder = tempfile::tempdir().unwrap();
    // A host that nobody can have: without the refusal, the error is that it does not answer.
    let arguments = ["export", "--url", "http://accounts.invalid", "--token-env", "STROWGER_TEST_TOKEN"];
    let output = strowger(folder.path(), &arguments);
    let shown = everything(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("the token would travel unencrypted") && !shown.contains(TOKEN), "{shown}");
}
