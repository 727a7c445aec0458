//! Whether anything may be written to an account now, and when that changes.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::Account;
use crate::plan::{Frozen, Guard, frozen, thaws};
use crate::providers::Access;
use crate::text::sanitized;

use super::context::Context;
use super::status::State;

/// Whether differences may be corrected now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permit {
    writes: Writes,
    /// Why the policy lets nothing be written now: closed windows, a suspension. An approval passes it.
    pub(super) frozen: Vec<Frozen>,
    /// Whether the account may be taken over from other owners.
    pub(super) take_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writes {
    Allowed,
    /// The process was started with `--mode report`.
    Report,
    /// The account is a file.
    ReadOnly,
}

impl Permit {
    /// The state of an account that differs and is never written to, with the reason.
    pub(super) fn refusal(&self) -> Option<(State, String)> {
        let says = match self.writes {
            Writes::Allowed => return None,
            Writes::Report => "only reported: the process was started so",
            Writes::ReadOnly => "only reported: a snapshot cannot be written to",
        };
        Some((State::Drifted, says.to_owned()))
    }

    /// The state of an account that differs and is not written to for now, with the reason. A suspension comes first.
    pub(super) fn freeze(&self) -> Option<(State, String)> {
        if self.writes != Writes::Allowed {
            return None;
        }
        let frozen = self.frozen.iter().max_by_key(|frozen| frozen.guard)?;
        let state = if frozen.guard == Guard::Suspended { State::Suspended } else { State::Drifted };
        Some((state, sanitized(&frozen.message, 500)))
    }
}

impl Context {
    /// Whether anything may be written to an account now.
    pub(super) fn permit(&self, account: &Account, take_over: bool) -> Permit {
        let writes = if self.options.access == Access::ReadOnly {
            Writes::Report
        } else if account.settings.provider.spec().is_read_only {
            Writes::ReadOnly
        } else {
            Writes::Allowed
        };
        Permit { writes, frozen: frozen(&account.desired, self.timestamp()), take_over }
    }

    /// How long it takes until a window opens or closes, or a suspension ends.
    pub(super) fn next_transition(&self, account: &Account) -> Option<Duration> {
        let now = self.timestamp();
        let next = thaws(&account.desired, now)?;
        // A little later, so that the clock has certainly passed it.
        Duration::try_from(next.duration_since(now)).ok().map(|wait| wait + Duration::from_millis(10))
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now()).unwrap_or(Timestamp::MAX)
    }
}
