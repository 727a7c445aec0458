//! `strowger apply`: plan, confirm, execute, and verify that a fresh plan is empty.
//!
//! With several accounts, all are planned before the first is written, so that a mistake in one file stops
//! the run before it changed anything.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::apply::{Events, Lock, Outcome, Recorder};
use crate::config::{Account, Loaded};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::providers::{Access, Opened, WriteError};
use crate::render::human;
use crate::text::sanitized;

use super::accounts::{self, Against, Open, PlanRequest, Planned, PlannedAccount, plan_all};
use super::console::{self, OutputStream};
use super::execution::Target;
use super::expected_plan::ExpectedPlans;
use super::partial::PartArguments;
use super::read_account::runtime;
use super::run_metadata::{self, RunMetadata};
use super::saved::Saved;
use super::signals;
use super::waves::{ApplyOptions, LeftOut, Task, apply_all};
use super::write_args::WriteArgs;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders of files, or folders of such folders; with `--plan`, those of the saved plan if none is named
    #[arg(required_unless_present = "plan", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Apply exactly this saved plan, without a confirmation prompt; nothing is applied if the account changed since
    #[arg(long, value_name = "FILE", conflicts_with_all = ["skip_invalid", "skip_blocked", "only"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    expected: ExpectedPlans,
    #[command(flatten)]
    part: PartArguments,
    /// Apply the accounts of a fleet that can be applied even if others cannot; the exit code is then 6
    #[arg(long)]
    keep_going: bool,
    #[command(flatten)]
    writing: WriteArgs,
}

/// An account with its plan.
struct Job<'a> {
    account: &'a Account,
    opened: Opened,
    plan: Plan,
    recorder: Recorder,
    /// Held until the end.
    _lock: Option<Lock>,
}

impl Job<'_> {
    /// Closes the account, and ends the event stream of a run that never started.
    async fn close(mut self, exit: Exit) {
        let summary = Outcome::not_attempted(&self.plan.changes).summary(None, exit.code());
        // A run that never started has no ledger to fail.
        let _ = self.recorder.finish(summary).await;
        self.opened.close().await;
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let saved = arguments.plan.as_deref().map(Saved::read_whole).transpose()?;
    let paths = match &saved {
        Some(saved) if arguments.paths.is_empty() => saved.paths(),
        _ => arguments.paths.clone(),
    };
    let mut loaded = arguments.writing.accept.load(&paths, arguments.writing.base.as_ref())?;
    let valid = std::mem::take(&mut loaded.accounts);
    let accounts = match &saved {
        Some(saved) => saved.accounts(&valid, &loaded.invalid, &paths)?,
        None => match arguments.part.accounts(valid.iter().collect()) {
            Some(accounts) => accounts,
            None => return Ok(Exit::Usage),
        },
    };
    let (events, stream) = arguments.writing.events.open()?;
    let runtime = runtime()?;
    let exit = runtime.block_on(async {
        let mut jobs = Vec::new();
        let exit = reconcile(arguments, &mut loaded, (&accounts, saved.as_ref()), &mut jobs, (events, stream)).await;
        for job in jobs {
            job.close(*exit.as_ref().unwrap_or(&Exit::Failure)).await;
        }
        exit
    });
    // Do not block shutdown on a pending DNS lookup.
    runtime.shutdown_background();
    exit
}

async fn reconcile<'a>(
    arguments: &Arguments,
    loaded: &mut Loaded,
    (accounts, saved): (&[&'a Account], Option<&Saved>),
    jobs: &mut Vec<Job<'a>>,
    (events, stream): (Option<Arc<Events>>, OutputStream),
) -> anyhow::Result<Exit> {
    let against = saved.map_or(Against::Live, Against::Saved);
    let part = arguments.part.part(&arguments.writing.approve, arguments.writing.take_over);
    let request = PlanRequest { against, access: Access::Write, effort: arguments.writing.effort, part: &part };
    let mut results = plan_all(accounts, request).await;
    let (unplanned, exit) = accounts::unplanned(loaded, &results);
    for one in &mut results {
        loaded.diagnostics.extend(one.take_findings());
    }
    crate::diag::sort(&mut loaded.diagnostics);
    let mut lacking: Vec<LeftOut> = loaded.invalid.iter().map(LeftOut::invalid).collect();
    let (mut stale, mut applied) = (String::new(), Vec::new());
    for PlannedAccount { account, planned, open, .. } in results {
        match (planned, open) {
            (Planned::Ready(plan, _), Some(Open { opened, lock })) => {
                let about = RunMetadata { events: events.clone(), ..RunMetadata::default() };
                let recorder = run_metadata::recorder(account, &plan, about)?;
                jobs.push(Job { account, opened, plan: *plan, recorder, _lock: lock });
            }
            (Planned::Applied(plan), _) => applied.push((account, *plan)),
            (planned, _) => {
                lacking.push(LeftOut::of(account, planned.exit()));
                if let Planned::Stale(how) = planned {
                    stale.push_str(&how);
                }
            }
        }
    }
    console::report(loaded, &loaded.diagnostics);
    accounts::report(&unplanned);
    if !stale.is_empty() {
        console::note(&format!("{stale}Run `strowger plan` again, and have the new plan reviewed."));
    }
    let several = accounts.len() + loaded.invalid.len() > 1;
    // Without valid waves, the order in which to apply a fleet is unknown.
    if exit != Exit::Ok && (!arguments.keep_going || loaded.waves_unknown) {
        if several {
            console::complain("nothing was applied to any account");
        }
        return Ok(exit);
    }
    show(jobs, stream);
    if let Some(done) = report_already_applied(&applied, jobs, arguments, stream)? {
        return Ok(Exit::of_all([done, exit]));
    }
    if jobs.iter().all(|job| job.plan.is_empty()) {
        stream.say("Nothing to do.");
        return Ok(Exit::of_all([exit, left_out(jobs, &applied)]));
    }
    let leave_out = if arguments.keep_going { blocked_plans(arguments, jobs, &mut lacking)? } else { BTreeSet::new() };
    let may: Vec<&Job<'_>> = jobs.iter().filter(|job| !leave_out.contains(&job.plan.account)).collect();
    let plans: Vec<&Plan> = may.iter().map(|job| &job.plan).collect();
    if let Some(difference) = arguments.expected.unexpected_plans(&plans)? {
        OutputStream::Err.write(&difference);
        return Ok(Exit::Stale);
    }
    if plans.iter().all(|plan| plan.is_empty()) {
        return Ok(Exit::of_all(lacking.iter().map(|one| one.exit)));
    }
    let done = applied.iter().map(|(account, plan)| (*account, plan));
    let requested: Vec<_> = may.iter().map(|job| (job.account, &job.plan)).chain(done).collect();
    let foreign = !lacking.is_empty();
    if let Some(exit) = arguments.writing.refuses(&requested, saved.is_some(), foreign, stream)? {
        return Ok(exit);
    }
    // Until here a signal ends the process immediately; from here on changes must be finished first.
    let stop = signals::listen()?;
    let effort = arguments.writing.effort;
    let (concurrency, accounts) = (effort.concurrency(), effort.accounts());
    let target = if saved.is_some() { Target::SavedPlan } else { Target::Files };
    let applying = ApplyOptions { part: &part, target, concurrency, accounts, several, stop: &stop, stream };
    let tasks = jobs.iter_mut().filter(|job| !leave_out.contains(&job.plan.account)).map(|job| {
        let Job { account, opened, plan, recorder, .. } = job;
        if let Some(approval) = arguments.writing.approval(plan).filter(|_| !plan.is_empty()) {
            recorder.approve(approval);
        }
        Task { account, provider: &*opened.provider, plan, recorder }
    });
    Ok(match apply_all(tasks.collect(), &lacking, &applying).await {
        Exit::Ok => left_out(jobs, &applied),
        exit => exit,
    })
}

/// How a run ends that did everything that its plans cover, now or before: they may leave something out.
fn left_out(jobs: &[Job<'_>], applied: &[(&Account, Plan)]) -> Exit {
    let mut plans = jobs.iter().map(|job| &job.plan).chain(applied.iter().map(|(_, plan)| plan));
    if plans.all(Plan::is_whole) { Exit::Ok } else { Exit::Partial }
}

/// Reports saved plans that have been applied already; the exit if nothing else is left to do.
fn report_already_applied(
    applied: &[(&Account, Plan)],
    jobs: &[Job<'_>],
    arguments: &Arguments,
    stream: OutputStream,
) -> anyhow::Result<Option<Exit>> {
    let plans: Vec<&Plan> = applied.iter().map(|(_, plan)| plan).collect();
    if let Some(difference) = arguments.expected.unexpected_plans(&plans)? {
        OutputStream::Err.write(&difference);
        return Ok(Some(Exit::Stale));
    }
    for (account, _) in applied {
        let one = jobs.is_empty() && applied.len() == 1;
        let of = if one { String::new() } else { format!(" of {}", sanitized(&account.settings.name, 200)) };
        stream.say(&format!("This plan{of} has been applied already; nothing to do."));
    }
    Ok((jobs.is_empty() && !applied.is_empty()).then(|| left_out(jobs, applied)))
}

/// The accounts that have a plan which may not be carried out, each with the reason: with `--keep-going` they are left
/// out.
fn blocked_plans(
    arguments: &Arguments,
    jobs: &[Job<'_>],
    lacking: &mut Vec<LeftOut>,
) -> anyhow::Result<BTreeSet<String>> {
    let mut left_out = BTreeSet::new();
    for Job { account, plan, .. } in jobs {
        let Some((why, exit)) = reason(arguments, account, plan)? else { continue };
        console::complain(&format!("{} is left out: {why}", sanitized(&plan.account, 200)));
        lacking.push(LeftOut::of(account, exit));
        left_out.insert(plan.account.clone());
    }
    Ok(left_out)
}

fn reason(arguments: &Arguments, account: &Account, plan: &Plan) -> anyhow::Result<Option<(String, Exit)>> {
    if plan.is_refused() {
        return Ok(Some(("another owner manages it; take it over with `--take-over`".to_owned(), Exit::Blocked)));
    }
    if plan.is_blocked() && !arguments.writing.approve.contains(&plan.digest) {
        return Ok(Some((format!("guards block it; approve it with `--approve {}`", plan.digest), Exit::Blocked)));
    }
    if !plan.is_empty() && account.settings.provider.spec().is_read_only {
        return Ok(Some((WriteError::ReadOnly.to_string(), Exit::Failure)));
    }
    if arguments.expected.unexpected_plans(&[plan])?.is_some() {
        return Ok(Some((format!("its plan is not expected; its digest is {}", plan.digest), Exit::Stale)));
    }
    Ok(None)
}

fn show(jobs: &[Job<'_>], stream: OutputStream) {
    for job in jobs {
        stream.say(&human::plan(&job.plan, console::style()));
    }
}
