//! Applying many changes to an account that takes its time, and counting the requests.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use strowger::apply::{Options, execute};
use strowger::check::{self, AccountSchema};
use strowger::config;
use strowger::model::FileId;
use strowger::plan::{Plan, plan};
use strowger::providers::ClientOptions;
use strowger::providers::office::Office;
use strowger::providers::{Provider as _, Secret};
use strowger::sandbox::{self, Faults, SandboxOptions, Seed};

use crate::account::{Account, Shape};
use crate::write::{self, Provider};

const LATENCY: Duration = Duration::from_millis(50);
const CONCURRENCY: usize = 16;
/// Of so many numbers about half differ.
const NUMBERS: u64 = 2000;

pub(crate) fn measure() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let account = Account::new(Shape { numbers: NUMBERS, groups: 0, users: 500, seed: 1, different: 500_000 });
    let (mut wanted, mut live) = (Vec::new(), Vec::new());
    write::wanted(&account, Provider::Sandbox, &mut wanted)?;
    let differences = write::live(&account, &mut live)?;
    let wanted = String::from_utf8(wanted)?;
    let document = config::parse(FileId(0), &wanted).map_err(|finding| anyhow::anyhow!("{finding:?}"))?;
    let checked = check::account(&AccountSchema::default(), &[document], Vec::new(), true);
    let valid = checked.account.context("the account is not valid")?;

    let mut options = SandboxOptions::new("a-token");
    options.seed = Some(Seed::from_yaml(&String::from_utf8(live)?)?);
    options.faults = Faults { latency: LATENCY, ..Faults::default() };
    let server = sandbox::start(options).await?;
    let office = ClientOptions { concurrent: CONCURRENCY, ..ClientOptions::default() };
    let office = Office::new(&server.url(), Secret::new("a-token"), office)?;

    let read = office.read().await?;
    let first: Plan = plan(&valid.desired, &read.live, &valid.severities, read.requests).0.context("no plan")?;
    let before = server.counters();
    let start = Instant::now();
    let outcome = execute(&first, &office, Options { concurrency: CONCURRENCY }, &()).await;
    let took = start.elapsed();
    let after = server.counters();
    ensure!(outcome.is_complete(), "not everything was applied");
    let again = office.read().await?;
    let rest = plan(&valid.desired, &again.live, &valid.severities, again.requests).0.context("no plan")?;
    ensure!(rest.is_empty(), "something is left to do");
    server.stop().await;

    let changes = first.changes.len();
    let ideal = LATENCY * u32::try_from(changes.div_ceil(CONCURRENCY))?;
    println!("| | counted | promised |\n|---|---|---|");
    println!("| objects that differ, of {} | {} | |", read.live.objects(), differences.writes());
    println!("| writes | {} | one for each |", after.writes - before.writes);
    println!("| reads while writing | {} | 0 |", after.reads - before.reads);
    println!("| reads for a plan | {} | as few as there are pages |", read.requests);
    println!(
        "| time for {changes} changes, {CONCURRENCY} at once, {} ms each | {:.2} s, {:.2} of the least | at most 1.3 of the least, {:.2} s |",
        LATENCY.as_millis(),
        took.as_secs_f64(),
        took.as_secs_f64() / ideal.as_secs_f64(),
        ideal.as_secs_f64(),
    );
    Ok(())
}
