//! The loop of one account: wait for a wake-up, look, decide, perhaps correct, tell, and set the next time.
//!
//! Invariants: an account is never looked at twice at once; what is done follows from the files and the account,
//! never from the reason of the wake-up; whatever happens, the state is told on every way out of a turn.

mod adopt;
mod attribution;
mod correct;
mod decide;
mod publish;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::apply::Urgency;
use crate::config::Account;
use crate::ledger::Approver;
use crate::plan::Digest;
use crate::providers::{FetchedAccount, Provider};
use crate::text::sanitized;

use super::backoff::{Backoff, Ended};
use super::context::Context;
use super::deletion_delay::Deletions;
use super::desired_state::Wanted;
use super::environment::Connection;
use super::flapping::FlapDetector;
use super::handle::Handle;
use super::status::{Degraded, State};
use super::wake::{Reason, Reasons};
use super::write_permission::Permit;

use adopt::Adopting;
use decide::{Decision, Held};
use publish::LastPublished;

/// The loop of one account.
pub(super) struct Watcher {
    name: Box<str>,
    context: Arc<Context>,
    wanted: watch::Receiver<Wanted>,
    handle: Handle,
    pace: Backoff,
    fights: FlapDetector,
    deletions: Deletions,
    /// The way to the account, and the settings that it was opened with.
    open: Option<(Arc<Account>, Box<dyn Connection>)>,
    /// The files by which the account was first read, and the id that it had.
    identity: Option<(Arc<Account>, Box<str>)>,
    /// The wishes that the account fulfilled when it was last in sync.
    fulfilled: Option<Arc<Account>>,
    /// What the last plan left out.
    degraded: Option<Degraded>,
    /// The files of the last turn, whatever that came to.
    files: Option<Arc<Account>>,
    /// The files that last asked for an address or a token source that nobody accepted.
    unaccepted: Option<Arc<Account>>,
    /// What the last look came to, as long as it counts.
    last: Option<Last>,
    /// The plan that the account refuses, and what it says.
    refused: Option<(Digest, String)>,
    /// Files that would make the account's state the wanted one, or why there are none.
    adoption: Option<Adopting>,
    /// Whether the account is taken over from other owners. Once: whoever takes it away after that meant it.
    take_over: bool,
    told: LastPublished,
}

/// What a look came to: it still holds if nothing of this has changed, nor the account.
struct Last {
    permit: Permit,
    approved: BTreeMap<Digest, Approver>,
}

impl Watcher {
    pub(super) fn new(name: Box<str>, context: Arc<Context>, wanted: watch::Receiver<Wanted>, handle: Handle) -> Self {
        let options = &context.options;
        let pace = Backoff::new(options.interval);
        let take_over = options.take_over;
        let fights = FlapDetector::new(options.fight_limit, options.fight_window);
        Self {
            name,
            context,
            wanted,
            handle,
            pace,
            fights,
            deletions: Deletions::default(),
            open: None,
            identity: None,
            fulfilled: None,
            degraded: None,
            files: None,
            unaccepted: None,
            last: None,
            refused: None,
            adoption: None,
            take_over,
            told: LastPublished::default(),
        }
    }

    /// Runs until the process stops or the account is not wanted any longer.
    pub(super) async fn run(mut self) {
        let stop = self.context.stop.clone();
        let mut due = (Instant::now(), Reason::Start);
        loop {
            let mut reasons = tokio::select! {
                biased;
                () = stop.until(Urgency::Finish) => break,
                changed = self.wanted.changed() => match changed {
                    Ok(()) => Reasons::from(Reason::Files),
                    Err(_) => break,
                },
                reasons = self.handle.waker.woken() => reasons,
                () = tokio::time::sleep_until(due.0) => due.1.into(),
            };
            let budget = self.context.budget(self.wanted.borrow().account.as_deref());
            let permit = tokio::select! {
                () = stop.until(Urgency::Finish) => break,
                permit = budget.acquire() => permit,
            };
            reasons = reasons.and(self.handle.waker.taken());
            tracing::debug!(account = &*self.name, %reasons, "woken");
            let ended = self.turn().await;
            drop(permit);
            due = self.next(ended);
        }
        if let Some((_, connection)) = self.open.take() {
            connection.close().await;
        }
        self.context.claims.release(&self.name);
    }

    /// When the next look is due, unless something happens before.
    fn next(&mut self, ended: Ended) -> (Instant, Reason) {
        let mut wait = self.pace.next(ended, fastrand::f64());
        let mut reason = if ended == Ended::Settled { Reason::Timer } else { Reason::Retry };
        let turning = self.wanted.borrow().account.as_deref().and_then(|account| self.context.next_transition(account));
        if let Some(turning) = turning.filter(|turning| *turning < wait) {
            (wait, reason) = (turning, Reason::Window);
        }
        let rested = self.deletions.due(Instant::now(), self.context.options.delete_rest);
        if let Some(rested) = rested.filter(|rested| *rested < wait) {
            (wait, reason) = (rested, Reason::Rest);
        }
        let at = self.context.clock.stamp_in(wait);
        self.context.board.update(&self.name, |status| status.next_look = Some(at));
        (Instant::now() + wait, reason)
    }

    /// One turn: whatever it comes to is told.
    async fn turn(&mut self) -> Ended {
        let began = Instant::now();
        let wanted = self.wanted.borrow_and_update().clone();
        self.tell_files(&wanted);
        let Some(account) = wanted.account.clone() else {
            self.tell_nothing_wanted();
            return Ended::Settled;
        };
        let other_files = self.files.as_ref().is_some_and(|files| !Arc::ptr_eq(files, &account));
        self.files = Some(Arc::clone(&account));
        self.deletions.begin(began, !other_files && wanted.files.valid);
        if self.handle.resumes() || other_files {
            self.fights.forget();
            self.refused = None;
            self.last = None;
        }
        let permit = self.context.permit(&account, self.take_over);
        // Those of the beginning: one that comes meanwhile is a reason to look once more.
        let approved = self.handle.approved();
        if self.last.as_ref().is_some_and(|last| last.permit != permit || last.approved != approved) {
            self.last = None;
        }
        let stop = self.context.stop.clone();
        let verdict = tokio::select! {
            verdict = self.verdict(&account, &wanted, &permit) => verdict,
            () = stop.until(Urgency::Immediate) => return Ended::Settled,
        };
        if stop.is_asked() && matches!(verdict, Decision::Failing(_)) {
            // Cut short by the end, which says nothing of the account.
            return Ended::Settled;
        }
        let ended = verdict.ended();
        // What waits is looked at once more, also if nothing has changed.
        if ended == Ended::Settled && !self.deletions.wait() {
            self.last = Some(Last { permit, approved });
        } else {
            self.last = None;
        }
        self.tell(verdict, began.elapsed());
        self.tell_adoption().await;
        ended
    }

    /// Looks at the account, and corrects it if that is asked for and permit.
    async fn verdict(&mut self, account: &Arc<Account>, wanted: &Wanted, permit: &Permit) -> Decision {
        if let Some(says) = self.unaccepted(account) {
            self.disconnect().await;
            return Decision::Unaccepted(says);
        }
        let read = match self.look(account).await {
            Ok(Some(read)) => read,
            Ok(None) => return Decision::Unchanged,
            Err(says) => return Decision::Failing(says),
        };
        if let Some(other) = self.context.claims.claim(&self.name, account, &read, &self.handle) {
            // Not settled, so that it is read again however long the account stays as it is.
            return Decision::Failing(format!(
                "this and `{other}` are one live account, `{}`: nothing is written for either before one has another \
                 address or their scopes are apart",
                read.live.account.id
            ));
        }
        match self.decide(account, wanted, permit, &read) {
            Decision::Act(work) => self.correct(account, wanted, permit, *work).await,
            Decision::Held(held) => Decision::Held(self.attributed(account, held).await),
            settled => settled,
        }
    }

    /// Why nothing may be sent to the account. What was refused once stays so, also when a later change makes it look
    /// old: nobody has accepted it.
    fn unaccepted(&mut self, account: &Arc<Account>) -> Option<String> {
        let fresh = self.context.edge.refusal(account);
        if fresh.is_some() {
            self.unaccepted = Some(Arc::clone(account));
            return fresh;
        }
        let refused = self
            .unaccepted
            .as_ref()
            .filter(|refused| refused.settings.provider == account.settings.provider && refused.root == account.root);
        refused.and_then(|refused| self.context.edge.refusal(refused))
    }

    /// With who did it, if that was not told before.
    async fn attributed(&self, account: &Account, mut held: Held) -> Held {
        if !self.is_news(&held) {
            // The same sentence again would not be the same with another time in it.
            held.says = self.context.board.get(&self.name).and_then(|status| status.says.clone()).unwrap_or(held.says);
            return held;
        }
        let drift = self.drift(account, &held.plan);
        let changes: Vec<_> = held.plan.changes.iter().filter(|change| drift.contains(&change.id)).collect();
        let told = match held.state {
            State::Fighting => self.conflicting_actors(&changes).await,
            _ => self.attribute(&changes).await,
        };
        if let Some(told) = told {
            held.says = format!("{}; {told}", held.says);
        }
        held
    }

    /// The account, or nothing if it certainly is as it was when the last look came to an end.
    async fn look(&mut self, account: &Arc<Account>) -> Result<Option<FetchedAccount>, String> {
        let fresh = self.connect(account).await?;
        let known = !fresh && self.last.is_some();
        let provider = self.provider()?;
        let stop = self.context.stop.clone();
        if known {
            let looked = tokio::select! {
                looked = provider.check_unchanged() => looked.map_err(|error| error.to_string()),
                () = stop.until(Urgency::Finish) => return Err("stopped".to_owned()),
            };
            if let Ok(looked) = &looked {
                self.count(|counts| counts.requests += looked.requests);
            }
            match looked {
                Ok(looked) if looked.unchanged => return Ok(None),
                Ok(_) => {}
                Err(error) => return Err(self.lost(error).await),
            }
        }
        let read = tokio::select! {
            read = self.provider()?.read() => read,
            () = stop.until(Urgency::Finish) => return Err("stopped".to_owned()),
        };
        match read {
            Ok(read) => {
                self.count(|counts| counts.requests += read.requests);
                if let Some(says) = self.is_another(account, &read.live.account.id) {
                    return Err(self.lost(says).await);
                }
                Ok(Some(read))
            }
            Err(error) => Err(self.lost(error.to_string()).await),
        }
    }

    /// Whether another account answers than did before with the same settings: a new token may be another account's.
    fn is_another(&mut self, account: &Arc<Account>, id: &str) -> Option<String> {
        let known = self.identity.as_ref().filter(|(first, _)| first.settings == account.settings);
        let Some((_, before)) = known else {
            self.identity = Some((Arc::clone(account), id.into()));
            return None;
        };
        (**before != *id).then(|| {
            format!(
                "another account answers: its id is {}, and it was {} before; nothing is written to it. Check the \
                 account's `url` and `token`; if it is meant, start the watch again",
                sanitized(id, 100),
                sanitized(before, 100)
            )
        })
    }

    /// Sees that there is a way to the account with its present settings; true if it is a new one.
    async fn connect(&mut self, account: &Arc<Account>) -> Result<bool, String> {
        if let Some((opened, _)) = &self.open {
            if opened.settings == account.settings && opened.root == account.root {
                return Ok(false);
            }
            self.disconnect().await;
        }
        let connection = self.context.edge.open(account, self.context.options.access).await?;
        self.open = Some((Arc::clone(account), connection));
        Ok(true)
    }

    async fn disconnect(&mut self) {
        if let Some((_, connection)) = self.open.take() {
            connection.close().await;
        }
    }

    /// The account did not answer: the next time begins with a new connection, and with its secret as it is then.
    async fn lost(&mut self, error: String) -> String {
        self.disconnect().await;
        error
    }

    fn provider(&self) -> Result<&dyn Provider, String> {
        // Nothing comes between opening and this.
        self.open.as_ref().map(|(_, connection)| connection.provider()).ok_or_else(|| "it is not open".to_owned())
    }

    /// Since a moment that stays the same as long as the process runs.
    fn now(&self) -> Duration {
        self.context.clock.since_epoch()
    }
}
