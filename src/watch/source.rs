//! Sources of the files: watched folders, or a [git](super::git) repository that is polled.
//!
//! A source reads the files and sends every revision that differs from the one before, with errors or not.

mod changes;
mod files;

use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::config::{self, Revision};

use super::fleet::LoadedRevision;

pub use changes::Changes;
pub use files::Files;

/// Requests to read the files again, even if they seem unchanged.
pub type RefreshRequests = mpsc::Receiver<()>;

/// Reads and checks the files, on a thread for blocking work.
pub(super) async fn load(
    paths: Vec<PathBuf>,
    base: Option<Revision>,
    commit: Option<String>,
) -> Result<LoadedRevision, String> {
    let loading = tokio::task::spawn_blocking(move || {
        let loaded = config::load_guarded(&paths, base.as_ref()).map_err(|error| error.to_string())?;
        Ok(LoadedRevision { loaded, commit })
    });
    loading.await.unwrap_or_else(|error| Err(format!("the files could not be read: {error}")))
}
