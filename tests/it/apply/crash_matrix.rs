//! The crash matrix: a plan of many writes of all kinds is cut off after every single one of them, by killing
//! the client or the server, before or after the answer came. The next run has to end where an uninterrupted
//! one does, with nothing twice, and no number may have been without its destination on the way.
//!
//! Real processes, `kill -9`, and a door between them that lets exactly so many writes through.
#![cfg(unix)]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::door::{Door, Shut};

const TOKEN: &str = "crash-matrix-token";
const NUMBERS: usize = 26;
const GROUPS: usize = 16;

/// Who dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Client,
    Server,
}

/// Deletions, a chain of extension numbers that goes round, a circle of no-answer targets, renames, new
/// groups, and numbers that move between all of them.
fn account() -> (String, String) {
    let mut seed = "snapshot: 1\naccount: { name: matrix, country: FR, default_number: \"+33142685399\" }\n".to_owned();
    seed += "users:\n  ana@example.org: { name: Ana, extension: \"201\" }\n  ben@example.org: { name: Ben, extension: \"202\" }\n";
    seed += "receptionists:\n  main: { extension: \"100\", timezone: Europe/Paris, keys: { \"1\": ring_group/g0 } }\nring_groups:\n";
    for group in 0..GROUPS {
        // g0 to g2 hand on in a line, g3 to g5 stand alone.
        let next = if group < 2 { format!("ring_group/g{}", group + 1) } else { "none".to_owned() };
        let extension = 300 + group;
        writeln!(seed, "  g{group}: {{ extension: \"{extension}\", members: [user/201], no_answer: {next} }}").unwrap();
    }
    seed += "numbers:\n  \"+33142685399\": { to: receptionist/main }\n";
    for index in 0..NUMBERS {
        writeln!(seed, "  \"{}\": {{ to: ring_group/g{} }}", number(index), index % GROUPS).unwrap();
    }

    let mut wanted = String::new();
    let caps = "{ numbers: { update: off, unassign: off }, ring_groups: { create: off, update: off, delete: off } }";
    writeln!(wanted, "version: 1\npolicy: {{ caps: {caps} }}\nring_groups:").unwrap();
    for (name, fields) in [
        // The line turns round: g2 → g1 → g0.
        ("g0", "extension: \"301\", no_answer: none"),
        ("g1", "extension: \"302\", no_answer: ring_group/g0"),
        // Extension numbers go round in a circle of three.
        ("g2", "extension: \"300\", no_answer: ring_group/g1"),
        ("new-g3", "renamed_from: g3"),
        ("new-g4", "renamed_from: g4, ring: sequential"),
        ("g5", "ring_for: 30s"),
        ("g6", "ring_for: 30s, no_answer: voicemail/ana@example.org"),
        ("fresh-0", "extension: \"400\""),
        ("fresh-1", "extension: \"401\", no_answer: ring_group/fresh-0"),
        ("fresh-2", "extension: \"402\", no_answer: ring_group/fresh-1"),
        // Takes the extension number of a group that goes.
        ("fresh-3", "extension: \"315\""),
    ] {
        let members = if name == "g5" { "user/202, user/201" } else { "user/201" };
        writeln!(wanted, "  {name}: {{ members: [{members}], {fields} }}").unwrap();
    }
    wanted += "absent: [ring_group/g12, ring_group/g13, ring_group/g14, ring_group/g15]\nnumbers:\n";
    for index in 0..NUMBERS {
        let to = match index {
            24 => "none".to_owned(),
            _ if index % 8 < 4 => format!("ring_group/fresh-{}", index % 4),
            _ => format!("ring_group/g{}", [0, 1, 2, 6][index % 4]),
        };
        writeln!(wanted, "  \"{}\": {{ to: {to}, label: Line {index} }}", number(index)).unwrap();
    }
    (seed, wanted)
}

fn number(index: usize) -> String {
    format!("+331426860{index:02}")
}

/// The state file of the account before anything happens, and how it ends without a crash.
struct Uninterrupted {
    folder: TempDir,
    end: Value,
    writes: usize,
}

impl Uninterrupted {
    fn get() -> &'static Self {
        static ONCE: OnceLock<Uninterrupted> = OnceLock::new();
        ONCE.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("seed.yaml"), account().0).unwrap();
            let fresh = folder.path().join("fresh.db");
            drop(Server::start(&fresh, Some(&folder.path().join("seed.yaml"))));
            let state = copy_state(&fresh, folder.path());
            let server = Server::start(&state, None);
            let client = Client::new(&server.url);
            assert_eq!(client.apply().wait().unwrap().code(), Some(0));
            let (end, writes) = (server.state(), server.list("audit").len());
            drop(server);
            Self { folder, end, writes }
        })
    }

    /// A copy of the account of before.
    fn state(&self, folder: &Path) -> PathBuf {
        copy_state(&self.folder.path().join("fresh.db"), folder)
    }
}

/// The whole state: what is not yet in the file itself stands beside it.
fn copy_state(from: &Path, folder: &Path) -> PathBuf {
    let to = folder.join("account.db");
    for suffix in ["", "-wal"] {
        let part = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        if part(from).exists() {
            fs::copy(part(from), part(&to)).unwrap();
        }
    }
    to
}

/// `strowger sandbox` on a free port.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(state: &Path, seed: Option<&Path>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--state"]).arg(state);
        if let Some(seed) = seed {
            command.arg("--seed").arg(seed);
        }
        let mut process = command.env("STROWGER_TOKEN", TOKEN).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find_map(|word| word.strip_suffix("/v1,")).expect(&line).to_owned();
        Self { process, url }
    }

    fn list(&self, path: &str) -> Vec<Value> {
        let url = format!("{}/v1/{path}?limit=1000", self.url);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Whoever builds a client first installs the TLS provider; it may be there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let page: Value = runtime.block_on(async {
            let request = reqwest::Client::new().get(url).bearer_auth(TOKEN);
            request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
        });
        page["items"].as_array().unwrap().clone()
    }

    /// What the account holds, by names: a group that was made has another id in each run.
    fn state(&self) -> Value {
        let groups = self.list("ring_groups");
        let name = |reference: &Value| -> Value {
            match groups.iter().find(|group| group["id"] == reference["id"]) {
                Some(group) => group["name"].clone(),
                None => reference.clone(),
            }
        };
        let mut numbers: Vec<Value> = self.list("numbers");
        let mut shown: Vec<Value> = numbers
            .iter_mut()
            .map(|number| json!([number["number"], number["label"], name(&number["destination"])]))
            .collect();
        shown.extend(groups.iter().map(|group| {
            let members: Vec<Value> = group["members"].as_array().unwrap().iter().map(&name).collect();
            let fields = ["name", "extension", "ring", "ring_for"].map(|field| group[field].clone());
            json!([fields, members, name(&group["no_answer"])])
        }));
        shown.sort_by_key(Value::to_string);
        shown.into()
    }

    /// The numbers that the account ever left without a destination; the log has every write since the beginning.
    fn silenced(&self) -> Vec<String> {
        let audit = self.list("audit");
        let left =
            audit.iter().filter(|entry| entry["object"]["kind"] == "number" && entry["after"]["destination"].is_null());
        left.map(|entry| entry["object"]["name"].as_str().unwrap().to_owned()).collect()
    }

    fn kill(&mut self) {
        // `Child::kill` is SIGKILL: nothing is flushed, nothing is said.
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The operator's folder.
struct Client {
    folder: TempDir,
}

impl Client {
    fn new(url: &str) -> Self {
        let client = Self { folder: tempfile::tempdir().unwrap() };
        client.point_at(url);
        client
    }

    fn point_at(&self, url: &str) {
        let account = account();
        let reached =
            format!("account:\n  name: matrix\n  provider: office\n  url: {url}\n  token: {{ env: MATRIX_TOKEN }}\n");
        let file = account.1.replacen("version: 1\n", &format!("version: 1\n{reached}"), 1);
        fs::write(self.folder.path().join("account.yaml"), file).unwrap();
    }

    fn apply(&self) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
        command.args(["apply", ".", "--auto-approve", "--attempts", "1", "--concurrency", "3"]);
        command.current_dir(self.folder.path()).env("MATRIX_TOKEN", TOKEN).env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

/// Cuts one run off after so many writes, and lets the next one finish.
fn crash(victim: Victim, shut: Shut, writes: usize) {
    let what = format!("{victim:?} killed, {shut:?}, after {writes} writes");
    let uninterrupted = Uninterrupted::get();
    let folder = tempfile::tempdir().unwrap();
    let state = uninterrupted.state(folder.path());
    let mut server = Server::start(&state, None);
    let door = Door::in_front_of(&server.url, writes, shut);
    let client = Client::new(&door.url);
    let mut run = client.apply();
    door.wait();
    match victim {
        Victim::Client => {
            run.kill().unwrap();
            run.wait().unwrap();
            door.close();
        }
        Victim::Server => {
            server.kill();
            door.close();
            let code = run.wait().unwrap().code();
            assert_eq!(code, Some(6), "{what}: partly applied");
            server = Server::start(&state, None);
        }
    }
    let done = server.list("audit").len();
    assert_eq!(done, writes, "{what}: the door let exactly these through");

    client.point_at(&server.url);
    let code = client.apply().wait().unwrap().code();
    assert_eq!(code, Some(0), "{what}: the next run finishes");
    assert_eq!(server.state(), uninterrupted.end, "{what}: the end is that of an uninterrupted run");
    let silenced: Vec<_> = server.silenced().into_iter().filter(|name| *name != number(24)).collect();
    assert!(silenced.is_empty(), "{what}: {silenced:?} lost their destination");
    let all = server.list("audit").len();
    assert!(all <= uninterrupted.writes + 2, "{what}: {all} writes in all");
}

/// All writes, one crash after each; the last has nothing after it to be held back.
fn matrix(victim: Victim, shut: Shut) {
    let writes = Uninterrupted::get().writes;
    assert!(writes >= 40, "{writes} writes");
    let last = if shut == Shut::BeforeTheNext { writes - 1 } else { writes };
    for after in 1..=last {
        crash(victim, shut, after);
    }
    println!("{victim:?} killed, {shut:?}: {last} crashes of a run of {writes} writes, all finished by the next run");
}

#[test]
fn the_client_dies_after_each_answer() {
    matrix(Victim::Client, Shut::BeforeTheNext);
}

#[test]
fn the_client_dies_before_each_answer() {
    matrix(Victim::Client, Shut::BeforeTheAnswer);
}

#[test]
fn the_server_dies_after_each_answer() {
    matrix(Victim::Server, Shut::BeforeTheNext);
}

#[test]
fn the_server_dies_before_each_answer() {
    matrix(Victim::Server, Shut::BeforeTheAnswer);
}
