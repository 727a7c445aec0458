//! Shutdown signals: Ctrl-C and SIGTERM.

use std::io;

use crate::apply::{ShutdownHandle, ShutdownSignal, Urgency};

use super::console;

/// Listens from now on. The first signal lets changes in progress finish, the second does not.
///
/// Must be called where a runtime is running; it listens as long as that runs.
pub(super) fn listen() -> io::Result<ShutdownSignal> {
    let (stopper, stop) = ShutdownHandle::new();
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        signals.next().await;
        stopper.tell(Urgency::Finish);
        console::complain("stopping after the changes in progress; a second signal stops immediately");
        signals.next().await;
        stopper.tell(Urgency::Immediate);
        // The run ends by itself now; the handle passes the signal on as long as it lives.
        std::future::pending::<()>().await;
    });
    Ok(stop)
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?))
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
