//! `strowger watch`: `apply` in a loop, for as long as the process runs.
//!
//! A [source] (watched folders, or [git]) sends revisions of the files. Each account has its own loop, which its files, a
//! timer, a signal or a request wakes; it checks the account, and corrects it if the mode, the policy and the guards allow.
//! The planner, the guards and the engine are those of `apply`. The status of all accounts is in a [`StatusStore`].
//!
//! Invariants: wake-ups coalesce, an account never has two checks at once, and the reason of a wake-up is only logged.
//! Files with errors replace nothing. Failures that may be temporary are retried with exponential backoff; others wait for
//! a change of the files or the account. Nothing is written in mode `report`.

mod account;
mod adopt;
mod backoff;
mod context;
mod debounce;
mod decide;
mod deletion_delay;
mod desired_state;
mod drift;
mod environment;
mod flapping;
mod fleet;
pub mod git;
mod handle;
mod leases;
pub mod notices;
pub mod server;
pub mod source;
pub mod status;
mod write_permission;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::apply::{ShutdownSignal, Urgency};
use crate::ledger::Approver;
use crate::plan::Digest;

pub use adopt::Adoption;
pub use context::Options;
pub use environment::{Clock, Connection, Environment};
pub use fleet::LoadedRevision;
pub use handle::Reason;
pub use leases::identity;
pub use status::StatusStore;

use context::Context;
use fleet::Fleet;

/// A request to the loops.
#[derive(Debug)]
pub enum Command {
    /// Check one account or all of them, and correct again what was suspended.
    Reconcile {
        /// `None` for all.
        account: Option<Box<str>>,
        reason: Reason,
        /// Gets the number of accounts that were woken.
        answer: Option<oneshot::Sender<usize>>,
    },
    /// Approve the plan with this digest, once.
    Approve {
        account: Box<str>,
        digest: Digest,
        by: Approver,
        /// Gets whether the account exists.
        answer: oneshot::Sender<bool>,
    },
    /// Get the number of watched accounts; an answer also shows that the loops are alive.
    Count(oneshot::Sender<usize>),
}

pub struct Setup {
    pub options: Options,
    pub environment: Arc<dyn Environment>,
    pub status_store: StatusStore,
    pub clock: Clock,
    pub stop: ShutdownSignal,
    /// Plans that are approved from the start, each once.
    pub approved: Vec<(Digest, Approver)>,
    pub revisions: mpsc::Receiver<LoadedRevision>,
    pub commands: mpsc::Receiver<Command>,
    /// Makes the source check for a new revision.
    pub refresh: mpsc::Sender<()>,
}

/// Watches until the process stops. Writes in flight are finished first.
pub async fn run(setup: Setup) {
    let Setup { options, environment, status_store, clock, stop, approved, mut revisions, mut commands, refresh } =
        setup;
    let context = Arc::new(Context::new(options, environment, status_store, clock, stop.clone()));
    let mut fleet = Fleet::new(context, approved);
    loop {
        tokio::select! {
            () = stop.until(Urgency::Finish) => break,
            Some(revision) = revisions.recv() => fleet.apply(revision),
            Some(command) = commands.recv() => {
                if matches!(command, Command::Reconcile { .. }) {
                    // A full channel has a request already.
                    let _ = refresh.try_send(());
                }
                execute(&fleet, command);
            }
            () = fleet.reap() => {}
        }
    }
    fleet.end().await;
}

// A failed `send` means that the caller has stopped waiting for the answer.
fn execute(fleet: &Fleet, command: Command) {
    match command {
        Command::Reconcile { account: None, reason, answer } => {
            fleet.resume(reason);
            let _ = answer.map(|answer| answer.send(fleet.len()));
        }
        Command::Reconcile { account: Some(account), reason, answer } => {
            let handle = fleet.handle(&account);
            if let Some(handle) = handle {
                handle.resume(reason);
            }
            let _ = answer.map(|answer| answer.send(usize::from(handle.is_some())));
        }
        Command::Approve { account, digest, by, answer } => {
            let handle = fleet.handle(&account);
            if let Some(handle) = handle {
                handle.approve(digest, by);
            }
            let _ = answer.send(handle.is_some());
        }
        Command::Count(answer) => {
            let _ = answer.send(fleet.len());
        }
    }
}
