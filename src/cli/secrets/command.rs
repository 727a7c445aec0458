//! The command that prints a token.
//!
//! It is a third-party program: it may never end, print without end, or write the token on its standard error. So it
//! has a deadline, its output a limit, and what it writes on standard error is not shown, because it is unknown
//! whether the token is in it.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use humantime::format_duration;

use crate::text::sanitized;

use super::MOST_BYTES;

/// How long the command may take; a password manager that waits for a person times out.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// The polling interval for the end of a command that closed its output.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What the command prints on standard output, in this folder and within the deadline.
pub(super) fn printed(
    program: &str,
    arguments: &[Box<str>],
    folder: &Path,
    deadline: Duration,
) -> anyhow::Result<Vec<u8>> {
    let end = Instant::now() + deadline;
    let name = sanitized(program, 200);
    let mut child = Command::new(program)
        .args(arguments.iter().map(|argument| &**argument))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run the token's command {name}"))?;
    let stdout = child.stdout.take();
    let mut running = Running(child);
    let (sender, receiver) = mpsc::channel();
    // A separate thread, because a pipe is read without a deadline. It ends with the command, or with the process.
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.map_or(Ok(0), |stdout| stdout.take(MOST_BYTES + 1).read_to_end(&mut bytes));
        // After the deadline the receiver is gone.
        let _ = sender.send(read.map(|_| bytes));
    });
    let late = || format!("the token's command {name} did not end within {} and was killed", format_duration(deadline));
    let bytes = match receiver.recv_timeout(deadline) {
        Ok(read) => read.with_context(|| format!("cannot read what the token's command {name} prints"))?,
        Err(RecvTimeoutError::Timeout) => bail!(late()),
        Err(RecvTimeoutError::Disconnected) => bail!("cannot read what the token's command {name} prints"),
    };
    if bytes.len() as u64 > MOST_BYTES {
        bail!("the token's command {name} printed more than {} KiB, which is not a token", MOST_BYTES / 1024);
    }
    let Some(status) = running.until(end)? else { bail!(late()) };
    if !status.success() {
        bail!("the token's command {name} failed ({status}); its output is not shown, run it yourself to see why");
    }
    Ok(bytes)
}

/// Kills the command when it is dropped.
struct Running(Child);

impl Running {
    /// How it ended, if it did by then.
    fn until(&mut self, end: Instant) -> anyhow::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(Some(status));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            thread::sleep(left.min(LOOK_EVERY));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both do nothing if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, deadline: Duration) -> Result<String, String> {
        let arguments = ["-c".into(), script.into()];
        let printed = printed("sh", &arguments, Path::new("."), deadline);
        printed.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn what_is_printed_is_found() {
        assert_eq!(shell("echo hunter2", DEADLINE), Ok("hunter2\n".to_owned()));
    }

    #[test]
    fn a_command_that_hangs_is_killed() {
        for script in ["exec sleep 1000", "exec >&-; exec sleep 1000"] {
            let error = shell(script, Duration::from_millis(50)).unwrap_err();
            assert_eq!(error, "the token's command sh did not end within 50ms and was killed", "{script}");
        }
    }

    #[test]
    fn a_command_that_prints_without_end_is_killed() {
        let error = shell("exec yes", DEADLINE).unwrap_err();
        assert!(error.contains("printed more than 64 KiB"), "{error}");
        let most = format!("exec head -c {MOST_BYTES} /dev/zero");
        assert_eq!(shell(&most, DEADLINE).map(|text| text.len() as u64), Ok(MOST_BYTES));
    }
}
