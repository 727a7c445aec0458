//! The loop of one account: wait for a wake-up, read the account, decide, perhaps correct, publish the status, and
//! schedule the next check.
//!
//! Invariants: one account never has two checks at once; what is done follows from the files and the account, never
//! from the reason of the wake-up; every check publishes a status, however it ends.

mod adopt;
mod attribution;
mod correct;
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

use super::adopt::AdoptionResult;
use super::backoff::{Backoff, Requeue};
use super::context::Context;
use super::decide::{Decision, Inputs, Memory, Uncorrected, decide};
use super::desired_state::DesiredState;
use super::environment::Connection;
use super::handle::{Handle, Reason};
use super::status::AccountState;
use super::write_permission::WritePermission;

use publish::LastPublished;

/// The loop of one account.
pub(super) struct Watcher {
    name: Box<str>,
    context: Arc<Context>,
    desired: watch::Receiver<DesiredState>,
    handle: Handle,
    backoff: Backoff,
    /// With the settings that it was opened with.
    connection: Option<(Arc<Account>, Box<dyn Connection>)>,
    /// The account id of the first read, with the settings of then.
    identity: Option<(Arc<Account>, Box<str>)>,
    /// The files of the last check.
    files: Option<Arc<Account>>,
    /// The files that last had an address or a token source which was not accepted.
    refused_address: Option<Arc<Account>>,
    /// Set while the result of the last check holds as long as the account is unchanged.
    checked_with: Option<CheckedWith>,
    memory: Memory,
    adoption: Option<AdoptionResult>,
    last_published: LastPublished,
}

/// What a decision depends on besides the files and the account.
#[derive(PartialEq)]
struct CheckedWith {
    permission: WritePermission,
    approved: BTreeMap<Digest, Approver>,
}

impl Watcher {
    pub(super) fn new(
        name: Box<str>,
        context: Arc<Context>,
        desired: watch::Receiver<DesiredState>,
        handle: Handle,
    ) -> Self {
        let backoff = Backoff::new(context.options.interval);
        let memory = Memory::new(&context.options);
        Self {
            name,
            context,
            desired,
            handle,
            backoff,
            connection: None,
            identity: None,
            files: None,
            refused_address: None,
            checked_with: None,
            memory,
            adoption: None,
            last_published: LastPublished::default(),
        }
    }

    /// Runs until the process stops or the account is no longer watched.
    pub(super) async fn run(mut self) {
        let stop = self.context.stop.clone();
        let mut wakes = self.handle.wakes();
        let mut due = (Instant::now(), Reason::Start);
        loop {
            let reason = tokio::select! {
                biased;
                () = stop.until(Urgency::Finish) => break,
                changed = self.desired.changed() => match changed {
                    Ok(()) => Reason::Files,
                    Err(_) => break,
                },
                Ok(()) = wakes.changed() => *wakes.borrow_and_update(),
                () = account_changed(self.connection.as_ref()) => Reason::Account,
                () = tokio::time::sleep_until(due.0) => due.1,
            };
            let semaphore = self.context.semaphore(self.desired.borrow().account.as_deref());
            let permit = tokio::select! {
                () = stop.until(Urgency::Finish) => break,
                permit = semaphore.acquire() => permit,
            };
            // The check that begins now covers what woke the account meanwhile.
            wakes.mark_unchanged();
            tracing::debug!(account = &*self.name, ?reason, "woken");
            let requeue = self.reconcile().await;
            drop(permit);
            due = self.schedule(requeue);
        }
        self.disconnect().await;
        self.context.claims.release(&self.name);
    }

    /// When the next check is due, unless something wakes the account earlier.
    fn schedule(&mut self, requeue: Requeue) -> (Instant, Reason) {
        let mut wait = self.backoff.next(requeue, fastrand::f64());
        let mut reason = if requeue == Requeue::AtInterval { Reason::Timer } else { Reason::Retry };
        let transition =
            self.desired.borrow().account.as_deref().and_then(|account| self.context.next_transition(account));
        if let Some(transition) = transition.filter(|transition| *transition < wait) {
            (wait, reason) = (transition, Reason::Window);
        }
        let deletions = self.memory.deletions.due(Instant::now(), self.context.options.deletion_delay);
        if let Some(deletions) = deletions.filter(|deletions| *deletions < wait) {
            (wait, reason) = (deletions, Reason::Deletion);
        }
        let at = self.context.clock.stamp_in(wait);
        self.context.status_store.update(&self.name, |status| status.next_check = Some(at));
        (Instant::now() + wait, reason)
    }

    /// One check with everything that follows from it.
    async fn reconcile(&mut self) -> Requeue {
        let began = Instant::now();
        let desired = self.desired.borrow_and_update().clone();
        self.publish_files(&desired);
        let Some(account) = desired.account.clone() else {
            self.publish_no_valid_files();
            return Requeue::AtInterval;
        };
        let files_changed = self.files.as_ref().is_some_and(|files| !Arc::ptr_eq(files, &account));
        self.files = Some(Arc::clone(&account));
        self.memory.deletions.begin(began, !files_changed && desired.files.valid);
        if self.handle.take_resume() || files_changed {
            self.memory.reset();
            self.checked_with = None;
        }
        // An approval that arrives during the check causes another check.
        let approved = self.handle.approved();
        let inputs =
            CheckedWith { permission: self.context.write_permission(&account, self.memory.take_over), approved };
        if self.checked_with.as_ref().is_some_and(|last| *last != inputs) {
            self.checked_with = None;
        }
        let stop = self.context.stop.clone();
        let decision = tokio::select! {
            decision = self.check(&account, &desired, &inputs.permission) => decision,
            () = stop.until(Urgency::Immediate) => return Requeue::AtInterval,
        };
        if stop.is_asked() && matches!(decision, Decision::Failing(_)) {
            // The stop cut the check short, so it is not a failure of the account.
            return Requeue::AtInterval;
        }
        let requeue = decision.requeue();
        // Delayed deletions need another full check, even of an unchanged account.
        let is_final = requeue == Requeue::AtInterval && !self.memory.deletions.any_delayed();
        self.checked_with = is_final.then_some(inputs);
        self.publish(decision, began.elapsed());
        self.publish_adoption().await;
        requeue
    }

    /// Reads the account, decides, and corrects it if that is the decision.
    async fn check(
        &mut self,
        account: &Arc<Account>,
        desired: &DesiredState,
        permission: &WritePermission,
    ) -> Decision {
        if let Some(message) = self.address_refusal(account) {
            self.disconnect().await;
            return Decision::AddressRefused(message);
        }
        let read = match self.read_if_changed(account).await {
            Ok(Some(read)) => read,
            Ok(None) => {
                self.clean_up(permission).await;
                return Decision::Unchanged;
            }
            Err(message) => return Decision::Failing(message),
        };
        if let Some(other) = self.context.claims.claim(&self.name, account, &read, &self.handle) {
            // Requeued with backoff, so that it is read again even if the account does not change.
            return Decision::Failing(format!(
                "this and `{other}` are one live account, `{}`: nothing is written for either until one has another \
                 address or their scopes do not overlap",
                read.live.account.id
            ));
        }
        let decision = self.decide(account, desired, permission, &read);
        if let Decision::Correct(work) = decision {
            // Cleans up as well.
            return self.correct(account, desired, permission, *work).await;
        }
        self.clean_up(permission).await;
        match decision {
            Decision::Uncorrected(difference) => {
                Decision::Uncorrected(self.with_attribution(account, difference).await)
            }
            decision => decision,
        }
    }

    /// Removes what earlier changes left for calls that were under way.
    async fn clean_up(&self, permission: &WritePermission) {
        if let Ok(provider) = self.provider()
            && permission.allows()
        {
            provider.clean_up().await;
        }
    }

    /// [`decide`] with what this loop knows.
    fn decide(
        &mut self,
        account: &Arc<Account>,
        desired: &DesiredState,
        permission: &WritePermission,
        read: &FetchedAccount,
    ) -> Decision {
        let inputs = Inputs {
            account,
            desired,
            permission,
            read,
            approved: &self.handle.approved(),
            adopts: self.context.environment.adopts(),
            deletion_delay: self.context.options.deletion_delay,
            now: self.now(),
        };
        let decided = decide(&inputs, &mut self.memory);
        if decided.adoption.is_some() {
            self.adoption = decided.adoption;
        }
        decided.decision
    }

    /// Why nothing may be sent to the account.
    ///
    /// A refusal stays in force after the next commit, for which the refused address is no longer new.
    fn address_refusal(&mut self, account: &Arc<Account>) -> Option<String> {
        let refusal = self.context.environment.refusal(account);
        if refusal.is_some() {
            self.refused_address = Some(Arc::clone(account));
            return refusal;
        }
        let refused = self
            .refused_address
            .as_ref()
            .filter(|refused| refused.settings.provider == account.settings.provider && refused.root == account.root);
        refused.and_then(|refused| self.context.environment.refusal(refused))
    }

    /// Adds who made the difference, if it was not published before.
    async fn with_attribution(&self, account: &Account, mut difference: Uncorrected) -> Uncorrected {
        if !self.is_new(&difference) {
            // Keep the published message: the attribution has a time in it, which would make it look new.
            let status = self.context.status_store.get(&self.name);
            difference.message = status.and_then(|status| status.message.clone()).unwrap_or(difference.message);
            return difference;
        }
        let drift = self.memory.drift(account, &difference.plan);
        let changes: Vec<_> = difference.plan.changes.iter().filter(|change| drift.contains(&change.id)).collect();
        let attribution = match difference.state {
            AccountState::Fighting => self.conflicting_actors(&changes).await,
            _ => self.attribute(&changes).await,
        };
        if let Some(attribution) = attribution {
            difference.message = format!("{}; {attribution}", difference.message);
        }
        difference
    }

    /// The account; `None` if it is certainly unchanged since the last check.
    async fn read_if_changed(&mut self, account: &Arc<Account>) -> Result<Option<FetchedAccount>, String> {
        let is_new = self.connect(account).await?;
        let stop = self.context.stop.clone();
        if !is_new && self.checked_with.is_some() {
            let provider = self.provider()?;
            let result = tokio::select! {
                result = provider.check_unchanged() => result.map_err(|error| error.to_string()),
                () = stop.until(Urgency::Finish) => return Err("stopped".to_owned()),
            };
            match result {
                Ok(check) => {
                    self.count(|counts| counts.requests += check.requests);
                    if check.unchanged {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(self.disconnect_after(error).await),
            }
        }
        let read = tokio::select! {
            read = self.provider()?.read() => read,
            () = stop.until(Urgency::Finish) => return Err("stopped".to_owned()),
        };
        match read {
            Ok(read) => {
                self.count(|counts| counts.requests += read.requests);
                match self.identity_change(account, &read.live.account.id) {
                    Some(error) => Err(self.disconnect_after(error).await),
                    None => Ok(Some(read)),
                }
            }
            Err(error) => Err(self.disconnect_after(error.to_string()).await),
        }
    }

    /// Why the account is not the one of before, if the same settings lead to another one, as with the token of another
    /// account.
    fn identity_change(&mut self, account: &Arc<Account>, id: &str) -> Option<String> {
        let known = self.identity.as_ref().filter(|(first, _)| first.settings == account.settings);
        let Some((_, before)) = known else {
            self.identity = Some((Arc::clone(account), id.into()));
            return None;
        };
        (**before != *id).then(|| {
            format!(
                "the server now answers with another account: its id is {}, before it was {}; nothing is written to \
                 it. Check the account's `url` and `token`; if this is intended, restart the watch",
                sanitized(id, 100),
                sanitized(before, 100)
            )
        })
    }

    /// Connects with the account's current settings; true if the connection is new.
    async fn connect(&mut self, account: &Arc<Account>) -> Result<bool, String> {
        if let Some((opened, _)) = &self.connection {
            if opened.settings == account.settings && opened.root == account.root {
                return Ok(false);
            }
            self.disconnect().await;
        }
        let connection = self.context.environment.open(account, self.context.options.access).await?;
        self.connection = Some((Arc::clone(account), connection));
        Ok(true)
    }

    async fn disconnect(&mut self) {
        if let Some((_, connection)) = self.connection.take() {
            connection.close().await;
        }
    }

    /// Disconnects, so that the next check resolves the secret again.
    async fn disconnect_after(&mut self, error: String) -> String {
        self.disconnect().await;
        error
    }

    fn provider(&self) -> Result<&dyn Provider, String> {
        // Only called after `connect`.
        self.connection.as_ref().map(|(_, connection)| connection.provider()).ok_or_else(|| "it is not open".to_owned())
    }

    fn now(&self) -> Duration {
        self.context.clock.since_epoch()
    }
}

/// Ends when the account says that it may have changed.
async fn account_changed(connection: Option<&(Arc<Account>, Box<dyn Connection>)>) {
    match connection {
        Some((_, connection)) => connection.provider().changed().await,
        None => std::future::pending().await,
    }
}
