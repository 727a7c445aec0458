//! What the files ask of the watched accounts: the newest state that is whole, account by account.

use std::sync::Arc;

use crate::config::Account;
use crate::diag::Sources;

use super::status::Files;

/// What one account shall be, and how its files stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// The last state without errors, if there was one.
    pub(super) account: Option<Arc<Account>>,
    /// The files that it was read from.
    pub(super) sources: Arc<Sources>,
    /// How the newest state stands.
    pub(super) files: Files,
}
