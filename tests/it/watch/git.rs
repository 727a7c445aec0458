//! `strowger watch --git` as a process: a real repository, a real account server, real pushes.
#![cfg(unix)]

use crate::support::commands;
use crate::support::git::git;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::commands::{Server, ledgers, office, stderr, strowger};
use crate::support::process::Watch;
use crate::support::repository::{Repository, over_http};
use tempfile::TempDir;

const NUMBER: &str = "+33142685302";

/// What a watch runs in, and the account that it watches.
struct World {
    server: Server,
    repository: Repository,
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let server = Server::start("wework", &[]);
        let repository = Repository::new(&server.url);
        Self { server, repository, folder: tempfile::tempdir().unwrap() }
    }

    fn command(&self, url: &str, arguments: &[&str]) -> Command {
        let mut all = vec!["watch", "--git", url, "--path", "phones", "--git-interval", "200ms", "--mode", "correct"];
        all.extend(arguments);
        if !arguments.contains(&"--interval") {
            // So long that only the files wake it.
            all.extend(["--interval", "1h"]);
        }
        let mut command = commands::command(self.folder.path(), &all);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command
    }

    fn watch(&self, arguments: &[&str]) -> Watch {
        Watch::spawn(self.command(&self.repository.url(), arguments))
    }

    fn label(&self) -> String {
        self.server.number(NUMBER)["label"].as_str().unwrap().to_owned()
    }

    fn to(&self, number: &str) -> String {
        self.server.number(number)["destination"].to_string()
    }

    #[track_caller]
    fn labelled(&self, watch: &Watch, label: &str) {
        watch.until(&format!("`{label}` in the account"), || self.label() == label);
    }

    /// The commits of all runs, the oldest first.
    fn commits(&self) -> Vec<String> {
        let own = self.folder.path().join(".strowger");
        let accounts = fs::read_dir(own).unwrap().map(|entry| entry.unwrap().path());
        let account = accounts.filter(|path| path.file_name().unwrap() != "git").collect::<Vec<PathBuf>>();
        ledgers(&account[0]).iter().map(|run| run.planned.commit.clone().unwrap().id).collect()
    }

    fn working(&self) -> PathBuf {
        let git = self.folder.path().join(".strowger/git");
        fs::read_dir(git).unwrap().next().unwrap().unwrap().path()
    }
}

#[test]
fn what_is_pushed_to_the_ref_is_applied_and_nothing_else() {
    let world = World::new();
    let first = world.repository.git(&["rev-parse", "HEAD"]);
    let watch = world.watch(&[]);
    world.labelled(&watch, "Ventes");
    // Another branch, first and alone: were it taken up, it would be before the next.
    world.repository.git(&["checkout", "--quiet", "-b", "other"]);
    commands::edit(&world.repository.phones(), "label: Ventes }", "label: Elsewhere }");
    world.repository.commit("elsewhere");
    world.repository.push(&["other"]);
    world.repository.git(&["checkout", "--quiet", "main"]);
    let second = world.repository.pushed("label: Ventes }", "label: Pushed }");
    world.labelled(&watch, "Pushed");
    // Asked for by hand.
    watch.signal("HUP");
    let third = world.repository.pushed("label: Pushed }", "label: Again }");
    world.labelled(&watch, "Again");
    assert!(!watch.said().contains("Elsewhere"), "{}", watch.said());
    let checkouts = world.working().join("checkouts");
    watch.until("one checkout left", || fs::read_dir(&checkouts).unwrap().count() == 1);
    assert!(world.working().join("current/phones/account.yaml").exists());
    assert_eq!(watch.stop(), Some(0));
    assert_eq!(world.commits(), [first, second, third]);
}

#[test]
fn a_commit_with_errors_leaves_the_last_good_one_in_force_and_the_next_good_one_counts() {
    let world = World::new();
    let watch = world.watch(&[]);
    world.labelled(&watch, "Ventes");
    world.repository.pushed("to: conference/salle-1", "too: conference/salle-1");
    watch.until("told", || watch.said().contains("the last valid files stay in use"));
    // Not judged by the commit with errors, whose guards nobody can read.
    let good = world.repository.pushed("too: conference/salle-1 }", "to: conference/salle-1, label: Salle }");
    watch.until("applied", || world.server.number("+33142685304")["label"] == "Salle");
    assert_eq!(watch.stop(), Some(0));
    assert_eq!(world.commits().last(), Some(&good));
}

#[test]
fn the_last_good_commit_is_still_defended_by_a_new_process_that_finds_one_with_errors() {
    let world = World::new();
    let watch = world.watch(&[]);
    world.labelled(&watch, "Ventes");
    assert_eq!(watch.stop(), Some(0));
    world.repository.pushed("to: conference/salle-1", "too: conference/salle-1");
    meddle(&world, "by hand");
    let watch = world.watch(&[]);
    watch.until("told", || watch.said().contains("the last valid files stay in use"));
    world.labelled(&watch, "Ventes");
    assert_eq!(watch.stop(), Some(0));
}

#[test]
fn commits_that_are_pushed_together_are_judged_by_the_last_one_taken_up_also_after_a_restart() {
    let world = World::new();
    let protected = "ring_groups:\n";
    world.repository.pushed(protected, &format!("policy: {{ protect: [\"{NUMBER}\"] }}\n{protected}"));
    // Its first plan moves what is protected, so somebody approves it.
    let approved = digest(&world);
    let watch = world.watch(&["--approve", &approved]);
    world.labelled(&watch, "Ventes");
    let to = world.to(NUMBER);
    // The protection goes in one commit, and its absence is used in the next; both arrive at once.
    let protect = format!("policy: {{ protect: [\"{NUMBER}\"] }}\n");
    commands::edit(&world.repository.phones(), &protect, "");
    world.repository.commit("unprotect");
    commands::edit(
        &world.repository.phones(),
        "to: ring_group/ventes, label: Ventes }",
        "to: user/203, label: Ventes }",
    );
    world.repository.commit("use it");
    world.repository.push(&["main"]);
    watch.until("blocked", || watch.said().contains("would lead elsewhere"));
    assert_eq!(watch.stop(), Some(0));
    let watch = world.watch(&[]);
    watch.until("blocked again", || watch.said().contains("would lead elsewhere"));
    assert_eq!(world.to(NUMBER), to);
    assert_eq!(watch.stop(), Some(0));
}

/// The digest of the plan that is held back.
fn digest(world: &World) -> String {
    let watch = world.watch(&[]);
    let found = || {
        let said = watch.said();
        let (_, rest) = said.split_once("; approve ")?;
        Some(rest.split(' ').next()?.to_owned())
    };
    watch.until("told", || found().is_some());
    found().unwrap()
}

#[test]
fn history_that_was_rewritten_is_told_and_taken_up() {
    let world = World::new();
    let watch = world.watch(&[]);
    world.labelled(&watch, "Ventes");
    world.repository.pushed("label: Ventes }", "label: Mistake }");
    world.labelled(&watch, "Mistake");
    world.repository.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    commands::edit(&world.repository.phones(), "label: Ventes }", "label: Rewritten }");
    world.repository.commit("rewritten");
    world.repository.push(&["--force", "main"]);
    world.labelled(&watch, "Rewritten");
    let (code, said) = watch.stop_and_read();
    assert!(code == Some(0) && said.contains("was rewritten"), "{code:?}: {said}");
}

#[test]
fn a_remote_that_goes_is_told_and_one_that_comes_back_is_followed_also_by_a_new_process() {
    let world = World::new();
    let watch = world.watch(&[]);
    world.labelled(&watch, "Ventes");
    let away = world.repository.remote().with_extension("away");
    fs::rename(world.repository.remote(), &away).unwrap();
    watch.until("told", || watch.said().contains("git: "));
    assert_eq!(watch.stop(), Some(0));
    // A new process goes on with what was taken up last.
    let id = world.server.number(NUMBER)["id"].as_str().unwrap().to_owned();
    world.server.patch(&format!("numbers/{id}"), &serde_json::json!({ "label": "Meddled" }));
    let watch = world.watch(&[]);
    world.labelled(&watch, "Ventes");
    fs::rename(away, world.repository.remote()).unwrap();
    world.repository.pushed("label: Ventes }", "label: Back }");
    world.labelled(&watch, "Back");
    watch.until("told", || watch.said().contains("source: ok again"));
    assert_eq!(watch.stop(), Some(0));
}

#[test]
fn two_processes_do_not_share_a_working_folder() {
    let world = World::new();
    let watch = world.watch(&[]);
    world.labelled(&watch, "Ventes");
    let second = world.command(&world.repository.url(), &[]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("another process uses"), "{}", stderr(&second));
    assert_eq!(watch.stop(), Some(0));
}

#[test]
fn unsigned_commits_are_refused_and_signed_ones_are_taken_up_where_that_is_required() {
    let keys = tempfile::tempdir().unwrap();
    let key = keys.path().join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    if made.is_err() {
        println!("skipped: there is no ssh-keygen (Debian: openssh-client)");
        return;
    }
    assert!(made.unwrap().success());
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    let signers = keys.path().join("signers");
    fs::write(&signers, format!("ada@example.org {public}")).unwrap();
    let config = keys.path().join("config");
    fs::write(&config, format!("[gpg \"ssh\"]\n  allowedSignersFile = {}\n", signers.display())).unwrap();

    let world = World::new();
    let url = world.repository.url();
    let signed = || {
        let mut command = world.command(&url, &["--require-signed"]);
        command.env("GIT_CONFIG_GLOBAL", &config);
        Watch::spawn(command)
    };
    let watch = signed();
    watch.until("told", || watch.said().contains("its signature is not valid"));
    assert_eq!(world.label(), "", "an unsigned commit was applied");
    world.repository.git(&["config", "gpg.format", "ssh"]);
    world.repository.git(&["config", "user.signingkey", key.to_str().unwrap()]);
    world.repository.git(&["config", "commit.gpgsign", "true"]);
    world.repository.pushed("label: Ventes }", "label: Signed }");
    world.labelled(&watch, "Signed");
    // Unsigned, and signed by somebody else.
    world.repository.git(&["config", "commit.gpgsign", "false"]);
    let unsigned = world.repository.pushed("label: Signed }", "label: Unsigned }");
    watch.until("told", || watch.said().contains(&format!("commit {unsigned} is not used")));
    let other = keys.path().join("other");
    Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&other).status().unwrap();
    world.repository.git(&["config", "user.signingkey", other.to_str().unwrap()]);
    world.repository.git(&["config", "commit.gpgsign", "true"]);
    let foreign = world.repository.pushed("label: Unsigned }", "label: Foreign }");
    watch.until("told", || watch.said().contains(&format!("commit {foreign} is not used")));
    assert_eq!(world.label(), "Signed");
    // A new process goes on with the commit that was taken up last, and says why it is not the newest.
    assert_eq!(watch.stop(), Some(0));
    meddle(&world, "by hand");
    let watch = signed();
    world.labelled(&watch, "Signed");
    watch.until("told", || watch.said().contains(&format!("commit {foreign} is not used")));
    world.repository.git(&["config", "user.signingkey", key.to_str().unwrap()]);
    world.repository.pushed("label: Foreign }", "label: Good again }");
    world.labelled(&watch, "Good again");
    assert_eq!(watch.stop(), Some(0));
}

#[test]
fn over_http_the_password_opens_and_is_shown_nowhere() {
    let world = World::new();
    let address = over_http(world.repository.remote().parent().unwrap(), "ada", "hunter2-planted");
    let url = format!("http://ada:hunter2-planted@{address}/remote.git");
    let watch = Watch::spawn(world.command(&url, &["-v"]));
    world.labelled(&watch, "Ventes");
    let pushed = world.repository.pushed("label: Ventes }", "label: By http }");
    world.labelled(&watch, "By http");
    let (code, said) = watch.stop_and_read();
    assert!(said.contains(&format!("{address}/remote.git")) && !said.contains("planted"), "{said}");
    assert_eq!(code, Some(0));
    assert_eq!(world.commits().last(), Some(&pushed));
    assert_eq!(planted(world.folder.path()), Vec::<PathBuf>::new(), "the password is on the disk");

    // A wrong one is told, without it.
    let url = format!("http://ada:wrong-planted@{address}/remote.git");
    let other = tempfile::tempdir().unwrap();
    let state = other.path().to_str().unwrap();
    let watch = Watch::spawn(world.command(&url, &["--state", state, "-vv"]));
    watch.until("told", || watch.said().contains("git: "));
    let (code, said) = watch.stop_and_read();
    assert!(code == Some(0) && !said.contains("planted"), "{code:?}: {said}");
}

/// The files below a folder that have the planted password in them.
fn planted(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        // What a link leads to is looked at where it is.
        if entry.is_symlink() {
            continue;
        }
        if entry.is_dir() {
            found.extend(planted(&entry));
        } else if fs::read(&entry).unwrap().windows(7).any(|window| window == b"planted") {
            found.push(entry);
        }
    }
    found
}

#[test]
fn what_is_no_url_is_refused_without_being_repeated() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["ext::sh -c hunter2", "http://me:hunter2@example.org/a", "ftp://me:hunter2@example.org/a"] {
        let output = strowger(folder.path(), &["watch", "--git", url]);
        assert_eq!(output.status.code(), Some(64), "{url}");
        assert!(!stderr(&output).contains("hunter2"), "{}", stderr(&output));
    }
    for arguments in [["watch", "--git", "/a", "--ref", "--upload-pack=x"], ["watch", "--git", "/a", "--path", "../.."]]
    {
        assert_eq!(strowger(folder.path(), &arguments).status.code(), Some(64), "{arguments:?}");
    }
    let both = strowger(folder.path(), &["watch", ".", "--git", "/a"]);
    assert_eq!(both.status.code(), Some(64));
}

#[test]
fn links_and_hooks_of_a_repository_do_nothing() {
    let world = World::new();
    let secret = world.folder.path().join("secret.yaml");
    fs::write(&secret, "hunter2: planted\n").unwrap();
    let folder = office("wework", &world.server.url);
    fs::remove_file(world.repository.phones().join("account.yaml")).unwrap();
    std::os::unix::fs::symlink(&secret, world.repository.phones().join("account.yaml")).unwrap();
    world.repository.commit("a link");
    world.repository.push(&["main"]);
    // The commit before has no file to compare the address and the token with.
    let host = world.server.url.strip_prefix("http://").unwrap();
    let accept = ["--accept-address", host, "--accept-token-source", "env:STROWGER_TEST_TOKEN"];
    let watch = world.watch(&accept);
    watch.until("checked out", || watch.said().contains(" has errors"));
    let link = world.working().join("current/phones/account.yaml");
    assert!(!link.is_symlink());
    fs::remove_file(world.repository.phones().join("account.yaml")).unwrap();
    fs::copy(folder.path().join("account.yaml"), world.repository.phones().join("account.yaml")).unwrap();
    world.repository.commit("a file");
    world.repository.push(&["main"]);
    // Judged by the default rule, since nothing good was before: the commit before has errors, and that is told.
    watch.until("told", || watch.said().contains("cannot be read"));
    let (code, said) = watch.stop_and_read();
    assert!(code == Some(0) && !said.contains("planted"), "{code:?}: {said}");
}

const ADOPT: &str = "policy: { drift: { numbers: adopt } }\nring_groups:\n";

/// Somebody at the portal.
fn meddle(world: &World, label: &str) {
    let id = world.server.number(NUMBER)["id"].as_str().unwrap().to_owned();
    world.server.patch(&format!("numbers/{id}"), &serde_json::json!({ "label": label }));
}

#[test]
fn what_an_account_has_becomes_a_commit_that_is_pushed_and_merged_is_in_sync() {
    let world = World::new();
    let remote = world.repository.remote();
    let first = world.watch(&[]);
    world.labelled(&first, "Ventes");
    assert_eq!(first.stop(), Some(0));
    let base = world.repository.pushed("ring_groups:\n", ADOPT);
    let arguments = ["--adopt-branch", "portal", "--adopt-push", "--interval", "200ms"];
    let watch = world.watch(&arguments);
    watch.until("taken up", || watch.said().contains(&base));
    let show = |what: &str| {
        let output = Command::new("git").arg("--git-dir").arg(&remote).args(["show", what]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for label in ["Portail", "Encore"] {
        meddle(&world, label);
        watch.until("pushed", || show("portal:phones/account.yaml").contains(&format!("label: {label} }}")));
    }
    assert_eq!(git(&remote, &["rev-parse", "portal^"]), base);
    let changed = git(&remote, &["diff", "--name-only", &base, "portal"]);
    assert_eq!(changed, "phones/account.yaml");
    // Merged as it is, it is in sync.
    world.repository.git(&["fetch", "--quiet", "origin", "portal"]);
    world.repository.git(&["merge", "--quiet", "--ff-only", "FETCH_HEAD"]);
    world.repository.push(&["main"]);
    watch.until("in sync", || watch.said().contains("in sync again"));
    assert_eq!(watch.stop(), Some(0));
    assert_eq!(world.label(), "Encore");
}

#[test]
fn a_commit_beside_a_work_tree_touches_neither_it_nor_its_index_nor_branches_of_others() {
    let world = World::new();
    let clone = world.repository.phones();
    commands::edit(&clone, "ring_groups:\n", ADOPT);
    world.repository.commit("adopt");
    commands::expect(&commands::strowger(&clone, &["apply", ".", "--auto-approve"]), 0);
    world.repository.git(&["branch", "taken"]);
    // What somebody amended still says who made it first.
    let message = "Adopt what the account has\n\nMade-By: strowger watch";
    let amended = world.repository.git(&["commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", message]);
    world.repository.git(&["branch", "amended", &amended]);
    let state = world.folder.path().to_str().unwrap();
    let arguments = ["--interval", "200ms", "--state", state, "--adopt-branch"];
    let about = || world.repository.git(&["status", "--porcelain", "--untracked-files=no"]);
    let head = world.repository.git(&["rev-parse", "HEAD"]);
    // Somebody has staged something.
    fs::write(clone.join("notes.txt"), "staged\n").unwrap();
    world.repository.git(&["add", "phones/notes.txt"]);
    let before = about();
    meddle(&world, "Portail");
    let others = "has commits that Strowger did not make";
    for (name, why) in [("main", "is in use"), ("taken", others), ("amended", others)] {
        let watch = Watch::start(&clone, &[&arguments[..], &[name]].concat());
        watch.until("told", || watch.said().contains(why));
        assert_eq!(watch.stop(), Some(0));
    }
    let watch = Watch::start(&clone, &[&arguments[..], &["portal/labels"]].concat());
    watch.until("told", || watch.said().contains("are on the branch portal/labels"));
    assert_eq!(watch.stop(), Some(0));
    let adopted = world.repository.git(&["show", "portal/labels:phones/account.yaml"]);
    assert_eq!(
        adopted + "\n",
        fs::read_to_string(clone.join("account.yaml")).unwrap().replace("Ventes }", "Portail }")
    );
    assert_eq!((about(), world.repository.git(&["rev-parse", "HEAD"])), (before, head.clone()));
    let refs = world.repository.git(&["rev-parse", "taken", "portal/labels^", "amended"]);
    assert_eq!(refs, format!("{head}\n{head}\n{amended}"));
}

#[test]
fn what_is_pushed_for_a_clone_runs_nothing_that_its_configuration_names() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::new();
    let clone = world.repository.phones();
    commands::edit(&clone, "ring_groups:\n", ADOPT);
    world.repository.commit("adopt");
    commands::expect(&commands::strowger(&clone, &["apply", ".", "--auto-approve"]), 0);
    let (evil, ran) = (world.folder.path().join("evil.sh"), world.folder.path().join("ran"));
    fs::write(&evil, format!("#!/bin/sh\ntouch '{}'\nexit 1\n", ran.display())).unwrap();
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).unwrap();
    let hooks = clone.join("../.git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in ["pre-push", "reference-transaction", "post-index-change", "pre-commit", "commit-msg"] {
        fs::copy(&evil, hooks.join(hook)).unwrap();
    }
    let config = fs::read_to_string(clone.join("../.git/config")).unwrap();
    let evil = evil.display();
    let more = format!(
        "[core]\n\tfsmonitor = {evil}\n\tsshCommand = {evil}\n\taskPass = {evil}\n\teditor = {evil}\n\tpager = {evil}\n\
         [remote \"origin\"]\n\treceivepack = {evil}\n\tuploadpack = {evil}\n[credential]\n\thelper = {evil}\n\
         [gpg]\n\tprogram = {evil}\n[commit]\n\tgpgSign = true\n[push]\n\tgpgSign = true\n[log]\n\tshowSignature = true\n\
         [url \"ext::{evil}\"]\n\tinsteadOf = {}\n[protocol \"ext\"]\n\tallow = always\n",
        world.repository.remote().display()
    );
    fs::write(clone.join("../.git/config"), config + &more).unwrap();
    meddle(&world, "Portail");
    let state = world.folder.path().to_str().unwrap();
    let arguments = ["--interval", "200ms", "--state", state, "--adopt-branch", "portal", "--adopt-push"];
    let watch = Watch::start(&clone, &arguments);
    let pushed = world.repository.remote().join("refs/heads/portal");
    watch.until("pushed", || pushed.exists());
    assert_eq!(watch.stop(), Some(0));
    assert!(!ran.exists());
    let left: Vec<_> = fs::read_dir(clone.join("../.git")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("strowger-")), "{left:?}");
}
