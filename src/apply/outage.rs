//! Whether the account can still be reached.
//!
//! A failure stops only what depends on it. But when one change after the other fails because the account does not
//! answer, or because it no longer accepts the token, the next thousand fail as well, each after all its attempts.

use crate::providers::WriteError;

/// At least this many changes in a row have to fail.
const MIN_FAILURES: usize = 8;

pub(super) struct OutageDetector {
    /// How many changes in a row had no answer.
    silent: usize,
    threshold: usize,
}

impl OutageDetector {
    /// As many changes fail together as are under way at once.
    pub(super) fn new(concurrency: usize) -> Self {
        Self { silent: 0, threshold: MIN_FAILURES.max(concurrency.saturating_mul(2)) }
    }

    /// Takes the error of the change that ended last, if it failed; why the account is out of reach, if it is.
    pub(super) fn tripped(&mut self, error: Option<&WriteError>) -> Option<String> {
        let why = match error {
            Some(WriteError::Unauthorized { status: 401, .. }) => {
                return Some("the token is not accepted any longer (401)".to_owned());
            }
            Some(WriteError::Unavailable { why, .. } | WriteError::Unknown(why)) => why,
            _ => {
                self.silent = 0;
                return None;
            }
        };
        self.silent += 1;
        (self.silent >= self.threshold).then(|| why.clone())
    }
}
