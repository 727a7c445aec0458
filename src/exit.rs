//! The exit codes, which scripts and pipelines rely on.
//!
//! | Code | Name | Meaning |
//! |---|---|---|
//! | 0 | `Ok` | In sync, valid, or applied. |
//! | 1 | `Failure` | Something went wrong: the network, a file, the account. |
//! | 2 | `Pending` | The plan has changes (`--detailed-exitcode`). |
//! | 3 | `Invalid` | The configuration has errors. |
//! | 4 | `Blocked` | A guard or the policy refuses. |
//! | 5 | `Stale` | The account changed since the plan was made, or the plan is not the one that was reviewed. |
//! | 6 | `Partial` | Some changes were applied, others not. |
//! | 64 | `Usage` | The command line is wrong. |

use std::process::{ExitCode, Termination};

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// In sync, valid, or applied.
    #[default]
    Ok = 0,
    /// Something went wrong.
    Failure = 1,
    /// The plan has changes.
    Pending = 2,
    /// The configuration has errors.
    Invalid = 3,
    /// A guard or the policy refuses.
    Blocked = 4,
    /// The account changed since the plan was made, or the plan is not the one that was reviewed.
    Stale = 5,
    /// Some changes were applied, others not.
    Partial = 6,
    /// The command line is wrong.
    Usage = 64,
}

impl Exit {
    /// How a run over several accounts ends whose accounts ended like this: what has to be mended in files comes before
    /// what may be better next time, and both before what waits for an approval or for nothing but an `apply`. The order
    /// is 3, 1, 4, 5, 6, 64, 2, 0.
    pub fn of_all(exits: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| match exit {
            Self::Ok => 0,
            Self::Pending => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Stale => 4,
            Self::Blocked => 5,
            Self::Failure => 6,
            Self::Invalid => 7,
        };
        exits.into_iter().max_by_key(rank).unwrap_or_default()
    }

    pub fn code(self) -> u8 {
        self as u8
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        self.code().into()
    }
}
