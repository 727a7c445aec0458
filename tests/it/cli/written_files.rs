//! Files are written where they should be, and nowhere else: through links and devices that the operator names, never
//! through those that a commit may have brought. The real binary on real files.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::commands::{Server, command, copy, edit, expect, office, stderr, strowger};
use tempfile::TempDir;

fn workplace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/wework"), folder.path());
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn is_plan(path: &Path) -> bool {
    fs::read_to_string(path).unwrap().starts_with('{')
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_plan_is_saved_through_links_pipes_and_devices() {
    let folder = workplace();
    let here = folder.path();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("plan.json");
    fs::write(&target, "old").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o604)).unwrap();
    symlink(&target, here.join("plan.json")).unwrap();
    expect(&strowger(here, &["plan", ".", "--out", "plan.json"]), 0);
    assert!(here.join("plan.json").is_symlink() && is_plan(&target));
    assert_eq!(fs::metadata(&target).unwrap().mode() & 0o7777, 0o604);
    assert_eq!(names(elsewhere.path()), ["plan.json"]);
    symlink(elsewhere.path().join("new.json"), here.join("dangling.json")).unwrap();
    expect(&strowger(here, &["plan", ".", "--out", "dangling.json"]), 0);
    assert!(is_plan(&elsewhere.path().join("new.json")));

    mkfifo(&here.join("fifo"));
    let reader = Command::new("cat").arg("fifo").current_dir(here).stdout(Stdio::piped()).spawn().unwrap();
    expect(&strowger(here, &["plan", ".", "--out", "fifo"]), 0);
    assert!(reader.wait_with_output().unwrap().stdout.starts_with(b"{"));
    assert!(fs::symlink_metadata(here.join("fifo")).unwrap().file_type().is_fifo());

    let output = strowger(here, &["plan", ".", "--out", "/dev/stdout"]);
    assert!(expect(&output, 0).contains("\n{\n"), "the plan follows what is shown");
    let shell = "exec \"$0\" plan . --out /dev/stdout > both.txt";
    let status =
        Command::new("sh").args(["-c", shell, env!("CARGO_BIN_EXE_strowger")]).current_dir(here).status().unwrap();
    assert!(status.success());
    let both = fs::read_to_string(here.join("both.txt")).unwrap();
    assert!(both.starts_with("Account wework-republique") && both.contains("\n{\n"), "{both}");

    expect(&strowger(here, &["plan", ".", "--out", "/dev/null"]), 0);
    let output = strowger(here, &["plan", ".", "--out", "/dev/full"]);
    expect(&output, 1);
    assert!(
        stderr(&output).contains("cannot save the plan to /dev/full: No space left on device"),
        "{}",
        stderr(&output)
    );
    for device in ["/dev/null", "/dev/full"] {
        assert!(fs::metadata(device).unwrap().file_type().is_char_device(), "{device}");
    }
}

#[test]
fn a_plan_that_cannot_be_saved_leaves_the_old_one_and_nothing_else() {
    let folder = workplace();
    let here = folder.path();
    fs::write(here.join("plan.txt"), "old").unwrap();
    fs::create_dir(here.join("folder")).unwrap();
    symlink("loop", here.join("loop")).unwrap();
    let before = names(here);
    // No file may be larger than half a kilobyte: what a full disk does to a regular file.
    let shell = "trap '' XFSZ; ulimit -f 1; exec \"$0\" plan . --out plan.txt";
    let mut small = Command::new("sh");
    let output = small.args(["-c", shell, env!("CARGO_BIN_EXE_strowger")]).current_dir(here).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    for out in ["folder", "loop", "missing/plan.json", "plan.txt/x"] {
        expect(&strowger(here, &["plan", ".", "--out", out]), 1);
    }
    assert_eq!(fs::read_to_string(here.join("plan.txt")).unwrap(), "old");
    assert_eq!(names(here), before);
    let one = here.join("plan.txt");
    fs::hard_link(&one, here.join("other.txt")).unwrap();
    expect(&strowger(here, &["plan", ".", "--out", "plan.txt"]), 0);
    assert!(is_plan(&one));
    assert_eq!(fs::read_to_string(here.join("other.txt")).unwrap(), "old", "another name keeps what it had");
}

#[test]
fn events_are_written_through_links_and_devices_and_their_loss_is_a_failure() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let here = folder.path();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path().join("events.jsonl"), here.join("events.jsonl")).unwrap();
    expect(&strowger(here, &["apply", ".", "--auto-approve", "--events", "events.jsonl"]), 0);
    let events = fs::read_to_string(elsewhere.path().join("events.jsonl")).unwrap();
    assert!(events.lines().count() > 3 && here.join("events.jsonl").is_symlink(), "{events}");
    edit(here, "label: Accueil", "label: Standard");
    let output = strowger(here, &["apply", ".", "--auto-approve", "--events", "/dev/full"]);
    expect(&output, 1);
    assert!(
        stderr(&output).ends_with("strowger: cannot write all events: No space left on device\n"),
        "{}",
        stderr(&output)
    );
    let output = strowger(here, &["plan", ".", "--detailed-exitcode"]);
    expect(&output, 0);
    edit(here, "label: Standard", "label: Accueil");
    expect(&strowger(here, &["apply", ".", "--auto-approve", "--events", "/dev/null"]), 0);
}

#[test]
fn an_export_follows_no_link_out_of_a_checkout() {
    let folder = workplace();
    let here = folder.path();
    let elsewhere = tempfile::tempdir().unwrap();
    expect(&strowger(here, &["apply", ".", "--auto-approve"]), 0);
    fs::create_dir(here.join(".git")).unwrap();
    symlink(elsewhere.path(), here.join("out")).unwrap();
    fs::create_dir_all(here.join("half/way")).unwrap();
    symlink(elsewhere.path(), here.join("half/way/out")).unwrap();
    fs::create_dir(here.join("files")).unwrap();
    symlink(elsewhere.path().join("account.yaml"), here.join("files/account.yaml")).unwrap();
    fs::create_dir(here.join("pipes")).unwrap();
    mkfifo(&here.join("pipes/account.v1.schema.json"));
    for out in ["out", "out/deeper", "half/way/out/x", "files", "pipes", "./half/../out"] {
        for arguments in
            [&["export", ".", "--out", out][..], &["init", out, "--provider", "sandbox", "--yes"], &["man", out]]
        {
            if arguments[0] == "man" && ["files", "pipes"].contains(&out) {
                continue;
            }
            let output = strowger(here, arguments);
            assert!([Some(1), Some(64)].contains(&output.status.code()), "{arguments:?}: {}", stderr(&output));
        }
    }
    assert!(names(elsewhere.path()).is_empty(), "{:?}", names(elsewhere.path()));
    assert_eq!(names(&here.join("pipes")), ["account.v1.schema.json"], "all files or none");
    // What the operator has outside of any repository is the operator's own.
    symlink(here, elsewhere.path().join("way")).unwrap();
    let new = elsewhere.path().join("way/new");
    expect(&strowger(here, &["export", ".", "--out", new.to_str().unwrap()]), 0);
    assert!(here.join("new/account.yaml").exists());
    expect(&strowger(here, &["man", "pages"]), 0);
    assert!(names(&here.join("pages")).contains(&"strowger-plan.1".to_owned()), "{:?}", names(&here.join("pages")));
    expect(&strowger(here, &["man", "pages"]), 0);
}

#[test]
fn a_workflow_is_not_written_through_a_link_to_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(Command::new("git").args(["init", "-q"]).current_dir(folder.path()).status().unwrap().success());
    symlink(elsewhere.path(), folder.path().join(".github")).unwrap();
    let init = ["init", "phones", "--provider", "sandbox", "--yes", "--workflow", "github"];
    let output = strowger(folder.path(), &init);
    assert_ne!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(names(elsewhere.path()).is_empty());
    assert!(!folder.path().join("phones").exists(), "all files or none");
}

#[test]
fn what_strowger_keeps_beside_the_files_is_no_link_of_a_commit() {
    let elsewhere = tempfile::tempdir().unwrap();
    let links: [(&str, &str); 5] = [
        (".strowger", ""),
        (".strowger/ledger", ""),
        (".strowger/wework-republique.db", "x.db"),
        (".strowger/wework-republique.lock", "x"),
        (".strowger/wework-republique.db-wal", "wal"),
    ];
    for (link, target) in links {
        let folder = workplace();
        let here = folder.path();
        let link = here.join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(elsewhere.path().join(target), &link).unwrap();
        let output = strowger(here, &["apply", ".", "--auto-approve"]);
        assert_ne!(output.status.code(), Some(0), "{}: {}", link.display(), stderr(&output));
        assert!(names(elsewhere.path()).is_empty(), "{}: {:?}", link.display(), names(elsewhere.path()));
    }
}

#[test]
fn settings_name_no_file_outside_of_the_repository_and_no_message_quotes_one() {
    let elsewhere = tempfile::tempdir().unwrap();
    let secret = elsewhere.path().join("shadow");
    fs::write(&secret, "root:$6$hunter2$planted:19000:0:99999:7:::\npassword: planted\n").unwrap();
    let at = secret.to_str().unwrap();
    let repository = tempfile::tempdir().unwrap();
    let here = repository.path();
    fs::create_dir(here.join(".git")).unwrap();
    fs::create_dir(here.join("phones")).unwrap();
    fs::write(here.join(".git/config"), "[http]\n  extraheader = planted\n").unwrap();
    fs::copy(&secret, here.join("shadow.yaml")).unwrap();
    fs::write(here.join("secret.json"), "{\"private_key\": \"planted\", \"type\": \"planted\"}\n").unwrap();
    symlink(&secret, here.join("link")).unwrap();
    symlink("/proc/self/environ", here.join("environ")).unwrap();
    let path = here.join("phones/account.yaml");
    for file in
        [at, "../link", "../environ", "/proc/self/environ", "../.git/config", "../shadow.yaml", "../secret.json"]
    {
        for provider in ["snapshot, file", "sandbox, seed", "sandbox, state"] {
            fs::write(&path, format!("version: 1\naccount: {{ name: a, provider: {provider}: \"{file}\" }}\nnumbers: {{ \"+33142685300\": {{ to: none }} }}\n")).unwrap();
            for allow in ["0", "1"] {
                if allow == "1" && provider.ends_with("state") {
                    continue;
                }
                let mut plan = command(here, &["plan", "phones"]);
                let output =
                    plan.env("STROWGER_ALLOW_OUTSIDE_PATHS", allow).env("PLANTED", "planted").output().unwrap();
                let said = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
                assert_eq!(output.status.code(), Some(1), "{provider} {file}: {said}");
                assert!(!said.contains("planted") && !said.contains("private_key"), "{provider} {file}: {said}");
                let outside = !matches!(file, "../shadow.yaml" | "../secret.json");
                assert_eq!(
                    said.contains("--allow-outside-paths"),
                    outside && allow == "0",
                    "{provider} {file}: {said}"
                );
            }
        }
    }
}

#[test]
fn an_account_file_that_leads_out_of_the_repository_is_not_quoted() {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("shadow"), "root:$6$planted:19000\nplanted: [planted\n").unwrap();
    fs::write(elsewhere.path().join("valid"), "planted: planted\n").unwrap();
    let repository = tempfile::tempdir().unwrap();
    fs::create_dir(repository.path().join(".git")).unwrap();
    fs::create_dir(repository.path().join("phones")).unwrap();
    for target in ["shadow", "valid"] {
        let link = repository.path().join("phones/account.yaml");
        let _ = fs::remove_file(&link);
        symlink(elsewhere.path().join(target), &link).unwrap();
        for format in ["human", "json", "sarif", "github"] {
            let output = strowger(repository.path(), &["validate", "phones", "--format", format]);
            let said = expect(&output, 3) + &stderr(&output);
            assert!(!said.contains("planted"), "{said}");
            assert!(said.contains("leads out of the repository"), "{said}");
        }
    }
}
