//! The local copy of `strowger watch --git` is only a copy: whatever becomes of it, files are followed.
#![cfg(unix)]

use crate::support::commands;
use crate::support::git::git;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::support::commands::Server;
use crate::support::process::Watch;
use crate::support::repository::Repository;
use tempfile::TempDir;

const NUMBER: &str = "+33142685302";
const DAMAGED: &str = "is damaged and will be fetched again";

struct World {
    server: Server,
    repository: Repository,
    folder: TempDir,
}

impl World {
    /// An account whose first commit is taken up already, by a watch that has ended.
    fn new() -> Self {
        let server = Server::start("wework", &[]);
        let repository = Repository::new(&server.url);
        let world = Self { server, repository, folder: tempfile::tempdir().unwrap() };
        let watch = world.watch();
        world.labelled(&watch, "Ventes");
        assert_eq!(watch.stop(), Some(0));
        world
    }

    fn watch(&self) -> Watch {
        self.watch_with(&["--interval", "1h"])
    }

    fn watch_with(&self, more: &[&str]) -> Watch {
        let url = self.repository.url();
        let arguments = ["watch", "--git", &url, "--path", "phones", "--git-interval", "200ms", "--mode", "correct"];
        let mut command = commands::command(self.folder.path(), &arguments);
        command.args(more);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        Watch::spawn(command)
    }

    fn label(&self) -> String {
        self.server.number(NUMBER)["label"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn labelled(&self, watch: &Watch, label: &str) {
        watch.until(&format!("`{label}` in the account"), || self.label() == label);
    }

    fn working(&self) -> PathBuf {
        let git = self.folder.path().join(".strowger/git");
        fs::read_dir(git).unwrap().next().unwrap().unwrap().path()
    }

    fn copy(&self) -> PathBuf {
        self.working().join("repository")
    }
}

/// The files below a folder whose path has this in it.
fn files(folder: &Path, part: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&path, part));
        } else if path.to_str().unwrap().contains(part) {
            found.push(path);
        }
    }
    found
}

#[track_caller]
fn overwrite(paths: Vec<PathBuf>, change: impl Fn(&Path, Vec<u8>)) {
    assert!(!paths.is_empty(), "there is nothing to damage");
    for path in paths {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let bytes = fs::read(&path).unwrap();
        change(&path, bytes);
    }
}

fn empty(paths: Vec<PathBuf>) {
    overwrite(paths, |path, _| fs::write(path, "").unwrap());
}

/// Everything in one pack, as after much use.
fn pack(copy: &Path) {
    git(copy, &["repack", "-adq"]);
    assert!(!files(copy, ".pack").is_empty());
}

#[test]
fn a_copy_that_is_damaged_in_any_way_is_fetched_again_and_that_is_said_once() {
    type Damage = fn(&Path);
    let cases: [(&str, Option<bool>, Damage); 17] = [
        // Whether it is said: what is mended without fetching again is not, and some gits mend more than others.
        ("empty objects", Some(true), |copy| empty(files(&copy.join("objects"), "/"))),
        ("missing objects", None, |copy| {
            fs::remove_dir_all(copy.join("objects")).unwrap();
        }),
        ("garbage in objects", Some(true), |copy| {
            overwrite(files(&copy.join("objects"), "/"), |path, _| fs::write(path, "garbage").unwrap());
        }),
        ("an empty HEAD", Some(false), |copy| empty(vec![copy.join("HEAD")])),
        ("no HEAD", Some(false), |copy| fs::remove_file(copy.join("HEAD")).unwrap()),
        ("an empty ref", None, |copy| empty(vec![copy.join("refs/strowger/fetched")])),
        ("empty refs", None, |copy| empty(files(&copy.join("refs"), "strowger"))),
        ("a garbage ref", None, |copy| fs::write(copy.join("refs/strowger/fetched"), "\0\u{1}garbage").unwrap()),
        ("a ref to nothing", None, |copy| {
            fs::write(copy.join("refs/strowger/fetched"), format!("{}\n", "1".repeat(40))).unwrap();
        }),
        ("no refs", Some(false), |copy| fs::remove_dir_all(copy.join("refs")).unwrap()),
        ("a missing pack", None, |copy| {
            pack(copy);
            for path in files(copy, ".pack") {
                fs::remove_file(path).unwrap();
            }
        }),
        ("a truncated pack", None, |copy| {
            pack(copy);
            overwrite(files(copy, ".pack"), |path, bytes| fs::write(path, &bytes[..bytes.len() / 2]).unwrap());
        }),
        ("a damaged index of a pack", None, |copy| {
            pack(copy);
            empty(files(copy, ".idx"));
        }),
        ("a damaged configuration", Some(false), |copy| fs::write(copy.join("config"), "[core\n\0").unwrap()),
        ("an empty shallow file", None, |copy| fs::write(copy.join("shallow"), "garbage\n").unwrap()),
        ("locks", Some(false), |copy| {
            for name in ["HEAD.lock", "config.lock", "shallow.lock", "packed-refs.lock", "refs/strowger/fetched.lock"] {
                fs::write(copy.join(name), "").unwrap();
            }
        }),
        ("a file in place of the folder", None, |copy| {
            fs::remove_dir_all(copy).unwrap();
            fs::write(copy, "").unwrap();
        }),
    ];
    let world = World::new();
    let mut before = "Ventes".to_owned();
    for (what, said, damage) in cases {
        damage(&world.copy());
        world.repository.pushed(&format!("label: {before} }}"), &format!("label: {what} }}"));
        let watch = world.watch();
        world.labelled(&watch, what);
        // The commit is in force, and remembered.
        let taken = || fs::read_to_string(world.working().join("taken")).unwrap_or_default();
        let head = world.repository.git(&["rev-parse", "HEAD"]);
        watch.until("remembered", || taken().starts_with(&head));
        let (code, log) = watch.stop_and_read();
        let times = log.matches(DAMAGED).count();
        assert!(said.map_or(times <= 1, |said| times == usize::from(said)), "{what}: {log}");
        assert_eq!(code, Some(0), "{what}");
        before = what.to_owned();
    }
}

#[test]
fn a_copy_that_is_damaged_while_it_is_followed_is_fetched_again_too() {
    let world = World::new();
    let watch = world.watch();
    watch.until("started", || watch.said().contains("now using commit "));
    empty(files(&world.copy().join("objects"), "/"));
    world.repository.pushed("label: Ventes }", "label: Healed }");
    world.labelled(&watch, "Healed");
    world.repository.pushed("label: Healed }", "label: Again }");
    world.labelled(&watch, "Again");
    let (code, said) = watch.stop_and_read();
    assert_eq!((code, said.matches(DAMAGED).count()), (Some(0), 1), "{said}");
}

#[test]
fn a_copy_that_is_whole_is_kept_when_the_remote_is_the_one_that_fails() {
    let world = World::new();
    let copy = fs::metadata(world.copy()).unwrap().ino();
    let away = world.repository.remote().with_extension("away");
    fs::rename(world.repository.remote(), &away).unwrap();
    let watch = world.watch();
    watch.until("told", || watch.said().matches("git: ").count() > 0);
    fs::rename(&away, world.repository.remote()).unwrap();
    world.repository.pushed("label: Ventes }", "label: Back }");
    world.labelled(&watch, "Back");
    assert_eq!(watch.stop(), Some(0));
    // Now it answers, and has half of a commit.
    let tree = {
        world.repository.pushed("label: Back }", "label: Whole }");
        let id = world.repository.git(&["rev-parse", "HEAD^{tree}"]);
        world.repository.remote().join("objects").join(&id[..2]).join(&id[2..])
    };
    let bytes = fs::read(&tree).unwrap();
    empty(vec![tree.clone()]);
    let watch = world.watch();
    watch.until("told", || watch.said().matches("git: ").count() > 0);
    assert_eq!(world.label(), "Back");
    fs::write(&tree, bytes).unwrap();
    world.labelled(&watch, "Whole");
    let (code, said) = watch.stop_and_read();
    assert!(code == Some(0) && !said.contains(DAMAGED), "{code:?}: {said}");
    assert_eq!(fs::metadata(world.copy()).unwrap().ino(), copy, "it was fetched again");
}

#[test]
fn a_damaged_copy_stays_until_the_remote_answers_and_a_remote_that_is_damaged_itself_ends_in_no_loop() {
    let world = World::new();
    empty(files(&world.copy().join("objects"), "/"));
    let objects = files(&world.repository.remote().join("objects"), "/");
    let kept: Vec<(PathBuf, Vec<u8>)> =
        objects.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    world.repository.pushed("label: Ventes }", "label: Healed }");
    let newest = files(&world.repository.remote().join("objects"), "/");
    let newest: Vec<(PathBuf, Vec<u8>)> =
        newest.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    empty(kept.iter().map(|(path, _)| path.clone()).collect());
    let copy = fs::metadata(world.copy()).unwrap().ino();
    let watch = world.watch();
    // It says so once, and goes on asking the remote.
    let failures = || watch.said().lines().filter(|line| line.contains("WARN")).count();
    watch.until("tried", || failures() > 1);
    assert_eq!(watch.said().matches(DAMAGED).count(), 1, "{}", watch.said());
    assert_eq!(fs::metadata(world.copy()).unwrap().ino(), copy, "what there was is gone before there is more");
    for (path, bytes) in newest {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(path, bytes).unwrap();
    }
    world.labelled(&watch, "Healed");
    let (code, said) = watch.stop_and_read();
    assert_eq!((code, said.matches(DAMAGED).count()), (Some(0), 1), "{said}");
}

#[test]
fn a_guard_of_the_commit_that_was_taken_up_holds_also_after_the_copy_was_lost() {
    type Loss = fn(&World);
    let cases: [(&str, Loss); 4] = [
        ("damaged", |world| empty(files(&world.copy().join("objects"), "/"))),
        ("deleted", |world| fs::remove_dir_all(world.copy()).unwrap()),
        ("its objects deleted", |world| fs::remove_dir_all(world.copy().join("objects")).unwrap()),
        ("what was taken up emptied", |world| fs::write(world.working().join("taken"), "").unwrap()),
    ];
    for (what, lose) in cases {
        let world = World::new();
        let protect = format!("policy: {{ protect: [\"{NUMBER}\"] }}\n");
        world.repository.pushed("ring_groups:\n", &format!("{protect}ring_groups:\n"));
        let head = world.repository.git(&["rev-parse", "HEAD"]);
        let watch = world.watch();
        let taken = || fs::read_to_string(world.working().join("taken")).unwrap_or_default();
        watch.until("taken up", || taken().starts_with(&head));
        assert_eq!(watch.stop(), Some(0));
        lose(&world);
        // Two commits further, so that neither the newest one nor its parent has the guard.
        commands::edit(&world.repository.phones(), &protect, "");
        world.repository.commit("unprotect");
        commands::edit(
            &world.repository.phones(),
            "to: ring_group/ventes, label: Ventes }",
            "to: user/203, label: Ventes }",
        );
        world.repository.commit("use it");
        world.repository.git(&["commit", "--quiet", "--allow-empty", "--message", "nothing"]);
        world.repository.push(&["main"]);
        let to = world.server.number(NUMBER)["destination"].clone();
        let watch = world.watch();
        watch.until(&format!("blocked: {what}"), || watch.said().contains("would lead elsewhere"));
        assert_eq!(world.server.number(NUMBER)["destination"], to, "{what}");
        assert_eq!(watch.stop(), Some(0));
    }
}

#[test]
fn what_was_committed_in_place_of_the_copy_configures_nothing() {
    let world = World::new();
    let ran = world.folder.path().join("ran");
    let evil = world.folder.path().join("evil.sh");
    fs::write(&evil, format!("#!/bin/sh\ntouch '{}'\nexec cat\n", ran.display())).unwrap();
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).unwrap();
    let (copy, evil) = (world.copy(), evil.display().to_string());
    let config = format!(
        "[core]\n\tbare = true\n\tfsmonitor = {evil}\n\tsshCommand = {evil}\n\thooksPath = {evil}\n[filter \"x\"]\n\tsmudge = {evil}\n\
         \tclean = {evil}\n[credential]\n\thelper = {evil}\n[remote \"origin\"]\n\tuploadpack = {evil}\n[gpg]\n\tprogram = {evil}\n"
    );
    fs::write(copy.join("config"), config).unwrap();
    fs::create_dir_all(copy.join("info")).unwrap();
    fs::create_dir_all(copy.join("hooks")).unwrap();
    fs::write(copy.join("info/attributes"), "* filter=x\n").unwrap();
    for hook in ["post-checkout", "reference-transaction", "post-index-change"] {
        fs::copy(&evil, copy.join("hooks").join(hook)).unwrap();
    }
    fs::write(world.repository.phones().join(".gitattributes"), "* filter=x\n").unwrap();
    world.repository.pushed("label: Ventes }", "label: Pushed }");
    let watch = world.watch();
    world.labelled(&watch, "Pushed");
    assert_eq!(watch.stop(), Some(0));
    assert!(!ran.exists());
}

#[test]
fn a_branch_that_was_pushed_is_still_ours_after_the_copy_was_fetched_again() {
    let world = World::new();
    let adopt = "policy: { drift: { numbers: adopt } }\nring_groups:\n";
    let base = world.repository.pushed("ring_groups:\n", adopt);
    let arguments = ["--adopt-branch", "portal", "--adopt-push", "--interval", "200ms"];
    let meddle = |label: &str| {
        let id = world.server.number(NUMBER)["id"].as_str().unwrap().to_owned();
        world.server.patch(&format!("numbers/{id}"), &serde_json::json!({ "label": label }));
    };
    let pushed = |label: &str| {
        let remote = world.repository.remote();
        let mut git = std::process::Command::new("git");
        let output = git.arg("--git-dir").arg(remote).args(["show", "portal:phones/account.yaml"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains(&format!("label: {label} }}"))
    };
    let watch = world.watch_with(&arguments);
    watch.until("taken up", || watch.said().contains(&base));
    meddle("Portail");
    watch.until("pushed", || pushed("Portail"));
    let kept = world.copy().join("refs/strowger/pushed/portal");
    watch.until("remembered", || kept.exists());
    assert_eq!(watch.stop(), Some(0));
    empty(files(&world.copy().join("objects"), "/"));
    world.repository.pushed("label: Accueil }", "label: Reception }");
    let watch = world.watch_with(&arguments);
    watch.until("fetched again", || watch.said().contains("was fetched again"));
    meddle("Encore");
    watch.until("pushed again", || pushed("Encore"));
    assert_eq!(watch.stop(), Some(0));
}
