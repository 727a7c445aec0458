//! Whether anything may be written to an account now, and when that changes.

use std::time::Duration;

use jiff::Timestamp;

use crate::check::settings::ProviderSettings;
use crate::config::Account;
use crate::text::shown;

use super::context::{Context, Mode};
use super::status::State;

/// Whether differences may be taken back now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Permit {
    /// They may.
    Write,
    /// They are only told, as the process was started.
    Report,
    /// Nothing can be written: the account is a file.
    ReadOnly,
    /// The files' windows are closed; when the next one opens.
    Closed(Option<Timestamp>),
    /// The files say that nothing is written: until when, and why.
    Suspended(Option<Timestamp>, Box<str>),
}

impl Permit {
    /// The state of an account that differs and may not be written to, with the reason.
    pub(super) fn refusal(&self) -> Option<(State, String)> {
        match self {
            Self::Write => None,
            Self::Report => Some((State::Drifted, "only reported: the process was started so".to_owned())),
            Self::ReadOnly => Some((State::Drifted, "only reported: a snapshot cannot be written to".to_owned())),
            Self::Closed(None) => Some((State::Drifted, "no window for changes is open".to_owned())),
            Self::Closed(Some(opens)) => {
                Some((State::Drifted, format!("no window for changes is open; the next opens at {opens}")))
            }
            Self::Suspended(until, reason) => {
                let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
                Some((State::Suspended, format!("suspended{until}: {}", shown(reason, 200))))
            }
        }
    }
}

impl Context {
    /// Whether anything may be written to an account now.
    pub(super) fn permit(&self, account: &Account) -> Permit {
        if self.options.mode == Mode::Report {
            return Permit::Report;
        }
        if matches!(account.settings.provider, ProviderSettings::Snapshot { .. }) {
            return Permit::ReadOnly;
        }
        let policy = &account.desired.policy.watch;
        let now = self.timestamp();
        if let Some(suspend) = policy.suspend.as_ref().filter(|suspend| suspend.is_active(now)) {
            return Permit::Suspended(suspend.until, suspend.reason.clone());
        }
        if policy.windows.is_open(now) { Permit::Write } else { Permit::Closed(policy.windows.next_change(now)) }
    }

    /// How long it takes until a window opens or closes, or a suspension ends.
    pub(super) fn turns(&self, account: &Account) -> Option<Duration> {
        if self.options.mode == Mode::Report {
            return None;
        }
        let policy = &account.desired.policy.watch;
        let now = self.timestamp();
        let suspended =
            policy.suspend.as_ref().filter(|suspend| suspend.is_active(now)).and_then(|suspend| suspend.until);
        let next = [suspended, policy.windows.next_change(now)].into_iter().flatten().min()?;
        // A little later, so that the clock has certainly passed it.
        Duration::try_from(next.duration_since(now)).ok().map(|wait| wait + Duration::from_millis(10))
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now()).unwrap_or(Timestamp::MAX)
    }
}
