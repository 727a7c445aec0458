//! What a service manager is told, and what is shipped for one.
#![cfg(unix)]

use crate::support::commands;
use crate::support::git;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::commands::{Server, office};
use crate::support::process::Watch;
use serde::Deserialize as _;
use serde_json::Value;

/// A service manager, as far as it listens.
struct Manager {
    folder: tempfile::TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        // Time is only what a hung machine has.
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self { folder, socket }
    }

    fn watch(&self, path: &Path, arguments: &[&str]) -> Watch {
        self.spawn(commands::command(path, &[&["watch", "."], arguments].concat()))
    }

    fn spawn(&self, mut command: Command) -> Watch {
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify")).env("WATCHDOG_USEC", "200000");
        Watch::spawn(command)
    }

    fn next(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// All that it is told up to the first message that begins so.
    fn until(&self, start: &str) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            told.push(self.next());
            if told.last().unwrap().starts_with(start) {
                return told;
            }
        }
    }
}

#[test]
fn a_service_manager_is_told_when_it_is_ready_how_it_goes_and_when_it_ends() {
    let manager = Manager::new();
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let watch = manager.watch(folder.path(), &["--mode", "correct", "--interval", "1h"]);
    let before = manager.until("READY=1");
    assert!(before.contains(&"STATUS=1 in sync".to_owned()), "ready before it was looked at: {before:?}");
    manager.until("WATCHDOG=1");
    manager.until("WATCHDOG=1");
    watch.signal("HUP");
    let reload = manager.until("RELOADING=1");
    let time = reload.last().unwrap().split("MONOTONIC_USEC=").nth(1).unwrap();
    assert!(time.parse::<u64>().unwrap() > 0);
    manager.until("READY=1");
    watch.signal("TERM");
    manager.until("STOPPING=1");
    assert_eq!(watch.stop(), Some(0));
}

#[test]
fn a_watchdog_that_is_fed_has_nothing_fetched_or_read_again() {
    let manager = Manager::new();
    let server = Server::start("wework", &[]);
    let repository = office("wework", &server.url);
    git::git(repository.path(), &["init", "--quiet", "--initial-branch=main"]);
    git::git(repository.path(), &["add", "."]);
    git::git(repository.path(), &["commit", "--quiet", "--message=first"]);
    let (folder, url) = (tempfile::tempdir().unwrap(), repository.path().to_str().unwrap());
    let arguments = ["watch", "--git", url, "--git-interval", "1h", "--interval", "1h"];
    let mut command = commands::command(folder.path(), &arguments);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let watch = manager.spawn(command);
    manager.until("READY=1");
    for _ in 0..10 {
        manager.until("WATCHDOG=1");
    }
    let (code, said) = watch.stop_and_read();
    assert_eq!((code, said.matches("now using commit").count()), (Some(0), 1), "{said}");
}

#[test]
fn files_that_name_nobody_are_read_files_and_keep_nothing_waiting() {
    let manager = Manager::new();
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    fs::write(folder.path().join("more.yaml"), "version: 1\nnumbers: { \"+33142685305\": { to: user/nobody } }\n")
        .unwrap();
    let watch = manager.watch(folder.path(), &["--interval", "1h"]);
    let told = manager.until("READY=1");
    // The rest of the files is held against the account.
    assert!(told.iter().any(|line| line.starts_with("STATUS=1 drifted")), "{told:?}");
    let (code, said) = watch.stop_and_read();
    assert!(code == Some(0) && said.contains("degraded"), "{code:?}: {said}");
}

fn packaging(path: &str) -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(path);
    let text = fs::read_to_string(&path).unwrap();
    (path, text)
}

/// The options of `watch` that a file uses are options that it has.
fn options_exist(text: &str) {
    let help = Command::new(env!("CARGO_BIN_EXE_strowger")).args(["watch", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let words = text.split(|c: char| c.is_whitespace() || c == '=' || c == '`' || c == '"');
    for option in words.filter(|word| word.starts_with("--") && word.len() > 2) {
        let known = help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n"));
        assert!(known, "`watch` has no {option}");
    }
}

#[test]
fn the_unit_is_one_and_exposes_little() {
    let (_, text) = packaging("systemd/strowger-watch.service");
    options_exist(&text.lines().filter(|line| line.contains("strowger watch")).collect::<Vec<_>>().join("\n"));
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: there is no systemd-analyze (Debian: systemd)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("strowger-watch.service");
    fs::write(&unit, text.replace("/usr/local/bin/strowger", env!("CARGO_BIN_EXE_strowger"))).unwrap();
    let analyze = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).arg(&unit).output().unwrap();
    let verified = analyze(&["verify", "--man=no"]);
    assert!(verified.status.success() && verified.stderr.is_empty(), "{}", String::from_utf8_lossy(&verified.stderr));
    // In tenths: from 0, nothing is exposed, to 100.
    let secure = analyze(&["security", "--offline=true", "--threshold=20", "--no-pager"]);
    assert!(secure.status.success(), "{}", String::from_utf8_lossy(&secure.stdout));
}

#[test]
fn the_manifest_is_of_one_pod_that_may_nothing() {
    let (_, text) = packaging("kubernetes/strowger.yaml");
    let all: Vec<Value> =
        serde_yaml::Deserializer::from_str(&text).map(|one| Value::deserialize(one).unwrap()).collect();
    let kinds: Vec<&str> = all.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"Secret") && kinds.contains(&"ConfigMap"), "{kinds:?}");
    let deployment = all.iter().find(|one| one["kind"] == "Deployment").unwrap();
    let spec = &deployment["spec"];
    assert_eq!((&spec["replicas"], &spec["strategy"]["type"]), (&Value::from(1), &Value::from("Recreate")));
    let pod = &spec["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    let container = &pod["containers"][0];
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/healthz");
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
    let arguments: Vec<&str> =
        container["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap()).collect();
    options_exist(&arguments.join(" "));
    // What is mounted is there.
    let volumes: BTreeSet<&str> =
        pod["volumes"].as_array().unwrap().iter().map(|volume| volume["name"].as_str().unwrap()).collect();
    for mount in container["volumeMounts"].as_array().unwrap() {
        assert!(volumes.contains(mount["name"].as_str().unwrap()), "{mount}");
    }
    // The account in it is one.
    let config = all.iter().find(|one| one["kind"] == "ConfigMap").unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("account.yaml"), config["data"]["account.yaml"].as_str().unwrap()).unwrap();
    commands::expect(&commands::strowger(folder.path(), &["validate", "."]), 0);
}

#[test]
fn the_image_has_no_root_and_brings_certificates() {
    let (_, text) = packaging("container/Containerfile");
    let stages: Vec<&str> = text.split("\nFROM ").collect();
    let last: Vec<&&str> = stages.iter().filter(|stage| stage.contains(" AS strowger")).collect();
    assert_eq!(last.len(), 2);
    for stage in last {
        assert!(stage.contains("\nUSER 65532:65532\n") && stage.contains("SSL_CERT_FILE="), "{stage}");
    }
    assert!(text.contains("FROM scratch AS strowger\n") && text.contains("ca-certificates.crt"));
}
