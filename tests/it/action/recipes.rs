//! The recipes for other pipelines do what they say: they are taken from the page and run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::job::ROOT;
use super::project::{Project, office};
use crate::support::commands::{self, expect};

/// The first block of a language below a heading of the page.
fn block(heading: &str, language: &str) -> String {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/ci.md")).unwrap();
    let section = page.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let block = section.split(&format!("```{language}\n")).nth(1).unwrap().split("```").next().unwrap();
    block.to_owned()
}

/// What a shell of GitLab's runs for these jobs.
fn gitlab(jobs: &[&str]) -> String {
    let pipeline: serde_yaml::Value = serde_yaml::from_str(&block("GitLab CI", "yaml")).unwrap();
    let parts = std::iter::once((".strowger", "before_script")).chain(jobs.iter().map(|job| (*job, "script")));
    let lines = parts.flat_map(|(job, key)| pipeline[job][key].as_sequence().unwrap());
    lines.fold("set -e\n".to_owned(), |script, line| script + line.as_str().unwrap() + "\n")
}

fn sh(project: &Project, script: &str, env: &[(&str, &str)]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_strowger")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(project.repository.path()).env("PATH", path);
    command.env("STROWGER_TEST_TOKEN", commands::TOKEN).envs(env.iter().copied()).output().unwrap()
}

#[test]
fn the_plain_shell_plans_on_a_branch_and_applies_on_main() {
    let (server, project) = office();
    project.commit("second");
    let script = block("A plain shell", "sh");
    expect(&sh(&project, &script, &[("BRANCH", "change")]), 0);
    let page = fs::read_to_string(project.repository.path().join("plan.md")).unwrap();
    assert!(page.contains("### Strowger plan for") && server.audit().is_empty(), "{page}");
    expect(&sh(&project, &script, &[("BRANCH", "main")]), 0);
    assert_eq!(server.audit().len(), 5);
    assert!(expect(&sh(&project, &script, &[("BRANCH", "main")]), 0).ends_with("in sync\n"));
}

#[test]
fn gitlab_applies_the_plan_that_its_first_job_saved() {
    let (server, project) = office();
    assert!(expect(&sh(&project, &gitlab(&["plan"]), &[]), 0).contains("Digest: "));
    assert!(server.audit().is_empty());
    let number = server.number("+33142685302");
    let path = format!("numbers/{}", number["id"].as_str().unwrap());
    server.patch(&path, &serde_json::json!({ "label": "By hand" }));
    expect(&sh(&project, &gitlab(&["apply"]), &[]), 5);
    expect(&sh(&project, &gitlab(&["plan"]), &[]), 0);
    expect(&sh(&project, &gitlab(&["apply"]), &[]), 0);
    assert_eq!(server.audit().len(), 6);
    // A pipeline fails as the files do.
    commands::edit(&project.phones(), "extension: \"300\"", "extension: 300");
    expect(&sh(&project, &gitlab(&["plan"]), &[]), 3);
}

#[test]
fn guards_of_before_a_push_of_several_commits_hold_in_plan_and_in_apply() {
    let (server, project) = office();
    let before = project.edit("ring_groups:", "policy: { protect: [\"+33142685302\"] }\nring_groups:");
    project.edit("policy: { protect: [\"+33142685302\"] }\n", "");
    project.edit("label: Accueil", "label: Bonjour");
    project.edit("label: Bonjour", "label: Bienvenue");
    let branch = [("CI_COMMIT_BRANCH", "main"), ("CI_DEFAULT_BRANCH", "main")];
    let both = gitlab(&["plan", "apply"]);
    let push = [&branch[..], &[("CI_COMMIT_BEFORE_SHA", &before)]].concat();
    expect(&sh(&project, &both, &push), 4);
    expect(&sh(&project, &block("A plain shell", "sh"), &[("BRANCH", "main"), ("BEFORE", &before)]), 4);
    // A merge request of several commits is guarded by its base.
    let request = [("CI_DEFAULT_BRANCH", "main"), ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &before)];
    assert!(expect(&sh(&project, &gitlab(&["plan"]), &request), 0).contains("protected"));
    assert!(server.audit().is_empty());
    // Of a branch that is new, nothing is known.
    let zeros = "0".repeat(40);
    expect(&sh(&project, &both, &[&branch[..], &[("CI_COMMIT_BEFORE_SHA", &zeros)]].concat()), 0);
    assert_eq!(server.audit().len(), 5);
}
