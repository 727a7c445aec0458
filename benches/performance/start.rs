//! How long the command takes to do nothing, and how large it is.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;

/// So many starts, of which the median counts.
const RUNS: usize = 51;

pub(crate) fn measure() -> anyhow::Result<()> {
    let mut times: Vec<Duration> = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        let status = Command::new(super::STROWGER).arg("--version").stdout(Stdio::null()).status()?;
        times.push(start.elapsed());
        ensure!(status.success(), "{status}");
    }
    times.sort_unstable();
    let median = times.get(RUNS / 2).copied().unwrap_or_default();
    println!("| | measured | promised |\n|---|---|---|");
    println!("| `strowger --version`, median | {:.1} ms | under 10 ms |", median.as_secs_f64() * 1e3);
    let bytes = fs::metadata(super::STROWGER)?.len();
    println!("| the binary | {:.1} MB | under 20 MB |\n", super::plan::mega(bytes));
    Ok(())
}
