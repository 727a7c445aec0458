//! Signals that trigger a check.

use std::io;

use tokio::sync::mpsc;

use crate::watch::{Command, Reason};

/// Makes `SIGHUP` check the files and all accounts from now on.
///
/// Must be called where a runtime is running.
#[cfg(unix)]
pub(super) fn on_hangup(commands: mpsc::Sender<Command>, reload: mpsc::Sender<()>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            // A full channel already holds such an order.
            let _ = reload.try_send(());
            let command = Command::Reconcile { account: None, reason: Reason::Signal, answer: None };
            if commands.send(command).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Windows has no such signal; the channels stay open.
#[cfg(not(unix))]
pub(super) fn on_hangup(commands: mpsc::Sender<Command>, reload: mpsc::Sender<()>) -> io::Result<()> {
    tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop((commands, reload));
    });
    Ok(())
}
