//! The pieces of a release. That the action takes what is packed is in `install.rs`: its releases are packed so.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::job::ROOT;
use super::project::WHEELS;

/// A checkout at version 1.2.0 with this changelog.
fn checkout(changelog: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("scripts/action")).unwrap();
    fs::write(folder.path().join("pyproject.toml"), "[project]\ndependencies = [\"strowger==1.2.0\"]\n").unwrap();
    for script in ["scripts/release", "scripts/action/lib.sh"] {
        fs::copy(Path::new(ROOT).join(script), folder.path().join(script)).unwrap();
    }
    let repository = "repository = \"https://github.com/acme/strowger\"";
    fs::write(folder.path().join("Cargo.toml"), format!("[package]\nversion = \"1.2.0\"\n{repository}\n")).unwrap();
    fs::write(folder.path().join("CHANGELOG.md"), changelog).unwrap();
    folder
}

/// What the script prints, or why it fails.
fn release(checkout: &Path, arguments: &[&str]) -> Result<String, String> {
    in_pipeline(checkout, arguments, None)
}

/// The same in a pipeline of this repository.
fn in_pipeline(checkout: &Path, arguments: &[&str], repository: Option<&str>) -> Result<String, String> {
    let mut command = Command::new("scripts/release");
    command.args(arguments).current_dir(checkout).env_remove("GITHUB_SERVER_URL").env_remove("GITHUB_REPOSITORY");
    if let Some(repository) = repository {
        command.env("GITHUB_SERVER_URL", "https://github.com").env("GITHUB_REPOSITORY", repository);
    }
    let output = command.output().unwrap();
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
fn what_else_names_the_version_or_the_repository_fits_or_there_is_no_release() {
    let folder = checkout("## [1.2.0] - 2026-11-24\n\n- this\n");
    let notes = |repository| in_pipeline(folder.path(), &["notes", "v1.2.0"], Some(repository));
    notes("acme/strowger").unwrap();
    let error = notes("acme/other").unwrap_err();
    assert!(error.contains("Cargo.toml does not say: repository = \"https://github.com/acme/other\""), "{error}");
    fs::write(folder.path().join("pyproject.toml"), "[project]\ndependencies = [\"strowger==1.1.0\"]\n").unwrap();
    let error = notes("acme/strowger").unwrap_err();
    assert!(error.contains("pyproject.toml does not depend on strowger==1.2.0"), "{error}");
}

#[test]
fn a_release_that_lacks_a_machine_has_no_sums() {
    let folder = checkout("");
    let program = folder.path().join("program");
    for name in ["LICENSE-APACHE", "LICENSE-MIT", "program"] {
        fs::copy(Path::new(ROOT).join("scripts/release"), folder.path().join(name)).unwrap();
    }
    let run = |arguments: &[&str]| release(folder.path(), arguments);
    assert!(run(&["pack", "riscv64gc-unknown-linux-gnu", "program"]).unwrap_err().contains("not built for riscv64gc"));
    assert!(run(&["pack", "aarch64-apple-darwin", "none"]).unwrap_err().contains("none is not a program"));
    assert!(run(&["pack", "aarch64-apple-darwin", "scripts"]).unwrap_err().contains("scripts is not a program"));
    run(&["pack", "aarch64-apple-darwin", "program"]).unwrap();
    let wheel = |platform: &str| {
        fs::copy(&program, folder.path().join(format!("strowger-1.2.0-py3-none-{platform}.whl"))).unwrap();
    };
    wheel(WHEELS[0]);
    let error = run(&["sums"]).unwrap_err();
    assert!(error.contains("there is no strowger-aarch64-unknown-linux-musl.tar.gz"), "{error}");
    assert!(!folder.path().join("SHA256SUMS").exists());
    let windows = |name: &str| name.contains("windows");
    for target in run(&["targets"]).unwrap().lines().filter(|target| !windows(target)) {
        run(&["pack", target, "program"]).unwrap();
    }
    let error = run(&["sums"]).unwrap_err();
    assert!(error.contains("there is no strowger-*-py3-none-*musllinux_*_aarch64.whl"), "{error}");
    WHEELS.iter().filter(|platform| !platform.starts_with("win")).for_each(|platform| wheel(platform));
    // Windows may lack, and that is said.
    let lacks = run(&["sums"]).unwrap();
    assert!(lacks.starts_with("This release has no strowger-x86_64-pc-windows-msvc.tar.gz.\n"), "{lacks}");
    run(&["pack", "x86_64-pc-windows-msvc", "program"]).unwrap();
    wheel("win_amd64");
    assert_eq!(run(&["sums"]).unwrap(), "");
    let sums = fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 10, "{sums}");
    let mut list = Command::new("tar");
    list.args(["-tzf", "strowger-x86_64-pc-windows-msvc.tar.gz"]).current_dir(folder.path());
    assert!(String::from_utf8(list.output().unwrap().stdout).unwrap().starts_with("strowger.exe\n"));
}

#[test]
fn a_moving_tag_only_goes_to_the_newest_release_of_its_version() {
    let folder = checkout("");
    let major = |tag: &str, releases: &str| {
        let list = folder.path().join("releases");
        fs::write(&list, releases).unwrap();
        let mut command = Command::new("scripts/release");
        let output =
            command.args(["major", tag]).current_dir(folder.path()).stdin(fs::File::open(list).unwrap()).output();
        let output = output.unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    let releases = "v1.2.0\nv1.10.0\nv1.9.9\nv2.0.0\nv10.0.0\nv1.11.0-rc.1\nnightly\n";
    for (tag, moves) in [
        ("v1.10.0", Some("v1")),
        ("v1.10.1", Some("v1")),
        ("v1.9.10", Some("")),
        ("v1.2.0", Some("")),
        ("v2.0.0", Some("v2")),
        ("v0.1.0", Some("v0")),
        ("v1.11.0-rc.1", None),
        ("v1", None),
        ("x", None),
    ] {
        assert_eq!(major(tag, releases).as_deref(), moves, "{tag}");
    }
    assert_eq!(major("v0.1.0", "").as_deref(), Some("v0"));
}
