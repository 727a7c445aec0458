//! `strowger rollback`: reverts the changes of a run, as an ordinary plan.
//!
//! Objects that changed since the run are listed and left alone. The rollback is a run like any other: it has
//! a ledger of its own, and can be rolled back.

mod report;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use crate::apply::Outcome;
use crate::config::{Account, InvalidAccount, Loaded};
use crate::diag::{Diagnostic, Rule, Source};
use crate::diff::Unmanaged;
use crate::exit::Exit;
use crate::ledger::{Found, Run};
use crate::model::{Desired, Span};
use crate::plan::{Part, Plan, plan};
use crate::providers::{Access, Provider};
use crate::rollback::{Conflict, Rollback, rollback};
use crate::text::sanitized;

use super::account_output::AccountOutput;
use super::execution::{Execution, Target, carry_out};
use super::history::{Format, pick};
use super::open::open;
use super::read_account::{read, runtime};
use super::run_metadata::{self, RunMetadata};
use super::untrusted_ledgers::Doubts;
use super::write_args::WriteArgs;
use super::{console, progress, signals};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The run, as listed by `strowger history`; a unique beginning of its name is enough, or of the part after the
    /// `-`
    #[arg(value_name = "RUN")]
    run: String,
    /// Files of the run's account, or a folder of such folders
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Only show what would be written, and what would be left alone
    #[arg(long)]
    pub(super) plan_only: bool,
    /// Output format of the plan
    #[arg(long, value_enum, default_value_t, requires = "plan_only")]
    format: Format,
    /// Roll back a ledger that is committed to the repository, which the author of a commit may have forged
    #[arg(long)]
    trust_ledger: bool,
    #[command(flatten)]
    writing: WriteArgs,
}

/// What a rollback would do.
struct Planned {
    plan: Option<Plan>,
    conflicts: Vec<Conflict>,
    findings: Vec<Diagnostic>,
    /// The account, with its state before the run as the desired state.
    account: Account,
}

/// Plans the inverse of a run and applies it.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let paths = std::slice::from_ref(&arguments.path);
    let mut loaded = arguments.writing.accept.load(paths, arguments.writing.base.as_ref())?;
    let Some(Sought { account, run, path, doubt }) = find(&mut loaded, arguments)? else {
        console::report(&loaded, &loaded.diagnostics);
        return Ok(Exit::Invalid);
    };
    if let Some(doubt) = doubt {
        let refused = !arguments.trust_ledger && !arguments.plan_only;
        let then = "; review it with `strowger history --run`, then roll it back with `--trust-ledger` if you trust it";
        let then = if refused { then } else { "" };
        console::complain(&format!("the ledger of run {} {}{then}", run.id, sanitized(&doubt, 500)));
        if refused {
            return Ok(Exit::Blocked);
        }
    }
    let runtime = runtime()?;
    let exit = runtime.block_on(async {
        let access = if arguments.plan_only { Access::ReadOnly } else { Access::Write };
        let _lock = if arguments.plan_only { None } else { run_metadata::lock(&account, &account.root)? };
        let opened = open(&account, access, arguments.writing.effort).await?;
        let exit = roll_back(arguments, &mut loaded, account, (&run, &path), &*opened.provider).await;
        opened.close().await;
        exit
    });
    runtime.shutdown_background();
    exit
}

/// The run that is asked for.
struct Sought {
    /// The account that it was on.
    account: Account,
    run: Run,
    /// Its ledger.
    path: PathBuf,
    /// Why the ledger is not believed.
    doubt: Option<String>,
}

/// Finds the run and its account; `None` if the files of that account have errors. Those of other accounts may have
/// some.
fn find(loaded: &mut Loaded, arguments: &Arguments) -> anyhow::Result<Option<Sought>> {
    let valid = loaded.accounts.iter().map(|account| account.root.as_path());
    let mut roots: Vec<&Path> = valid.chain(loaded.invalid.iter().map(InvalidAccount::folder)).collect();
    roots.sort_unstable();
    roots.dedup();
    let mut found = Vec::new();
    for root in roots {
        found.extend(Found::all(root)?);
    }
    if found.is_empty() && loaded.accounts.is_empty() {
        return Ok(None);
    }
    let found = pick(&found, &arguments.run)?;
    let run = found.open()?;
    let named = |account: &&Account| *account.settings.name == *run.planned.account;
    let accounts = || loaded.accounts.iter().filter(|account| account.root == found.root);
    let is_invalid = loaded.invalid.iter().any(|account| account.folder() == found.root);
    // One that was renamed since is still the only one of its folder; its id is compared below.
    let only = if !is_invalid && accounts().count() == 1 { accounts().next() } else { None };
    let Some(name) = accounts().find(named).or(only).map(|account| account.settings.name.clone()) else {
        if is_invalid {
            return Ok(None);
        }
        bail!("no file in {} describes the account of run {}", found.root.display(), run.id);
    };
    let position = loaded.accounts.iter().position(|account| account.settings.name == name);
    let account = position.map(|position| loaded.accounts.swap_remove(position)).context("the account is gone")?;
    Ok(Some(Sought { account, run, path: found.path.clone(), doubt: Doubts::default().of(found) }))
}

async fn roll_back(
    arguments: &Arguments,
    loaded: &mut Loaded,
    account: Account,
    (run, path): (&Run, &Path),
    provider: &dyn Provider,
) -> anyhow::Result<Exit> {
    let (events, stream) = arguments.writing.events.open()?;
    let planned = read_and_plan(loaded, account, (run, path), provider, arguments.writing.take_over).await?;
    let Some(plan) = report::show(loaded, run, &planned, arguments.format, stream) else { return Ok(Exit::Invalid) };
    if arguments.plan_only {
        return Ok(Exit::Ok);
    }
    let mut recorder =
        run_metadata::recorder(&planned.account, plan, RunMetadata { undoes: Some(&run.id), events, commit: None })?;
    let exit = async {
        if plan.is_empty() {
            return Ok(if planned.conflicts.is_empty() { Exit::Ok } else { Exit::Stale });
        }
        if let Some(exit) = arguments.writing.refuses(&[(&planned.account, plan)], false, false, stream)? {
            return Ok(exit);
        }
        if let Some(approval) = arguments.writing.approval(plan) {
            recorder.approve(approval);
        }
        let stop = signals::listen()?;
        let concurrency = arguments.writing.effort.concurrency();
        let part = Part::default();
        let (output, bar, account) =
            (AccountOutput::Direct(stream), progress::bar(plan.changes.len()), &planned.account);
        let execution = Execution {
            account,
            provider,
            plan,
            part: &part,
            target: Target::StateBeforeRun,
            concurrency,
            stop: &stop,
            output: &output,
            bar: &bar,
        };
        let exit = progress::show_after_a_while(&bar, carry_out(&execution, &mut recorder)).await.exit;
        report::rolled_back(exit, &planned.conflicts, stream);
        Ok(if exit == Exit::Ok && !planned.conflicts.is_empty() { Exit::Partial } else { exit })
    }
    .await;
    let code = exit.as_ref().unwrap_or(&Exit::Failure).code();
    // Only a run that never started has no summary yet, and it has no ledger to fail.
    let _ = recorder.finish(Outcome::not_attempted(&plan.changes).summary(None, code)).await;
    exit
}

/// Reads the account and plans the reversal of the run.
async fn read_and_plan(
    loaded: &mut Loaded,
    account: Account,
    (run, path): (&Run, &Path),
    provider: &dyn Provider,
    take_over: bool,
) -> anyhow::Result<Planned> {
    let name = &account.settings.name;
    let read = progress::during(&format!("reading {name}"), read(&account, provider)).await?;
    if *read.live.account.id != *run.planned.account_id {
        bail!("run {} changed another account ({}), not {name}", run.id, run.planned.account_id);
    }
    // What the plan says of places leads to the ledger, whose first line has the run's changes.
    let file = loaded.sources.next_id();
    let display = path.to_string_lossy().into_owned();
    loaded.sources.push(Source::unread(display.as_str(), path.to_path_buf()));
    let Desired { owner, mut files, policy, base, .. } = account.desired;
    files.resize(file.0 as usize, Box::default());
    files.push(display.into());
    let template = Desired { account: name.clone(), owner, files, policy, base, ..Desired::default() };
    let Rollback { desired, conflicts } =
        rollback(run, &read.live, template, Span { file, line: 1, column: 1, length: 1 });
    // The desired state has only the reversals; everything else is still in the files.
    let mut severities = account.severities.clone();
    severities.set(Rule::NOTHING_LEFT, None);
    let (mut plan, mut findings) = plan(&desired, &read.live, &severities, read.requests);
    if let Some(plan) = &mut plan {
        plan.unmanaged = Unmanaged::default();
        plan.claim(&desired, &read.live.account, take_over);
    }
    crate::diag::sort(&mut findings);
    let account = Account { desired, ..account };
    let plan = plan.map(|plan| plan.frozen_at(&account.desired, Timestamp::now()));
    Ok(Planned { plan, conflicts, findings, account })
}
