//! Waits for the operator's files to change.
//!
//! Folders are watched, not files: editors replace a file by another, and a watch on the old one would hear
//! nothing more. One save is several events, so a wait ends only once it has been quiet for a moment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, bail};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// How long it must be quiet before a change counts as finished.
const QUIET: Duration = Duration::from_millis(100);

/// A watch on some paths; it ends when this is dropped.
pub(super) struct Changes {
    _watcher: RecommendedWatcher,
    events: Receiver<notify::Result<notify::Event>>,
}

impl Changes {
    /// Watches these files and folders, and the account folders directly below them.
    pub(super) fn of(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let (sender, events) = channel();
        let mut watcher = notify::recommended_watcher(sender).context("cannot watch files")?;
        for folder in folders(paths) {
            watcher
                .watch(&folder, RecursiveMode::NonRecursive)
                .with_context(|| format!("cannot watch {}", folder.display()))?;
        }
        Ok(Self { _watcher: watcher, events })
    }

    /// Returns once a YAML file, or a folder, was written, made, moved or removed, and it is quiet again.
    pub(super) fn wait(&mut self) -> anyhow::Result<()> {
        loop {
            let event = self.events.recv().context("nobody watches the files any longer")?;
            if matters(&event.context("cannot watch the files any longer")?) {
                break;
            }
        }
        loop {
            match self.events.recv_timeout(QUIET) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => bail!("nobody watches the files any longer"),
            }
        }
    }
}

/// Reading a file is an event, too, and would make us read it again, for ever.
fn matters(event: &notify::Event) -> bool {
    let yaml = |path: &PathBuf| path.extension().is_none_or(|extension| extension == "yaml" || extension == "yml");
    !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(yaml)
}

fn folders(paths: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for path in paths {
        if !path.is_dir() {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            folders.insert(parent.unwrap_or(Path::new(".")).to_owned());
            continue;
        }
        folders.insert(path.clone());
        // The accounts of a fleet. A folder that cannot be listed is reported by whoever reads it.
        let inner = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        folders.extend(inner.filter(|path| path.is_dir()));
    }
    folders
}
