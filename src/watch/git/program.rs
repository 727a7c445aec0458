//! Runs git as `config::git` configures it, with a time limit: no prompts, no hooks, no links, one protocol.
//!
//! The repository's URL is passed in the environment, which other users of the machine cannot see. Git and its child
//! processes are killed at the time limit, and when the future is dropped. Its output comes back without secrets, safe to
//! show.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::config::{self, Access};
use crate::text::sanitized;

use super::url::{Url, without_passwords};

/// The time limit for commands without network access.
const LOCAL: Duration = Duration::from_secs(120);
/// At most so much output is read.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// How long pipes are read after git has ended.
const REST: Duration = Duration::from_secs(1);

/// Settings that override the configuration: links are checked out as files, and objects are on the disk before a ref
/// leads to them.
const SETTINGS: [(&str, &str); 2] = [("core.symlinks", "false"), ("core.fsync", "committed,reference")];

/// Identifies the commits of Strowger.
pub(super) const ADDRESS: &str = "strowger@localhost";

/// Variables and not settings, because variables of the environment would override settings.
const IDENTITY: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "Strowger"),
    ("GIT_AUTHOR_EMAIL", ADDRESS),
    ("GIT_COMMITTER_NAME", "Strowger"),
    ("GIT_COMMITTER_EMAIL", ADDRESS),
];

#[derive(Debug)]
pub(super) struct Program {
    repository: PathBuf,
    /// The remote `origin`; `None` for the one of the repository's own configuration.
    url: Option<Url>,
    /// The time limit for a request to the remote.
    timeout: Duration,
    /// `core.sshCommand` of the operator's configuration.
    ssh: Option<OsString>,
}

#[derive(Debug)]
pub(super) struct Output {
    status: ExitStatus,
    out: String,
    error_message: String,
}

impl Output {
    pub(super) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Its standard output, or its error message.
    pub(super) fn succeeded(self) -> Result<String, String> {
        if self.status.success() { Ok(self.out) } else { Err(self.error_message) }
    }
}

impl Program {
    pub(super) fn new(repository: PathBuf, url: Option<Url>, timeout: Duration) -> Self {
        Self { repository, url, timeout, ssh: None }
    }

    /// For another copy of the repository.
    pub(super) fn of(&self, repository: PathBuf) -> Self {
        Self { repository, url: self.url.clone(), timeout: self.timeout, ssh: self.ssh.clone() }
    }

    /// For another repository and remote.
    pub(super) fn with(&self, repository: PathBuf, url: Url) -> Self {
        Self { url: Some(url), ..self.of(repository) }
    }

    pub(super) fn has_url(&self) -> bool {
        self.url.is_some()
    }

    /// Reads `core.sshCommand` from the operator's configuration.
    pub(super) async fn prepare(&mut self) -> Result<(), String> {
        let asked = ["config", "--get", "core.sshCommand"];
        let asked = self.of(self.nowhere()).within(LOCAL, Access::Configured, None, &asked).await?;
        let ssh = asked.succeeded().ok().map(|said| said.trim_end_matches('\n').into());
        self.ssh = ssh.filter(|_| std::env::var_os("GIT_SSH_COMMAND").is_none());
        Ok(())
    }

    /// A path without a repository, for commands that need none.
    fn nowhere(&self) -> PathBuf {
        self.repository.with_file_name("no repository")
    }

    /// Runs a command that needs no network.
    pub(super) async fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Output, String> {
        self.within(LOCAL, Access::Local, None, arguments).await
    }

    /// [`Self::run`] with another index.
    pub(super) async fn run_with<A: AsRef<OsStr>>(&self, index: &Path, arguments: &[A]) -> Result<Output, String> {
        self.within(LOCAL, Access::Local, Some(index), arguments).await
    }

    /// [`Self::run`] with the longer time limit.
    pub(super) async fn run_long<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Output, String> {
        self.within(self.timeout, Access::Local, None, arguments).await
    }

    /// [`Self::run`] with the operator's configuration.
    pub(super) async fn run_configured<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Output, String> {
        self.within(LOCAL, Access::Configured, None, arguments).await
    }

    pub(super) fn repository(&self) -> &Path {
        &self.repository
    }

    /// Runs a command that contacts the remote `origin`.
    pub(super) async fn ask<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Output, String> {
        let protocol = self.url.as_ref().map(Url::protocol);
        self.within(self.timeout, Access::Remote(protocol), None, arguments).await
    }

    /// [`Self::ask`] without the local copy, which may be damaged.
    pub(super) async fn ask_remote<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Output, String> {
        self.of(self.nowhere()).ask(arguments).await
    }

    async fn within<A: AsRef<OsStr>>(
        &self,
        limit: Duration,
        access: Access,
        index: Option<&Path>,
        arguments: &[A],
    ) -> Result<Output, String> {
        let mut command = self.command(access, arguments).map_err(|error| format!("git does not start: {error}"))?;
        if let Some(index) = index {
            command.env("GIT_INDEX_FILE", index);
        }
        let child = command.spawn().map_err(|error| format!("git does not start: {error}"))?;
        let mut running = Running(Some(child));
        match timeout(limit, running.output()).await {
            Ok(Ok((status, out, err))) => Ok(Output {
                status,
                out: String::from_utf8_lossy(&out).into_owned(),
                error_message: self.sentence(&err),
            }),
            Ok(Err(error)) => Err(format!("git does not answer: {error}")),
            Err(_) => Err(format!("git did not end within {} and was killed", humantime::format_duration(limit))),
        }
    }

    fn command<A: AsRef<OsStr>>(&self, access: Access, arguments: &[A]) -> std::io::Result<Command> {
        let own = self.url.as_ref().map(|url| ("remote.origin.url", url.text()));
        let settings: Vec<_> = SETTINGS.into_iter().chain(own).collect();
        let mut command = Command::from(config::git(&self.repository, access, &settings)?);
        command.args(arguments).envs(IDENTITY);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let given = ["GIT_SSH_COMMAND", "GIT_SSH"].iter().any(|name| std::env::var_os(name).is_some());
        match (access, &self.ssh) {
            (Access::Remote(_), Some(ssh)) => drop(command.env("GIT_SSH_COMMAND", ssh)),
            (Access::Remote(_), None) if !given => drop(command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")),
            _ => {}
        }
        #[cfg(unix)]
        command.process_group(0);
        Ok(command)
    }

    /// The error output as one sentence.
    fn sentence(&self, said: &[u8]) -> String {
        const NOISE: [&str; 4] = ["hint:", "Please make sure", "and the repository exists", "warning:"];
        let said = String::from_utf8_lossy(said);
        let said = self.url.as_ref().map_or_else(|| without_passwords(&said), |url| url.scrub(&said));
        let lines = said.lines().map(|line| line.trim().trim_end_matches('.'));
        let relevant = lines.filter(|line| !line.is_empty() && !NOISE.iter().any(|noise| line.starts_with(noise)));
        let sentence = relevant.take(3).collect::<Vec<_>>().join("; ");
        format!("git: {}", sanitized(if sentence.is_empty() { "nothing" } else { &sentence }, 300))
    }
}

/// Kills the process and its children when dropped.
struct Running(Option<Child>);

impl Running {
    async fn output(&mut self) -> std::io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
        let Some(child) = &mut self.0 else { return Err(std::io::ErrorKind::NotFound.into()) };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let status = {
            let reading = async { tokio::join!(read(stdout, &mut out), read(stderr, &mut err)) };
            tokio::pin!(reading);
            tokio::select! {
                _ = reading.as_mut() => child.wait().await?,
                status = child.wait() => {
                    // A helper that keeps running, such as a credential cache, may keep the pipes open.
                    let _ = timeout(REST, reading.as_mut()).await;
                    status?
                }
            }
        };
        self.0 = None;
        Ok((status, out, err))
    }
}

async fn read(from: Option<impl AsyncRead + Unpin>, to: &mut Vec<u8>) {
    if let Some(from) = from {
        // After a read error, the output so far is used.
        let _ = from.take(MOST_BYTES).read_to_end(to).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(child) = &mut self.0 else { return };
        #[cfg(unix)]
        if let Some(group) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = child.start_kill();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_is_killed_at_the_time_limit_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let script = format!("!sleep 1000 & echo $! > '{}'; wait", pid.display());
        let program = Program::new(folder.path().join("r"), Url::parse("/nowhere").ok(), Duration::from_millis(500));
        let error = program.ask(&["-c", &format!("alias.hang={script}"), "hang"]).await.unwrap_err();
        assert_eq!(error, "git did not end within 500ms and was killed");
        let pid: i32 = std::fs::read_to_string(pid).unwrap().trim().parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        // It is gone, or a zombie that was not reaped yet.
        let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        while rustix::process::test_kill_process(pid).is_ok() && !state().contains(") Z") {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_git_says_has_no_secret() {
        let url = Url::parse("https://me:hunter2@127.0.0.1:9/a").unwrap();
        let program = Program::new("/nonexistent".into(), Some(url), Duration::from_secs(20));
        let said = program.sentence(b"fatal: cannot reach https://me:hunter2@127.0.0.1:9/a/\nhint: no\n");
        assert_eq!(said, "git: fatal: cannot reach https://127.0.0.1:9/a/");
    }
}
