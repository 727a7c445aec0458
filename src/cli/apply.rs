//! `strowger apply`: plan, ask, execute, and prove that a fresh plan is empty.
//!
//! With several accounts, all are planned before the first is written, so that a mistake in one file stops
//! the run before it changed anything.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::bail;
use indicatif::ProgressBar;

use crate::apply::{Observer, Options, Outcome, Status, execute};
use crate::check::settings::ProviderSettings;
use crate::config::{self, Account, Loaded, Revision};
use crate::diag::has_errors;
use crate::exit::Exit;
use crate::model::Change;
use crate::plan::{Digest, Plan};
use crate::render::human;

use super::open::{Opened, Purpose, open};
use super::plan::{read_and_plan, runtime};
use super::{approval, console, outcome, progress};

/// The arguments of `apply`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders of files, or folders of such folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Apply without asking; needed where nobody can be asked
    #[arg(long)]
    auto_approve: bool,
    /// Let a plan through that guards hold back: exactly the one with this digest. Repeat it for several
    /// accounts
    #[arg(long, value_name = "DIGEST")]
    approve: Vec<Digest>,
    /// The revision whose guards hold as well; without it, HEAD and its first parent
    #[arg(long, value_name = "REF")]
    base: Option<Revision>,
    /// The most changes under way at once
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
}

/// An account with its plan.
struct Job<'a> {
    account: &'a Account,
    opened: Opened,
    plan: Plan,
}

/// Plans and applies.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut loaded = config::load(&arguments.paths);
    if !has_errors(&loaded.diagnostics) {
        console::notes(&config::guard_by_base(&mut loaded, arguments.base.as_ref())?)?;
    }
    if has_errors(&loaded.diagnostics) {
        console::report(&loaded, &loaded.diagnostics)?;
        return Ok(Exit::Invalid);
    }
    let accounts = std::mem::take(&mut loaded.accounts);
    runtime()?.block_on(async {
        let mut jobs = Vec::new();
        let exit = reconcile(arguments, &loaded, &accounts, &mut jobs).await;
        for job in jobs {
            job.opened.close().await;
        }
        exit
    })
}

async fn reconcile<'a>(
    arguments: &Arguments,
    loaded: &Loaded,
    accounts: &'a [Account],
    jobs: &mut Vec<Job<'a>>,
) -> anyhow::Result<Exit> {
    let mut findings = loaded.diagnostics.clone();
    for account in accounts {
        let opened = open(account, Purpose::Write, usize::from(arguments.concurrency)).await?;
        let (plan, found) = match read_and_plan(account, &*opened.provider).await {
            Ok(planned) => planned,
            Err(error) => {
                opened.close().await;
                return Err(error);
            }
        };
        findings.extend(found);
        match plan {
            Some(plan) => jobs.push(Job { account, opened, plan }),
            None => opened.close().await,
        }
    }
    crate::diag::sort(&mut findings);
    console::report(loaded, &findings)?;
    if has_errors(&findings) {
        return Ok(Exit::Invalid);
    }
    show(jobs)?;
    if jobs.iter().all(|job| job.plan.is_empty()) {
        say("Nothing to do.")?;
        return Ok(Exit::Ok);
    }
    let plans: Vec<&Plan> = jobs.iter().map(|job| &job.plan).collect();
    if let Some(refusal) = approval::refusal(&plans, &arguments.approve) {
        write!(anstream::stderr(), "{refusal}")?;
        return Ok(Exit::Blocked);
    }
    if jobs.iter().any(|job| !job.plan.is_empty() && is_snapshot(job.account)) {
        bail!("{}", crate::live::WriteError::ReadOnly);
    }
    if !arguments.auto_approve && !asked(jobs)? {
        return Ok(Exit::Usage);
    }
    let mut worst = Exit::Ok;
    for job in jobs.iter().filter(|job| !job.plan.is_empty()) {
        let exit = carry_out(job, arguments).await?;
        if worst == Exit::Ok || exit == Exit::Partial {
            worst = exit;
        }
    }
    Ok(worst)
}

/// Nobody needs to be asked, nor every change to fail, to learn that a file cannot be written to.
fn is_snapshot(account: &Account) -> bool {
    matches!(account.settings.provider, ProviderSettings::Snapshot { .. })
}

/// Applies one plan, says what became of it, and plans once more.
async fn carry_out(job: &Job<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let options = Options { concurrency: usize::from(arguments.concurrency) };
    let bar = Bar(progress::bar(job.plan.changes.len()));
    let work = execute(&job.plan, &*job.opened.provider, options, &bar);
    let done = progress::show_after_a_while(&bar.0, work).await;
    bar.0.finish_and_clear();
    say(outcome::human(&job.plan, &done, console::style()).trim_end())?;
    if !done.is_complete() {
        return Ok(failed(&done));
    }
    let (fresh, _) = read_and_plan(job.account, &*job.opened.provider).await?;
    match fresh {
        Some(plan) if plan.is_empty() => {
            say("In sync: a fresh plan is empty.")?;
            Ok(Exit::Ok)
        }
        Some(plan) => {
            say("Not in sync: the account does not show what was written, or changed meanwhile. A fresh plan:")?;
            say(human::plan(&plan, console::style()).trim_end())?;
            Ok(Exit::Failure)
        }
        None => {
            say("Not in sync: the account changed meanwhile, and the files no longer fit it. Run `strowger plan`.")?;
            Ok(Exit::Failure)
        }
    }
}

/// What a run that did not do everything exits with.
fn failed(done: &Outcome) -> Exit {
    if done.applied() > 0 || done.changes.iter().any(|(_, status)| matches!(status, Status::Unknown(_))) {
        return Exit::Partial;
    }
    let stale = done.changes.iter().any(|(_, status)| matches!(status, Status::Stale(_)));
    if stale { Exit::Stale } else { Exit::Failure }
}

struct Bar(ProgressBar);

impl Observer for Bar {
    fn finished(&self, change: &Change, status: &Status) {
        tracing::info!(change = change.id.0, ?status, "finished");
        self.0.inc(1);
    }
}

fn say(text: &str) -> io::Result<()> {
    writeln!(anstream::stdout(), "{text}")
}

fn show(jobs: &[Job<'_>]) -> io::Result<()> {
    for job in jobs {
        say(&human::plan(&job.plan, console::style()))?;
    }
    Ok(())
}

/// Asks whoever sits at the terminal. Nobody is there: the answer is no, with the way to say yes.
fn asked(jobs: &[Job<'_>]) -> io::Result<bool> {
    if !io::stdin().is_terminal() {
        writeln!(
            anstream::stderr(),
            "strowger: nobody can be asked here; `--auto-approve` applies the plan without asking"
        )?;
        return Ok(false);
    }
    let changes: usize = jobs.iter().map(|job| job.plan.changes.len()).sum();
    let noun = if changes == 1 { "change" } else { "changes" };
    write!(anstream::stderr(), "Apply {changes} {noun}? Only `yes` does it: ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" {
        return Ok(true);
    }
    writeln!(anstream::stderr(), "Nothing was applied.")?;
    Ok(false)
}
