//! Carrying out one plan: the ledger begins, the engine runs, the account is read again.
//!
//! From here on the account may have changed, so nothing that is only about saying so may end the run.

use indicatif::ProgressBar;

use crate::apply::{Observer, Options, Outcome, Recorder, ShutdownSignal, Urgency, execute_journaled};
use crate::config::Account;
use crate::exit::Exit;
use crate::ledger::state_dir;
use crate::ledger::{ChangeOutcome, Halt, Summary};
use crate::model::Change;
use crate::plan::{Part, Plan, unapplied_objects};
use crate::providers::Provider;
use crate::render::{counted, fields, human};
use crate::text::sanitized;

use super::account_output::AccountOutput;
use super::console;
use super::plan::{read, read_and_plan};
use super::{outcome, progress};

/// So many objects that are not as planned are named.
const MOST_NAMED: usize = 20;

/// What is carried out.
pub(super) struct Execution<'a> {
    /// What a fresh plan is made for afterwards.
    pub(super) account: &'a Account,
    pub(super) provider: &'a dyn Provider,
    pub(super) plan: &'a Plan,
    /// Which part of what the files ask for the plan is about, if it was made now.
    pub(super) part: &'a Part,
    /// Whether the plan was made some other time, so that the files may ask for something else by now.
    pub(super) saved: bool,
    /// The most changes under way at once.
    pub(super) concurrency: usize,
    pub(super) stop: &'a ShutdownSignal,
    pub(super) pen: &'a AccountOutput<'a>,
    /// Counts the changes, here or of several accounts.
    pub(super) bar: &'a ProgressBar,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunResult {
    pub(super) exit: Exit,
    /// What became of the changes.
    pub(super) summary: Summary,
    /// Whether the account has, or may have, something of the plan.
    pub(super) touched: bool,
}

impl RunResult {
    /// There was nothing to carry out.
    pub(super) fn nothing() -> Self {
        Self { exit: Exit::Ok, summary: Summary::default(), touched: false }
    }
}

/// Applies one plan, says what became of it, and plans once more.
pub(super) async fn carry_out(execution: &Execution<'_>, recorder: &mut Recorder) -> RunResult {
    let Execution { account, plan, stop, pen, .. } = execution;
    let not_begun = |exit: Exit| {
        let summary = Outcome::not_attempted(&plan.changes).summary(None, exit.code());
        RunResult { exit, summary, touched: false }
    };
    let name = &account.settings.name;
    if stop.is_asked() {
        pen.say(&format!("Stopped before {} was begun; nothing was written to it.", sanitized(name, 200)));
        return not_begun(Exit::Partial);
    }
    if let Err(error) = recorder.start(&account.root) {
        console::complain(&format!(
            "cannot keep a ledger in {}: {error}; nothing was applied to {}",
            state_dir::path(&account.root).display(),
            sanitized(name, 200)
        ));
        return not_begun(Exit::Failure);
    }
    let done = execute(execution, recorder).await;
    if matches!(pen, AccountOutput::Direct(_)) {
        execution.bar.finish_and_clear();
    }
    pen.say(outcome::human(plan, &done, console::style()).trim_end());
    if let Some(taken) = outcome::taken_over(plan, &done) {
        pen.say(&taken);
    }
    if let Some(hint) = outcome::hint(&done, &account.root) {
        pen.say(&hint);
    }
    let (mut exit, in_sync) = match early_end(&done) {
        Some(exit) => (exit, None),
        None => verify(execution).await.unwrap_or_else(|error| {
            console::complain(&format!("everything was applied, and then {}", sanitized(&format!("{error:#}"), 1000)));
            (Exit::Failure, None)
        }),
    };
    // Everything that the plan covers is done, and the files ask for more.
    let in_sync = in_sync.map(|in_sync| in_sync && plan.is_whole());
    if exit == Exit::Ok && !plan.is_whole() {
        exit = Exit::Partial;
    }
    if let Err(why) = recorder.finish(done.summary(in_sync, exit.code())).await
        && !matches!(done.halt, Some(Halt::Unrecorded(_)))
    {
        console::complain(&format!(
            "the ledger of {} does not have the end of it: {}",
            recorder.run(),
            sanitized(&why, 300)
        ));
        exit = if exit == Exit::Ok { Exit::Failure } else { exit };
    }
    if exit != Exit::Ok {
        pen.say(&format!("`strowger history --run {}` shows this run.", recorder.run()));
    }
    RunResult { exit, summary: done.summary(in_sync, exit.code()), touched: done.counts().touched() }
}

async fn execute(execution: &Execution<'_>, recorder: &Recorder) -> Outcome {
    let Execution { provider, plan, concurrency, stop, bar, .. } = execution;
    let options = Options { concurrency: *concurrency };
    execute_journaled(plan, *provider, options, &Bar((*bar).clone()), recorder, stop).await
}

/// The exit of a run that did not do everything, or was told to stop.
fn early_end(done: &Outcome) -> Option<Exit> {
    match done.halt {
        Some(Halt::Stopped | Halt::StoppedAtOnce) => return Some(Exit::Partial),
        Some(Halt::Owned(_)) => return Some(Exit::Blocked),
        _ if done.is_complete() => return None,
        _ => {}
    }
    if done.counts().touched() {
        return Some(Exit::Partial);
    }
    Some(if done.counts().stale > 0 { Exit::Stale } else { Exit::Failure })
}

/// Whether the account shows what was planned; `None` if a signal came first.
async fn verify(execution: &Execution<'_>) -> anyhow::Result<(Exit, Option<bool>)> {
    let look = async { if execution.saved { as_planned(execution).await } else { in_sync(execution).await } };
    let shown = tokio::select! {
        shown = look => shown?,
        () = execution.stop.until(Urgency::Finish) => {
            execution.pen.say("Stopped by a signal before the account was read again; everything was applied.");
            return Ok((Exit::Partial, None));
        }
    };
    Ok((if shown { Exit::Ok } else { Exit::Failure }, Some(shown)))
}

/// Whether a fresh plan is empty.
async fn in_sync(Execution { account, provider, part, pen, .. }: &Execution<'_>) -> anyhow::Result<bool> {
    let fresh = read_and_plan(account, *provider, part).await?.plan;
    match &fresh {
        Some(plan) if plan.is_empty() && !plan.is_whole() => {
            let left = counted(plan.skipped.len(), "object");
            pen.say(&format!("Partly in sync: a fresh plan of the rest is empty; {left} left out."));
        }
        Some(plan) if plan.is_empty() && !plan.only.is_empty() => {
            pen.say("In sync: a fresh plan of these objects is empty.");
        }
        Some(plan) if plan.is_empty() => pen.say("In sync: a fresh plan is empty."),
        Some(plan) => {
            pen.say("Not in sync: the account does not show what was written, or changed meanwhile. A fresh plan:");
            pen.say(human::plan(plan, console::style()).trim_end());
        }
        None => {
            pen.say("Not in sync: the account changed meanwhile, and the files no longer fit it. Run `strowger plan`.");
        }
    }
    Ok(fresh.is_some_and(|plan| plan.is_empty()))
}

/// Whether the account shows what a saved plan wrote, whatever the files ask for by now.
async fn as_planned(Execution { account, provider, plan, pen, .. }: &Execution<'_>) -> anyhow::Result<bool> {
    let live = read(account, *provider).await?.live;
    let unapplied_objects = unapplied_objects(plan, &live);
    if unapplied_objects.is_empty() {
        pen.say("As planned: the account shows everything that was written.");
    } else {
        pen.say("Not as planned: the account does not show what was written, or changed meanwhile:");
        for label in unapplied_objects.iter().take(MOST_NAMED) {
            pen.say(&format!("  {}/{}", label.kind, sanitized(&label.name, 200)));
        }
        if unapplied_objects.len() > MOST_NAMED {
            pen.say(&format!("  and {} more", unapplied_objects.len() - MOST_NAMED));
        }
    }
    Ok(unapplied_objects.is_empty())
}

struct Bar(ProgressBar);

impl Observer for Bar {
    fn finished(&self, change: &Change, outcome: &ChangeOutcome) {
        tracing::info!("{}: {}", fields::object(change), super::outcome::word(outcome));
        if self.0.position() == 0 {
            progress::estimate(&self.0);
        }
        self.0.inc(1);
    }
}
