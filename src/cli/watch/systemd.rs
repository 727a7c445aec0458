//! Notifies a service manager by the protocol of `sd_notify(3)`.
//!
//! Does nothing without `NOTIFY_SOCKET`. Ready means that the files were read and every account checked once, whatever
//! came of it; the watchdog is fed as long as the loops answer.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::text::sanitized;
use crate::watch::Command;
use crate::watch::status::{AccountState, StatusStore};

/// So long a reload waits for the loops to take the order in.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest status line.
const LONGEST: usize = 200;

/// Notifies the service manager until the end of the runtime.
///
/// The watchdog is fed only if the loops take an order in, so that a loop that hangs is found out.
#[cfg(unix)]
pub(super) fn notify(status_store: StatusStore, commands: mpsc::Sender<Command>, mut reloads: mpsc::Receiver<()>) {
    let Some(socket) = Socket::from_environment() else { return };
    tokio::spawn(async move {
        let mut changed = status_store.follow();
        let (mut ready, mut status) = (false, String::new());
        let beat = watchdog().unwrap_or(Duration::from_secs(3600));
        let mut heart = tokio::time::interval(beat);
        loop {
            if let Some(line) = line(&status_store)
                && line != status
            {
                socket.send(&format!("STATUS={line}"));
                status = line;
            }
            if !ready && is_ready(&status_store) {
                socket.send("READY=1");
                ready = true;
            }
            tokio::select! {
                changed = changed.changed() => if changed.is_err() { return },
                _ = heart.tick() => if watchdog().is_some() && lives(&commands, beat).await { socket.send("WATCHDOG=1") },
                Some(()) = reloads.recv() => {
                    socket.send(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic()));
                    // The accounts are woken; the result is reported as usual. A process that announced a reload
                    // must end it, however slow the loops are: the watchdog is there for those that hang.
                    lives(&commands, PATIENCE).await;
                    if ready {
                        socket.send("READY=1");
                    }
                }
            }
        }
    });
}

/// Reports that the process is about to end.
#[cfg(unix)]
pub(super) fn stopping() {
    if let Some(socket) = Socket::from_environment() {
        socket.send("STOPPING=1");
    }
}

#[cfg(not(unix))]
pub(super) fn notify(_board: StatusStore, _commands: mpsc::Sender<Command>, _reloads: mpsc::Receiver<()>) {}

#[cfg(not(unix))]
pub(super) fn stopping() {}

/// Whether the loops take orders in.
async fn lives(commands: &mpsc::Sender<Command>, limit: Duration) -> bool {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let answered_in_time = async { commands.send(Command::Count(answer)).await.is_ok() && answered.await.is_ok() };
    tokio::time::timeout(limit, answered_in_time).await.unwrap_or(false)
}

/// Whether the files were read and every account was looked at.
fn is_ready(status_store: &StatusStore) -> bool {
    let (source, accounts) = (status_store.source(), status_store.all());
    let read = source.last_success.is_some() && (!accounts.is_empty() || !source.errors.is_empty());
    read && accounts.iter().all(|account| account.state != AccountState::Starting)
}

/// How it goes, on one line; nothing before anything is known.
fn line(status_store: &StatusStore) -> Option<String> {
    let (source, accounts) = (status_store.source(), status_store.all());
    let mut parts = Vec::new();
    for state in AccountState::ALL {
        let count = accounts.iter().filter(|account| account.state == state).count();
        if count > 0 {
            parts.push(format!("{count} {}", state.as_str().replace('_', " ")));
        }
    }
    if let Some(commit) = &source.commit {
        parts.push(format!("commit {}", commit.get(..12).unwrap_or(commit)));
    }
    if let Some(failing) = &source.failing {
        parts.push(failing.clone());
    }
    (!parts.is_empty()).then(|| sanitized(&parts.join(", "), LONGEST))
}

/// How often the watchdog is to be fed, if this process is the one to watch.
fn watchdog() -> Option<Duration> {
    let is_this_process = std::env::var("WATCHDOG_PID").ok().is_none_or(|pid| pid == std::process::id().to_string());
    let limit: u64 = std::env::var("WATCHDOG_USEC").ok()?.parse().ok()?;
    (is_this_process && limit > 1).then(|| Duration::from_micros(limit / 2))
}

#[cfg(unix)]
fn monotonic() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000)
}

/// Where the service manager listens.
#[cfg(unix)]
struct Socket {
    socket: std::os::unix::net::UnixDatagram,
    address: std::os::unix::net::SocketAddr,
}

#[cfg(unix)]
impl Socket {
    fn from_environment() -> Option<Self> {
        use std::os::unix::ffi::OsStrExt as _;

        let path = std::env::var_os("NOTIFY_SOCKET")?;
        let address = match path.as_bytes().split_first()? {
            #[cfg(target_os = "linux")]
            (b'@', name) => {
                use std::os::linux::net::SocketAddrExt as _;
                std::os::unix::net::SocketAddr::from_abstract_name(name).ok()?
            }
            (b'/', _) => std::os::unix::net::SocketAddr::from_pathname(&path).ok()?,
            _ => return None,
        };
        let socket = std::os::unix::net::UnixDatagram::unbound().ok()?;
        // A service manager that does not listen must not block the process.
        socket.set_nonblocking(true).ok()?;
        Some(Self { socket, address })
    }

    fn send(&self, text: &str) {
        if let Err(error) = self.socket.send_to_addr(text.as_bytes(), &self.address) {
            tracing::debug!(%error, "the service manager does not listen");
        }
    }
}
