//! A job on a runner: reads `action.yml` and runs its steps with bash as a runner does, each `env` resolved from the
//! inputs, then reads what the steps said.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_yaml::Value;

use super::github::{HOST, REPOSITORY, TOKEN};
use crate::support::commands::copy;

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

pub fn action() -> Value {
    serde_yaml::from_str(&fs::read_to_string(Path::new(ROOT).join("action.yml")).unwrap()).unwrap()
}

/// What a run of the action ended with.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub log: String,
    pub outputs: BTreeMap<String, String>,
    pub summary: String,
}

impl Ended {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n--- summary\n{}", self.log, self.summary);
        self
    }

    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }

    /// What the runner would obey or show of the log: workflow commands outside of what it was told to pass over.
    pub fn commands(&self) -> Vec<&str> {
        let mut commands = Vec::new();
        let mut deaf: Option<String> = None;
        for line in self.log.lines().map(str::trim_start) {
            match &deaf {
                Some(end) if line == end => deaf = None,
                Some(_) => {}
                None => {
                    assert!(!line.contains("##["), "an old command: {line}");
                    if let Some(token) = line.strip_prefix("::stop-commands::") {
                        assert!(token.len() >= 32, "{token} can be guessed");
                        deaf = Some(format!("::{token}::"));
                    } else if line.starts_with("::") {
                        commands.push(line);
                    }
                }
            }
        }
        assert!(deaf.is_none(), "the runner stays deaf");
        commands
    }

    #[track_caller]
    pub fn says(&self, start: &str, words: &str) {
        let found = self.commands().iter().any(|line| line.starts_with(start) && line.contains(words));
        assert!(found, "no {start} with {words:?} in\n{}", self.log);
    }
}

/// A runner's machine.
pub struct Job<'a> {
    pub inputs: HashMap<&'a str, String>,
    pub env: HashMap<String, String>,
    /// Where the repository is checked out.
    pub workspace: PathBuf,
    /// What outlives the steps.
    pub temporary: PathBuf,
    /// What the pinned revision of the action is called.
    pub reference: String,
    /// Programs that come before those of the machine.
    pub programs: Option<PathBuf>,
}

impl Job<'_> {
    pub fn run(&self) -> Ended {
        let action = action();
        let mut steps: HashMap<String, BTreeMap<String, String>> = HashMap::new();
        let mut ended = Ended { code: 0, log: String::new(), outputs: BTreeMap::new(), summary: String::new() };
        let mut built = None;
        for (at, step) in action["runs"]["steps"].as_sequence().unwrap().iter().enumerate() {
            if let Some(condition) = step["if"].as_str() {
                let value = condition.strip_suffix(" != ''").unwrap();
                if self.resolved(&format!("${{{{ {value} }}}}"), &action, &steps).is_empty() {
                    continue;
                }
            }
            if let Some(uses) = step["uses"].as_str() {
                assert!(uses.starts_with("actions/cache@"), "this runner does not know {uses}");
                let with = |name: &str| self.resolved(step["with"][name].as_str().unwrap(), &action, &steps);
                let (path, kept) = (PathBuf::from(with("path")), self.temporary.join("cache").join(with("key")));
                if kept.exists() {
                    fs::create_dir_all(&path).unwrap();
                    copy(&kept, &path);
                } else {
                    built = Some((path, kept));
                }
                continue;
            }
            let (code, outputs) = self.step(at, step, &action, &steps, &mut ended);
            steps.insert(step["id"].as_str().unwrap().to_owned(), outputs);
            if code != 0 {
                ended.code = code;
                break;
            }
        }
        // What was not there is kept at the end of a job that succeeded.
        if let Some((path, kept)) = built.filter(|_| ended.code == 0) {
            fs::create_dir_all(&kept).unwrap();
            copy(&path, &kept);
        }
        for (name, output) in action["outputs"].as_mapping().unwrap() {
            let value = self.resolved(output["value"].as_str().unwrap(), &action, &steps);
            ended.outputs.insert(name.as_str().unwrap().to_owned(), value);
        }
        assert!(!ended.log.contains(TOKEN) && !ended.summary.contains(TOKEN), "the token is in the log");
        ended
    }

    fn step(
        &self,
        at: usize,
        step: &Value,
        action: &Value,
        steps: &HashMap<String, BTreeMap<String, String>>,
        ended: &mut Ended,
    ) -> (i32, BTreeMap<String, String>) {
        assert_eq!(step["shell"].as_str(), Some("bash"));
        let file = |name: &str| {
            let path = self.temporary.join(format!("{name}-{at}"));
            fs::write(&path, "").unwrap();
            path
        };
        let (script, output, summary) = (file("script"), file("output"), file("summary"));
        fs::write(&script, step["run"].as_str().unwrap()).unwrap();
        let path = std::env::var("PATH").unwrap();
        let programs = self.programs.as_ref().map(|programs| format!("{}:", programs.display())).unwrap_or_default();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&script).current_dir(&self.workspace);
        command.env_clear().env("PATH", format!("{programs}{path}")).env("HOME", &self.temporary);
        command.env("GITHUB_OUTPUT", &output).env("GITHUB_STEP_SUMMARY", &summary);
        command
            .env("GITHUB_ACTION_PATH", ROOT)
            .env("GITHUB_REPOSITORY", REPOSITORY)
            .env("RUNNER_TEMP", &self.temporary);
        command.envs(&self.env);
        for (name, value) in step["env"].as_mapping().unwrap() {
            command.env(name.as_str().unwrap(), self.resolved(value.as_str().unwrap(), action, steps));
        }
        let log = fs::File::create(self.temporary.join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let code = command.status().unwrap().code().unwrap();
        ended.log += &String::from_utf8(fs::read(self.temporary.join("log")).unwrap()).unwrap();
        let page = fs::read_to_string(&summary).unwrap();
        assert!(page.len() <= 1 << 20, "a summary of {} bytes", page.len());
        ended.summary += &page;
        (code, outputs(&fs::read_to_string(&output).unwrap()))
    }

    /// A value with its one expression evaluated.
    fn resolved(&self, value: &str, action: &Value, steps: &HashMap<String, BTreeMap<String, String>>) -> String {
        let Some(expression) = value.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")) else {
            return value.to_owned();
        };
        if let Some(input) = expression.strip_prefix("inputs.") {
            let default = action["inputs"][input]["default"].as_str().unwrap_or_else(|| panic!("no input {input}"));
            let given = self.inputs.get(input).cloned();
            return given.unwrap_or_else(|| self.resolved(default, action, steps));
        }
        if let Some(output) = expression.strip_prefix("steps.") {
            let (step, name) = output.split_once(".outputs.").unwrap();
            return steps.get(step).and_then(|outputs| outputs.get(name)).cloned().unwrap_or_default();
        }
        match expression {
            "github.token" => TOKEN.to_owned(),
            "github.action_repository" => HOST.to_owned(),
            "github.action_ref" => self.reference.clone(),
            other => panic!("this runner does not know {other}"),
        }
    }
}

/// What a step wrote to `GITHUB_OUTPUT`, as the runner reads it.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line.split_once("<<").unwrap_or_else(|| panic!("{line:?} is not an output"));
        assert!(delimiter.len() >= 32, "{delimiter} can be guessed");
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        assert!(outputs.insert(name.to_owned(), value.join("\n")).is_none(), "{name} twice");
    }
    outputs
}
