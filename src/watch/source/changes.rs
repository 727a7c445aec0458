//! Waits for files to change.
//!
//! Notifications of the operating system are only hints; the stamp of the files, with links followed, decides whether
//! anything has changed. So it does not matter how an editor saves, or whether a folder is replaced by a link or missing
//! for a while; and files are also checked regularly, in case a notification is lost.

use std::path::PathBuf;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use crate::config::{self, Stamp};

use super::super::debounce::debounce;

/// How often files are checked without a notification.
const FALLBACK: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Changes {
    paths: Vec<PathBuf>,
    poll: Option<Duration>,
    hint: mpsc::Sender<()>,
    hinted: mpsc::Receiver<()>,
    /// Notifications end when this is dropped.
    watcher: Option<RecommendedWatcher>,
}

impl Changes {
    /// Watches these paths from now on. With `poll`, files are checked at this interval, for file systems without
    /// notifications.
    pub fn of(paths: Vec<PathBuf>, poll: Option<Duration>) -> Self {
        let (hint, hinted) = mpsc::channel(1);
        let mut changes = Self { paths, poll, hint, hinted, watcher: None };
        changes.renew();
        changes
    }

    /// Subscribes to notifications again, because paths may lead to other folders now.
    pub fn renew(&mut self) {
        if self.poll.is_none() {
            self.watcher = watcher(&self.paths, self.hint.clone());
        }
    }

    pub fn now(&self) -> Stamp {
        Stamp::of(&self.paths)
    }

    /// The stamp once the files have stopped changing.
    pub async fn debounced(&self) -> Stamp {
        debounce(|| self.now()).await
    }

    /// Returns when the files should be checked. Cancel-safe.
    pub async fn hint(&mut self) {
        tokio::select! {
            _ = self.hinted.recv() => {}
            () = tokio::time::sleep(self.poll.unwrap_or(FALLBACK)) => {}
        }
    }

    /// The next stamp that differs from a known one, once the files have stopped changing.
    pub async fn next(&mut self, known: &Stamp) -> Stamp {
        loop {
            self.hint().await;
            let stamp = self.debounced().await;
            if stamp != *known {
                self.renew();
                return stamp;
            }
        }
    }
}

/// Subscribes to everything that the paths lead to and through. `None` if that fails; the interval remains.
fn watcher(paths: &[PathBuf], hints: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let on_event = move |event: notify::Result<notify::Event>| {
        // Our own reads are access events, too. A full channel has a hint already.
        if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
            let _ = hints.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(on_event)
        .inspect_err(|error| tracing::warn!(%error, "no file notifications; files are checked every 30 s"))
        .ok()?;
    for folder in config::folders(paths) {
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            tracing::warn!(%error, "no notifications for {}; it is checked every 30 s", folder.display());
        }
    }
    Some(watcher)
}
