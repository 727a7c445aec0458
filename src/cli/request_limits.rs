//! The limits on requests that the command line sets.

use std::time::Duration;

use crate::providers::{ClientOptions, RetryPolicy};

/// The limits on requests that the command line sets.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Effort {
    /// Maximum number of concurrent requests to an account; an overloaded account gets fewer
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
    /// Maximum number of attempts for a request that fails; waits for an overloaded account (429, 503) do not count
    #[arg(long, value_name = "COUNT", default_value_t = RetryPolicy::default().attempts, value_parser = clap::value_parser!(u32).range(1..=20))]
    attempts: u32,
    /// Maximum number of accounts of a fleet that are read, or written to, at once [default: 16; in `watch`, 8 for each server]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    accounts_at_once: Option<u16>,
    /// Whether a user waits for the answer at a terminal.
    #[arg(skip)]
    interactive: bool,
}

/// The most accounts at once, unless the command line has another number.
const ACCOUNTS: u16 = 16;
/// The longest wait at a terminal for a server that is overloaded.
const HASTY_WAIT: Duration = Duration::from_secs(10);

impl Effort {
    /// The most accounts at once.
    pub(super) fn accounts(self) -> usize {
        usize::from(self.accounts_at_once.unwrap_or(ACCOUNTS))
    }

    /// The same for a watch loop, which counts the accounts of each server.
    pub(super) fn accounts_of_server(self) -> Option<usize> {
        self.accounts_at_once.map(usize::from)
    }

    /// The most changes under way at once.
    pub(super) fn concurrency(self) -> usize {
        usize::from(self.concurrency)
    }

    /// For the client of an account.
    pub(super) fn options(self) -> ClientOptions {
        let mut retry = RetryPolicy { attempts: self.attempts, ..RetryPolicy::default() };
        if self.interactive {
            retry = RetryPolicy { longest_wait: HASTY_WAIT, usual_wait: HASTY_WAIT, ..retry };
        }
        ClientOptions { concurrent: self.concurrency(), retry, ..ClientOptions::default() }
    }

    /// For a user who waits and can be asked again: one more attempt for a connection that broke, and no long waits.
    pub(super) fn interactive() -> Self {
        Self { attempts: 2, interactive: true, ..Self::default() }
    }
}

impl Default for Effort {
    fn default() -> Self {
        Self { concurrency: 4, attempts: RetryPolicy::default().attempts, accounts_at_once: None, interactive: false }
    }
}
