//! The real binary on real files, against a server of the Account API that is a process of its own.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use serde_json::{Value, json};
use strowger::ledger::Found;
use strowger::ledger::{ChangeOutcome, Run};
use tempfile::TempDir;

pub const TOKEN: &str = "a-planted-token-7f3b";

/// A copy of an example, so that its state is the test's own.
pub fn example(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name), folder.path());
    folder
}

/// A copy of an example whose account is behind a server.
pub fn office(name: &str, url: &str) -> TempDir {
    let folder = example(name);
    let path = folder.path().join("account.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("seed:")).map(|line| {
        let provider = line.trim_start().starts_with("provider:");
        let office = format!("  provider: office\n  url: {url}\n  token: {{ env: STROWGER_TEST_TOKEN }}");
        if provider { office } else { line.to_owned() }
    });
    fs::write(path, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    folder
}

/// Copies a folder, without what an earlier run left in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_name() == ".strowger" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub fn edit(folder: &Path, from: &str, to: &str) {
    let path = folder.join("account.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from:?} is not in the example any more");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .env_remove("RUST_LOG")
        .env_remove("STROWGER_TOKEN");
    command.env("STROWGER_TEST_TOKEN", TOKEN).env("GITHUB_ACTOR", "ada");
    command
}

pub fn strowger(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

#[track_caller]
pub fn expect(output: &Output, code: i32) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "stdout:\n{out}\nstderr:\n{err}");
    out.into_owned()
}

/// Both streams.
pub fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(output)
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An apply whose events the test follows, ended with the test.
pub struct Apply {
    process: Child,
    events: Lines<BufReader<ChildStdout>>,
}

impl Apply {
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let all = [&["apply", ".", "--auto-approve", "--events", "-"], arguments].concat();
        let mut command = command(folder, &all);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let events = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, events }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Follows the events until so many records of a name have come; returns whether they came.
    pub fn follow(&mut self, record: &str, count: usize) -> bool {
        let mut seen = 0;
        while seen < count {
            let Some(line) = self.events.next() else { return false };
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            seen += usize::from(event["record"] == record);
        }
        true
    }

    /// Sends a signal, as a shell does.
    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// What it says, from here on; [`Self::end`] has nothing of it then.
    pub fn process_stderr(&mut self) -> ChildStderr {
        self.process.stderr.take().unwrap()
    }

    /// Waits for the end: the rest of the events, how it ended, and what it said.
    pub fn end(mut self) -> (Vec<Value>, ExitStatus, String) {
        let rest = self.events.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        let said = self.process.stderr.take().map(|said| std::io::read_to_string(said).unwrap()).unwrap_or_default();
        (rest, self.process.wait().unwrap(), said)
    }
}

impl Drop for Apply {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), process.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// The ledgers of a folder, the oldest first.
pub fn ledgers(folder: &Path) -> Vec<Run> {
    let found = Found::all(folder).unwrap();
    found.iter().rev().map(|found| found.open().unwrap()).collect()
}

pub fn ledger_files(folder: &Path) -> Vec<PathBuf> {
    Found::all(folder).unwrap().into_iter().map(|found| found.path).collect()
}

/// `strowger sandbox` on a free port, ended with the test.
pub struct Server {
    process: Child,
    pub url: String,
    _folder: TempDir,
}

impl Server {
    pub fn start(example: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example).join("sandbox/seed.yaml");
        let mut process = Command::new(env!("CARGO_BIN_EXE_strowger"))
            .args(["sandbox", "--listen", "127.0.0.1:0", "--state", "account.db", "--seed"])
            .arg(seed)
            .args(arguments)
            .current_dir(folder.path())
            .env("STROWGER_TOKEN", TOKEN)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find_map(|word| word.strip_suffix("/v1,")).expect(&line).to_owned();
        Self { process, url, _folder: folder }
    }

    /// A whole list of the account.
    pub fn list(&self, path: &str) -> Vec<Value> {
        let url = format!("{}/v1/{path}?limit=1000", self.url);
        let page: Value = request(|client| client.get(url));
        page["items"].as_array().unwrap().clone()
    }

    /// Changes an object behind everybody's back.
    pub fn patch(&self, path: &str, body: &Value) {
        let url = format!("{}/v1/{path}", self.url);
        let _: Value = request(|client| client.patch(url).json(body));
    }

    /// Makes an object.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/v1/{path}", self.url);
        request(|client| client.post(url).json(body))
    }

    /// The id of a number.
    pub fn number(&self, number: &str) -> Value {
        self.list("numbers").into_iter().find(|item| item["number"] == number).unwrap()
    }

    /// The ids of the objects that were written, one for each write, in order. A claim is not an object of the account.
    pub fn audit(&self) -> Vec<String> {
        let entries = self.list("audit").into_iter().filter(|entry| entry["object"]["kind"] != "owner");
        entries.map(|entry| entry["object"]["id"].as_str().unwrap().to_owned()).collect()
    }

    /// What the account holds, without versions, and with the names of ring groups instead of their ids: one
    /// that is made anew gets another.
    pub fn state(&self) -> Value {
        let (numbers, mut groups) = (self.list("numbers"), self.list("ring_groups"));
        groups.sort_by_key(|group| group["name"].as_str().unwrap().to_owned());
        let mut text = json!({ "numbers": numbers, "ring_groups": groups }).to_string();
        for group in &groups {
            text =
                text.replace(&group["id"].to_string(), &format!("\"ring_group {}\"", group["name"].as_str().unwrap()));
        }
        let mut state: Value = serde_json::from_str(&text).unwrap();
        for list in state.as_object_mut().unwrap().values_mut() {
            for item in list.as_array_mut().unwrap() {
                item.as_object_mut().unwrap().remove("etag");
            }
        }
        state
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn request(build: impl FnOnce(reqwest::Client) -> reqwest::RequestBuilder) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Whoever builds a client first installs the TLS provider; it may be there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(async {
        let request = build(reqwest::Client::new()).bearer_auth(TOKEN).header("user-agent", "portal/1.0 (a browser)");
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        answer.json().await.unwrap()
    })
}

/// The ids of the objects of all changes with such an outcome; a creation whose id is not known has none.
pub fn objects(run: &Run, wanted: impl Fn(&ChangeOutcome) -> bool) -> BTreeSet<String> {
    let ids = run.changes().filter(|(_, outcome)| wanted(outcome)).filter_map(|(change, outcome)| match outcome {
        ChangeOutcome::Applied { id, .. } => Some(id.to_string()),
        _ => change.object.id.as_ref().map(ToString::to_string),
    });
    ids.collect()
}

/// A door in front of a server that lets some writes through and never answers any after them.
pub struct Stuck {
    pub url: String,
    shut: mpsc::Receiver<()>,
}

impl Stuck {
    pub fn in_front_of(url: &str, writes: usize) -> Self {
        let server = url.strip_prefix("http://").unwrap().to_owned();
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", door.local_addr().unwrap());
        let (tell, shut) = mpsc::channel();
        let left = Arc::new(AtomicUsize::new(writes));
        std::thread::spawn(move || {
            for client in door.incoming() {
                let (server, tell, left) = (server.clone(), tell.clone(), left.clone());
                std::thread::spawn(move || pass(client.unwrap(), &server, &left, &tell));
            }
        });
        Self { url, shut }
    }

    /// Waits until a write has gone through whose answer never comes.
    pub fn wait(&self) {
        self.shut.recv().unwrap();
    }
}

/// Passes requests on, one packet each, and answers back; a write beyond the last is passed on, its answer not.
fn pass(mut client: TcpStream, server: &str, left: &AtomicUsize, tell: &mpsc::Sender<()>) {
    let mut server = TcpStream::connect(server).unwrap();
    let mut answers = server.try_clone().unwrap();
    let mut back = client.try_clone().unwrap();
    let open = Arc::new(AtomicBool::new(true));
    let still = open.clone();
    std::thread::spawn(move || {
        let mut packet = vec![0; 65536];
        while let Ok(length @ 1..) = answers.read(&mut packet) {
            if still.load(Ordering::SeqCst) && back.write_all(&packet[..length]).is_err() {
                return;
            }
        }
    });
    let mut packet = vec![0; 65536];
    while let Ok(length @ 1..) = client.read(&mut packet) {
        let write = packet.starts_with(b"PATCH") || packet.starts_with(b"POST") || packet.starts_with(b"DELETE");
        if write && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            open.store(false, Ordering::SeqCst);
            let _ = tell.send(());
        }
        if server.write_all(&packet[..length]).is_err() {
            return;
        }
    }
}
