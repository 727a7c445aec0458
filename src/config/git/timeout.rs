//! A timeout for git: a pipe in place of a file in a checkout could block it for ever.

use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::GitError;

/// The most time for one answer.
pub(super) const LIMIT: Duration = Duration::from_secs(120);

/// Kills a process that takes longer than the limit for an answer. Ends when it is dropped.
#[derive(Debug)]
pub(super) struct Watchdog(mpsc::Sender<bool>);

impl Watchdog {
    /// A process that is busy already.
    pub(super) fn of(child: &Child, limit: Duration) -> Self {
        let (sender, receiver) = mpsc::channel();
        let id = child.id();
        std::thread::spawn(move || {
            let mut busy = true;
            loop {
                let message = if busy {
                    receiver.recv_timeout(limit)
                } else {
                    receiver.recv().map_err(|_| RecvTimeoutError::Disconnected)
                };
                match message {
                    Ok(now) => busy = now,
                    Err(RecvTimeoutError::Timeout) => return kill(id),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
        Self(sender)
    }

    /// Whether an answer is awaited from now on.
    pub(super) fn busy(&self, busy: bool) {
        // It is gone if it has killed the process, which is noticed there.
        let _ = self.0.send(busy);
    }
}

/// Runs a process to its end.
pub(super) fn output(mut command: Command, limit: Duration) -> Result<Output, GitError> {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let watchdog = Watchdog::of(&child, limit);
    let output = child.wait_with_output();
    drop(watchdog);
    let output = output?;
    if output.status.code().is_none() {
        let limit = humantime::format_duration(limit);
        return Err(GitError::Unclear(format!("git did not end within {limit}, or was killed")));
    }
    Ok(output)
}

#[cfg(unix)]
fn kill(id: u32) {
    if let Some(id) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
    }
}

/// This system cannot end a process by its number without another program.
#[cfg(not(unix))]
fn kill(_id: u32) {}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_never_ends_is_killed_and_what_ends_is_read() {
        let mut hangs = Command::new("sleep");
        hangs.arg("1000");
        let error = output(hangs, Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.to_string(), "git did not end within 50ms, or was killed");
        let mut says = Command::new("echo");
        says.arg("a");
        assert_eq!(output(says, LIMIT).unwrap().stdout, b"a\n");
    }

    #[test]
    fn a_process_of_which_no_answer_is_awaited_may_take_its_time() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let watchdog = Watchdog::of(&child, Duration::from_millis(50));
        watchdog.busy(false);
        watchdog.busy(true);
        let mut rest = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
