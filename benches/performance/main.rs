//! What Strowger costs, as the tables of docs/performance.md: `cargo bench --bench performance`.
//!
//! Everything is measured from outside, on processes that do nothing else: CPU time of all threads, user and system,
//! and the peak of resident memory. It needs Linux and about two minutes.
#![allow(missing_docs, clippy::print_stdout, reason = "a program of its own, which prints what it measured")]

#[path = "../../examples/generate/account.rs"]
#[allow(unreachable_pub, dead_code, reason = "shared with the generator")]
mod account;
mod apply;
mod plan;
mod process;
#[path = "../../examples/generate/random.rs"]
#[allow(unreachable_pub, reason = "shared with the generator")]
mod random;
mod start;
#[path = "../../examples/generate/write.rs"]
#[allow(unreachable_pub, dead_code, reason = "shared with the generator")]
mod write;

use std::path::Path;

use anyhow::bail;

/// The command itself, built as it is released.
const STROWGER: &str = env!("CARGO_BIN_EXE_strowger");

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            start::measure()?;
            plan::measure()?;
            apply::measure()
        }
        ["start"] => start::measure(),
        ["plan"] => plan::measure(),
        ["apply"] => apply::measure(),
        // What the measurements start as processes of their own.
        ["parse", file] => plan::parse(Path::new(file)),
        ["phases", folder] => plan::phases(Path::new(folder)),
        other => bail!("unknown arguments {other:?}: give nothing, `start`, `plan` or `apply`"),
    }
}
