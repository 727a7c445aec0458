//! What the README shows is what happens: its commands are run, in its order, and print what it prints.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::git::git;

/// The commands of the blocks that show a console, each with what it prints.
fn commands(page: &str) -> Vec<(String, String)> {
    let blocks = page.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut commands = Vec::new();
    for block in blocks {
        for part in format!("\n{block}").split("\n$ ").skip(1) {
            let (command, output) = part.split_once('\n').unwrap_or((part, ""));
            commands.push((command.to_owned(), output.to_owned()));
        }
    }
    commands
}

fn run(folder: &Path, command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_strowger")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{command} 2>&1")]).current_dir(folder).env("PATH", path).env_remove("RUST_LOG");
    // What a terminal of this machine is like is none of the README's business.
    shell.env_remove("COLUMNS").stdin(Stdio::null());
    String::from_utf8(shell.output().unwrap().stdout).unwrap()
}

#[test]
fn the_tour_is_true() {
    let folder = tempfile::tempdir().unwrap();
    let example = folder.path().join("examples/wework");
    fs::create_dir_all(example.join("sandbox")).unwrap();
    for file in ["account.yaml", "sandbox/seed.yaml"] {
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/wework").join(file), example.join(file)).unwrap();
    }
    // As in a clone, whose `origin` owns the account.
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "--quiet", "-m", "first"]);
    git(folder.path(), &["remote", "add", "origin", "https://github.com/acme/phones"]);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let mut run_so_far = 0;
    for (command, expected) in commands(&page) {
        if let Some(file) = command.strip_prefix("cat ") {
            fs::write(folder.path().join(file), expected).unwrap();
        } else if command.starts_with("strowger ") {
            assert_eq!(run(folder.path(), &command).trim_end(), expected.trim_end(), "$ {command}");
            run_so_far += 1;
        }
    }
    assert!(run_so_far >= 3, "the tour has fewer commands than it had");
}

#[test]
fn nothing_in_a_clone_of_this_repository_holds_the_examples_back() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !here.join(".git").exists() {
        // A source archive has no history whose guards could hold.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The history of the last two commits is what guards look at; a shallow clone of a checkout takes no time.
    let clone = format!(
        "git -c init.defaultBranch=main -c advice.detachedHead=false clone --quiet --depth 2 'file://{}' clone",
        here.display()
    );
    assert_eq!(run(folder.path(), &clone), "");
    let plan = "strowger plan --format json examples/wework examples/agency examples/fleet 2> /dev/null";
    let report: serde_json::Value = serde_json::from_str(&run(&folder.path().join("clone"), plan)).unwrap();
    let plans = report["plans"].as_array().unwrap();
    assert_eq!(plans.len(), 5, "{report}");
    for plan in plans {
        assert!(plan["blocked"].is_null(), "{}: {}", plan["account"], plan["blocked"]);
    }
}
