//! What a process takes, read from Linux's `/proc`.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// What a process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// CPU time of all its threads, user and system.
    pub(crate) milliseconds: f64,
    /// The most memory that it had resident.
    pub(crate) peak_bytes: u64,
}

/// Runs a command to its end.
pub(crate) fn measure(command: &mut Command) -> anyhow::Result<Usage> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let folder = format!("/proc/{}", child.id());
    let mut peak_bytes = 0;
    // The peak only grows, and is gone when the process is; the times stay until somebody waits for it.
    while !ended(&folder)? {
        peak_bytes = peak(&folder).unwrap_or(peak_bytes);
        thread::sleep(Duration::from_millis(2));
    }
    let milliseconds = cpu_milliseconds(&folder)?;
    let status = child.wait()?;
    ensure!(status.code().is_some_and(|code| matches!(code, 0 | 2)), "{command:?}: {status}");
    Ok(Usage { milliseconds, peak_bytes })
}

/// The fields after the name, which may hold anything: the state is the first.
fn stat(folder: &str) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(format!("{folder}/stat"))?;
    let (_, fields) = text.rsplit_once(") ").context("no name")?;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

fn ended(folder: &str) -> anyhow::Result<bool> {
    Ok(stat(folder)?.first().is_some_and(|state| state == "Z"))
}

fn cpu_milliseconds(folder: &str) -> anyhow::Result<f64> {
    /// `USER_HZ`, which is the same on every Linux that Rust runs on.
    const PER_SECOND: f64 = 100.0;
    let fields = stat(folder)?;
    let ticks = |at: usize| -> anyhow::Result<f64> { Ok(fields.get(at).context("no time")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) * 1000.0 / PER_SECOND)
}

fn peak(folder: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("{folder}/status")).ok()?;
    let kilobytes = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    kilobytes.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// The peak of this process until now.
pub(crate) fn own_peak() -> anyhow::Result<u64> {
    peak("/proc/self").context("no peak")
}

/// The CPU time of this thread until now, finer than the ticks of a process.
pub(crate) fn thread_milliseconds() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split_whitespace().next().context("no time")?.parse()?;
    Ok(nanoseconds / 1e6)
}
