//! Nothing that one change does to an account's files gets past the guards that the account had: the real binary, real
//! git repositories, the embedded account.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test asserts by failing"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn strowger(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
    command.args(arguments).current_dir(folder).env_remove("RUST_LOG").stdin(Stdio::null());
    command.output().unwrap()
}

#[track_caller]
fn expect(output: &Output, code: i32, what: &str) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{what}\nstdout:\n{out}\nstderr:\n{err}");
    format!("{out}{err}")
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn two_accounts_of_one_run_at_one_address_are_refused_by_every_command_unless_their_scopes_are_apart() {
    let fleet = tempfile::tempdir().unwrap();
    let office = |folder: &str, url: &str, rest: &str| {
        let head =
            format!("version: 1\naccount: {{ name: {folder}, provider: office, url: \"{url}\", token: {{ env: T }} }}");
        write(
            &fleet.path().join(folder).join("account.yaml"),
            &format!("{head}\n{rest}numbers: {{ \"+33142685300\": {{ to: none }} }}\n"),
        );
    };
    office("lyon", "http://127.0.0.1:9/t/a", "");
    office("paris", "http://LOCALHOST:9//t/a/", "");
    for command in ["validate", "plan", "apply"] {
        let said = expect(&strowger(fleet.path(), &[command, "."]), 3, command);
        assert!(said.contains("error[one-account-twice]"), "{command}: {said}");
        assert!(said.contains("lyon/account.yaml") && said.contains("paris/account.yaml"), "{command}: {said}");
    }
    // No rule silences it, and a scope that overlaps does not help.
    office("paris", "http://127.0.0.1:9/t/a", "policy: { rules: { one-account-twice: off } }\n");
    expect(&strowger(fleet.path(), &["validate", "."]), 3, "rule");
    let scope = |range: &str, name: &str| {
        format!("policy: {{ scope: {{ numbers: [\"{range}\"], ring_groups: [\"{name}-*\"] }} }}\n")
    };
    office("lyon", "http://127.0.0.1:9/t/a", &scope("+331426853*", "lyon"));
    office("paris", "http://127.0.0.1:9/t/a", &scope("+3314268530*", "paris"));
    expect(&strowger(fleet.path(), &["validate", "."]), 3, "overlapping");
    office("paris", "http://127.0.0.1:9/t/a", &scope("+331426854*", "paris"));
    expect(&strowger(fleet.path(), &["validate", "."]), 0, "apart");
    office("paris", "http://127.0.0.1:9/t/b", "");
    expect(&strowger(fleet.path(), &["validate", "."]), 0, "another tenant");
    let sandbox = |folder: &str, name: &str, state: &str| {
        let head = format!("version: 1\naccount: {{ name: {name}, provider: sandbox, state: \"{state}\" }}");
        write(
            &fleet.path().join(folder).join("account.yaml"),
            &format!("{head}\nnumbers: {{ \"+33142685300\": {{ to: none }} }}\n"),
        );
    };
    sandbox("lyon", "lyon", ".strowger/a.db");
    sandbox("paris", "paris", "../lyon/./.strowger/a.db");
    expect(&strowger(fleet.path(), &["validate", "."]), 3, "one state");
    sandbox("lyon", "lyon", ":memory:");
    sandbox("paris", "paris", ":memory:");
    expect(&strowger(fleet.path(), &["validate", "."]), 0, "memory");
}
