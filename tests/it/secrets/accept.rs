//! No change of the files sends a token elsewhere, or runs a command for it, before somebody accepts that: the real
//! binary, real git repositories, a real server of the Account API and one that only listens.
#![cfg(unix)]

use crate::support::commands;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Output;

use crate::support::commands::{Server, TOKEN, command, edit, office};
use crate::support::git::git;
use crate::support::hostile::{Hostile, good};
use crate::support::process::Watch;
use tempfile::TempDir;

const ENV: &str = "token: { env: STROWGER_TEST_TOKEN }";

/// An account behind a server, committed twice, and a server that must not hear of it.
struct Phones {
    server: Server,
    evil: Hostile,
    folder: TempDir,
}

impl Phones {
    fn new() -> Self {
        let server = Server::start("wework", &[]);
        let folder = office("wework", &server.url);
        fs::write(folder.path().join(".gitignore"), ".strowger/\n").unwrap();
        let phones = Self { server, evil: Hostile::start(good), folder };
        phones.git(&["init", "--quiet", "--initial-branch=main"]);
        phones.commit();
        phones
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.folder.path(), arguments)
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=change"]);
    }

    fn edit(&self, from: &str, to: &str) {
        edit(self.folder.path(), from, to);
    }

    fn run(&self, arguments: &[&str]) -> Output {
        command(self.folder.path(), arguments).env("AWS_SECRET", "another-secret-0af3").output().unwrap()
    }

    /// A program that leaves a mark where it was run.
    fn program(&self, name: &str, more: &str) {
        let mark = self.path("ran");
        let prints = if name == "lib.sh" { "" } else { TOKEN };
        let text = format!("#!/bin/sh\n{more}\ntouch {}\nprintf '{prints}'\n", mark.display());
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The end of the address of the server that must not hear anything.
    fn evil_host(&self) -> &str {
        self.evil.url.strip_prefix("http://").unwrap()
    }

    #[track_caller]
    fn nothing_happened(&self, what: &str) {
        assert_eq!(self.evil.asked().len(), 0, "{what}: a server that nobody accepted was asked");
        assert!(!self.path("ran").exists(), "{what}: a command that nobody accepted was run");
    }

    /// Every command refuses, and says what would be accepted.
    #[track_caller]
    fn refused(&self, what: &str) -> String {
        let mut said = String::new();
        for arguments in
            [&["plan", "."][..], &["apply", ".", "--auto-approve"], &["export", "."], &["plan", ".", "--base", "first"]]
        {
            let output = self.run(arguments);
            said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(4), "{what}, {arguments:?}: {said}");
            assert!(said.contains("nothing was sent"), "{what}, {arguments:?}: {said}");
            assert!(!said.contains(TOKEN), "{said}");
            self.nothing_happened(what);
        }
        said
    }
}

/// A change, and what accepts it.
type Change = (&'static str, fn(&Phones), fn(&Phones) -> Vec<String>);

fn source(text: &str) -> Vec<String> {
    vec!["--accept-token-source".to_owned(), text.to_owned()]
}

fn host(phones: &Phones) -> Vec<String> {
    vec!["--accept-address".to_owned(), phones.evil_host().to_owned()]
}

const CHANGES: &[Change] = &[
    ("another address", |phones| phones.edit(&phones.server.url, &phones.evil.url), host),
    (
        "another path on the same host",
        |phones| phones.edit(&phones.server.url, &format!("{}/other", phones.server.url)),
        |phones| vec!["--accept-address".to_owned(), phones.server.url.strip_prefix("http://").unwrap().to_owned()],
    ),
    ("another variable", |phones| phones.edit(ENV, "token: { env: AWS_SECRET }"), |_| source("env:AWS_SECRET")),
    (
        "a file",
        |phones| {
            fs::write(phones.path("token"), TOKEN).unwrap();
            phones.edit(ENV, "token: { file: ./token }");
        },
        |_| source("file:token"),
    ),
    (
        "a command",
        |phones| {
            phones.program("token.sh", "");
            phones.edit(ENV, "token: { command: [./token.sh, \"a b\"] }");
        },
        |_| source("command:./token.sh 'a b'"),
    ),
    (
        "another address and another variable",
        |phones| {
            phones.edit(&phones.server.url, &phones.evil.url);
            phones.edit(ENV, "token: { env: AWS_SECRET }");
        },
        |phones| [host(phones), source("env:AWS_SECRET")].concat(),
    ),
    (
        "another name as well",
        |phones| {
            phones.edit(&phones.server.url, &phones.evil.url);
            phones.edit("name: wework-republique", "name: paris");
        },
        host,
    ),
];

#[test]
fn a_changed_address_or_token_source_stops_every_command_until_exactly_it_is_accepted() {
    for (what, change, accept) in CHANGES {
        let phones = Phones::new();
        phones.git(&["tag", "first"]);
        assert_eq!(phones.run(&["plan", "."]).status.code(), Some(0), "{what}: before");
        change(&phones);
        let said = phones.refused(&format!("{what}, not committed"));
        phones.commit();
        assert_eq!(phones.refused(&format!("{what}, committed")).lines().count(), said.lines().count());
        let accepted = accept(&phones);
        let shown = said.split("if this is intended, add ").nth(1).unwrap().trim();
        assert_eq!(shlex::split(shown).unwrap(), accepted, "{what}: {said}");
        // Neither half of it, nor another host.
        for wrong in [&["--accept-address", "pbx.example.org"][..], &["--accept-token-source", "env:OTHER"]] {
            assert_eq!(phones.run(&[&["plan", "."], wrong].concat()).status.code(), Some(4), "{what}: {wrong:?}");
        }
        if accepted.len() > 2 {
            let half: Vec<&str> = accepted.iter().take(2).map(String::as_str).collect();
            assert_eq!(phones.run(&[&["plan", "."], &half[..]].concat()).status.code(), Some(4), "{what}: a half");
        }
        phones.nothing_happened(what);
        let accepted: Vec<&str> = accepted.iter().map(String::as_str).collect();
        let output = phones.run(&[&["plan", "."], &accepted[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("nothing was sent"), "{what}: {said}");
        if accepted.contains(&phones.evil_host()) {
            assert!(!phones.evil.asked().is_empty(), "{what}: {said}");
        }
        // The change after it has nothing to accept.
        phones.commit();
        let later = phones.run(&["plan", "."]);
        assert_ne!(later.status.code(), Some(4), "{what}: {}", String::from_utf8_lossy(&later.stderr));
    }
}

#[test]
fn a_variable_of_the_environment_may_hold_the_hosts_that_are_accepted() {
    let phones = Phones::new();
    phones.edit(&phones.server.url, &phones.evil.url);
    let run =
        |hosts: &str| command(phones.folder.path(), &["plan", "."]).env("STROWGER_ACCEPT_ADDRESS", hosts).output();
    assert_eq!(run("pbx.example.org, 127.0.0.1").unwrap().status.code(), Some(4));
    phones.nothing_happened("other hosts");
    assert_ne!(run(&format!("pbx.example.org,{}", phones.evil_host())).unwrap().status.code(), Some(4));
    // Sources too, but no command, whose meaning may change.
    let phones = Phones::new();
    let run = |source: &str| {
        command(phones.folder.path(), &["plan", "."]).env("STROWGER_ACCEPT_TOKEN_SOURCE", source).output()
    };
    phones.edit(ENV, "token: { env: AWS_SECRET }");
    assert_eq!(run("env:OTHER").unwrap().status.code(), Some(4));
    assert_ne!(run("env:OTHER,env:AWS_SECRET").unwrap().status.code(), Some(4));
    phones.edit("token: { env: AWS_SECRET }", "token: { command: [\"true\"] }");
    assert_eq!(run("command:true").unwrap().status.code(), Some(4));
}

#[test]
fn an_account_that_is_new_sends_nothing_and_neither_does_one_that_takes_the_token_of_another() {
    let phones = Phones::new();
    fs::create_dir(phones.path("more")).unwrap();
    let text = |url: &str, token: &str| {
        let head = format!(
            "version: 1\naccount: {{ name: new, provider: office, url: \"{url}\", token: {{ env: {token} }} }}\n"
        );
        fs::write(phones.path("more/account.yaml"), head + "numbers: { \"+33142685300\": { to: none } }\n").unwrap();
    };
    let plan = |more: &[&str]| phones.run(&[&["plan", "more"], more].concat()).status.code();
    text(&phones.evil.url, "STROWGER_TEST_TOKEN");
    assert_eq!(plan(&[]), Some(4));
    phones.commit();
    assert_eq!(plan(&[]), Some(4));
    phones.nothing_happened("a new account");
    // The address that another account has, with another token: as new as if nobody had it.
    text(&phones.server.url, "AWS_SECRET");
    assert_eq!(plan(&["--base", "HEAD^1"]), Some(4));
    // Both of another account: nothing is sent that was not sent there before.
    text(&phones.server.url, "STROWGER_TEST_TOKEN");
    assert_ne!(plan(&["--base", "HEAD^1"]), Some(4));
    // From an account that has no server to one that has.
    fs::write(phones.path("more/account.yaml"), "version: 1\naccount: { name: new, provider: sandbox }\n").unwrap();
    phones.commit();
    phones.commit();
    text(&phones.evil.url, "STROWGER_TEST_TOKEN");
    assert_eq!(plan(&[]), Some(4));
    phones.nothing_happened("sandbox to office");
}

#[test]
fn a_program_of_the_repository_that_prints_the_token_is_a_part_of_the_command() {
    for file in ["token.sh", "lib.sh"] {
        let phones = Phones::new();
        phones.program("token.sh", ". ./lib.sh");
        phones.program("lib.sh", "");
        phones.edit(ENV, "token: { command: [sh, -c, \". ./lib.sh; exec ./token.sh\"] }");
        phones.commit();
        phones.commit();
        let before = phones.run(&["plan", "."]);
        assert_eq!(before.status.code(), Some(0), "{}", String::from_utf8_lossy(&before.stderr));
        fs::remove_file(phones.path("ran")).unwrap();
        phones.git(&["tag", "first"]);
        phones.program(file, ": changed");
        phones.refused(&format!("{file}, not committed"));
        phones.commit();
        phones.refused(&format!("{file}, committed"));
    }
}

#[test]
fn where_the_revision_before_is_not_known_nothing_is_sent_and_where_there_is_none_it_is() {
    let phones = Phones::new();
    phones.commit();
    let url = format!("file://{}", phones.folder.path().display());
    let clones = tempfile::tempdir().unwrap();
    git(clones.path(), &["clone", "--quiet", "--depth=1", &url, "shallow"]);
    let shallow = clones.path().join("shallow");
    let output = command(&shallow, &["plan", "."]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("fetch-depth: 2"), "{said}");
    git(clones.path(), &["clone", "--quiet", "--depth=2", &url, "deeper"]);
    assert_eq!(command(&clones.path().join("deeper"), &["plan", "."]).output().unwrap().status.code(), Some(0));
    fs::remove_dir_all(shallow.join(".git")).unwrap();
    assert_eq!(command(&shallow, &["plan", "."]).output().unwrap().status.code(), Some(0), "no repository");
    git(&shallow, &["init", "--quiet"]);
    assert_eq!(command(&shallow, &["plan", "."]).output().unwrap().status.code(), Some(0), "no commit");
}

#[test]
fn watch_goes_on_holding_a_refused_address_after_a_restart_until_it_is_accepted() {
    let phones = Phones::new();
    let kept = phones.path(".strowger/refused.json");
    let watch = |more: &[&str]| {
        let arguments = ["--poll=100ms", "--interval", "100ms", "--log", "json"];
        Watch::start(phones.folder.path(), &[&arguments, more].concat())
    };
    phones.edit(&phones.server.url, &phones.evil.url);
    watch(&[]).until_it_says("nothing was sent");
    // What was refused is in the commit before by now.
    phones.commit();
    phones.commit();
    for _ in 0..2 {
        let watch = watch(&[]);
        watch.until_it_says("nothing was sent");
        let said = watch.said();
        assert!(said.contains("--accept-address") && said.contains("is not in `HEAD`"), "{said}");
    }
    phones.nothing_happened("a restart");
    watch(&["--accept-address", phones.evil_host()]).until("accepted", || !kept.exists());
}

#[test]
fn watch_holds_an_account_whose_address_is_new_and_goes_on_holding_it_after_the_next_change() {
    let phones = Phones::new();
    let watch = Watch::start(phones.folder.path(), &["--poll=100ms", "--interval", "100ms", "--log", "json"]);
    watch.until_it_says("drift");
    phones.edit(&phones.server.url, &phones.evil.url);
    watch.until_it_says("nothing was sent");
    let said = watch.said();
    let held = said.lines().find(|line| line.contains("nothing was sent")).unwrap();
    assert!(held.contains("blocked") && held.contains("--accept-address"), "{held}");
    phones.commit();
    phones.commit();
    phones.edit("version: 1", "# the next change\nversion: 1");
    // Taken up, and looked at once more.
    watch.until_it_says("now using the updated files");
    fs::write(phones.path("second.yaml"), "version: 1\ntests: [\n").unwrap();
    watch.until_it_says("the files have errors");
    drop(watch);
    phones.nothing_happened("watch");
}

#[test]
fn a_rollback_sends_nothing_to_a_new_address() {
    let phones = Phones::new();
    phones.edit("label: Accueil", "label: Reception");
    let applied = phones.run(&["apply", ".", "--auto-approve"]);
    assert_eq!(applied.status.code(), Some(0), "{}", String::from_utf8_lossy(&applied.stderr));
    let run = commands::ledgers(phones.folder.path()).remove(0).id.to_string();
    phones.edit(&phones.server.url, &phones.evil.url);
    let output = phones.run(&["rollback", &run, ".", "--auto-approve"]);
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    phones.nothing_happened("rollback");
}
