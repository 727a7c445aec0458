//! How hard an account is asked.

use std::time::Duration;

use crate::providers::{ClientOptions, RetryPolicy};

/// How hard an account is asked.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Effort {
    /// The most requests under way at once; an account that has too much to do gets fewer
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
    /// The most attempts at a request that the account fails to answer; waits for an account that
    /// has too much to do (429, 503) do not count
    #[arg(long, value_name = "COUNT", default_value_t = RetryPolicy::default().attempts, value_parser = clap::value_parser!(u32).range(1..=20))]
    attempts: u32,
    /// The most accounts of a fleet that are read, or written to, at once
    #[arg(long, value_name = "COUNT", default_value_t = ACCOUNTS, value_parser = clap::value_parser!(u16).range(1..=256))]
    accounts_at_once: u16,
    /// Whether somebody waits for the answer at a terminal.
    #[arg(skip)]
    interactive: bool,
}

/// The most accounts at once, unless the command line has another number.
const ACCOUNTS: u16 = 16;
/// The most that somebody at a terminal waits for a server that has too much to do.
const HASTY_WAIT: Duration = Duration::from_secs(10);

impl Effort {
    /// The most accounts at once.
    pub(super) fn accounts(self) -> usize {
        usize::from(self.accounts_at_once)
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
}

impl Effort {
    /// For somebody who waits, and can be asked again: one more attempt for a connection that broke, and no long waits.
    pub(super) fn interactive() -> Self {
        Self { attempts: 2, interactive: true, ..Self::default() }
    }
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            concurrency: 4,
            attempts: RetryPolicy::default().attempts,
            accounts_at_once: ACCOUNTS,
            interactive: false,
        }
    }
}
