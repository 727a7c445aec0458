//! Files and folders on this machine.
//!
//! What the system tells of changes is only a hint to look: whether anything has changed is told by the stamp of
//! the files, behind all links. So it does not matter how an editor saves, whether a folder is swapped by a link
//! or is gone for a while, and a hint that never comes is made up for by looking now and then.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use crate::apply::{Stop, Urgency};
use crate::config::{Revision, Stamp};

use super::super::edge::Clock;
use super::super::fleet::Taken;
use super::super::settle::settled;
use super::super::status::Board;
use super::{Nudge, load};

/// How often files are looked at, even if the system says nothing.
const ANYWAY: Duration = Duration::from_secs(30);

/// So often files are read again because somebody wrote to them meanwhile.
const MOST_AGAIN: u32 = 10;

/// Files and folders on this machine.
#[derive(Debug)]
pub struct Files {
    /// As the operator gave them.
    pub paths: Vec<PathBuf>,
    /// How often to look, for file systems that tell nothing; without it, the system is asked to tell.
    pub poll: Option<Duration>,
    /// The revision whose guards hold as well.
    pub base: Option<Revision>,
}

impl Files {
    /// Hands over the state of the files now, and each one that follows, until the process stops.
    pub async fn follow(self, states: mpsc::Sender<Taken>, mut nudge: Nudge, board: Board, clock: Clock, stop: Stop) {
        board.update_source(|source| source.from = crate::text::shown(&shown(&self.paths), 500));
        let (hints, mut hinted) = mpsc::channel(1);
        let mut watching = self.poll.is_none().then(|| Watching::of(&self.paths, hints.clone()));
        let every = self.poll.unwrap_or(ANYWAY);
        let mut known = None;
        let mut again = 0;
        loop {
            let stamp = settled(|| Stamp::of(&self.paths)).await;
            if known.as_ref() != Some(&stamp) {
                match load(self.paths.clone(), self.base.clone(), None).await {
                    // Written to while it was read: once more, after it has come to rest; but what never rests is
                    // handed over some time, so that what is wrong with it is told.
                    Ok(_) if Stamp::of(&self.paths) != stamp && again < MOST_AGAIN => {
                        again += 1;
                        continue;
                    }
                    Ok(taken) => {
                        again = 0;
                        board.update_source(|source| source.failing = None);
                        if states.send(taken).await.is_err() {
                            return;
                        }
                    }
                    Err(why) => board.update_source(|source| source.failing = Some(crate::text::shown(&why, 500))),
                }
                known = Some(stamp);
                // Folders may be other folders now.
                if let Some(watching) = &mut watching {
                    *watching = Watching::of(&self.paths, hints.clone());
                }
            }
            board.update_source(|source| source.last_success = Some(clock.stamp()));
            tokio::select! {
                () = stop.until(Urgency::Finish) => return,
                Some(()) = hinted.recv() => {}
                () = tokio::time::sleep(every) => {}
                Some(()) = nudge.recv() => known = None,
            }
        }
    }
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>().join(", ")
}

/// The system's hints.
struct Watching {
    _watcher: Option<RecommendedWatcher>,
}

impl Watching {
    /// Asks for hints on everything that the paths lead to and through. Without any there still is the clock.
    fn of(paths: &[PathBuf], hints: mpsc::Sender<()>) -> Self {
        let heard = move |event: notify::Result<notify::Event>| {
            // Reading is an event as well, and would make us read for ever. A full channel has its hint already.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                let _ = hints.try_send(());
            }
        };
        let mut watcher = match notify::recommended_watcher(heard) {
            Ok(watcher) => watcher,
            Err(error) => {
                tracing::warn!(%error, "the system tells nothing of changes; files are looked at every 30 s");
                return Self { _watcher: None };
            }
        };
        for folder in folders(paths) {
            if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
                tracing::debug!(%error, folder = %folder.display(), "cannot be watched");
            }
        }
        Self { _watcher: Some(watcher) }
    }
}

/// Every folder in which something can happen that changes what the paths lead to.
fn folders(paths: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for path in paths {
        folders.insert(parent(path));
        if path.is_dir() {
            folders.insert(path.clone());
            // The accounts of a fleet.
            let inner = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
            folders.extend(inner.filter(|path| path.is_dir() && !is_hidden(path)));
        }
    }
    // Where links lead: the files themselves, and the folders of a mounted configuration.
    for file in Stamp::of(paths).files() {
        if let Ok(target) = file.canonicalize() {
            folders.insert(parent(&target));
        }
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

/// Nothing of an account is in there, but what a run leaves behind.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'))
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        Some(_) => PathBuf::from("."),
        None => path.to_owned(),
    }
}
