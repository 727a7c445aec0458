//! Shutdown: first graceful, then immediate.

use tokio::sync::watch;

/// How urgently a run must end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Not at all.
    #[default]
    None,
    /// Nothing more is started; what is under way comes to its end.
    Finish,
    /// What is under way is left alone.
    Immediate,
}

/// Tells runs to stop.
#[derive(Debug)]
pub struct ShutdownHandle(watch::Sender<Urgency>);

/// The receiving end of a run that may be shut down.
#[derive(Clone, Debug)]
pub struct ShutdownSignal(watch::Receiver<Urgency>);

impl ShutdownHandle {
    /// A handle that has not requested a shutdown.
    pub fn new() -> (Self, ShutdownSignal) {
        let (sender, receiver) = watch::channel(Urgency::None);
        (Self(sender), ShutdownSignal(receiver))
    }

    /// Tells every run that listens. It never becomes less urgent again.
    pub fn tell(&self, urgency: Urgency) {
        self.0.send_if_modified(|now| {
            let more = urgency > *now;
            *now = urgency.max(*now);
            more
        });
    }
}

impl ShutdownSignal {
    /// Never requested.
    pub fn never() -> Self {
        ShutdownHandle::new().1
    }

    /// How urgent it is.
    pub fn urgency(&self) -> Urgency {
        *self.0.borrow()
    }

    /// Whether anybody said it.
    pub fn is_asked(&self) -> bool {
        self.urgency() > Urgency::None
    }

    /// Returns once it is as urgent as this, and never if the handle is gone.
    pub async fn until(&self, urgency: Urgency) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|now| *now >= urgency).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
