//! The checks that releases and changes have to pass are tried themselves: on what must pass and on what must not.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::job::ROOT;
use crate::support::git::git;

fn script(name: &str, arguments: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } =
        Command::new(Path::new(ROOT).join("scripts").join(name)).args(arguments).current_dir(ROOT).output().unwrap();
    (status.success(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

/// A folder with the same program, linked in each of these ways.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn programs(ways: &[(&str, &[&str])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.c"), "int main(void) { return 0; }\n").unwrap();
    for (name, flags) in ways {
        let output = Command::new("cc").args(*flags).args(["main.c", "-o", name]).current_dir(folder.path()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    folder
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn a_program_is_static_if_it_needs_no_loader_and_no_library() {
    let folder = programs(&[
        // As Rust's musl target makes them for x86-64, and for arm64.
        ("static-pie", &["-static-pie"]),
        ("static", &["-static"]),
        ("dynamic", &[]),
        ("dynamic-at-an-address", &["-no-pie"]),
        ("library", &["-shared", "-fPIC"]),
        ("library-alone", &["-shared", "-fPIC", "-nostdlib"]),
        ("object", &["-c"]),
    ]);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let whole = fs::read(path("static-pie")).unwrap();
    fs::write(path("half"), &whole[..whole.len() / 2]).unwrap();
    fs::write(path("script"), "#!/bin/sh\n").unwrap();
    fs::write(path("empty"), "").unwrap();
    for name in ["static-pie", "static"] {
        assert_eq!(script("static-check", &[&path(name)]), (true, format!("{} is static\n", path(name))));
    }
    for (name, why) in [
        ("dynamic", "it needs a loader"),
        ("dynamic-at-an-address", "it needs a loader"),
        ("library", "is not a program"),
        ("library-alone", "is not a program"),
        ("object", "is not a program"),
        ("half", "is not a whole program"),
        ("script", "is not a program"),
        ("empty", "is not a"),
        ("none", "is not a file"),
        (".", "is not a file"),
    ] {
        let (passes, says) = script("static-check", &[&path(name)]);
        assert!(!passes && says.contains(why), "{name}: {says}");
        assert!(!script("static-check", &[&path("static"), &path(name)]).0, "{name} after one that is static");
    }
    assert!(!script("static-check", &[]).0, "nothing to check is no success");
}

#[test]
fn the_release_and_the_image_check_programs_with_the_script_and_fail_with_it() {
    let read = |path: &str| fs::read_to_string(Path::new(ROOT).join(path)).unwrap();
    for path in [".github/workflows/release.yml", "packaging/container/Containerfile"] {
        let text = read(path);
        let calls: Vec<_> = text.lines().filter(|line| line.contains("scripts/static-check ")).collect();
        assert!(!calls.is_empty(), "{path}");
        // A command after `!`, or on the left of `||`, fails no step.
        let fails = |line: &&str| !["!", "||", "if ", "&&"].iter().any(|word| line.contains(word));
        assert!(calls.iter().all(fails), "{path}: {calls:?}");
        assert!(!text.contains("ldd"), "{path}");
    }
}

/// A database of advisories as cargo-deny keeps it, with one of this kind for this crate.
fn database(folder: &TempDir, package: &str, kind: &str) -> String {
    // The name is that of the address of RustSec's.
    let at = folder.path().join("advisory-db-3157b0e258782691");
    let file = at.join("crates").join(package);
    fs::create_dir_all(&file).unwrap();
    let advisory = format!(
        "```toml\n[advisory]\nid = \"RUSTSEC-2026-9999\"\npackage = \"{package}\"\ndate = \"2026-11-01\"\n{kind}\n\
         [versions]\npatched = []\n```\n\n# An advisory of a test\n\nNothing is wrong with it.\n"
    );
    fs::write(file.join("RUSTSEC-2026-9999.md"), advisory).unwrap();
    git(&at, &["init", "--quiet", "--initial-branch=main"]);
    git(&at, &["add", "--all"]);
    git(&at, &["commit", "--quiet", "--message=advisories"]);
    let config = fs::read_to_string(Path::new(ROOT).join("deny.toml")).unwrap();
    let here = format!("[advisories]\ndb-path = \"{}\"\n", folder.path().display());
    let path = folder.path().join("deny.toml");
    assert!(config.contains("[advisories]\n"));
    fs::write(&path, config.replace("[advisories]\n", &here)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_advisory_for_a_crate_of_ours_fails_and_one_for_another_does_not() {
    if std::env::var_os("STROWGER_DENY").is_none() {
        println!("skipped: STROWGER_DENY is not set; run STROWGER_DENY=$(scripts/deny program) cargo test");
        return;
    }
    for (package, kind, passes) in [
        ("serde_json", "", false),
        ("serde_json", "informational = \"unmaintained\"", false),
        ("yaml_serde", "informational = \"unsound\"", false),
        ("left-pad", "", true),
        // It stands in Cargo.lock, and nothing that we build has it.
        ("atomic-polyfill", "informational = \"unmaintained\"", true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let config = database(&folder, package, kind);
        let (passed, says) = script("deny", &["advisories", &config]);
        assert_eq!((passed, says.contains("RUSTSEC-2026-9999")), (passes, !passes), "{package}: {says}");
        assert!(says.contains(if passes { "advisories ok" } else { "advisories FAILED" }), "{says}");
    }
}
