//! The loop: `apply`, again and again, for as long as the process runs.
//!
//! A [source] hands over states of the files; each account has a loop of its own that is woken by its
//! files, by time, by a signal or by a request, looks at the account, and corrects it if that is asked for and
//! allowed. The planner, the guards and the engine are those of `apply`. What is known hangs on a [`StatusStore`].
//!
//! Invariants: wake-ups are coalesced, an account is never looked at twice at once, and why it was woken is told
//! and never used. A state of the files with errors replaces nothing. What failed and may work later is tried
//! again with growing waits; what cannot work waits for a change. Nothing is written in mode `report`.

mod account;
mod adopt;
mod backoff;
mod context;
mod debounce;
mod deletion_delay;
mod desired_state;
mod drift;
mod environment;
mod flapping;
mod fleet;
mod handle;
mod leases;
pub mod notices;
pub mod server;
pub mod source;
pub mod status;
mod wake;
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
pub use leases::identity;
pub use status::StatusStore;
pub use wake::Reason;

use context::Context;
use fleet::Fleet;

/// Something that somebody wants of the loops.
#[derive(Debug)]
pub enum Command {
    /// Look anew at an account, or at all of them: what was given up is tried again.
    Reconcile {
        /// Its name; all without one.
        account: Option<Box<str>>,
        /// In the log.
        reason: Reason,
        /// How many accounts were woken.
        answer: Option<oneshot::Sender<usize>>,
    },
    /// Let a plan through that guards hold back.
    Approve {
        /// The account's name.
        account: Box<str>,
        /// The plan: exactly this one, once.
        digest: Digest,
        /// Who approves it.
        by: Approver,
        /// Whether there is such an account.
        answer: oneshot::Sender<bool>,
    },
    /// Say how many accounts are watched, which also tells that orders are carried out at all.
    Count(oneshot::Sender<usize>),
}

/// What the loops are given.
pub struct Setup {
    /// How accounts are watched.
    pub options: Options,
    /// What the process provides.
    pub edge: Arc<dyn Environment>,
    /// Where everything is told.
    pub board: StatusStore,
    /// Tells the time.
    pub clock: Clock,
    /// Tells when to stop.
    pub stop: ShutdownSignal,
    /// Plans that guards hold back and that may be carried out, each once.
    pub approved: Vec<(Digest, Approver)>,
    /// States of the files.
    pub states: mpsc::Receiver<LoadedRevision>,
    /// What others want.
    pub orders: mpsc::Receiver<Command>,
    /// Has the source look for a new state; who wants accounts looked at wants that as well.
    pub nudge: mpsc::Sender<()>,
}

/// Watches until the process stops; every write that is under way then comes to its end first.
pub async fn run(setup: Setup) {
    let Setup { options, edge, board, clock, stop, approved, mut states, mut orders, nudge } = setup;
    let context = Arc::new(Context::new(options, edge, board, clock, stop.clone()));
    let mut fleet = Fleet::new(context, approved);
    loop {
        tokio::select! {
            () = stop.until(Urgency::Finish) => break,
            Some(taken) = states.recv() => fleet.take(taken),
            Some(order) = orders.recv() => {
                if matches!(order, Command::Reconcile { .. }) {
                    // One that waits already is as good.
                    let _ = nudge.try_send(());
                }
                carry_out(&fleet, order);
            }
            () = fleet.reap() => {}
        }
    }
    fleet.end().await;
}

/// Whoever does not wait for the answer any longer needs none.
fn carry_out(fleet: &Fleet, order: Command) {
    match order {
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
