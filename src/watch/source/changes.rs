//! Waiting for files to change.
//!
//! What the system tells of changes is only a hint to look: whether anything has changed is told by the stamp of
//! the files, behind all links. So it does not matter how an editor saves, whether a folder is swapped by a link
//! or is gone for a while, and a hint that never comes is made up for by looking now and then.

use std::path::PathBuf;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use crate::config::{self, Stamp};

use super::super::debounce::debounce;

/// How often files are looked at, even if the system says nothing.
const ANYWAY: Duration = Duration::from_secs(30);

/// The changes of what some paths lead to.
#[derive(Debug)]
pub struct Changes {
    paths: Vec<PathBuf>,
    poll: Option<Duration>,
    hint: mpsc::Sender<()>,
    hinted: mpsc::Receiver<()>,
    /// The system's hints end when this is dropped.
    watcher: Option<RecommendedWatcher>,
}

impl Changes {
    /// Waits for changes from now on. With `poll`, files are looked at so often, for file systems that tell nothing;
    /// without it, the system is asked to tell.
    pub fn of(paths: Vec<PathBuf>, poll: Option<Duration>) -> Self {
        let (hint, hinted) = mpsc::channel(1);
        let mut changes = Self { paths, poll, hint, hinted, watcher: None };
        changes.renew();
        changes
    }

    /// Asks for hints anew: folders may be other folders now.
    pub fn renew(&mut self) {
        if self.poll.is_none() {
            self.watcher = watcher(&self.paths, self.hint.clone());
        }
    }

    /// The files as they are.
    pub fn now(&self) -> Stamp {
        Stamp::of(&self.paths)
    }

    /// The files once they have come to rest.
    pub async fn settled(&self) -> Stamp {
        debounce(|| self.now()).await
    }

    /// Returns when it is time to look. Nothing is lost if this is dropped before.
    pub async fn hint(&mut self) {
        tokio::select! {
            _ = self.hinted.recv() => {}
            () = tokio::time::sleep(self.poll.unwrap_or(ANYWAY)) => {}
        }
    }

    /// The next state that differs from a known one, once it has come to rest.
    pub async fn next(&mut self, known: &Stamp) -> Stamp {
        loop {
            self.hint().await;
            let stamp = self.settled().await;
            if stamp != *known {
                self.renew();
                return stamp;
            }
        }
    }
}

/// Asks for hints on everything that the paths lead to and through. Without any there still is the clock.
fn watcher(paths: &[PathBuf], hints: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let heard = move |event: notify::Result<notify::Event>| {
        // Reading is an event as well, and would make us read for ever. A full channel has its hint already.
        if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
            let _ = hints.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(heard)
        .inspect_err(
            |error| tracing::warn!(%error, "the system tells nothing of changes; files are looked at every 30 s"),
        )
        .ok()?;
    for folder in config::folders(paths) {
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            tracing::warn!(%error, "{} cannot be watched; it is looked at every 30 s", folder.display());
        }
    }
    Some(watcher)
}
