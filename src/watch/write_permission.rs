//! Whether an account may be written to now, and when that changes.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::Account;
use crate::plan::{Frozen, Guard, frozen, thaws};
use crate::providers::Access;
use crate::text::sanitized;

use super::context::Context;
use super::status::AccountState;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WritePermission {
    writes: Writes,
    /// Closed windows and suspensions. An approval of the plan overrides them.
    pub(super) frozen: Vec<Frozen>,
    /// Whether the account may be taken over from other owners.
    pub(super) take_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writes {
    Allowed,
    Report,
    /// The account is a snapshot file.
    ReadOnly,
}

impl WritePermission {
    pub(super) fn new(account: &Account, access: Access, take_over: bool, now: Timestamp) -> Self {
        let writes = if access == Access::ReadOnly {
            Writes::Report
        } else if account.settings.provider.spec().is_read_only {
            Writes::ReadOnly
        } else {
            Writes::Allowed
        };
        Self { writes, frozen: frozen(&account.desired, now), take_over }
    }

    /// Whether anything may be written now.
    pub(super) fn allows(&self) -> bool {
        self.writes == Writes::Allowed && self.frozen.is_empty()
    }

    /// The state of an account that differs and is never written to, and why.
    pub(super) fn refusal(&self) -> Option<(AccountState, String)> {
        let message = match self.writes {
            Writes::Allowed => return None,
            Writes::Report => "not corrected (running with `--mode report`)",
            Writes::ReadOnly => "not corrected (a snapshot cannot be written to)",
        };
        Some((AccountState::Drifted, message.to_owned()))
    }

    /// The state of an account that differs and is not written to for now, and why. A suspension takes precedence.
    pub(super) fn freeze(&self) -> Option<(AccountState, String)> {
        if self.writes != Writes::Allowed {
            return None;
        }
        let frozen = self.frozen.iter().max_by_key(|frozen| frozen.guard)?;
        let state = if frozen.guard == Guard::Suspended { AccountState::Suspended } else { AccountState::Drifted };
        Some((state, sanitized(&frozen.message, 500)))
    }
}

impl Context {
    pub(super) fn write_permission(&self, account: &Account, take_over: bool) -> WritePermission {
        WritePermission::new(account, self.options.access, take_over, self.timestamp())
    }

    /// How long until a window opens or closes, or a suspension ends.
    pub(super) fn next_transition(&self, account: &Account) -> Option<Duration> {
        let now = self.timestamp();
        let next = thaws(&account.desired, now)?;
        // A little later, so that the clock has passed it for certain.
        Duration::try_from(next.duration_since(now)).ok().map(|wait| wait + Duration::from_millis(10))
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now()).unwrap_or(Timestamp::MAX)
    }
}
