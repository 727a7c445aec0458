//! The git program, with nothing that could surprise: no prompts, no hooks, no links, no submodules, one protocol.
//!
//! The repository's URL goes to it by its environment, which other users of the machine cannot see. It and all that
//! it starts are killed when it takes too long or when nobody waits for it any longer. What it says comes back
//! without secrets, safe to show.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::text::shown;

use super::url::{Url, without_passwords};

/// What needs no network is given up after this time.
const LOCAL: Duration = Duration::from_secs(120);
/// More than this of its output is not read.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// After its end, what it left open is read for no longer than this.
const REST: Duration = Duration::from_secs(1);

/// What holds whatever the configuration says.
const SETTINGS: [(&str, &str); 9] = [
    ("core.symlinks", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.autocrlf", "false"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("protocol.ext.allow", "never"),
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
];

/// By this address the commits are known that are made here.
pub(super) const ADDRESS: &str = "strowger@localhost";

/// Who commits. Variables, because those of the operator's would count for more than any setting.
const IDENTITY: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "Strowger"),
    ("GIT_AUTHOR_EMAIL", ADDRESS),
    ("GIT_COMMITTER_NAME", "Strowger"),
    ("GIT_COMMITTER_EMAIL", ADDRESS),
];

/// Variables that would lead git elsewhere, or have it say more than it should.
const REMOVED: [&str; 14] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_PREFIX",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_TRACE",
    "GIT_TRACE_CURL",
    "GIT_TRACE_PACKET",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_CURL_VERBOSE",
];

/// The git program for one repository.
#[derive(Debug)]
pub(super) struct Program {
    repository: PathBuf,
    /// The remote `origin`, if it is not that of the repository's own configuration.
    url: Option<Url>,
    /// The most time for a request to the remote.
    patience: Duration,
    /// Whether the operator says by which program ssh is spoken.
    own_ssh: bool,
}

/// How git ended.
#[derive(Debug)]
pub(super) struct Output {
    status: ExitStatus,
    out: String,
    says: String,
}

impl Output {
    /// The code that it ended with.
    pub(super) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// What it printed, or why it failed.
    pub(super) fn succeeded(self) -> Result<String, String> {
        if self.status.success() { Ok(self.out) } else { Err(self.says) }
    }
}

impl Program {
    pub(super) fn new(repository: PathBuf, url: Option<Url>, patience: Duration) -> Self {
        Self { repository, url, patience, own_ssh: false }
    }

    /// Finds out what the operator's configuration says that must not be overridden.
    pub(super) async fn prepare(&mut self) -> Result<(), String> {
        let asked = self.run(&["config", "--get", "core.sshCommand"]).await?;
        self.own_ssh = asked.status.success()
            || ["GIT_SSH_COMMAND", "GIT_SSH"].iter().any(|name| std::env::var_os(name).is_some());
        Ok(())
    }

    /// Something that needs no network.
    pub(super) async fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Output, String> {
        self.within(LOCAL, None, arguments).await
    }

    /// The same, with an index of its own.
    pub(super) async fn run_with<A: AsRef<OsStr>>(&self, index: &Path, arguments: &[A]) -> Result<Output, String> {
        self.within(LOCAL, Some(index), arguments).await
    }

    /// The folder of the repository itself.
    pub(super) fn repository(&self) -> &Path {
        &self.repository
    }

    /// Something that asks the remote, which is called `origin`.
    pub(super) async fn ask<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Output, String> {
        self.within(self.patience, None, arguments).await
    }

    async fn within<A: AsRef<OsStr>>(
        &self,
        limit: Duration,
        index: Option<&Path>,
        arguments: &[A],
    ) -> Result<Output, String> {
        let mut command = self.command(arguments);
        if let Some(index) = index {
            command.env("GIT_INDEX_FILE", index);
        }
        let child = command.spawn().map_err(|error| format!("git does not start: {error}"))?;
        let mut running = Running(Some(child));
        match timeout(limit, running.output()).await {
            Ok(Ok((status, out, err))) => {
                Ok(Output { status, out: String::from_utf8_lossy(&out).into_owned(), says: self.sentence(&err) })
            }
            Ok(Err(error)) => Err(format!("git does not answer: {error}")),
            Err(_) => Err(format!("git did not end within {} and was killed", humantime::format_duration(limit))),
        }
    }

    fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(&self.repository).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in REMOVED {
            command.env_remove(name);
        }
        command.envs(IDENTITY);
        // What it says is looked at and shown, so it says it in English.
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
        if let Some(url) = &self.url {
            command.env("GIT_ALLOW_PROTOCOL", url.protocol());
        }
        if !self.own_ssh {
            command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
        }
        // The operator may have used the same way already.
        let before = std::env::var("GIT_CONFIG_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(0_usize);
        let own = self.url.as_ref().map(|url| ("remote.origin.url", url.text()));
        let mut count = before;
        for (key, value) in SETTINGS.iter().chain(&own) {
            command.env(format!("GIT_CONFIG_KEY_{count}"), key).env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
        command.env("GIT_CONFIG_COUNT", count.to_string());
        #[cfg(unix)]
        command.process_group(0);
        command
    }

    /// What git says, as one sentence.
    fn sentence(&self, said: &[u8]) -> String {
        const NOISE: [&str; 4] = ["hint:", "Please make sure", "and the repository exists", "warning:"];
        let said = String::from_utf8_lossy(said);
        let said = self.url.as_ref().map_or_else(|| without_passwords(&said), |url| url.scrub(&said));
        let lines = said.lines().map(|line| line.trim().trim_end_matches('.'));
        let telling = lines.filter(|line| !line.is_empty() && !NOISE.iter().any(|noise| line.starts_with(noise)));
        let sentence = telling.take(3).collect::<Vec<_>>().join("; ");
        format!("git says: {}", shown(if sentence.is_empty() { "nothing" } else { &sentence }, 300))
    }
}

/// A program that does not outlive whoever waits for it, nor does what it started.
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
                    // A helper that stays, as one that remembers passwords, may keep the pipes open.
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
        // Where it breaks off, what came so far has to do.
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
    async fn what_takes_too_long_is_killed_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let script = format!("!sleep 1000 & echo $! > '{}'; wait", pid.display());
        let program = Program::new(folder.path().join("r"), Url::parse("/nowhere").ok(), Duration::from_millis(500));
        let error = program.ask(&["-c", &format!("alias.hang={script}"), "hang"]).await.unwrap_err();
        assert_eq!(error, "git did not end within 500ms and was killed");
        let pid: i32 = std::fs::read_to_string(pid).unwrap().trim().parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        // It is gone, or a corpse that nobody collected yet.
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
        assert_eq!(said, "git says: fatal: cannot reach https://127.0.0.1:9/a/");
    }
}
