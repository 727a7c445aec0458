//! The server's lifecycle: running, stopping, or dead by a fault. It only moves forward.

use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Running,
    Stopping,
    /// The grace period of an orderly stop is over: connections are cut.
    Overdue,
    Dead,
}

#[derive(Debug)]
pub(super) struct Life(watch::Sender<Phase>);

impl Life {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Phase::Running))
    }

    pub(super) fn advance(&self, to: Phase) {
        self.0.send_if_modified(|phase| {
            let forward = to > *phase;
            if forward {
                *phase = to;
            }
            forward
        });
    }

    pub(super) fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Waits until the life has come at least this far.
    pub(super) async fn reached(&self, phase: Phase) {
        // The sender lives in self, so the channel cannot close while this waits.
        let _ = self.0.subscribe().wait_for(|now| *now >= phase).await;
    }
}
