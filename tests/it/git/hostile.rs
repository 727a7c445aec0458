//! A checkout that was made to bend git, or to run something: real git, the real binary, a file that tells.
//!
//! Everything here begins with the same two commits: the first protects a number, the second lifts that and moves the
//! number. Whatever a checkout has been made to look like, nothing of it runs, and that change is held back.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::commands::{copy, shown};
use crate::support::git::git;

const SEED: &str = "snapshot: 1
account: { name: office, country: FR, default_number: \"+33142685399\" }
users: { a@example.org: { name: A, extension: \"201\" } }
receptionists: { main: { extension: \"100\" } }
numbers:
  \"+33142685399\": { to: receptionist/main }
  \"+33142685301\": { to: receptionist/main }
";
const POLICY: &str = "version: 1\npolicy: { protect: [\"+33142685301\"] }\n";

fn account(to: &str) -> String {
    format!(
        "version: 1\naccount: {{ name: office, provider: sandbox, state: \":memory:\", seed: seed/seed.snap }}\nnumbers:\n  \"+33142685301\": {{ to: {to} }}\n"
    )
}

/// A repository with those two commits, and a program that leaves a file where it ran.
struct Checkout {
    folder: TempDir,
    policy: PathBuf,
}

impl Checkout {
    fn new() -> Self {
        Self::named(OsStr::new("office"), OsStr::new("policy.yaml"))
    }

    /// The account's folder, and the file of the policy in it, are called like this.
    fn named(account_folder: &OsStr, policy: &OsStr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let new = Self { policy: Path::new(account_folder).join(policy), folder };
        let office = new.top().join(account_folder);
        fs::create_dir_all(office.join("seed")).unwrap();
        new.git(&["init", "--quiet", "--initial-branch=main"]);
        fs::write(office.join("seed/seed.snap"), SEED).unwrap();
        fs::write(new.top().join(".gitignore"), ".strowger/\n").unwrap();
        fs::write(new.top().join(".gitattributes"), "* filter=x diff=x merge=x\n").unwrap();
        fs::write(office.join("account.yaml"), account("receptionist/main")).unwrap();
        fs::write(new.top().join(&new.policy), POLICY).unwrap();
        new.commit("one");
        fs::write(office.join("account.yaml"), account("user/201")).unwrap();
        fs::remove_file(new.top().join(&new.policy)).unwrap();
        new.commit("two");
        let evil = new.evil();
        fs::write(&evil, format!("#!/bin/sh\ntouch '{}'\nexec cat\n", new.canary().display())).unwrap();
        fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).unwrap();
        new
    }

    fn top(&self) -> PathBuf {
        self.folder.path().join("r")
    }

    fn office(&self) -> PathBuf {
        self.top().join(self.policy.parent().unwrap())
    }

    fn evil(&self) -> PathBuf {
        self.folder.path().join("evil.sh")
    }

    fn canary(&self) -> PathBuf {
        self.folder.path().join("ran")
    }

    fn git(&self, arguments: &[&str]) -> String {
        fs::create_dir_all(self.top()).unwrap();
        git(&self.top(), arguments)
    }

    fn config(&self, key: &str, value: &str) {
        self.git(&["config", key, value]);
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.top().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Takes an object away.
    fn lose(&self, what: &str) {
        let id = self.git(&["rev-parse", what]);
        fs::remove_file(self.top().join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, String)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
        command.args(arguments).arg(".").current_dir(self.office()).env_remove("RUST_LOG").stdin(Stdio::null());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command.envs(variables.iter().map(|(name, value)| (name, value))).output().unwrap()
    }

    /// Validates, plans, applies, and applies with an approval, so that a run is recorded: nothing may have run, and
    /// without the approval the change is held back by one of these guards.
    #[track_caller]
    fn holds(&self, what: &str, guards: &[&str], variables: &[(&str, String)]) {
        let validated = self.run(&["validate"], variables);
        assert_eq!(validated.status.code(), Some(0), "{what}: {}", shown(&validated));
        let planned = self.run(&["plan", "--format", "json"], variables);
        let report: Value =
            serde_json::from_slice(&planned.stdout).unwrap_or_else(|_| panic!("{what}: {}", shown(&planned)));
        let plan = &report["plans"][0];
        let blocked = plan["blocked"].as_array().cloned().unwrap_or_default();
        let found: Vec<&str> = blocked.iter().map(|block| block["guard"].as_str().unwrap()).collect();
        assert!(found.iter().any(|guard| guards.contains(guard)), "{what}: {plan:#}");
        let applied = self.run(&["apply", "--auto-approve"], variables);
        assert_eq!(applied.status.code(), Some(4), "{what}: {}", shown(&applied));
        let digest = plan["digest"].as_str().unwrap();
        let approved = self.run(&["apply", "--auto-approve", "--approve", digest], variables);
        assert_eq!(approved.status.code(), Some(0), "{what}: {}", shown(&approved));
        assert!(!self.canary().exists(), "{what}: the checkout ran a program");
    }

    /// The commits in the account's ledger.
    fn recorded(&self) -> Vec<Value> {
        let ledger = self.office().join(".strowger/ledger");
        let mut files: Vec<PathBuf> = fs::read_dir(ledger).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let texts = files.iter().filter_map(|path| fs::read_to_string(path).ok());
        let lines: Vec<Value> = texts
            .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect();
        lines.iter().filter(|line| line["record"] == "planned").map(|line| line["commit"].clone()).collect()
    }
}

const PROTECTED: &[&str] = &["protected"];
const BASE: &[&str] = &["base"];

#[test]
fn no_program_that_the_configuration_of_a_checkout_names_runs_and_no_guard_falls_silent() {
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.editor",
        "core.askPass",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "core.attributesFile",
        "diff.external",
        "diff.x.textconv",
        "diff.x.command",
        "merge.x.driver",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "sequence.editor",
        "interactive.diffFilter",
        "uploadpack.packObjectsHook",
        "remote.origin.uploadpack",
        "remote.origin.vcs",
        "credential.helper",
        "gpg.program",
        "gpg.ssh.program",
        "pager.cat-file",
        "pager.rev-parse",
        "alias.rev-parse",
        "alias.cat-file",
        "alias.ls-tree",
        "alias.status",
        "trace2.eventTarget",
        "trace2.normalTarget",
        "help.browser",
        "init.templateDir",
    ] {
        let checkout = Checkout::new();
        let evil = checkout.evil();
        checkout.config(key, evil.to_str().unwrap());
        checkout.config("filter.x.required", "true");
        checkout.write(".git/info/attributes", "* filter=x diff=x\n");
        // So that an index would have to be refreshed.
        git(&checkout.office(), &["config", "core.trustctime", "true"]);
        let file = fs::File::options().append(true).open(checkout.office().join("account.yaml")).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        checkout.holds(key, PROTECTED, &[]);
        let head = fs::read_to_string(checkout.top().join(".git/refs/heads/main")).unwrap();
        assert_eq!(checkout.recorded(), [serde_json::json!({ "id": head.trim(), "dirty": false })], "{key}");
    }
}

#[test]
fn neither_hooks_nor_included_files_of_a_checkout_run_anything() {
    for (key, value) in [
        ("core.hooksPath", "hooks"),
        ("include.path", "../evil.cfg"),
        ("includeIf.gitdir:/.path", "../evil.cfg"),
        ("includeIf.onbranch:main.path", "../evil.cfg"),
    ] {
        let checkout = Checkout::new();
        for hook in ["post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman", "pre-auto-gc"]
        {
            for folder in ["hooks", ".git/hooks"] {
                checkout.write(&format!("{folder}/{hook}"), "");
                fs::copy(checkout.evil(), checkout.top().join(folder).join(hook)).unwrap();
            }
        }
        let evil = checkout.evil();
        let evil = evil.display();
        checkout.write("evil.cfg", &format!("[core]\n\tfsmonitor = {evil}\n[filter \"x\"]\n\tclean = {evil}\n"));
        checkout.config(key, value);
        checkout.holds(key, PROTECTED, &[]);
    }
}

#[test]
fn an_object_that_is_missing_is_not_fetched_and_holds_back() {
    let checkout = || {
        let new = Checkout::new();
        new.config("core.repositoryFormatVersion", "1");
        new.config("extensions.partialClone", "origin");
        new.config("remote.origin.promisor", "true");
        new.config("remote.origin.partialclonefilter", "blob:none");
        new.config("protocol.allow", "always");
        new.config("protocol.ext.allow", "always");
        new
    };
    for missing in ["HEAD^:office/policy.yaml", "HEAD^:office/account.yaml", "HEAD^:office", "HEAD^^{tree}", "HEAD^"] {
        for (key, url) in [
            ("", "ext::EVIL"),
            ("remote.origin.uploadpack", "TOP"),
            ("core.sshCommand", "ssh://host/x"),
            ("core.gitProxy", "git://host/x"),
            ("remote.origin.vcs", "x"),
        ] {
            let checkout = checkout();
            let (evil, top) = (checkout.evil().display().to_string(), checkout.top().display().to_string());
            checkout.lose(missing);
            if !key.is_empty() {
                checkout.config(key, &evil);
            }
            checkout.config("remote.origin.url", &url.replace("EVIL", &evil).replace("TOP", &top));
            checkout.holds(&format!("{missing} {key} {url}"), BASE, &[]);
        }
    }
}

/// A folder that git takes for a bare repository, as far as its files can be committed, with its own history.
fn bare(checkout: &Checkout, folder: &Path) -> String {
    let other = checkout.folder.path().join("other");
    fs::create_dir_all(&other).unwrap();
    git(&other, &["init", "--quiet", "--initial-branch=main"]);
    fs::write(other.join("account.yaml"), account("user/201")).unwrap();
    fs::write(other.join(".gitattributes"), "* filter=x\n").unwrap();
    git(&other, &["add", "--all"]);
    git(&other, &["commit", "--quiet", "--message=other"]);
    let evil = checkout.evil();
    let evil = evil.display();
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = {evil}\n[filter \"x\"]\n\tclean = {evil}\n"
    );
    fs::write(other.join(".git/config"), config).unwrap();
    fs::write(other.join(".git/objects/info/keep"), "").unwrap();
    fs::write(other.join(".git/refs/tags/keep"), fs::read(other.join(".git/refs/heads/main")).unwrap()).unwrap();
    let _ = fs::remove_dir_all(other.join(".git/hooks"));
    copy(&other.join(".git"), folder);
    fs::read_to_string(other.join(".git/refs/heads/main")).unwrap().trim().to_owned()
}

#[test]
fn a_bare_repository_that_was_committed_is_never_the_repository() {
    for place in ["office", ".", "office/sub", "office/seed"] {
        let checkout = Checkout::new();
        let foreign = bare(&checkout, &checkout.top().join(place));
        checkout.git(&["add", "--all", "--force"]);
        checkout.git(&["commit", "--quiet", "--amend", "--no-edit"]);
        checkout.holds(place, PROTECTED, &[]);
        let head = checkout.git(&["rev-parse", "HEAD"]);
        assert_ne!(head, foreign);
        assert_eq!(checkout.recorded(), [serde_json::json!({ "id": head, "dirty": false })], "{place}");
    }
}

#[test]
fn a_watch_and_a_rollback_in_a_folder_with_a_committed_repository_run_nothing_either() {
    let checkout = Checkout::new();
    let foreign = bare(&checkout, &checkout.office());
    // An account that stays, so that there is something to take back.
    let lasting = account("user/201").replace("state: \":memory:\", ", "");
    checkout.write("office/account.yaml", &lasting);
    checkout.git(&["add", "--all", "--force"]);
    checkout.git(&["commit", "--quiet", "--message=three"]);
    checkout.git(&["commit", "--quiet", "--allow-empty", "--message=four"]);
    let head = checkout.git(&["rev-parse", "HEAD"]);
    let mut watch = Command::new(env!("CARGO_BIN_EXE_strowger"))
        .args(["watch", ".", "--mode", "correct"])
        .current_dir(checkout.office())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ended = || {
        let ledger = fs::read_dir(checkout.office().join(".strowger/ledger")).into_iter().flatten().flatten();
        ledger.filter_map(|file| fs::read_to_string(file.path()).ok()).any(|text| text.contains("\"summary\""))
    };
    let began = std::time::Instant::now();
    while !ended() {
        assert!(began.elapsed().as_secs() < 60, "the watch applied nothing");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    watch.kill().unwrap();
    watch.wait().unwrap();
    let file = fs::read_dir(checkout.office().join(".strowger/ledger")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(file).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let undone = checkout.run(&["rollback", "--auto-approve", first["run"].as_str().unwrap()], &[]);
    assert_eq!(undone.status.code(), Some(0), "{}", shown(&undone));
    assert!(!checkout.canary().exists());
    assert_ne!(head, foreign);
    let recorded = serde_json::json!({ "id": head, "dirty": false });
    assert_eq!(checkout.recorded(), [recorded.clone(), recorded]);
}

#[test]
fn the_operator_says_whose_repositories_are_trusted_and_a_checkout_does_not() {
    let checkout = Checkout::new();
    let top = checkout.top().canonicalize().unwrap().display().to_string();
    let global = checkout.folder.path().join("global");
    fs::write(&global, format!("[safe]\n\tdirectory = {top}\n")).unwrap();
    let home = checkout.folder.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::copy(&global, home.join(".gitconfig")).unwrap();
    checkout.config("safe.directory", "*");
    let (global, home) = (global.display().to_string(), home.display().to_string());
    let foreign = ("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1".to_owned());
    let setting = |value: &str| {
        vec![
            ("GIT_CONFIG_COUNT", "1".to_owned()),
            ("GIT_CONFIG_KEY_0", "safe.directory".to_owned()),
            ("GIT_CONFIG_VALUE_0", value.to_owned()),
        ]
    };
    for (guards, variables) in [
        (BASE, vec![]),
        (BASE, setting("/elsewhere")),
        (PROTECTED, vec![("GIT_CONFIG_GLOBAL", global.clone())]),
        (PROTECTED, vec![("GIT_CONFIG_SYSTEM", global)]),
        (PROTECTED, setting(&top)),
        (PROTECTED, setting("*")),
    ] {
        checkout.holds(&format!("{variables:?}"), guards, &[std::slice::from_ref(&foreign), &variables[..]].concat());
    }
    // In the usual place.
    let plan = Command::new(env!("CARGO_BIN_EXE_strowger"))
        .args(["plan", "--format", "json", "."])
        .current_dir(checkout.office())
        .env_remove("GIT_CONFIG_GLOBAL")
        .env_remove("XDG_CONFIG_HOME")
        .env("HOME", home)
        .env(foreign.0, foreign.1)
        .output()
        .unwrap();
    assert!(shown(&plan).contains("\"protected\""), "{}", shown(&plan));
}

#[test]
fn files_inside_of_a_bare_repository_are_in_no_repository() {
    let checkout = Checkout::new();
    fs::remove_dir_all(checkout.top().join(".git")).unwrap();
    bare(&checkout, &checkout.top());
    let applied = checkout.run(&["apply", "--auto-approve"], &[]);
    assert_eq!(applied.status.code(), Some(0), "{}", shown(&applied));
    assert!(!checkout.canary().exists());
    assert_eq!(checkout.recorded(), [Value::Null]);
}

#[test]
fn a_git_file_or_link_leads_to_no_repository_among_the_files() {
    type Prepare = fn(&Checkout);
    let cases: [(&str, &[&str], Prepare); 9] = [
        ("a file that names a folder among the files", BASE, |checkout| {
            bare(checkout, &checkout.office().join("evil"));
            checkout.write("office/.git", "gitdir: ./evil\n");
        }),
        ("a file that names a folder of the repository around", BASE, |checkout| {
            bare(checkout, &checkout.top().join("evil"));
            checkout.write("office/.git", "gitdir: ../evil\n");
        }),
        ("a link to a folder among the files", BASE, |checkout| {
            bare(checkout, &checkout.top().join("evil"));
            symlink("../evil", checkout.office().join(".git")).unwrap();
        }),
        ("a link that leads nowhere", BASE, |checkout| symlink("nowhere", checkout.office().join(".git")).unwrap()),
        ("a file that names nothing", BASE, |checkout| checkout.write("office/.git", "evil\n")),
        ("an empty folder", BASE, |checkout| fs::create_dir(checkout.office().join(".git")).unwrap()),
        ("a repository whose files are elsewhere", BASE, |checkout| {
            checkout.config("core.worktree", checkout.folder.path().to_str().unwrap());
        }),
        ("another case", PROTECTED, |checkout| drop(bare(checkout, &checkout.office().join(".GIT")))),
        ("a folder that was moved away and is linked", PROTECTED, |checkout| {
            fs::rename(checkout.top().join(".git"), checkout.folder.path().join("real.git")).unwrap();
            symlink("../real.git", checkout.top().join(".git")).unwrap();
        }),
    ];
    for (what, guards, prepare) in cases {
        let checkout = Checkout::new();
        prepare(&checkout);
        checkout.holds(what, guards, &[]);
    }
}

#[test]
fn a_linked_worktree_a_submodule_and_borrowed_objects_are_guarded_like_a_clone() {
    let first = Checkout::new();
    let made = |top: PathBuf, folder: TempDir| Checkout { folder, policy: top.join("office/policy.yaml") };
    // `join` with a whole path is that path.
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    first.git(&["worktree", "add", "--quiet", "--detach", tree.to_str().unwrap()]);
    made(tree, folder).holds("worktree", PROTECTED, &[]);

    let folder = tempfile::tempdir().unwrap();
    let outer = folder.path().join("outer");
    fs::create_dir(&outer).unwrap();
    git(&outer, &["init", "--quiet"]);
    git(&outer, &["submodule", "--quiet", "add", first.top().to_str().unwrap(), "sub"]);
    made(outer.join("sub"), folder).holds("submodule", &["protected", "base"], &[]);

    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("shared");
    git(folder.path(), &["clone", "--quiet", "--shared", first.top().to_str().unwrap(), "shared"]);
    made(shared, folder).holds("alternates", PROTECTED, &[]);
}

#[test]
fn history_cannot_be_bent_by_replaced_objects_grafts_or_a_missing_branch() {
    type Prepare = fn(&Checkout);
    let cases: [(&str, &[&str], Prepare); 8] = [
        ("a replaced parent", PROTECTED, |checkout| {
            checkout.git(&["replace", "HEAD^", "HEAD"]);
            checkout.config("core.useReplaceRefs", "true");
        }),
        ("a replaced commit without a parent", PROTECTED, |checkout| {
            let tree = checkout.git(&["rev-parse", "HEAD^{tree}"]);
            let orphan = checkout.git(&["commit-tree", &tree, "-m", "orphan"]);
            checkout.git(&["replace", "HEAD", &orphan]);
        }),
        ("a replaced blob", PROTECTED, |checkout| {
            checkout.write("empty", "version: 1\n");
            let empty = checkout.git(&["hash-object", "-w", "empty"]);
            checkout.git(&["replace", "HEAD^:office/policy.yaml", &empty]);
        }),
        ("a graft", PROTECTED, |checkout| {
            let head = checkout.git(&["rev-parse", "HEAD"]);
            checkout.write(".git/info/grafts", &format!("{head}\n"));
        }),
        ("a shallow file", BASE, |checkout| {
            let head = checkout.git(&["rev-parse", "HEAD"]);
            checkout.write(".git/shallow", &format!("{head}\n"));
        }),
        ("a branch without a commit", BASE, |checkout| {
            checkout.git(&["symbolic-ref", "HEAD", "refs/heads/none"]);
        }),
        ("a HEAD that is empty", BASE, |checkout| checkout.write(".git/HEAD", "")),
        ("a configuration that cannot be read", BASE, |checkout| checkout.write(".git/config", "[core\n")),
    ];
    for (what, guards, prepare) in cases {
        let checkout = Checkout::new();
        prepare(&checkout);
        checkout.holds(what, guards, &[]);
    }
}

#[test]
fn no_variable_of_a_runner_bends_git_or_has_it_run_something() {
    let checkout = Checkout::new();
    let foreign = checkout.folder.path().join("foreign.git");
    bare(&checkout, &foreign);
    let empty = checkout.git(&["commit-tree", "HEAD^{tree}", "-m", "orphan"]);
    let head = checkout.git(&["rev-parse", "HEAD"]);
    checkout.git(&["update-ref", &format!("refs/evil/{head}"), &empty]);
    // A program of the checkout that is called like git.
    let own = checkout.office().join("git");
    fs::copy(checkout.evil(), &own).unwrap();
    let (evil, foreign) = (checkout.evil().display().to_string(), foreign.display().to_string());
    let system = std::env::var("PATH").unwrap();
    let trace = checkout.canary().display().to_string();
    let set = |pairs: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    for variables in [
        set(&[("GIT_DIR", &foreign)]),
        set(&[("GIT_DIR", &foreign), ("GIT_WORK_TREE", "."), ("GIT_COMMON_DIR", &foreign)]),
        set(&[("GIT_OBJECT_DIRECTORY", "/nowhere"), ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/nowhere")]),
        set(&[("GIT_REPLACE_REF_BASE", "refs/evil/")]),
        set(&[("GIT_INDEX_FILE", "/nowhere"), ("GIT_NAMESPACE", "x"), ("GIT_PREFIX", "x/")]),
        set(&[("GIT_CEILING_DIRECTORIES", &checkout.top().display().to_string())]),
        set(&[("GIT_SHALLOW_FILE", &trace), ("GIT_GRAFT_FILE", &trace)]),
        set(&[("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "core.fsmonitor"), ("GIT_CONFIG_VALUE_0", &evil)]),
        set(&[("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "filter.x.clean"), ("GIT_CONFIG_VALUE_0", &evil)]),
        set(&[("GIT_CONFIG_PARAMETERS", &format!("'core.fsmonitor={evil}'"))]),
        set(&[("GIT_EXTERNAL_DIFF", &evil), ("GIT_PAGER", &evil), ("PAGER", &evil), ("GIT_EDITOR", &evil)]),
        set(&[("GIT_SSH_COMMAND", &evil), ("GIT_ASKPASS", &evil), ("GIT_PROXY_COMMAND", &evil)]),
        set(&[
            ("GIT_TRACE", &trace),
            ("GIT_TRACE2", &trace),
            ("GIT_TRACE2_EVENT", &trace),
            ("GIT_TRACE_SETUP", &trace),
        ]),
        set(&[("PATH", &format!(".:{system}"))]),
        set(&[("PATH", &format!(":{system}"))]),
    ] {
        checkout.holds(&format!("{variables:?}"), PROTECTED, &variables);
    }
    assert!(checkout.recorded().iter().all(|commit| commit["id"] == head.as_str()));
}

#[test]
fn a_policy_is_found_whatever_its_file_and_its_folder_are_called() {
    let long = "p".repeat(200) + ".yaml";
    for (folder, policy) in [
        (b"office".as_slice(), b"strat\xe9gie.yaml".as_slice()),
        (b"b\xfcro", b"policy.yaml"),
        (b"b\xfcro", b"\xff\xfe.yml"),
        (b"office", b"two\nlines.yaml"),
        (b"two\nlines", b"policy.yaml"),
        (b"tab\there", b"\"quoted\".yaml"),
        (b"back\\slash", b"\\n.yaml"),
        (b"office", b"POLICY.YAML"),
        (b"office", b"policy.yML"),
        (b"office ", b" .yaml"),
        (b"office", b"caf\xc3\xa9.yaml"),
        (b"office", b"cafe\xcc\x81.yaml"),
        (b":(exclude)office", b"*.yaml"),
        (b"-office", b"--help.yaml"),
        (b"office", long.as_bytes()),
    ] {
        let checkout = Checkout::named(OsStr::from_bytes(folder), OsStr::from_bytes(policy));
        checkout.holds(&format!("{:?}", checkout.policy), PROTECTED, &[]);
        let head = checkout.git(&["rev-parse", "HEAD"]);
        assert_eq!(checkout.recorded(), [serde_json::json!({ "id": head, "dirty": false })], "{:?}", checkout.policy);
    }
}

#[test]
fn a_link_with_a_name_that_git_cannot_be_asked_about_holds_back() {
    let checkout = Checkout::new();
    checkout.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    checkout.write("shared/policy.txt", POLICY);
    fs::remove_file(checkout.office().join("policy.yaml")).unwrap();
    for (name, guards) in [("two\nlines.yaml", BASE), ("caf\u{e9}.yaml", PROTECTED)] {
        let link = checkout.office().join(name);
        symlink("../shared/policy.txt", &link).unwrap();
        checkout.commit("a link");
        fs::remove_file(link).unwrap();
        checkout.write("office/account.yaml", &account("user/201"));
        checkout.commit("moved");
        checkout.holds(name, guards, &[]);
        checkout.write("office/account.yaml", &account("receptionist/main"));
    }
}

#[test]
fn an_account_whose_folder_was_a_link_or_a_repository_of_its_own_is_not_taken_for_new() {
    let checkout = Checkout::new();
    let kept = checkout.folder.path().join("kept");
    fs::rename(checkout.office(), &kept).unwrap();
    symlink("../kept", checkout.office()).unwrap();
    checkout.commit("a link out of the repository");
    fs::remove_file(checkout.office()).unwrap();
    fs::rename(&kept, checkout.office()).unwrap();
    checkout.commit("a folder");
    checkout.holds("link", BASE, &[]);

    let checkout = Checkout::new();
    fs::rename(checkout.office(), &kept).unwrap();
    checkout.commit("nothing");
    fs::create_dir(checkout.office()).unwrap();
    git(&checkout.office(), &["init", "--quiet"]);
    git(&checkout.office(), &["commit", "--quiet", "--allow-empty", "--message=x"]);
    checkout.commit("a submodule");
    assert!(checkout.git(&["ls-tree", "HEAD"]).contains("160000 commit "));
    fs::remove_dir_all(checkout.office()).unwrap();
    checkout.git(&["rm", "--quiet", "--cached", "office"]);
    fs::rename(&kept, checkout.office()).unwrap();
    checkout.commit("a folder");
    checkout.holds("submodule", BASE, &[]);
}

#[test]
fn what_differs_from_the_commit_is_recorded_without_asking_the_index() {
    let checkout = Checkout::new();
    let head = checkout.git(&["rev-parse", "HEAD"]);
    let recorded = |checkout: &Checkout| checkout.recorded().last().unwrap()["dirty"].clone();
    checkout.git(&["update-index", "--assume-unchanged", "office/account.yaml"]);
    checkout.write("notes.txt", "not of the account\n");
    checkout.holds("clean", PROTECTED, &[]);
    assert_eq!(recorded(&checkout), false);
    checkout.write("office/account.yaml", &(account("user/201") + "# more\n"));
    checkout.holds("edited", PROTECTED, &[]);
    assert_eq!(recorded(&checkout), true);
    checkout.write("office/account.yaml", &account("user/201"));
    checkout.write("office/more.yaml", "version: 1\n");
    checkout.holds("added", PROTECTED, &[]);
    assert_eq!(recorded(&checkout), true);
    assert!(checkout.recorded().iter().all(|commit| commit["id"] == head.as_str()));
}
