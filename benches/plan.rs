//! Plans of large accounts against what merely parsing their YAML takes: `cargo bench --bench plan`.
//!
//! Both run as processes of their own, so that everything counts: reading, checking, comparing, printing. CPU time
//! is that of all threads, user and system; memory is the peak of the resident set.
#![allow(missing_docs, clippy::print_stdout, reason = "a program of its own, which prints what it measured")]

#[path = "../examples/generate/account.rs"]
#[allow(unreachable_pub, dead_code, reason = "shared with the generator")]
mod account;
#[path = "measure/process.rs"]
mod process;
#[path = "../examples/generate/random.rs"]
#[allow(unreachable_pub, reason = "shared with the generator")]
mod random;
#[path = "../examples/generate/write.rs"]
#[allow(unreachable_pub, dead_code, reason = "shared with the generator")]
mod write;

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use strowger::config;
use strowger::live::snapshot::Snapshot;
use strowger::plan::plan;
use strowger::render::{diagnostics, human};

use account::{Account, Shape};
use process::{Usage, thread_milliseconds};
use write::{LIVE, Provider};

/// Numbers and groups.
const SIZES: [(u64, u64); 2] = [(100_000, 10_000), (1_000_000, 100_000)];

/// The least of so many runs counts: whatever else the machine does only ever adds.
const RUNS: usize = 5;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["parse", file] => parse(Path::new(file)),
        ["plan", folder] => planned(Path::new(folder), false),
        ["phases", folder] => planned(Path::new(folder), true),
        [] => measure(),
        other => bail!("unknown arguments: {other:?}"),
    }
}

fn measure() -> anyhow::Result<()> {
    println!("| numbers | groups | file | parse CPU | plan CPU | ratio | plan peak | per byte of the file |");
    println!("|---|---|---|---|---|---|---|---|");
    for (numbers, groups) in SIZES {
        let folder = generated(numbers, groups)?;
        let file = folder.join("account.yaml");
        let bytes = fs::metadata(&file)?.len();
        let parse = least("parse", &file)?;
        let plan = least("plan", &folder)?;
        println!(
            "| {numbers} | {groups} | {:.1} MB | {:.0} ms | {:.0} ms | {:.2} | {:.0} MiB | {:.1} |",
            mega(bytes),
            parse.milliseconds,
            plan.milliseconds,
            plan.milliseconds / parse.milliseconds,
            mebi(plan.peak_bytes),
            ratio(plan.peak_bytes, bytes),
        );
        let output = Command::new(std::env::current_exe()?).arg("phases").arg(&folder).output()?;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            println!("<!-- {line} -->");
        }
    }
    Ok(())
}

fn generated(numbers: u64, groups: u64) -> anyhow::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("plan-{numbers}-{groups}"));
    fs::create_dir_all(folder.join(LIVE).parent().context("no folder")?)?;
    let account = Account::new(Shape { numbers, groups, users: numbers / 4, seed: 1, different: 10_000 });
    let mut out = BufWriter::new(File::create(folder.join("account.yaml"))?);
    write::wanted(&account, Provider::Snapshot, &mut out)?;
    out.flush()?;
    let mut out = BufWriter::new(File::create(folder.join(LIVE))?);
    write::live(&account, &mut out)?;
    out.flush()?;
    Ok(folder)
}

fn least(mode: &str, path: &Path) -> anyhow::Result<Usage> {
    let mut best: Option<Usage> = None;
    for _ in 0..RUNS {
        let usage = process::measure(Command::new(std::env::current_exe()?).arg(mode).arg(path))?;
        if best.is_none_or(|best| usage.milliseconds < best.milliseconds) {
            best = Some(usage);
        }
    }
    best.context("nothing was run")
}

/// What everybody has to do at least.
fn parse(file: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(file)?;
    let value: serde_yaml::Value = serde_yaml::from_str(&text)?;
    black_box(&value);
    // As a program would end: nobody frees what the system takes back.
    std::mem::forget(value);
    Ok(())
}

fn planned(folder: &Path, phases: bool) -> anyhow::Result<()> {
    let phase = |name: &str| -> anyhow::Result<()> {
        if phases {
            println!("{name}: {:.0} ms, peak {:.0} MiB", thread_milliseconds()?, mebi(process::own_peak()?));
        }
        Ok(())
    };
    let loaded = config::load(&[folder.to_path_buf()]);
    let account = loaded.accounts.first().context("the account is not valid")?;
    phase("load")?;
    let live = Snapshot::new(folder.join(LIVE)).load()?;
    phase("+ snapshot")?;
    let (plan, findings) = plan(&account.desired, &live, &account.severities, 0);
    let plan = plan.with_context(|| format!("{findings:?}"))?;
    phase("+ plan")?;
    black_box(human::plan(&plan, diagnostics::Style::default()));
    phase("+ page")?;
    if phases {
        println!("{} writes", plan.changes.len());
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "to be printed with one digit")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "to be printed without digits")]
fn mebi(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[expect(clippy::cast_precision_loss, reason = "to be printed with one digit")]
fn ratio(left: u64, right: u64) -> f64 {
    left as f64 / right as f64
}
