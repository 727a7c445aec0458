//! Plans of large accounts, against what merely parsing their YAML takes.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use strowger::config;
use strowger::plan::plan;
use strowger::providers::snapshot::Snapshot;
use strowger::render::{diagnostics, human};

use crate::account::{Account, Shape};
use crate::process::{self, Usage, thread_milliseconds};
use crate::write::{self, LIVE, Provider};

/// Numbers and groups.
const SIZES: [(u64, u64); 2] = [(100_000, 10_000), (1_000_000, 100_000)];

/// The least of so many runs counts: whatever else the machine does only ever adds.
const RUNS: usize = 5;

pub(crate) fn measure() -> anyhow::Result<()> {
    println!("| numbers, groups | file | `from_str` CPU | `plan` CPU | ratio | `plan` peak | of the file's size |");
    println!("|---|---|---|---|---|---|---|");
    let mut notes = Vec::new();
    for (numbers, groups) in SIZES {
        let folder = generated(numbers, groups)?;
        let file = folder.join("account.yaml");
        let bytes = fs::metadata(&file)?.len();
        let parse = least(|| own("parse", &file))?;
        let plan = least(|| {
            let mut command = Command::new(super::STROWGER);
            command.arg("plan").arg(&folder);
            Ok(command)
        })?;
        println!(
            "| {numbers}, {groups} | {:.1} MB | {:.0} ms | {:.0} ms | {:.2} | {:.0} MiB | {:.1} |",
            mega(bytes),
            parse.milliseconds,
            plan.milliseconds,
            plan.milliseconds / parse.milliseconds,
            mebi(plan.peak_bytes),
            ratio(plan.peak_bytes, bytes),
        );
        let output = own("phases", &folder)?.output()?;
        notes.push(format!("{numbers} numbers: {}", String::from_utf8_lossy(&output.stdout).trim_end()));
    }
    println!("\nWhere it goes, phase by phase, in CPU time of the one thread and the peak until then:\n");
    for note in notes {
        println!("- {note}");
    }
    println!();
    Ok(())
}

/// Writes the account, and gives its folder.
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

/// This program again, to do one thing.
fn own(mode: &str, path: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(mode).arg(path);
    Ok(command)
}

fn least(command: impl Fn() -> anyhow::Result<Command>) -> anyhow::Result<Usage> {
    let mut best: Option<Usage> = None;
    for _ in 0..RUNS {
        let usage = process::measure(&mut command()?)?;
        if best.is_none_or(|best| usage.milliseconds < best.milliseconds) {
            best = Some(usage);
        }
    }
    best.context("nothing was run")
}

/// What everybody has to do at least.
pub(crate) fn parse(file: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(file)?;
    let value: serde_yaml::Value = serde_yaml::from_str(&text)?;
    black_box(&value);
    // It shall not pay for freeing what the system takes back.
    std::mem::forget(value);
    Ok(())
}

/// What the command does, step by step.
pub(crate) fn phases(folder: &Path) -> anyhow::Result<()> {
    let mut before = 0.0;
    let mut phase = |name: &str| -> anyhow::Result<()> {
        let now = thread_milliseconds()?;
        print!("{name} {:.0} ms, {:.0} MiB; ", now - before, mebi(process::own_peak()?));
        before = now;
        Ok(())
    };
    let loaded = config::load(&[folder.to_path_buf()]);
    let account = loaded.accounts.first().context("the account is not valid")?;
    phase("reading and checking the files")?;
    let live = Snapshot::new(folder.join(LIVE)).load()?;
    phase("reading the snapshot")?;
    let (plan, findings) = plan(&account.desired, &live, &account.severities, 0);
    let plan = plan.with_context(|| format!("{findings:?}"))?;
    phase("planning")?;
    black_box(human::plan(&plan, diagnostics::Style::default()));
    phase("writing it out")?;
    println!("{} writes", plan.changes.len());
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "to be printed with one digit")]
pub(crate) fn mega(bytes: u64) -> f64 {
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
