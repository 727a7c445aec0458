//! Executes one plan: starts the ledger, runs the engine, reads the account again.
//!
//! From here on the account may have changed, so a failure to print must not end the run.

use indicatif::ProgressBar;

use crate::apply::{Observer, Options, Outcome, Recorder, ShutdownSignal, Urgency, execute_journaled};
use crate::config::Account;
use crate::exit::Exit;
use crate::ledger::{ChangeOutcome, Halt, Summary, state_dir};
use crate::model::Change;
use crate::plan::{Part, Plan, unapplied_objects};
use crate::providers::Provider;
use crate::render::{counted, fields, human};
use crate::text::sanitized;

use super::account_output::AccountOutput;
use super::read_account::{read, read_and_plan};
use super::{console, outcome, progress};

/// The most objects that differ from the plan that are listed.
const MOST_NAMED: usize = 20;

/// What is carried out.
pub(super) struct Execution<'a> {
    /// The account that a fresh plan verifies afterwards.
    pub(super) account: &'a Account,
    pub(super) provider: &'a dyn Provider,
    pub(super) plan: &'a Plan,
    /// The part of the files that the plan covers, if it was made now.
    pub(super) part: &'a Part,
    pub(super) target: Target,
    /// The most changes under way at once.
    pub(super) concurrency: usize,
    pub(super) stop: &'a ShutdownSignal,
    pub(super) output: &'a AccountOutput<'a>,
    /// Counts the changes, here or of several accounts.
    pub(super) bar: &'a ProgressBar,
}

/// What the account must match once the plan is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Files,
    /// The plan itself: the files may have changed since it was saved.
    SavedPlan,
    StateBeforeRun,
}

/// How it went; by default there was nothing to carry out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RunResult {
    pub(super) exit: Exit,
    /// What became of the changes.
    pub(super) summary: Summary,
    /// Whether a change was, or may have been, applied.
    pub(super) touched: bool,
}

/// Applies one plan, reports the outcome, and verifies it.
pub(super) async fn carry_out(execution: &Execution<'_>, recorder: &mut Recorder) -> RunResult {
    let Execution { account, plan, stop, output, .. } = execution;
    let not_begun = |exit: Exit| {
        let summary = Outcome::not_attempted(&plan.changes).summary(None, exit.code());
        RunResult { exit, summary, touched: false }
    };
    let name = &account.settings.name;
    if stop.is_asked() {
        output.say(&format!("Stopped before {} was started; nothing was written to it.", sanitized(name, 200)));
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
    if matches!(output, AccountOutput::Direct(_)) {
        execution.bar.finish_and_clear();
    }
    output.say(outcome::human(plan, &done, console::style()).trim_end());
    if let Some(taken) = outcome::taken_over(plan, &done) {
        output.say(&taken);
    }
    if let Some(hint) = outcome::hint(&done, &account.root) {
        output.say(&hint);
    }
    let (mut exit, in_sync) = match early_end(&done) {
        Some(exit) => (exit, None),
        None => verify(execution).await.unwrap_or_else(|error| {
            console::complain(&format!(
                "all changes were applied, but verification failed: {}",
                sanitized(&format!("{error:#}"), 1000)
            ));
            (Exit::Failure, None)
        }),
    };
    // The plan is applied, but left some objects out.
    let in_sync = in_sync.map(|in_sync| in_sync && plan.is_whole());
    if exit == Exit::Ok && !plan.is_whole() {
        exit = Exit::Partial;
    }
    if let Err(why) = recorder.finish(done.summary(in_sync, exit.code())).await
        && !matches!(done.halt, Some(Halt::Unrecorded(_)))
    {
        console::complain(&format!("the ledger of run {} has no summary: {}", recorder.run(), sanitized(&why, 300)));
        exit = if exit == Exit::Ok { Exit::Failure } else { exit };
    }
    if exit != Exit::Ok {
        output.say(&format!("`strowger history --run {}` shows this run.", recorder.run()));
    }
    RunResult { exit, summary: done.summary(in_sync, exit.code()), touched: done.counts().touched() }
}

async fn execute(execution: &Execution<'_>, recorder: &Recorder) -> Outcome {
    let Execution { provider, plan, concurrency, stop, bar, .. } = execution;
    let options = Options { concurrency: *concurrency };
    execute_journaled(plan, *provider, options, &Bar((*bar).clone()), recorder, stop).await
}

/// The exit of a run that did not apply everything, or was stopped.
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

/// Whether the account has what was planned; `None` if a signal came first.
async fn verify(execution: &Execution<'_>) -> anyhow::Result<(Exit, Option<bool>)> {
    let look = async {
        if execution.target == Target::SavedPlan { as_planned(execution).await } else { in_sync(execution).await }
    };
    let shown = tokio::select! {
        shown = look => shown?,
        () = execution.stop.until(Urgency::Finish) => {
            execution.output.say("Stopped by a signal before verification; all changes were applied.");
            return Ok((Exit::Partial, None));
        }
    };
    Ok((if shown { Exit::Ok } else { Exit::Failure }, Some(shown)))
}

/// Whether a fresh plan is empty.
async fn in_sync(Execution { account, provider, part, target, output, .. }: &Execution<'_>) -> anyhow::Result<bool> {
    let fresh = read_and_plan(account, *provider, part).await?.plan;
    match &fresh {
        Some(plan) if plan.is_empty() && !plan.is_whole() => {
            let left = counted(plan.skipped.len(), "object");
            output.say(&format!("Verified, except for {left} left out: account matches the files."));
        }
        Some(plan) if plan.is_empty() && !plan.only.is_empty() => {
            output.say("Verified: these objects match the files.");
        }
        Some(plan) if plan.is_empty() && *target == Target::StateBeforeRun => {
            output.say("Verified: the account is as before the run.");
        }
        Some(plan) if plan.is_empty() => output.say("Verified: account matches the files."),
        Some(plan) => {
            output.say(
                "Not verified: the account still differs from the files, or changed meanwhile. Remaining changes:",
            );
            output.say(human::plan(plan, console::style()).trim_end());
        }
        None => {
            output.say(
                "Not verified: the account changed meanwhile, and the files no longer fit it. Run `strowger plan`.",
            );
        }
    }
    Ok(fresh.is_some_and(|plan| plan.is_empty()))
}

/// Whether the account has what a saved plan wrote; the files may have changed since.
async fn as_planned(Execution { account, provider, plan, output, .. }: &Execution<'_>) -> anyhow::Result<bool> {
    let live = read(account, *provider).await?.live;
    let unapplied_objects = unapplied_objects(plan, &live);
    if unapplied_objects.is_empty() {
        output.say("Verified: the account has everything that was written.");
    } else {
        output.say("Not verified: these objects differ from the plan, or changed meanwhile:");
        for label in unapplied_objects.iter().take(MOST_NAMED) {
            output.say(&format!("  {}/{}", label.kind, sanitized(&label.name, 200)));
        }
        if unapplied_objects.len() > MOST_NAMED {
            output.say(&format!("  and {} more", unapplied_objects.len() - MOST_NAMED));
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
