//! Local files and folders.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::apply::{ShutdownSignal, Urgency};
use crate::config::Revision;

use super::super::environment::Clock;
use super::super::fleet::LoadedRevision;
use super::super::status::StatusStore;
use super::{Changes, RefreshRequests, load};

/// How often files are read again because they changed while they were read.
const MOST_RETRIES: u32 = 10;

#[derive(Debug)]
pub struct Files {
    /// As the operator gave them.
    pub paths: Vec<PathBuf>,
    /// How often to check, for file systems without notifications.
    pub poll: Option<Duration>,
    /// The revision whose guards apply as well.
    pub base: Option<Revision>,
}

impl Files {
    /// Sends the files now, and each later version, until the process stops.
    pub async fn follow(
        self,
        revisions: mpsc::Sender<LoadedRevision>,
        mut refresh: RefreshRequests,
        status_store: StatusStore,
        clock: Clock,
        stop: ShutdownSignal,
    ) {
        status_store.update_source(|source| source.from = crate::text::sanitized(&joined(&self.paths), 500));
        let mut changes = Changes::of(self.paths.clone(), self.poll);
        let mut known = None;
        let mut retries = 0;
        loop {
            let stamp = changes.debounced().await;
            if known.as_ref() != Some(&stamp) {
                match load(self.paths.clone(), self.base.clone(), None).await {
                    // Changed while being read: read again, but not forever, so that errors are reported some time.
                    Ok(_) if changes.now() != stamp && retries < MOST_RETRIES => {
                        retries += 1;
                        continue;
                    }
                    Ok(revision) => {
                        retries = 0;
                        status_store.update_source(|source| source.failing = None);
                        if revisions.send(revision).await.is_err() {
                            return;
                        }
                    }
                    Err(why) => {
                        status_store.update_source(|source| source.failing = Some(crate::text::sanitized(&why, 500)));
                    }
                }
                known = Some(stamp);
                changes.renew();
            }
            status_store.update_source(|source| source.last_success = Some(clock.stamp()));
            tokio::select! {
                () = stop.until(Urgency::Finish) => return,
                () = changes.hint() => {}
                Some(()) = refresh.recv() => known = None,
            }
        }
    }
}

fn joined(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>().join(", ")
}
