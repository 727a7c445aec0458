//! Writes accounts of any size, for tests and benchmarks: what is wanted, and a live side that differs.
//!
//! ```text
//! cargo run --release --example generate -- --numbers 100000 --groups 10000 --seed 1 --different 1% --out big
//! strowger plan big
//! ```
#![allow(missing_docs, clippy::print_stdout, unreachable_pub, reason = "a program of its own, which tells what it did")]

mod account;
mod random;
mod write;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Parser;

use account::{Account, Shape};
use write::{LIVE, MOST_EXTENSIONS, Provider};

/// Writes an account file and a snapshot of the live account that it differs from.
#[derive(Parser)]
#[command(name = "generate")]
struct Arguments {
    /// How many phone numbers
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    numbers: u64,
    /// How many ring groups
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    groups: u64,
    /// How many users; without it, one for every four numbers, or as many as the sandbox has extensions for
    #[arg(long, value_parser = clap::value_parser!(u64).range(Shape::FEWEST_USERS..=100_000_000))]
    users: Option<u64>,
    /// The same seed writes the same files
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many of the objects differ, about
    #[arg(long, default_value = "1%", value_parser = millionths)]
    different: u64,
    /// What the account is reached through
    #[arg(long, value_enum, default_value_t = Provider::Snapshot)]
    provider: Provider,
    /// The folder to write to
    #[arg(long)]
    out: PathBuf,
}

fn millionths(text: &str) -> Result<u64, String> {
    let percent: f64 = text
        .strip_suffix('%')
        .and_then(|number| number.parse().ok())
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or("a share is written like `1%`, from `0%` to `100%`")?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1,000,000")]
    Ok((percent * 10_000.0).round() as u64)
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let shape = shape(&arguments)?;
    let account = Account::new(shape);
    let (wanted, live) = (arguments.out.join("account.yaml"), arguments.out.join(LIVE));
    if let Some(folder) = live.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let created = |path: &PathBuf| {
        File::create(path).map(BufWriter::new).with_context(|| format!("cannot write {}", path.display()))
    };
    let mut out = created(&wanted)?;
    write::wanted(&account, arguments.provider, &mut out)?;
    out.flush()?;
    let mut out = created(&live)?;
    let differences = write::live(&account, &mut out)?;
    out.flush()?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}: {} numbers, {} groups, as wanted", wanted.display(), shape.numbers, shape.groups)?;
    writeln!(out, "{}: {} users; the live account", live.display(), shape.users)?;
    writeln!(
        out,
        "a plan creates {}, updates {}, deletes {}: {} writes",
        differences.create,
        differences.update,
        differences.delete,
        differences.writes()
    )?;
    Ok(())
}

fn shape(arguments: &Arguments) -> anyhow::Result<Shape> {
    let Arguments { numbers, groups, seed, different, .. } = *arguments;
    let mut users = arguments.users.unwrap_or((numbers / 4).max(Shape::FEWEST_USERS));
    if arguments.provider == Provider::Sandbox {
        // Every group may be one that closes, and takes a number while it is there.
        let left = MOST_EXTENSIONS.saturating_sub(2 + 2 * groups);
        if arguments.users.is_none() {
            users = users.min(left);
        }
        ensure!(
            users >= Shape::FEWEST_USERS && users <= left,
            "the sandbox has extension numbers of at most 4 digits: use fewer groups or users"
        );
    }
    Ok(Shape { numbers, groups, users, seed, different })
}

#[cfg(test)]
mod tests {
    use strowger::config::{self, Loaded};
    use strowger::plan::{Plan, plan};
    use strowger::providers::snapshot::Snapshot;
    use strowger::render::diagnostics;
    use strowger::sandbox::Seed;

    use super::{Account, LIVE, Provider, Shape, write};

    /// The plan of a generated account, and how many writes the generator announces.
    fn generated(shape: Shape, provider: Provider) -> (Plan, u64) {
        let generated = Account::new(shape);
        let folder = tempfile::tempdir().unwrap();
        let mut wanted = Vec::new();
        write::wanted(&generated, provider, &mut wanted).unwrap();
        std::fs::write(folder.path().join("account.yaml"), wanted).unwrap();
        let mut live = Vec::new();
        let differences = write::live(&generated, &mut live).unwrap();
        if provider == Provider::Sandbox {
            Seed::from_yaml(std::str::from_utf8(&live).unwrap()).unwrap();
        }
        let path = folder.path().join(LIVE);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, live).unwrap();

        let Loaded { accounts, sources, diagnostics, .. } = config::load(&[folder.path().to_path_buf()]);
        assert!(diagnostics.is_empty(), "{}", diagnostics::plain(&diagnostics, &sources));
        let live = Snapshot::new(path).load().unwrap();
        let (plan, diagnostics) = plan(&accounts[0].desired, &live, &accounts[0].severities, 1);
        assert!(diagnostics.is_empty(), "{diagnostics:#?}");
        (plan.unwrap(), differences.writes())
    }

    #[test]
    fn a_generated_account_needs_exactly_the_announced_writes() {
        for (seed, different) in [(1, 10_000), (2, 10_000), (3, 100_000), (4, 500_000), (5, 0)] {
            let shape = Shape { numbers: 2000, groups: 200, users: 500, seed, different };
            let (plan, announced) = generated(shape, Provider::Snapshot);
            assert_eq!(plan.changes.len() as u64, announced, "seed {seed}, {different} of a million");
            assert_eq!(announced == 0, different == 0);
        }
    }

    #[test]
    fn a_generated_account_can_be_a_seed() {
        let shape = Shape { numbers: 300, groups: 30, users: 80, seed: 7, different: 100_000 };
        let (plan, announced) = generated(shape, Provider::Sandbox);
        assert_eq!(plan.changes.len() as u64, announced);
    }
}
