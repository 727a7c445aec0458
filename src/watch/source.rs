//! Where the files come from: a folder that is watched, or a repository that is fetched.
//!
//! A source reads the files and hands over every state that differs from the one before, whole or not; what
//! becomes of it is the fleet's business.

mod changes;
mod files;
pub mod git;

use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::config::{self, Revision};

use super::fleet::LoadedRevision;

pub use changes::Changes;
pub use files::Files;
pub use git::Git;

/// A source that is asked to look again, whatever it thinks has changed.
pub type Nudge = mpsc::Receiver<()>;

/// Reads and checks the files, with the guards of the revisions before. Takes its time, so it has a thread of its own.
async fn load(paths: Vec<PathBuf>, base: Option<Revision>, commit: Option<String>) -> Result<LoadedRevision, String> {
    let loading = tokio::task::spawn_blocking(move || {
        let loaded = config::load_guarded(&paths, base.as_ref()).map_err(|error| error.to_string())?;
        Ok(LoadedRevision { loaded, commit })
    });
    loading.await.unwrap_or_else(|error| Err(format!("the files could not be read: {error}")))
}
