//! A real git repository that others push to: a bare one, and somebody's clone of it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::commands::{copy, edit, office};
use super::git::git;

/// A repository with the example `wework` in its folder `phones`.
pub struct Repository {
    folder: TempDir,
}

impl Repository {
    /// One commit, pushed to `main`.
    pub fn new(url: &str) -> Self {
        let new = Self { folder: tempfile::tempdir().unwrap() };
        git(new.folder.path(), &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
        git(new.folder.path(), &["init", "--quiet", "--initial-branch=main", "clone"]);
        new.git(&["remote", "add", "origin", "../remote.git"]);
        fs::create_dir(new.phones()).unwrap();
        copy(office("wework", url).path(), &new.phones());
        new.commit("the account");
        new.push(&["main"]);
        new
    }

    pub fn remote(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    pub fn url(&self) -> String {
        self.remote().to_str().unwrap().to_owned()
    }

    /// The folder of the account, in the clone.
    pub fn phones(&self) -> PathBuf {
        self.folder.path().join("clone/phones")
    }

    /// Runs git in the clone.
    pub fn git(&self, arguments: &[&str]) -> String {
        git(&self.folder.path().join("clone"), arguments)
    }

    /// Commits everything; the commit.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn push(&self, arguments: &[&str]) {
        self.git(&[&["push", "--quiet", "origin"], arguments].concat());
    }

    /// Edits the account, commits, pushes to `main`; the commit.
    pub fn pushed(&self, from: &str, to: &str) -> String {
        edit(&self.phones(), from, to);
        let commit = self.commit(to);
        self.push(&["main"]);
        commit
    }
}

/// `git http-backend` behind a server that wants a password, ended with the test.
///
/// Returns its address, and how git is told the password in it.
pub fn over_http(root: &Path, user: &str, password: &str) -> String {
    use base64::Engine as _;

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let wanted = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let root = root.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (root, wanted) = (root.clone(), wanted.clone());
            // A client that goes away is no failure of the test.
            std::thread::spawn(move || drop(answer(client.unwrap(), &root, &wanted)));
        }
    });
    address
}

/// One request, handed to git as a web server does.
fn answer(mut client: TcpStream, root: &Path, wanted: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let Some(request) = head.first() else { return Ok(()) };
    let field = |name: &str| {
        let lines = head.iter().filter_map(|line| line.split_once(": "));
        lines.clone().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    if field("authorization").is_none_or(|sent| sent != format!("Basic {wanted}")) {
        let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\n\
                       Connection: close\r\n\r\n";
        return client.write_all(refusal.as_bytes());
    }
    let words: Vec<&str> = request.split(' ').collect();
    let (path, query) = words[1].split_once('?').unwrap_or((words[1], ""));
    let length: usize = field("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut backend = Command::new("git")
        .args(["-c", "http.receivepack=false", "http-backend"])
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", words[0])
        .env("CONTENT_LENGTH", length.to_string())
        .env("CONTENT_TYPE", field("content-type").unwrap_or_default())
        .env("HTTP_CONTENT_ENCODING", field("content-encoding").unwrap_or_default())
        .env("GIT_PROTOCOL", field("git-protocol").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    backend.stdin.take().unwrap().write_all(&body)?;
    let answer = backend.wait_with_output()?.stdout;
    let head = String::from_utf8_lossy(&answer).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    client.write_all(format!("HTTP/1.1 {status}\r\nConnection: close\r\n").as_bytes())?;
    client.write_all(&answer)
}
