//! Whether the account can still be reached.
//!
//! A failure stops only what depends on it. But when one change after the other fails because nobody answers,
//! or because the token is not accepted any longer, the next thousand will fail as well, each after all its
//! attempts: hours in which nothing happens and nobody is told.

use crate::providers::{WriteError, WriteReceipt};

/// At least so many changes in a row are needed to call an account out of reach.
const LEAST: usize = 8;

/// What the last changes tell of the account.
pub(super) struct OutageDetector {
    /// How many changes in a row had no answer.
    silent: usize,
    /// So many are enough.
    enough: usize,
}

impl OutageDetector {
    /// With so many changes under way at once, as many fail together.
    pub(super) fn new(concurrency: usize) -> Self {
        Self { silent: 0, enough: LEAST.max(concurrency.saturating_mul(2)) }
    }

    /// Takes in how a write ended; why the account is out of reach, if it is.
    pub(super) fn tripped(&mut self, end: Result<&WriteReceipt, &WriteError>) -> Option<String> {
        let why = match end {
            Err(WriteError::Unauthorized { status: 401, .. }) => {
                return Some("the token is not accepted any longer (401)".to_owned());
            }
            Err(WriteError::Unavailable { why, .. } | WriteError::Unknown(why)) => why,
            _ => {
                self.silent = 0;
                return None;
            }
        };
        self.silent += 1;
        (self.silent >= self.enough).then(|| why.clone())
    }
}
