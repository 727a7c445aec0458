//! `strowger apply`: plan, ask, execute, and prove that a fresh plan is empty.
//!
//! With several accounts, all are planned before the first is written, so that a mistake in one file stops
//! the run before it changed anything.

use std::path::PathBuf;
use std::sync::Arc;

use crate::apply::{Events, Lock, Outcome, Recorder};
use crate::config::{Account, Loaded};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::render::human;
use crate::text::shown;

use super::accounts::{self, Against, Looked, Looking, Open, Planned, plan_all};
use super::console::{self, Voice};
use super::execution::{Carried, Execution, carry_out};
use super::expected::Expecting;
use super::identity::{self, About};
use super::open::{Opened, Purpose};
use super::part::PartArguments;
use super::plan::runtime;
use super::saved::Saved;
use super::signals;
use super::writing::Writing;

/// The arguments of `apply`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders of files, or folders of such folders; with `--plan`, those of the saved plan if none is named
    #[arg(required_unless_present = "plan", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Apply exactly this saved plan, without asking, or nothing if the account moved since
    #[arg(long, value_name = "FILE", conflicts_with_all = ["skip_invalid", "skip_blocked", "only"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    expecting: Expecting,
    #[command(flatten)]
    part: PartArguments,
    #[command(flatten)]
    writing: Writing,
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
    /// Ends what was opened, and tells whoever follows that a run which never started ends with the command.
    async fn close(mut self, exit: Exit) {
        let summary = Outcome::not_attempted(&self.plan.changes).summary(None, exit.code());
        // Without a start there is no ledger that could fail.
        let _ = self.recorder.finish(summary).await;
        self.opened.close().await;
    }
}

/// Plans and applies.
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
    let (events, voice) = arguments.writing.events.open()?;
    let runtime = runtime()?;
    let exit = runtime.block_on(async {
        let mut jobs = Vec::new();
        let exit = reconcile(arguments, &mut loaded, (&accounts, saved.as_ref()), &mut jobs, (events, voice)).await;
        for job in jobs {
            job.close(*exit.as_ref().unwrap_or(&Exit::Failure)).await;
        }
        exit
    });
    // Who said stop twice does not wait for a name that is being looked up.
    runtime.shutdown_background();
    exit
}

async fn reconcile<'a>(
    arguments: &Arguments,
    loaded: &mut Loaded,
    (accounts, saved): (&[&'a Account], Option<&Saved>),
    jobs: &mut Vec<Job<'a>>,
    (events, voice): (Option<Arc<Events>>, Voice),
) -> anyhow::Result<Exit> {
    let against = saved.map_or(Against::Live, Against::Saved);
    let part = arguments.part.part(&arguments.writing.approve);
    let looking = Looking { against, purpose: Purpose::Write, effort: arguments.writing.effort, part: &part };
    let mut looked = plan_all(accounts, looking).await;
    let (unplanned, exit) = accounts::unplanned(loaded, &looked);
    for one in &mut looked {
        loaded.diagnostics.extend(one.take_findings());
    }
    crate::diag::sort(&mut loaded.diagnostics);
    let (mut stale, mut applied) = (String::new(), Vec::new());
    for Looked { account, planned, open } in looked {
        match (planned, open) {
            (Planned::Ready(plan, _), Some(Open { opened, lock })) => {
                let about = About { events: events.clone(), ..About::default() };
                let recorder = identity::recorder(account, &plan, about)?;
                jobs.push(Job { account, opened, plan: *plan, recorder, _lock: lock });
            }
            (Planned::Applied(plan), _) => applied.push((account, *plan)),
            (Planned::Stale(how), _) => stale.push_str(&how),
            _ => {}
        }
    }
    console::report(loaded, &loaded.diagnostics);
    accounts::report(&unplanned);
    if !stale.is_empty() {
        console::note(&format!("{stale}Plan again, and have the new plan read."));
    }
    if exit != Exit::Ok {
        if accounts.len() + loaded.invalid.len() > 1 {
            console::complain("nothing was applied to any account");
        }
        return Ok(exit);
    }
    show(jobs, voice);
    if let Some(exit) = already(&applied, jobs, arguments, voice)? {
        return Ok(exit);
    }
    if jobs.iter().all(|job| job.plan.is_empty()) {
        voice.say("Nothing to do.");
        return Ok(left_out(jobs));
    }
    let plans: Vec<&Plan> = jobs.iter().map(|job| &job.plan).collect();
    if let Some(surprise) = arguments.expecting.surprise(&plans)? {
        Voice::Err.write(&surprise);
        return Ok(Exit::Stale);
    }
    let done = applied.iter().map(|(account, plan)| (*account, plan));
    let wanted: Vec<_> = jobs.iter().map(|job| (job.account, &job.plan)).chain(done).collect();
    if let Some(exit) = arguments.writing.refuses(&wanted, saved.is_some(), voice)? {
        return Ok(exit);
    }
    // Until here a signal ends the process as it does any other; from here on there is something to finish.
    let stop = signals::listen()?;
    let mut exits = Vec::new();
    for Job { account, opened, plan, recorder, .. } in jobs.iter_mut().filter(|job| !job.plan.is_empty()) {
        if let Some(approval) = arguments.writing.approval(plan) {
            recorder.approve(approval);
        }
        let concurrency = arguments.writing.effort.concurrency();
        let provider = &*opened.provider;
        let execution =
            Execution { account, provider, plan, part: &part, saved: saved.is_some(), concurrency, stop: &stop, voice };
        exits.push(carry_out(&execution, recorder).await);
    }
    Ok(match together(&exits) {
        Exit::Ok => left_out(jobs),
        exit => exit,
    })
}

/// How a run ends that did everything that its plans cover: they may leave something out.
fn left_out(jobs: &[Job<'_>]) -> Exit {
    if jobs.iter().all(|job| job.plan.is_whole()) { Exit::Ok } else { Exit::Partial }
}

/// Says which saved plans have been applied already, and how the command ends if that settles it.
fn already(
    applied: &[(&Account, Plan)],
    jobs: &[Job<'_>],
    arguments: &Arguments,
    voice: Voice,
) -> anyhow::Result<Option<Exit>> {
    let plans: Vec<&Plan> = applied.iter().map(|(_, plan)| plan).collect();
    if let Some(surprise) = arguments.expecting.surprise(&plans)? {
        Voice::Err.write(&surprise);
        return Ok(Some(Exit::Stale));
    }
    for (account, _) in applied {
        let one = jobs.is_empty() && applied.len() == 1;
        let of = if one { String::new() } else { format!(" of {}", shown(&account.settings.name, 200)) };
        voice.say(&format!("This plan{of} has been applied already; nothing to do."));
    }
    Ok((jobs.is_empty() && !applied.is_empty()).then_some(Exit::Ok))
}

/// How a run over several accounts ends: if one of them has something and another lacks something, it is partly
/// applied.
fn together(exits: &[Carried]) -> Exit {
    let failed = exits.iter().map(|carried| carried.exit).find(|exit| *exit != Exit::Ok);
    match failed {
        None => Exit::Ok,
        Some(_) if exits.len() > 1 && exits.iter().any(|carried| carried.touched) => Exit::Partial,
        Some(exit) => exit,
    }
}

fn show(jobs: &[Job<'_>], voice: Voice) {
    for job in jobs {
        voice.say(&human::plan(&job.plan, console::style()));
    }
}
