//! `action.yml`, the documents and the example workflows fit together, and pass what others check such files with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_yaml::Value;

use crate::job::{ROOT, action};

const WORKFLOWS: [&str; 2] = ["examples/workflows/merge.yml", "examples/workflows/pull-request.yml"];
const RELEASE: &str = ".github/workflows/release.yml";

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&read(path)).unwrap()
}

fn scripts() -> Vec<PathBuf> {
    let folder = fs::read_dir(Path::new(ROOT).join("scripts/action")).unwrap();
    let mut scripts: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    scripts
}

/// What a workflow or an action uses is pinned to a commit.
#[track_caller]
fn is_pinned(uses: &str) {
    let (name, revision) = uses.split_once('@').unwrap();
    assert!(revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
}

/// The rows of the table below a heading, by their first cell.
fn table(page: &str, heading: &str) -> BTreeMap<String, Vec<String>> {
    let rows = page.split(&format!("\n## {heading}\n")).nth(1).unwrap().lines();
    let rows = rows.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).skip(2);
    let cells =
        rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
    cells.map(|cells| (cells[0].trim_matches('`').to_owned(), cells)).collect()
}

/// A folded text of YAML in one line, as the table has it.
fn words(value: &Value) -> String {
    value.as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_has_every_input_and_output() {
    let (action, page) = (action(), read("docs/github-action.md"));
    let wanted = action["inputs"].as_mapping().unwrap().iter().map(|(name, input)| {
        let default = words(&input["default"]);
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        let name = name.as_str().unwrap().to_owned();
        (name.clone(), vec![format!("`{name}`"), default, words(&input["description"])])
    });
    let wanted: BTreeMap<_, _> = wanted.collect();
    assert_eq!(table(&page, "Inputs"), wanted);
    let outputs = action["outputs"].as_mapping().unwrap().iter();
    let wanted: BTreeMap<_, _> = outputs
        .map(|(name, output)| {
            let name = name.as_str().unwrap().to_owned();
            (name.clone(), vec![format!("`{name}`"), words(&output["description"])])
        })
        .collect();
    assert_eq!(table(&page, "Outputs"), wanted);
    for name in wanted.keys() {
        assert!(name.chars().all(|character| character.is_ascii_lowercase() || character == '_'), "{name}");
    }
}

#[test]
fn nothing_is_interpolated_into_a_script_and_every_input_is_used() {
    let action = action();
    let mut used = BTreeSet::new();
    for step in action["runs"]["steps"].as_sequence().unwrap() {
        assert!(!step["run"].as_str().unwrap().contains("${{"));
        for (name, value) in step["env"].as_mapping().unwrap() {
            let name = name.as_str().unwrap();
            let scripts: String = scripts().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
            assert!(
                scripts.contains(&format!("${name}")) || scripts.contains(&format!("${{{name}")),
                "{name} is unused"
            );
            used.extend(
                value.as_str().unwrap().strip_prefix("${{ inputs.").map(|rest| rest.trim_end_matches(" }}").to_owned()),
            );
        }
    }
    let declared: BTreeSet<String> =
        action["inputs"].as_mapping().unwrap().keys().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert_eq!(used, declared);
}

#[test]
fn examples_hand_only_inputs_over_that_there_are_and_pin_what_they_use() {
    let inputs = action();
    for path in WORKFLOWS {
        let workflow = yaml(path);
        assert!(workflow["concurrency"]["group"].is_string());
        for (_, job) in workflow["jobs"].as_mapping().unwrap() {
            let mut strowger = 0;
            for step in job["steps"].as_sequence().unwrap() {
                let uses = step["uses"].as_str().unwrap();
                is_pinned(uses);
                let name = uses.split('@').next().unwrap();
                if name == "OWNER/strowger" {
                    strowger += 1;
                    for input in step["with"].as_mapping().unwrap().keys() {
                        assert!(inputs["inputs"][input.as_str().unwrap()].is_mapping(), "{path}: {input:?}");
                    }
                    assert_eq!(step["env"]["STROWGER_TOKEN"].as_str(), Some("${{ secrets.STROWGER_TOKEN }}"));
                }
                if name == "actions/checkout" {
                    assert_eq!(step["with"]["fetch-depth"].as_u64(), Some(0));
                    assert_eq!(step["with"]["persist-credentials"].as_bool(), Some(false));
                }
            }
            assert_eq!(strowger, 1);
        }
    }
    assert_eq!(yaml(WORKFLOWS[0])["jobs"]["apply"]["environment"].as_str(), Some("phone-account"));
}

#[test]
fn the_release_is_built_for_every_machine_that_the_action_looks_for_one() {
    let workflow = yaml(RELEASE);
    let built = workflow["jobs"]["build"]["strategy"]["matrix"]["include"].as_sequence().unwrap().iter();
    let built: BTreeSet<String> = built.map(|one| one["target"].as_str().unwrap().to_owned()).collect();
    let targets = Command::new("scripts/release").arg("targets").current_dir(ROOT).output().unwrap().stdout;
    let targets = String::from_utf8(targets).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(built, targets);
    let install = read("scripts/action/install.sh");
    let wanted = install.lines().filter_map(|line| line.trim().split_once(") echo ")?.1.strip_suffix(" ;;"));
    assert_eq!(wanted.map(str::to_owned).collect::<BTreeSet<_>>(), built);
    for (_, job) in workflow["jobs"].as_mapping().unwrap() {
        for step in job["steps"].as_sequence().unwrap() {
            step["uses"].as_str().into_iter().for_each(is_pinned);
            assert!(!step["run"].as_str().unwrap_or_default().contains("${{"));
        }
    }
}

#[test]
fn scripts_keep_to_what_the_bash_of_macos_knows() {
    let newer = [
        "mapfile",
        "readarray",
        "declare -A",
        "local -A",
        "local -n",
        ",,}",
        "^^}",
        "&>>",
        "|&",
        "${!",
        "@Q}",
        "EPOCHSECONDS",
    ];
    for path in scripts().into_iter().chain([Path::new(ROOT).join("scripts/release")]) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.lines().count() <= 400, "{}", path.display());
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#')) {
            for word in newer {
                assert!(!line.contains(word), "{}:{}: {word} is newer than bash 3.2", path.display(), at + 1);
            }
            assert!(!line.contains("eval "), "{}:{}: eval", path.display(), at + 1);
        }
    }
}

#[test]
fn the_hooks_of_pre_commit_check_accounts() {
    for hook in yaml(".pre-commit-hooks.yaml").as_sequence().unwrap() {
        let entry: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').collect();
        assert_eq!((entry[0], hook["pass_filenames"].as_bool()), ("strowger", Some(false)));
        let check = |folder: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
            command.args(&entry[1..]).arg(folder).current_dir(ROOT).output().unwrap().status.code()
        };
        assert_eq!((check("examples/wework"), check("tests/cmd/validate/traps.in")), (Some(0), Some(3)));
    }
}

/// Runs a linter on files; its output if it finds fault.
#[track_caller]
fn lint(folder: &Path, program: &str, arguments: &[&str]) {
    let Output { status, stdout, stderr } =
        Command::new(folder.join(program)).args(arguments).current_dir(ROOT).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{program} {arguments:?}\n{out}\n{err}");
}

#[test]
fn linters_of_actions_workflows_and_scripts_find_nothing() {
    let Some(folder) = std::env::var_os("STROWGER_LINTERS").map(PathBuf::from) else {
        println!("skipped: STROWGER_LINTERS is not set; run STROWGER_LINTERS=$(scripts/linters) cargo test");
        return;
    };
    let workflows = [WORKFLOWS[0], WORKFLOWS[1], RELEASE];
    let shellcheck = format!("-shellcheck={}", folder.join("shellcheck").display());
    lint(&folder, "actionlint", &[&["-no-color", "-pyflakes=", &shellcheck], &workflows[..]].concat());
    for path in ["action.yml"].iter().chain(&workflows) {
        lint(&folder, "action-validator", &[path]);
    }
    lint(
        &folder,
        "zizmor",
        &[&["--offline", "--no-progress", "--persona=pedantic", "action.yml"], &workflows[..]].concat(),
    );
    let sourcing = ["scripts/action/install.sh", "scripts/action/run.sh", "scripts/release"];
    lint(&folder, "shellcheck", &[&["-x", "-a", "-P", "."], &sourcing[..]].concat());
    lint(&folder, "shellcheck", &["scripts/linters", "scripts/schemathesis", "scripts/test"]);
}
