//! `strowger apply`: plan, ask, execute, and prove that a fresh plan is empty.
//!
//! With several accounts, all are planned before the first is written, so that a mistake in one file stops
//! the run before it changed anything.

use std::path::PathBuf;
use std::sync::Arc;

use crate::apply::{Events, Lock, Outcome, Recorder};
use crate::config::{Account, Loaded};
use crate::diag::has_errors;
use crate::exit::Exit;
use crate::plan::Plan;
use crate::render::human;

use super::console::{self, Voice};
use super::execution::{Carried, Execution, carry_out};
use super::expected::Expected;
use super::identity::{self, About};
use super::open::{Opened, Purpose, open};
use super::plan::{read_and_plan, runtime};
use super::saved::{Held, Saved};
use super::writing::Writing;
use super::{expected, signals};

/// The arguments of `apply`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders of files, or folders of such folders; with `--plan`, those of the saved plan if none is named
    #[arg(required_unless_present = "plan", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Apply exactly this saved plan, without asking, or nothing if the account moved since
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Apply only plans that somebody has read: those with these digests, or nothing if another plan has changes.
    /// Repeat it for several accounts; `none` expects that nothing is left to do
    #[arg(long, value_name = "DIGEST")]
    expect: Vec<Expected>,
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
    let saved = arguments.plan.as_deref().map(Saved::read).transpose()?;
    let paths = match &saved {
        Some(saved) if arguments.paths.is_empty() => saved.paths(),
        _ => arguments.paths.clone(),
    };
    let Some(mut loaded) = arguments.writing.load(&paths)? else { return Ok(Exit::Invalid) };
    let accounts = std::mem::take(&mut loaded.accounts);
    let accounts = match &saved {
        Some(saved) => saved.accounts(&accounts, &paths)?,
        None => accounts.iter().collect(),
    };
    let (events, voice) = arguments.writing.events.open()?;
    let runtime = runtime()?;
    let exit = runtime.block_on(async {
        let mut jobs = Vec::new();
        let exit = reconcile(arguments, &loaded, (&accounts, saved.as_ref()), &mut jobs, (events, voice)).await;
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
    loaded: &Loaded,
    (accounts, saved): (&[&'a Account], Option<&Saved>),
    jobs: &mut Vec<Job<'a>>,
    (events, voice): (Option<Arc<Events>>, Voice),
) -> anyhow::Result<Exit> {
    let mut findings = loaded.diagnostics.clone();
    let mut stale = String::new();
    for &account in accounts {
        let lock = identity::lock(account, &account.root)?;
        let opened = open(account, Purpose::Write, arguments.writing.effort).await?;
        let planned = match saved {
            Some(saved) => saved.hold(account, &*opened.provider).await.map(|held| match held {
                Held::Ready(plan) => (Some(*plan), Vec::new()),
                Held::Moved(how) => {
                    stale.push_str(&how);
                    (None, Vec::new())
                }
            }),
            None => read_and_plan(account, &*opened.provider).await,
        };
        let (plan, found) = match planned {
            Ok(planned) => planned,
            Err(error) => {
                opened.close().await;
                return Err(error);
            }
        };
        findings.extend(found);
        match plan {
            Some(plan) => {
                let recorder =
                    identity::recorder(account, &plan, About { events: events.clone(), ..About::default() })?;
                jobs.push(Job { account, opened, plan, recorder, _lock: lock });
            }
            None => opened.close().await,
        }
    }
    crate::diag::sort(&mut findings);
    console::report(loaded, &findings);
    if has_errors(&findings) {
        return Ok(Exit::Invalid);
    }
    if !stale.is_empty() {
        console::note(&format!("{stale}Plan again, and have the new plan read."));
        return Ok(Exit::Stale);
    }
    show(jobs, voice);
    if jobs.iter().all(|job| job.plan.is_empty()) {
        voice.say("Nothing to do.");
        return Ok(Exit::Ok);
    }
    let plans: Vec<&Plan> = jobs.iter().map(|job| &job.plan).collect();
    if let Some(surprise) = expected::surprise(&plans, &arguments.expect) {
        Voice::Err.write(&surprise);
        return Ok(Exit::Stale);
    }
    let wanted: Vec<_> = jobs.iter().map(|job| (job.account, &job.plan)).collect();
    if let Some(exit) = arguments.writing.refuses(&wanted, saved.is_some(), voice)? {
        return Ok(exit);
    }
    // Until here a signal ends the process as it does any other; from here on there is something to finish.
    let stop = signals::listen()?;
    let mut exits = Vec::new();
    for Job { account, opened, plan, recorder, .. } in jobs.iter_mut().filter(|job| !job.plan.is_empty()) {
        let concurrency = arguments.writing.effort.concurrency();
        let provider = &*opened.provider;
        let execution = Execution { account, provider, plan, saved: saved.is_some(), concurrency, stop: &stop, voice };
        exits.push(carry_out(&execution, recorder).await);
    }
    Ok(together(&exits))
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
