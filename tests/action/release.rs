//! The pieces of a release. That the action takes what is packed is in `install.rs`: its releases are packed so.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::job::ROOT;

/// A checkout at version 1.2.0 with this changelog.
fn checkout(changelog: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("scripts/action")).unwrap();
    for script in ["scripts/release", "scripts/action/lib.sh"] {
        fs::copy(Path::new(ROOT).join(script), folder.path().join(script)).unwrap();
    }
    fs::write(folder.path().join("Cargo.toml"), "[package]\nversion = \"1.2.0\"\n").unwrap();
    fs::write(folder.path().join("CHANGELOG.md"), changelog).unwrap();
    folder
}

/// What the script prints, or why it fails.
fn release(checkout: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("scripts/release").args(arguments).current_dir(checkout).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[test]
fn notes_are_those_of_the_version_and_a_tag_of_another_one_is_an_error() {
    let changelog = "# Changelog\n\n## [Unreleased]\n\n- later\n\n## [1.2.0] - 2026-11-24\n\n### Added\n\n- this\n\n\
                     ## [1.1.0] - 2026-10-01\n\n- before\n";
    let folder = checkout(changelog);
    assert_eq!(release(folder.path(), &["notes", "v1.2.0"]).unwrap().trim(), "### Added\n\n- this");
    let error = release(folder.path(), &["notes", "v1.1.0"]).unwrap_err();
    assert!(error.contains("the tag is v1.1.0 and Cargo.toml says 1.2.0"), "{error}");
    for changelog in ["## [Unreleased]\n\n- all\n", "## [1.2.0] - 2026-11-24\n\n## [1.1.0] - 2026-10-01\n\n- x\n"] {
        let error = release(checkout(changelog).path(), &["notes", "v1.2.0"]).unwrap_err();
        assert!(error.contains("CHANGELOG.md has nothing below '## [1.2.0] - DATE'"), "{error}");
    }
}

#[test]
fn a_release_that_lacks_a_machine_has_no_sums() {
    let folder = checkout("");
    for name in ["LICENSE-APACHE", "LICENSE-MIT", "strowger"] {
        fs::copy(Path::new(ROOT).join("scripts/release"), folder.path().join(name)).unwrap();
    }
    let run = |arguments: &[&str]| release(folder.path(), arguments);
    assert!(run(&["pack", "riscv64gc-unknown-linux-gnu", "strowger"]).unwrap_err().contains("not built for riscv64gc"));
    assert!(run(&["pack", "aarch64-apple-darwin", "none"]).unwrap_err().contains("none is no program"));
    run(&["pack", "aarch64-apple-darwin", "strowger"]).unwrap();
    let error = run(&["sums"]).unwrap_err();
    assert!(error.contains("there is no strowger-aarch64-unknown-linux-musl.tar.gz"), "{error}");
    assert!(!folder.path().join("SHA256SUMS").exists());
    for target in run(&["targets"]).unwrap().lines() {
        run(&["pack", target, "strowger"]).unwrap();
    }
    run(&["sums"]).unwrap();
    let sums = fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 4, "{sums}");
}
