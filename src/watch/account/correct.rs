//! Applies a plan and decides again from the account as it is afterwards.

use std::sync::Arc;

use crate::apply::{self, Outcome, Recorder, Urgency, execute_journaled};
use crate::config::Account;
use crate::exit::Exit;
use crate::ledger::{Approval, ChangeOutcome, Halt, RunId};
use crate::model::Verb;
use crate::plan::Plan;
use crate::render::counted;
use crate::text::sanitized;

use super::super::decide::{Decision, Work};
use super::super::desired_state::DesiredState;
use super::super::status::{Counts, EventKind};
use super::super::write_permission::WritePermission;
use super::Watcher;

impl Watcher {
    /// Applies the plan, reads the account again, and decides again.
    pub(super) async fn correct(
        &mut self,
        account: &Arc<Account>,
        desired: &DesiredState,
        permission: &WritePermission,
        work: Work,
    ) -> Decision {
        let context = Arc::clone(&self.context);
        self.store_difference(&work.whole);
        let _lock = match context.environment.lock(account) {
            Ok(lock) => lock,
            Err(message) => return Decision::Failing(message),
        };
        // Asked now, because after the run the latest entries are our own.
        let drift: Vec<_> = work.plan.changes.iter().filter(|change| work.drift.contains(&change.id)).collect();
        let Some(attribution) = self.unless_stopped(self.attribute(&drift)).await else { return stopped() };
        let approval = self.handle.approver(&work.plan.digest).and_then(|by| Approval::of(&work.plan, by));
        let commit = desired.files.commit.as_deref();
        let mut recorder = match context.environment.begin(account, &work.plan, commit, approval.clone()) {
            Ok(recorder) => recorder,
            Err(message) => return Decision::Failing(message),
        };
        let outcome = match self.provider() {
            Ok(provider) => {
                let options = apply::Options { concurrency: context.options.concurrency };
                execute_journaled(&work.plan, provider, options, &(), &recorder, &context.stop).await
            }
            Err(message) => return Decision::Failing(message),
        };
        self.handle.remove_approval(&work.plan.digest);
        self.count(|counts| count(counts, &work.plan, &outcome));
        let at = self.now();
        let corrected = work
            .plan
            .changes
            .iter()
            .zip(&outcome.changes)
            .filter(|(change, (_, status))| work.drift.contains(&change.id) && status.is_applied());
        self.memory.flap_detector.record(at, corrected.map(|(change, _)| change));
        if outcome.is_complete() && !self.memory.deletions.any_delayed() {
            // The account confirmed every write, so any later difference is drift, even if no read ever shows the
            // account in sync. Otherwise a fight with someone who undoes corrections quickly would not be detected.
            self.memory.record_in_sync(account, &work.plan);
        }
        let (decision, in_sync) = match self.decide_again(account, desired, permission, &outcome).await {
            Ok(decision) => {
                let in_sync = matches!(decision, Decision::InSync) && self.memory.degraded.is_none();
                (decision, Some(in_sync))
            }
            Err(decision) => (decision, None),
        };
        self.finish(&mut recorder, &outcome, in_sync).await;
        self.publish_run(recorder.run(), &outcome, attribution, approval);
        decision
    }

    /// The decision after a run; an error if the account was not read again.
    async fn decide_again(
        &mut self,
        account: &Arc<Account>,
        desired: &DesiredState,
        permission: &WritePermission,
        outcome: &Outcome,
    ) -> Result<Decision, Decision> {
        if let Some(Halt::Stopped | Halt::StoppedAtOnce) = outcome.halt {
            return Err(stopped());
        }
        let read = match self.provider() {
            Ok(provider) => match self.unless_stopped(provider.read()).await {
                Some(read) => read.map_err(|error| error.to_string()),
                None => return Err(stopped()),
            },
            Err(message) => Err(message),
        };
        let read = match read {
            Ok(read) => read,
            Err(error) => return Err(Decision::Failing(self.disconnect_after(error).await)),
        };
        self.count(|counts| counts.requests += read.requests);
        let work = match self.decide(account, desired, permission, &read) {
            Decision::Correct(work) => work,
            decision => return Ok(decision),
        };
        if outcome.is_complete() {
            self.store_difference(&work.whole);
            let message = "the account does not show what was written, or was changed meanwhile".to_owned();
            return Ok(Decision::Failing(message));
        }
        Ok(if let Some(message) = rejection(outcome) {
            self.memory.rejected = Some((work.plan.digest.clone(), message.clone()));
            Decision::Rejected { message, plan: work.whole }
        } else {
            self.store_difference(&work.whole);
            Decision::Failing(first_failure(outcome))
        })
    }

    /// The result; `None` if the process is stopped first.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            result = work => Some(result),
            () = self.context.stop.until(Urgency::Finish) => None,
        }
    }

    async fn finish(&self, recorder: &mut Recorder, outcome: &Outcome, in_sync: Option<bool>) {
        let exit = match (outcome.is_complete(), outcome.counts().touched()) {
            (true, _) => Exit::Ok,
            (false, true) => Exit::Partial,
            (false, false) => Exit::Failure,
        };
        if let Err(error) = recorder.finish(outcome.summary(in_sync, exit.code())).await {
            let error = sanitized(&error, 300);
            tracing::error!(account = &*self.name, "the end of a run is missing in the ledger: {error}");
        }
    }

    fn publish_run(&mut self, run: &RunId, outcome: &Outcome, attribution: Option<String>, approval: Option<Approval>) {
        let (applied, all) = (outcome.applied(), outcome.changes.len());
        let mut message = if applied == all {
            format!("applied {}", counted(all, "change"))
        } else {
            format!("applied {applied} of {}: {}", counted(all, "change"), first_failure(outcome))
        };
        if let Some(attribution) = attribution {
            message = format!("{message}; {attribution}");
        }
        if let Some(approval) = &approval {
            message = format!("{message}; approved by {}, past {}", approval.by, approval.passed());
        }
        if applied > 0 {
            let at = self.context.clock.stamp();
            self.context.status_store.update(&self.name, |status| status.last_change = Some(at));
        }
        let kind = if applied == all { EventKind::Applied } else { EventKind::Failed };
        self.publish_run_event(kind, &message, Some(run.clone()), approval);
    }
}

fn stopped() -> Decision {
    Decision::Failing("stopped by a signal; continues after a restart".to_owned())
}

fn count(counts: &mut Counts, plan: &Plan, outcome: &Outcome) {
    counts.runs += 1;
    counts.requests += outcome.requests();
    for (change, (_, status)) in plan.changes.iter().zip(&outcome.changes) {
        *match (status, change.verb) {
            (ChangeOutcome::Applied { .. }, Verb::Create) => &mut counts.created,
            (ChangeOutcome::Applied { .. }, Verb::Update) => &mut counts.updated,
            (ChangeOutcome::Applied { .. }, Verb::Delete) => &mut counts.deleted,
            _ => &mut counts.not_applied,
        } += 1;
    }
}

/// The account's first error, if retrying any of the failures would not help.
fn rejection(outcome: &Outcome) -> Option<String> {
    let mut message = None;
    for (_, status) in &outcome.changes {
        match status {
            ChangeOutcome::Failed { error, permanent: true } => {
                message.get_or_insert_with(|| error.clone());
            }
            ChangeOutcome::Applied { .. } | ChangeOutcome::Skipped { .. } => {}
            _ => return None,
        }
    }
    message
}

fn first_failure(outcome: &Outcome) -> String {
    let failure = outcome.changes.iter().find_map(|(_, status)| match status {
        ChangeOutcome::Failed { error, .. } => Some(error.clone()),
        ChangeOutcome::Stale { what } => Some(format!("{what}; nothing was overwritten")),
        ChangeOutcome::PartlyDone { why, .. } => Some(format!("it is partly done: {why}")),
        ChangeOutcome::Unknown { why } => Some(format!("it may have been done: {why}")),
        _ => None,
    });
    let halted = || match &outcome.halt {
        Some(Halt::Owned(why) | Halt::Unclaimed(why)) => format!("the account was not claimed: {why}"),
        _ => "it was stopped".to_owned(),
    };
    sanitized(&failure.unwrap_or_else(halted), 500)
}
