//! Carrying a plan out, and seeing what came of it.

use std::sync::Arc;

use crate::apply::{self, Outcome, Recorder, Urgency, execute_journaled};
use crate::config::Account;
use crate::exit::Exit;
use crate::ledger::{Approval, ChangeOutcome, Halt, RunId};
use crate::model::Verb;
use crate::plan::Plan;
use crate::render::counted;
use crate::text::sanitized;

use super::super::desired_state::Wanted;
use super::super::status::{Counts, EventKind};
use super::super::write_permission::Permit;
use super::Watcher;
use super::decide::{Decision, Work};

impl Watcher {
    /// Writes what shall be written, reads the account again, and judges anew.
    pub(super) async fn correct(
        &mut self,
        account: &Arc<Account>,
        wanted: &Wanted,
        permit: &Permit,
        work: Work,
    ) -> Decision {
        let context = Arc::clone(&self.context);
        self.show_difference(&work.whole);
        // Another process that applies is left alone; its end is waited for.
        let _lock = match context.edge.lock(account) {
            Ok(lock) => lock,
            Err(says) => return Decision::Failing(says),
        };
        // Asked before our own writes are the latest.
        let drift: Vec<_> = work.plan.changes.iter().filter(|change| work.drift.contains(&change.id)).collect();
        let Some(blame) = self.unless_stopped(self.attribute(&drift)).await else { return stopped() };
        let approval = self.handle.approver(&work.plan.digest).and_then(|by| Approval::of(&work.plan, by));
        let commit = wanted.files.commit.as_deref();
        let mut recorder = match context.edge.begin(account, &work.plan, commit, approval.clone()) {
            Ok(recorder) => recorder,
            Err(says) => return Decision::Failing(says),
        };
        let done = match self.provider() {
            Ok(provider) => {
                let options = apply::Options { concurrency: context.options.concurrency };
                execute_journaled(&work.plan, provider, options, &(), &recorder, &context.stop).await
            }
            Err(says) => return Decision::Failing(says),
        };
        self.handle.used(&work.plan.digest);
        self.count(|counts| count(counts, &work.plan, &done));
        let at = self.now();
        let taken_back = work
            .plan
            .changes
            .iter()
            .zip(&done.changes)
            .filter(|(change, (_, status))| work.drift.contains(&change.id) && status.is_applied());
        self.fights.corrected(at, taken_back.map(|(change, _)| change));
        if done.is_complete() && !self.deletions.wait() {
            // By the account's own word. What differs after that is what somebody else did, also if nobody ever saw
            // the account in sync: else whoever is quick enough to undo every correction would never be noticed.
            self.fulfil(account, &work.plan);
        }
        let (verdict, in_sync) = match self.after(account, wanted, permit, &done).await {
            Ok(verdict) => {
                let in_sync = matches!(verdict, Decision::InSync) && self.degraded.is_none();
                (verdict, Some(in_sync))
            }
            Err(verdict) => (verdict, None),
        };
        self.finish(&mut recorder, &done, in_sync).await;
        self.tell_run(recorder.run(), &done, blame, approval);
        verdict
    }

    /// What the account means now; an error if it was not read again.
    async fn after(
        &mut self,
        account: &Arc<Account>,
        wanted: &Wanted,
        permit: &Permit,
        done: &Outcome,
    ) -> Result<Decision, Decision> {
        if let Some(Halt::Stopped | Halt::StoppedAtOnce) = done.halt {
            return Err(stopped());
        }
        let read = match self.provider() {
            Ok(provider) => match self.unless_stopped(provider.read()).await {
                Some(read) => read.map_err(|error| error.to_string()),
                None => return Err(stopped()),
            },
            Err(says) => Err(says),
        };
        let read = match read {
            Ok(read) => read,
            Err(error) => return Err(Decision::Failing(self.lost(error).await)),
        };
        self.count(|counts| counts.requests += read.requests);
        let work = match self.decide(account, wanted, permit, &read) {
            Decision::Act(work) => work,
            settled => return Ok(settled),
        };
        if done.is_complete() {
            self.show_difference(&work.whole);
            let says = "the account does not show what was written, or changed meanwhile".to_owned();
            return Ok(Decision::Failing(says));
        }
        Ok(if let Some(says) = refusal(done) {
            self.refused = Some((work.plan.digest.clone(), says.clone()));
            Decision::Refused { says, plan: work.whole }
        } else {
            self.show_difference(&work.whole);
            Decision::Failing(first_failure(done))
        })
    }

    /// What comes of this, or nothing if the process is told to stop before.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.context.stop.until(Urgency::Finish) => None,
        }
    }

    async fn finish(&self, recorder: &mut Recorder, done: &Outcome, in_sync: Option<bool>) {
        let exit = match (done.is_complete(), done.counts().touched()) {
            (true, _) => Exit::Ok,
            (false, true) => Exit::Partial,
            (false, false) => Exit::Failure,
        };
        if let Err(why) = recorder.finish(done.summary(in_sync, exit.code())).await {
            tracing::error!(
                account = &*self.name,
                "the ledger does not have the end of a run: {}",
                sanitized(&why, 300)
            );
        }
    }

    /// Tells what became of a run.
    fn tell_run(&mut self, run: &RunId, done: &Outcome, blame: Option<String>, approval: Option<Approval>) {
        let (applied, all) = (done.applied(), done.changes.len());
        let says = if applied == all {
            format!("applied {}", counted(all, "change"))
        } else {
            format!("applied {applied} of {}: {}", counted(all, "change"), first_failure(done))
        };
        let says = blame.map_or(says.clone(), |blame| format!("{says}; {blame}"));
        let approved = approval.as_ref().map(|given| format!("; approved by {}, past {}", given.by, given.passed()));
        let says = says + &approved.unwrap_or_default();
        if applied > 0 {
            let at = self.context.clock.stamp();
            self.context.board.update(&self.name, |status| status.last_change = Some(at));
        }
        let what = if applied == all { EventKind::Applied } else { EventKind::Failed };
        self.tell_run_event(what, &says, Some(run.clone()), approval);
    }
}

fn stopped() -> Decision {
    Decision::Failing("stopped by a signal; the next start goes on".to_owned())
}

fn count(counts: &mut Counts, plan: &Plan, done: &Outcome) {
    counts.runs += 1;
    counts.requests += done.requests();
    for (change, (_, status)) in plan.changes.iter().zip(&done.changes) {
        *match (status, change.verb) {
            (ChangeOutcome::Applied { .. }, Verb::Create) => &mut counts.created,
            (ChangeOutcome::Applied { .. }, Verb::Update) => &mut counts.updated,
            (ChangeOutcome::Applied { .. }, Verb::Delete) => &mut counts.deleted,
            _ => &mut counts.not_applied,
        } += 1;
    }
}

/// What the account says, if all that failed was refused for good.
fn refusal(done: &Outcome) -> Option<String> {
    let mut says = None;
    for (_, status) in &done.changes {
        match status {
            ChangeOutcome::Failed { error, permanent: true } => {
                says.get_or_insert_with(|| error.clone());
            }
            ChangeOutcome::Applied { .. } | ChangeOutcome::Skipped { .. } => {}
            _ => return None,
        }
    }
    says
}

fn first_failure(done: &Outcome) -> String {
    let said = done.changes.iter().find_map(|(_, status)| match status {
        ChangeOutcome::Failed { error, .. } => Some(error.clone()),
        ChangeOutcome::Stale { what } => Some(format!("{what}; nothing was overwritten")),
        ChangeOutcome::PartlyDone { why, .. } => Some(format!("it is partly done: {why}")),
        ChangeOutcome::Unknown { why } => Some(format!("it may have been done: {why}")),
        _ => None,
    });
    let halted = || match &done.halt {
        Some(Halt::Owned(why) | Halt::Unclaimed(why)) => format!("the account was not claimed: {why}"),
        _ => "it was stopped".to_owned(),
    };
    sanitized(&said.unwrap_or_else(halted), 500)
}
