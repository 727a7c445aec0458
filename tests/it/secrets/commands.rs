//! The account's token appears nowhere: not in what any command says, at the most talkative, not in any file that a
//! command leaves, not in the arguments of the process; whatever the server, the network or the token's own command do.
#![cfg(target_os = "linux")]

use crate::support::commands;
use crate::support::hostile;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::commands::{Apply, Server, TOKEN, command, edit, office};
use crate::support::hostile::{Hostile, JSON, answer, good, is_for};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use tempfile::TempDir;

/// What must not be seen: the token, percent-encoded, in base64 wherever it begins, and all of it in any case.
fn forms() -> Vec<String> {
    let percent = TOKEN.replace('-', "%2D");
    let all = TOKEN.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let hex = TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let mut forms = vec![TOKEN.to_owned(), percent, all, hex];
    for before in 0..3 {
        let encoded = STANDARD_NO_PAD.encode([vec![0; before], TOKEN.into()].concat());
        // The ends share bits with what is around.
        forms.push(encoded[4..encoded.len() - 4].to_owned());
    }
    forms.iter().map(|form| form.to_lowercase()).collect()
}

/// What is left of a text that was broken up: nobody who looks for the token minds white space or escapes.
fn squeezed(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).to_lowercase().replace("\\u{a}", "").replace("\\u{d}", "");
    text.replace("\\n", "").replace("\\r", "").chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

#[track_caller]
fn clean(what: &str, bytes: &[u8]) {
    let text = squeezed(bytes);
    for form in forms() {
        if let Some(at) = text.find(&form) {
            let around = String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(80)..])
                .chars()
                .take(200)
                .collect::<String>();
            panic!("{what} has the token, as {form}: …{around}");
        }
    }
}

/// Every file of the folder and below, but for the one that the token was put into on purpose.
#[track_caller]
fn clean_below(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            clean_below(&path);
        } else if path.file_name().is_none_or(|name| name != "token" && name != "token.sh") {
            clean(&path.display().to_string(), &fs::read(&path).unwrap());
        }
    }
}

/// Where the token comes from.
#[derive(Clone, Copy, Debug)]
enum From {
    Env,
    File,
    Command,
}

/// The small office, whose token comes from there.
fn folder(from: From, url: &str) -> TempDir {
    let folder = office("wework", url);
    let env = "{ env: STROWGER_TEST_TOKEN }";
    match from {
        From::Env => {}
        From::File => {
            fs::write(folder.path().join("token"), format!("{TOKEN}\n")).unwrap();
            edit(folder.path(), env, "{ file: token }");
        }
        From::Command => {
            script(folder.path(), &format!("echo {TOKEN} is what I say >&2; echo {TOKEN}"));
            edit(folder.path(), env, "{ command: [./token.sh] }");
        }
    }
    folder
}

fn script(folder: &Path, body: &str) {
    let path = folder.join("token.sh");
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
}

/// Runs a command as talkative as it gets, and looks through everything that it leaves.
#[track_caller]
fn run(from: From, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = talkative(from, folder, arguments);
    let output = command.output().unwrap();
    let what = format!("{arguments:?} with the token from {from:?}");
    clean(&format!("stdout of {what}"), &output.stdout);
    clean(&format!("stderr of {what}"), &output.stderr);
    clean_below(folder);
    output
}

fn talkative(from: From, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command(folder, arguments);
    command.arg("-vv").env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
    if !matches!(from, From::Env) {
        command.env_remove("STROWGER_TEST_TOKEN");
    }
    command
}

/// Fails with one of these codes and says this.
#[track_caller]
fn fails(from: From, folder: &Path, wanted: &str) {
    for arguments in [
        &["plan", ".", "--out", "plan.json"][..],
        &["apply", ".", "--auto-approve", "--events", "e.jsonl"],
        &["export", "."],
    ] {
        let output = run(from, folder, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{wanted:?} is not in {said}");
    }
}

#[test]
fn nothing_that_works_shows_the_token() {
    for from in [From::Env, From::File, From::Command] {
        let server = Server::start("wework", &[]);
        let folder = folder(from, &server.url);
        let succeeds = |arguments: &[&str]| {
            let output = run(from, folder.path(), arguments);
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
            output
        };
        let output = succeeds(&["plan", "."]);
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains("TRACE") && log.contains("hyper"), "the dependencies talk, too");
        for format in ["human", "json", "github", "sarif"] {
            succeeds(&["validate", ".", "--format", format]);
        }
        for format in ["human", "json", "markdown", "github", "sarif", "runbook"] {
            succeeds(&["plan", ".", "--format", format]);
        }
        succeeds(&["plan", ".", "--out", "plan.json"]);
        succeeds(&["export", "."]);
        succeeds(&["export", ".", "--as-snapshot", "--out", "snapshot"]);
        succeeds(&["apply", "--plan", "plan.json", "--events", "events.jsonl"]);
        edit(folder.path(), "label: Accueil", "label: Other");
        succeeds(&["apply", ".", "--auto-approve", "--events", "-"]);
        for format in ["human", "json"] {
            succeeds(&["history", ".", "--format", format]);
        }
        let runs = commands::ledgers(folder.path());
        let last = runs.last().unwrap().id.to_string();
        succeeds(&["history", ".", "--run", &last]);
        succeeds(&["rollback", &last, ".", "--auto-approve"]);
        assert!(folder.path().join(".strowger/ledger").is_dir() && folder.path().join("events.jsonl").is_file());
    }
}

#[test]
fn the_arguments_of_the_process_do_not_have_it() {
    let server = Server::start("wework", &[]);
    let stuck = commands::Stuck::in_front_of(&server.url, 1);
    let folder = folder(From::Command, &stuck.url);
    let apply = Apply::start(folder.path(), &[]);
    // In the midst of a write: the token was found and is in use.
    stuck.wait();
    clean("the command line", &fs::read(format!("/proc/{}/cmdline", apply.id())).unwrap());
    clean_below(folder.path());
    apply.signal("KILL");
}

#[test]
fn a_token_from_the_command_line_of_export_does_not_show() {
    let server = Server::start("wework", &[]);
    let folder = tempfile::tempdir().unwrap();
    let output = run(From::Env, folder.path(), &["export", "--url", &server.url, "--token-env", "STROWGER_TEST_TOKEN"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn servers_that_echo_the_token_are_not_repeated() {
    let percent = TOKEN.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    let (start, end) = TOKEN.split_at(9);
    for echo in [
        TOKEN.to_owned(),
        percent,
        TOKEN.replace('-', "%2D"),
        format!("{start}\n    {end}"),
        format!("{start}\r\n\t{end}"),
        format!("{start}\u{200b}{end}"),
        STANDARD.encode(TOKEN),
        STANDARD.encode(format!("user:{TOKEN}")),
        URL_SAFE_NO_PAD.encode(format!("Bearer {TOKEN}\n")),
        format!("{}{TOKEN}", "x".repeat(285)),
    ] {
        let mut statuses = vec!["401 Unauthorized", "403 Forbidden", "400 Bad Request", "404 Not Found", "302 Found"];
        // Asked again and again, which takes its time.
        statuses.extend((echo == TOKEN).then_some("500 Internal Server Error"));
        for status in statuses {
            let problem = serde_json::json!({ "title": format!("no {echo}"), "detail": format!("Bearer {echo} may not"), "code": echo });
            let body = problem.to_string();
            let place = percent_encoding::utf8_percent_encode(&echo, percent_encoding::NON_ALPHANUMERIC).to_string();
            let server = Hostile::start(move |_, to| {
                answer(
                    to,
                    status,
                    &[JSON, ("location", &format!("/v1/account?token={place}")), ("x-echo", &place)],
                    &body,
                )
            });
            let folder = folder(From::Env, &server.url);
            let output = run(From::Env, folder.path(), &["plan", "."]);
            assert_eq!(output.status.code(), Some(1), "{status}");
        }
        let page =
            serde_json::json!({ "items": [{ "id": echo, "name": "a", "ring": echo, "members": [] }], "next": null });
        let server = Hostile::start(move |asked, to| {
            if is_for(asked, "ring_groups") {
                answer(to, "200 OK", &[JSON], &page.to_string())
            } else {
                good(asked, to)
            }
        });
        let folder = folder(From::File, &server.url);
        // The group cannot be represented, which the export says; nothing of the files fits the account.
        let commands: [(&[&str], i32); 3] = [
            (&["plan", ".", "--out", "plan.json"], 3),
            (&["apply", ".", "--auto-approve", "--events", "e.jsonl"], 3),
            (&["export", "."], 0),
        ];
        for (arguments, code) in commands {
            let output = run(From::File, folder.path(), arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
            let out = String::from_utf8_lossy(&output.stdout);
            assert!(code != 0 || out.contains("ring mode"), "{out}");
        }
    }
}

#[test]
fn a_refused_write_that_echoes_the_token_leaves_no_trace() {
    let account = Server::start("wework", &[]);
    let behind = account.url.clone();
    let server = Hostile::start(move |asked, to| {
        if asked.line.starts_with("GET ") {
            return hostile::forward(&behind, asked, to);
        }
        let detail = format!("Bearer {TOKEN} / {} may only read", TOKEN.replace('-', "%2d"));
        let problem = serde_json::json!({ "title": "Forbidden", "detail": detail, "referrers": [
            { "kind": "number", "id": TOKEN, "name": TOKEN, "field": TOKEN }] });
        let status = if asked.line.starts_with("POST ") { "409 Conflict" } else { "403 Forbidden" };
        answer(to, status, &[JSON], &problem.to_string())
    });
    let folder = folder(From::Env, &server.url);
    let output = run(From::Env, folder.path(), &["apply", ".", "--auto-approve", "--events", "events.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    let events = fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
    assert!(events.contains("may only read") && events.contains("[token]"), "{events}");
    let ledger = commands::ledger_files(folder.path());
    assert!(fs::read_to_string(&ledger[0]).unwrap().contains("[token]"));
}

#[test]
fn a_network_that_fails_shows_nothing() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let unreachable = folder(From::Env, &closed);
    fails(From::Env, unreachable.path(), "cannot reach");
    let nowhere = folder(From::File, "https://pbx.invalid");
    fails(From::File, nowhere.path(), "cannot reach https://pbx.invalid");
}

#[test]
fn a_password_in_a_url_is_not_repeated() {
    for url in [
        format!("https://user:{TOKEN}@example.org"),
        format!("https://{TOKEN}@example.org/"),
        format!("\"https://example.org/?token={TOKEN}\""),
        format!("\"https://example.org/#{TOKEN}\""),
    ] {
        let folder = office("wework", &url);
        // The file has it, because somebody wrote it there; nothing else shall.
        let hidden = tempfile::tempdir().unwrap();
        for arguments in
            [&["validate"][..], &["plan"], &["plan", "--format", "json"], &["apply", "--auto-approve"], &["export"]]
        {
            let mut all = arguments.to_vec();
            let path = folder.path().to_str().unwrap();
            all.push(path);
            let output = run(From::Env, hidden.path(), &all);
            assert_ne!(output.status.code(), Some(0), "{url}");
        }
        let typed = url.trim_matches('"');
        let output = run(From::Env, hidden.path(), &["export", "--url", typed, "--token-env", "STROWGER_TEST_TOKEN"]);
        assert_ne!(output.status.code(), Some(0), "{url}");
    }
}

#[test]
fn a_token_that_somebody_wrote_into_the_file_is_not_repeated() {
    let folder = office("wework", "https://example.org");
    edit(folder.path(), "{ env: STROWGER_TEST_TOKEN }", TOKEN);
    let hidden = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for format in ["human", "json", "github", "sarif"] {
        let output = run(From::Env, hidden.path(), &["validate", path, "--format", format]);
        assert_eq!(output.status.code(), Some(3));
    }
}

#[test]
fn a_token_that_cannot_be_had_is_not_shown_on_the_way() {
    let missing = folder(From::File, "https://example.org");
    fs::remove_file(missing.path().join("token")).unwrap();
    fails(From::File, missing.path(), "cannot read the token's file");
    let failing = folder(From::Command, "https://example.org");
    script(failing.path(), &format!("echo fatal: {TOKEN} has expired >&2; echo {TOKEN}; exit 3"));
    fails(From::Command, failing.path(), "the token's command ./token.sh failed (exit status: 3)");
    script(failing.path(), &format!("printf '{TOKEN}\\377'"));
    fails(From::Command, failing.path(), "not UTF-8");
    script(failing.path(), &format!("printf 'a\\n{TOKEN}\\n'"));
    fails(From::Command, failing.path(), "the token has characters that cannot be sent in a header");
    let unset = folder(From::Env, "https://example.org");
    let output = command(unset.path(), &["plan", "."]).env_remove("STROWGER_TEST_TOKEN").stdin(Stdio::null()).output();
    assert_eq!(output.unwrap().status.code(), Some(1));
}
