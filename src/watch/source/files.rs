//! Files and folders on this machine.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::apply::{ShutdownSignal, Urgency};
use crate::config::Revision;

use super::super::environment::Clock;
use super::super::fleet::LoadedRevision;
use super::super::status::StatusStore;
use super::{Changes, Nudge, load};

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
    pub async fn follow(
        self,
        states: mpsc::Sender<LoadedRevision>,
        mut nudge: Nudge,
        board: StatusStore,
        clock: Clock,
        stop: ShutdownSignal,
    ) {
        board.update_source(|source| source.from = crate::text::sanitized(&sanitized(&self.paths), 500));
        let mut changes = Changes::of(self.paths.clone(), self.poll);
        let mut known = None;
        let mut again = 0;
        loop {
            let stamp = changes.settled().await;
            if known.as_ref() != Some(&stamp) {
                match load(self.paths.clone(), self.base.clone(), None).await {
                    // Written to while it was read: once more, after it has come to rest; but what never rests is
                    // handed over some time, so that what is wrong with it is told.
                    Ok(_) if changes.now() != stamp && again < MOST_AGAIN => {
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
                    Err(why) => board.update_source(|source| source.failing = Some(crate::text::sanitized(&why, 500))),
                }
                known = Some(stamp);
                changes.renew();
            }
            board.update_source(|source| source.last_success = Some(clock.stamp()));
            tokio::select! {
                () = stop.until(Urgency::Finish) => return,
                () = changes.hint() => {}
                Some(()) = nudge.recv() => known = None,
            }
        }
    }
}

fn sanitized(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>().join(", ")
}
