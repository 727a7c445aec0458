//! A repository with a phone account, a server that has the account, and a stub of GitHub that has both.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::github::{GitHub, HOST, REPOSITORY, TOKEN};
use super::job::{Ended, Job, ROOT};
use crate::support::commands::{self, Server, copy};
use crate::support::git::git;

pub const NUMBER: u64 = 7;
/// The workflow that runs, as the runner names it.
const WORKFLOW: &str = "acme/phones/.github/workflows/strowger-merge.yml@refs/heads/main";
/// The machines of the wheels of a release.
pub const WHEELS: [&str; 5] = [
    "macosx_11_0_arm64",
    "macosx_10_12_x86_64",
    "win_amd64",
    "manylinux_2_17_aarch64.musllinux_1_1_aarch64",
    "manylinux_2_17_x86_64.musllinux_1_1_x86_64",
];
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub struct Project {
    pub github: GitHub,
    pub repository: TempDir,
    pub temporary: TempDir,
    /// What the workflow pins.
    pub reference: String,
}

/// What happened, as the runner tells it.
pub struct Event {
    pub name: &'static str,
    pub payload: Value,
    pub sha: String,
}

pub fn tag() -> String {
    format!("v{VERSION}")
}

/// A small office behind a server.
pub fn office() -> (Server, Project) {
    let server = Server::start("wework", &[]);
    let project = Project::new(commands::office("wework", &server.url).path());
    (server, project)
}

/// What is released for Windows.
pub const WINDOWS: &str = "strowger-x86_64-pc-windows-msvc.tar.gz";

fn asset() -> String {
    let system = if cfg!(target_os = "macos") { "apple-darwin" } else { "unknown-linux-musl" };
    format!("strowger-{}-{system}.tar.gz", std::env::consts::ARCH)
}

impl Project {
    /// A repository whose folder `phones` has these files, committed to `main`.
    pub fn new(files: &Path) -> Self {
        let (repository, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let phones = repository.path().join("phones");
        fs::create_dir(&phones).unwrap();
        copy(files, &phones);
        fs::write(repository.path().join(".gitignore"), ".strowger/\n").unwrap();
        git(repository.path(), &["init", "--quiet", "--initial-branch=main"]);
        let project = Self { github: GitHub::start(), repository, temporary, reference: tag() };
        project.commit("begin");
        project.release(&tag());
        project.program("curl", "printf '%s\\n' \"$*\" >> \"$HOME/curl.log\"");
        project
    }

    pub fn phones(&self) -> PathBuf {
        self.repository.path().join("phones")
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        git(self.repository.path(), arguments)
    }

    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Edits the account's file on `main` and commits it.
    pub fn edit(&self, from: &str, to: &str) -> String {
        commands::edit(&self.phones(), from, to);
        self.commit("edit")
    }

    /// Puts an edit on the branch `change`, and checks out what the merge would be, as a pull request's job does.
    pub fn propose(&self, edit: impl FnOnce(&Self)) -> Event {
        self.propose_as(NUMBER, "change", edit)
    }

    /// The same for another pull request and its branch.
    pub fn propose_as(&self, number: u64, branch: &str, edit: impl FnOnce(&Self)) -> Event {
        self.git(&["switch", "--quiet", "--force-create", branch, "main"]);
        edit(self);
        let head = self.commit("propose");
        self.git(&["switch", "--quiet", "--detach", "main"]);
        self.git(&["merge", "--quiet", "--no-ff", "--message=preview", branch]);
        let mut payload = payload(&self.git(&["rev-parse", "main"]), &head);
        (payload["number"], payload["pull_request"]["number"]) = (json!(number), json!(number));
        Event { name: "pull_request", payload, sha: self.git(&["rev-parse", "HEAD"]) }
    }

    /// Merges the branch `change` into `main`.
    pub fn merge(&self) -> Event {
        self.merge_as(NUMBER, "change")
    }

    /// Merges the branch of another pull request.
    pub fn merge_as(&self, number: u64, branch: &str) -> Event {
        self.git(&["switch", "--quiet", "main"]);
        let before = self.git(&["rev-parse", "HEAD"]);
        self.git(&["merge", "--quiet", "--no-ff", "--message=merge", branch]);
        let sha = self.git(&["rev-parse", "HEAD"]);
        let pull = |number: u64, merged: &str| {
            json!({ "number": number, "merged_at": "2026-11-23T10:00:00Z", "merge_commit_sha": merged,
                    "base": { "ref": "main" } })
        };
        // Another pull request has the commit on its branch, and is not the one.
        let other = json!({ "number": 3, "merged_at": null, "merge_commit_sha": sha, "base": { "ref": "main" } });
        let pulls = vec![other, pull(4, &"1".repeat(40)), pull(number, &sha)];
        self.github.state().pulls.insert(sha.clone(), pulls);
        Event { name: "push", payload: json!({ "before": before, "after": sha }), sha }
    }

    /// Notes a run of the workflow that applies, as GitHub lists it once it has ended so.
    pub fn ran(&self, event: &Event, conclusion: &str) {
        let run = json!({ "id": 1, "event": event.name, "head_branch": "main", "head_sha": event.sha,
                          "status": "completed", "conclusion": conclusion,
                          "head_repository": { "full_name": REPOSITORY } });
        self.github.state().runs.push(run);
    }

    /// A program that does something first and then what the machine's does.
    pub fn program(&self, name: &str, first: &str) {
        let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
        let real = String::from_utf8(found.stdout).unwrap();
        self.executable(name, &format!("#!/bin/sh\n{first}\nexec {} \"$@\"\n", real.trim()));
    }

    pub fn executable(&self, name: &str, text: &str) {
        let folder = self.temporary.path().join("programs");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A release as `scripts/release` makes it, with a program that is the one that was just built.
    pub fn release(&self, tag: &str) {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(ROOT).join("scripts/release");
        let release = |arguments: &[&str]| {
            let output = Command::new(&script).args(arguments).current_dir(folder.path()).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let path = folder.path().join("strowger");
        for target in release(&["targets"]).lines() {
            // Another program for each machine, so that the sum of one is not that of another.
            let program = format!("#!/bin/sh\n# {target}\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_strowger"));
            fs::write(&path, program).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            release(&["pack", target, "strowger"]);
        }
        fs::remove_file(&path).unwrap();
        for platform in WHEELS {
            fs::write(folder.path().join(format!("strowger-0.0.0-py3-none-{platform}.whl")), platform).unwrap();
        }
        release(&["sums"]);
        let mut state = self.github.state();
        for name in ["SHA256SUMS", &asset(), WINDOWS] {
            state.assets.insert(format!("{tag}/{name}"), fs::read(folder.path().join(name)).unwrap());
        }
    }

    /// Changes a byte of the release's archive.
    pub fn tamper(&self, tag: &str) {
        let mut state = self.github.state();
        let bytes = state.assets.get_mut(&format!("{tag}/{}", asset())).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
    }

    pub fn job(&self, event: &Event, inputs: &[(&'static str, &str)]) -> Job<'static> {
        let path = self.temporary.path().join("event.json");
        fs::write(&path, serde_json::to_vec(&event.payload).unwrap()).unwrap();
        let mut inputs: HashMap<_, _> = inputs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        inputs.entry("path").or_insert_with(|| "phones".to_owned());
        let pairs = [
            ("GITHUB_API_URL", self.github.url.as_str()),
            ("GITHUB_SERVER_URL", &self.github.url),
            ("GITHUB_EVENT_NAME", event.name),
            ("GITHUB_EVENT_PATH", path.to_str().unwrap()),
            ("GITHUB_SHA", &event.sha),
            ("GITHUB_REF_NAME", if event.name == "pull_request" { "7/merge" } else { "main" }),
            ("GITHUB_WORKFLOW_REF", WORKFLOW),
            ("GITHUB_ACTOR", "ada"),
            ("GITHUB_RUN_ID", "77"),
            ("STROWGER_TEST_TOKEN", commands::TOKEN),
            ("STROWGER_ACTION_PAUSE", "0"),
        ];
        Job {
            inputs,
            env: pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            workspace: self.repository.path().to_owned(),
            temporary: self.temporary.path().to_owned(),
            reference: self.reference.clone(),
            programs: Some(self.temporary.path().join("programs")),
        }
    }

    pub fn run(&self, event: &Event, inputs: &[(&'static str, &str)]) -> Ended {
        let ended = self.job(event, inputs).run();
        let arguments = fs::read_to_string(self.temporary.path().join("curl.log")).unwrap_or_default();
        assert!(!arguments.contains(TOKEN), "a list of processes has the token: {arguments}");
        assert!(!ended.log.contains(commands::TOKEN), "the account's token is in the log");
        ended
    }

    pub fn plan(&self, event: &Event) -> Ended {
        self.run(event, &[("mode", "plan")])
    }

    pub fn apply(&self, event: &Event) -> Ended {
        self.run(event, &[("mode", "apply")])
    }
}

/// A pull request's event.
fn payload(base: &str, head: &str) -> Value {
    json!({
        "action": "synchronize",
        "number": NUMBER,
        "pull_request": {
            "number": NUMBER,
            "title": "$(touch injected) `touch injected` ::error::injected",
            "head": { "sha": head, "ref": "change", "repo": { "full_name": REPOSITORY } },
            "base": { "sha": base, "ref": "main", "repo": { "full_name": REPOSITORY } },
        },
    })
}

impl Event {
    pub fn of_fork(mut self) -> Self {
        self.payload["pull_request"]["head"]["repo"]["full_name"] = json!("mallory/phones");
        self
    }

    pub fn of_deleted_fork(mut self) -> Self {
        self.payload["pull_request"]["head"]["repo"] = Value::Null;
        self
    }

    pub fn head(&self) -> &str {
        self.payload["pull_request"]["head"]["sha"].as_str().unwrap()
    }
}

/// The action's own repository, as a workflow names it.
pub fn host() -> &'static str {
    HOST
}
