//! What the files declare for one account: the newest valid version.

use std::sync::Arc;

use crate::config::Account;
use crate::diag::Sources;

use super::status::Files;

#[derive(Clone, Debug, Default)]
pub(super) struct DesiredState {
    /// The last version without errors, if there was one.
    pub(super) account: Option<Arc<Account>>,
    /// The files that it was read from.
    pub(super) sources: Arc<Sources>,
    /// The status of the newest version, valid or not.
    pub(super) files: Files,
}
