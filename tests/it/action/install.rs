//! Where the program comes from: a release that is what its sums say, or the action's own checkout.

use std::fs;

use super::project::{Project, office, tag};
use crate::support::commands;

fn planned(project: &Project, inputs: &[(&'static str, &str)]) -> super::job::Ended {
    let event = project.propose(|project| commands::edit(&project.phones(), "version: 1", "# x\nversion: 1"));
    project.run(&event, &[&[("comment", "false")], inputs].concat())
}

/// A cargo that notes what it was asked for and hands out the binary that is there already.
fn cargo(project: &Project) {
    let real = env!("CARGO_BIN_EXE_strowger");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" != --version ] || {{ echo cargo 1.89.0; exit; }}\necho \"$*\" >> \"$HOME/cargo.log\"\nwhile [ \"$1\" != --target-dir ]; do shift; done\n\
         mkdir -p \"$2/release\"\nln {real} \"$2/release/strowger\" 2>/dev/null || cp {real} \"$2/release/strowger\"\n"
    );
    project.executable("cargo", &script);
}

fn built(project: &Project) -> String {
    fs::read_to_string(project.temporary.path().join("cargo.log")).unwrap_or_default()
}

#[test]
fn a_release_is_checked_and_fetched_once_for_a_job() {
    let (_server, project) = office();
    let ended = planned(&project, &[]).expect(0);
    assert!(ended.log.contains(&format!("strowger {}, checked: SHA-256 ", tag())), "{}", ended.log);
    let again = planned(&project, &[]).expect(0);
    assert!(!again.log.contains("checked"), "{}", again.log);
}

#[test]
fn an_archive_that_is_not_what_its_sum_says_is_never_run() {
    let (_server, project) = office();
    cargo(&project);
    project.tamper(&tag());
    let ended = planned(&project, &[]).expect(1);
    ended.says("::error", "is not what SHA256SUMS says: it is not used");
    assert_eq!(
        [ended.output("exit_code"), built(&project).as_str()],
        ["", ""],
        "nor is something else used in its place"
    );
}

#[test]
fn a_pinned_commit_is_the_release_if_it_was_released() {
    let (_server, mut project) = office();
    cargo(&project);
    let (released, other) = ("a".repeat(40), "b".repeat(40));
    project.github.state().commits.insert(tag(), released.clone());
    project.reference.clone_from(&released);
    assert!(planned(&project, &[]).expect(0).log.contains("checked: SHA-256"));
    assert_eq!(built(&project), "");
    // A commit after the release is another program.
    project.reference = other;
    let ended = planned(&project, &[]).expect(0);
    assert!(!ended.log.contains("checked: SHA-256"), "{}", ended.log);
    assert!(built(&project).contains("build --release --locked"), "{}", built(&project));
    // A branch or a moving tag is asked for.
    project.reference = "v0".into();
    project.github.state().commits.insert("v0".into(), released);
    assert!(planned(&project, &[]).expect(0).log.contains("checked: SHA-256"));
}

#[test]
fn without_a_release_it_is_built_from_the_checkout_of_the_action() {
    let (_server, project) = office();
    cargo(&project);
    project.github.state().assets.clear();
    planned(&project, &[]).expect(0);
    let asked = built(&project);
    let manifest = format!("--manifest-path {}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
    assert!(asked.starts_with("build --release --locked --bin strowger") && asked.contains(&manifest), "{asked}");
}

#[test]
fn a_version_that_is_asked_for_is_that_or_an_error() {
    let (_server, project) = office();
    cargo(&project);
    project.release("v9.9.9");
    assert!(planned(&project, &[("version", "v9.9.9")]).expect(0).log.contains("strowger v9.9.9, checked"));
    planned(&project, &[("version", "v8.8.8")]).expect(1).says("::error", "there is no usable release v8.8.8");
    planned(&project, &[("version", "../../x")]).expect(1).says("::error", "the input `version`");
    assert_eq!(built(&project), "");
    planned(&project, &[("version", "source")]).expect(0);
    assert_eq!(built(&project).lines().count(), 1);
}

#[test]
fn what_was_built_once_is_not_built_again_on_another_machine() {
    let (_server, project) = office();
    cargo(&project);
    project.github.state().assets.clear();
    planned(&project, &[]).expect(0);
    assert_eq!(built(&project).matches("build --release").count(), 1);
    // The next job begins with nothing but the cache.
    for entry in fs::read_dir(project.temporary.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.file_name().unwrap().to_str().unwrap().starts_with("strowger-v") {
            fs::remove_dir_all(entry).unwrap();
        }
    }
    planned(&project, &[]).expect(0);
    assert_eq!(built(&project).matches("build --release").count(), 1, "{}", built(&project));
}

#[test]
fn a_private_repositorys_release_is_fetched_with_the_token_which_only_the_api_gets() {
    let (_server, project) = office();
    cargo(&project);
    project.github.state().private = true;
    let ended = planned(&project, &[]).expect(0);
    assert!(ended.log.contains("checked: SHA-256"), "{}", ended.log);
    assert!(!built(&project).contains("build"), "{}", built(&project));
    // What it sends us to is not followed anywhere.
    let (_server, project) = office();
    cargo(&project);
    (project.github.state().private, project.github.state().storage) = (true, Some("ftp://example.org/x".to_owned()));
    planned(&project, &[]).expect(1).says("::error", "the API sends us to an odd place for SHA256SUMS");
    // Without a token there is no such repository.
    let (_server, project) = office();
    cargo(&project);
    project.github.state().private = true;
    planned(&project, &[("token", "")]).expect(0);
    assert!(built(&project).contains("build --release"), "{}", built(&project));
}

/// A `gh` that notes what it is asked for, and finds that somebody else built the file if there is a file `forged`.
fn gh(project: &Project) {
    let script = "#!/bin/sh\n[ \"$3\" != --help ] || { echo '--source-ref string'; exit; }\n\
                  echo \"$* $GH_HOST ${#GH_TOKEN}\" >> \"$HOME/gh.log\"\n\
                  [ ! -e \"$HOME/forged\" ] || { echo '::error::verification failed'; exit 1; }\n";
    project.executable("gh", script);
}

#[test]
fn a_program_that_another_workflow_built_is_not_used() {
    let (_server, project) = office();
    cargo(&project);
    gh(&project);
    fs::write(project.temporary.path().join("forged"), "").unwrap();
    let ended = planned(&project, &[]).expect(1);
    ended.says("::error", "it cannot be verified who built");
    assert_eq!(ended.commands().iter().filter(|line| line.contains("verification failed")).count(), 0);
    assert!(!built(&project).contains("build"), "nor is something else used in its place");
    // Whoever hosts it where there are no attestations says so.
    planned(&project, &[("attestation", "false")]).expect(0);
    let (_server, project) = office();
    gh(&project);
    let ended = planned(&project, &[]).expect(0);
    assert!(ended.log.contains("Attested: built by the release workflow of"), "{}", ended.log);
    let asked = fs::read_to_string(project.temporary.path().join("gh.log")).unwrap();
    let host = super::project::host();
    for words in [
        "attestation verify ".to_owned(),
        format!("--repo {host} --signer-workflow {host}/.github/workflows/release.yml"),
        format!("--source-ref refs/tags/{}", tag()),
        format!(" {}\n", super::github::TOKEN.len()),
    ] {
        assert!(asked.contains(&words), "{words}: {asked}");
    }
    assert!(!asked.contains(super::github::TOKEN), "a list of processes has the token");
}

#[test]
fn a_windows_runner_gets_the_program_for_windows() {
    let (_server, project) = office();
    project.executable("uname", "#!/bin/sh\n[ \"$1\" = -m ] && echo x86_64 || echo MINGW64_NT-10.0-26100\n");
    project.executable("cygpath", "#!/bin/sh\necho \"$2\"\n");
    let ended = planned(&project, &[]).expect(0);
    assert!(ended.log.contains("checked: SHA-256"), "{}", ended.log);
    let place = fs::read_dir(project.temporary.path()).unwrap().map(|entry| entry.unwrap().path());
    assert!(place.into_iter().any(|place| place.join("strowger.exe").is_file()));
    assert_eq!(ended.output("exit_code"), "2");
}
