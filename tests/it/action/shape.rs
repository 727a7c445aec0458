//! `action.yml`, the documents and the example workflows fit together, and pass what others check such files with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_yaml::Value;

use super::job::{ROOT, action};

const WORKFLOWS: [&str; 2] = ["examples/workflows/merge.yml", "examples/workflows/pull-request.yml"];
const RELEASE: &str = ".github/workflows/release.yml";
const DEPENDABOT: &str = ".github/dependabot.yml";
const CI: &str = ".github/workflows/ci.yml";
const PUBLISH: &str = ".github/workflows/publish.yml";

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

/// As much of TOML as tables of texts: table, key, text.
mod toml_of {
    use std::collections::BTreeMap;

    pub type Table = BTreeMap<String, BTreeMap<String, String>>;

    pub fn read(text: &str) -> Table {
        let (mut tables, mut name) = (Table::new(), String::new());
        for line in text.lines() {
            if let Some(found) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                found.clone_into(&mut name);
            } else if let Some((key, value)) = line.split_once(" = ") {
                tables.entry(name.clone()).or_default().insert(key.to_owned(), value.trim_matches('"').to_owned());
            }
        }
        tables
    }
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
        if let Some(uses) = step["uses"].as_str() {
            is_pinned(uses);
            continue;
        }
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
        // A run that applies is neither interrupted nor thrown out while it waits.
        let waits =
            (workflow["concurrency"]["queue"].as_str(), workflow["concurrency"]["cancel-in-progress"].as_bool());
        assert_eq!(waits, if path.ends_with("merge.yml") { (Some("max"), None) } else { (None, Some(true)) });
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
    // One that fails stops no other, and lacks only where that is said.
    assert_eq!(workflow["jobs"]["build"]["strategy"]["fail-fast"].as_bool(), Some(false));
    let lacking = workflow["jobs"]["build"]["strategy"]["matrix"]["include"].as_sequence().unwrap().iter();
    let lacking: Vec<&str> =
        lacking.filter(|one| !one["optional"].is_null()).map(|one| one["target"].as_str().unwrap()).collect();
    assert!(read("scripts/release").contains(&format!("\noptional={}\n", lacking.join(" "))), "{lacking:?}");
}

#[test]
fn our_own_workflows_pin_what_they_use_and_put_no_text_into_scripts() {
    for path in [CI, RELEASE, PUBLISH] {
        let workflow = yaml(path);
        assert!(workflow["permissions"].as_mapping().unwrap().is_empty(), "{path}: what a job may do is said there");
        for (_, job) in workflow["jobs"].as_mapping().unwrap() {
            for step in job["steps"].as_sequence().unwrap() {
                step["uses"].as_str().into_iter().for_each(is_pinned);
                assert!(!step["run"].as_str().unwrap_or_default().contains("${{"));
            }
        }
    }
}

#[test]
fn every_file_pins_the_same_commit_of_an_action() {
    let mut pins: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in WORKFLOWS.iter().chain(&[CI, RELEASE, PUBLISH, "action.yml", "docs/github-action.md"]) {
        for line in read(path).lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: ")) {
            let (name, pin) = line.split_once('@').unwrap();
            pins.entry(name.to_owned()).or_default().insert(pin.to_owned());
        }
    }
    assert!(pins.len() >= 6, "{pins:?}");
    for (name, pins) in pins.into_iter().filter(|(name, _)| name != "OWNER/strowger") {
        assert_eq!(pins.len(), 1, "{name}: {pins:?}");
        let pin = pins.first().unwrap();
        assert!(pin.split_once(" # v").is_some_and(|(_, version)| version.split('.').count() == 3), "{name}@{pin}");
    }
}

#[test]
fn other_ways_to_install_lead_to_the_release_of_the_same_version() {
    let toml = |path: &str| -> toml_of::Table { toml_of::read(&read(path)) };
    let cargo = toml("Cargo.toml");
    let version = env!("CARGO_PKG_VERSION");
    assert!(read("pyproject.toml").contains(&format!("dependencies = [\"strowger=={version}\"]")));
    let binstall = &cargo["package.metadata.binstall"];
    let url = binstall["pkg-url"]
        .replace("{ repo }", "")
        .replace("{ name }", "strowger")
        .replace("{ version }", version)
        .replace("{ target }", "TARGET");
    assert_eq!(url, format!("/releases/download/v{version}/strowger-TARGET.tar.gz"));
    assert_eq!((binstall["pkg-fmt"].as_str(), binstall["bin-dir"].as_str()), ("tgz", "{ bin }{ binary-ext }"));
    assert!(cargo["package"]["repository"].starts_with("https://"));
}

#[test]
fn the_image_is_built_of_what_is_sent_for_it() {
    // A build without what is left out: every file that the sources include is there, and every target has its file.
    let kept = |line: &&str| line.starts_with('!');
    let ignore = read(".dockerignore");
    let kept: Vec<&str> = ignore.lines().filter(kept).map(|line| &line[1..]).collect();
    let folder = tempfile::tempdir().unwrap();
    for path in &kept {
        let (from, to) = (Path::new(ROOT).join(path), folder.path().join(path));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        if from.is_dir() {
            fs::create_dir_all(&to).unwrap();
            crate::support::commands::copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata =
        Command::new(cargo).args(["metadata", "--no-deps", "--format-version=1"]).current_dir(folder.path()).output();
    let metadata = metadata.unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let mut included = 0;
    let mut folders = vec![folder.path().join("src")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let text = fs::read_to_string(&entry).unwrap_or_default();
            for path in text.split("include_str!(\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                included += 1;
                assert!(entry.parent().unwrap().join(path).exists(), "{} includes {path}", entry.display());
            }
        }
    }
    assert!(included >= 5);
    for word in ["target", ".git", "examples", "tests"] {
        assert!(!folder.path().join(word).exists() || word == "examples", "{word} is sent");
    }
    assert!(ignore.contains("\n*\n"), "all else is left out");
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
fn linters_of_actions_workflows_scripts_and_spelling_find_nothing() {
    let Some(folder) = std::env::var_os("STROWGER_LINTERS").map(PathBuf::from) else {
        println!("skipped: STROWGER_LINTERS is not set; run STROWGER_LINTERS=$(scripts/linters) cargo test");
        return;
    };
    let workflows = [WORKFLOWS[0], WORKFLOWS[1], CI, RELEASE, PUBLISH];
    let shellcheck = format!("-shellcheck={}", folder.join("shellcheck").display());
    lint(&folder, "actionlint", &[&["-no-color", "-pyflakes=", &shellcheck], &workflows[..]].concat());
    for (schema, paths) in [
        ("vendor.github-workflows", &workflows[..]),
        ("vendor.github-actions", &["action.yml"]),
        ("vendor.dependabot", &[DEPENDABOT]),
    ] {
        lint(&folder, "check-jsonschema", &[&["--builtin-schema", schema], paths].concat());
    }
    lint(
        &folder,
        "zizmor",
        &[&["--offline", "--no-progress", "--persona=pedantic", "action.yml", DEPENDABOT], &workflows[..]].concat(),
    );
    let sourcing = ["scripts/action/install.sh", "scripts/action/build.sh", "scripts/action/run.sh", "scripts/release"];
    lint(&folder, "shellcheck", &[&["-x", "-a", "-P", "."], &sourcing[..]].concat());
    lint(
        &folder,
        "shellcheck",
        &[
            "scripts/asterisk",
            "scripts/deny",
            "scripts/linters",
            "scripts/schemathesis",
            "scripts/static-check",
            "scripts/test",
        ],
    );
    lint(&folder, "typos", &["--format", "brief"]);
}
