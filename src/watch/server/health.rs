//! Liveness and readiness probes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::render::counted;
use crate::text::sanitized;

use super::super::status::{AccountState, AccountStatus};
use super::{Shared, commands};

/// How soon the loops must answer.
const PROMPT: Duration = Duration::from_secs(2);
/// An account that is so late has a loop that hangs. A long run under a strict rate limit may be late, too; a restart costs
/// it nothing, because the next start continues it.
const OVERDUE: Duration = Duration::from_secs(3600);

pub(super) async fn healthz(State(shared): State<Arc<Shared>>) -> Response {
    if tokio::time::timeout(PROMPT, commands::count(&shared)).await.ok().flatten().is_none() {
        return answer(false, "the loops do not respond");
    }
    let now = shared.setup.clock.now();
    let late = shared.setup.status_store.all().into_iter().find(|account| is_overdue(account, now));
    match late {
        None => answer(true, "ok"),
        Some(account) => {
            let name = sanitized(&account.account, 100);
            answer(false, &format!("the check of {name} is more than an hour late"))
        }
    }
}

/// Ready once the files were read and every account was checked; from then on it stays ready.
pub(super) async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    if shared.ready.load(Ordering::Relaxed) {
        return answer(true, "ok");
    }
    let known = tokio::time::timeout(PROMPT, commands::count(&shared)).await.ok().flatten();
    let accounts = shared.setup.status_store.all();
    let waiting = accounts.iter().filter(|account| account.state == AccountState::Starting).count();
    match known {
        None => answer(false, "the loops do not respond"),
        Some(0) => answer(false, "no accounts: the files were not read yet, or all of them have errors"),
        Some(_) if waiting > 0 => {
            let of = counted(accounts.len(), "account");
            answer(false, &format!("{waiting} of {of} not checked yet"))
        }
        Some(_) => {
            shared.ready.store(true, Ordering::Relaxed);
            answer(true, "ok")
        }
    }
}

fn is_overdue(account: &AccountStatus, now: SystemTime) -> bool {
    let due = account.next_check.as_deref().and_then(|at| humantime::parse_rfc3339(at).ok());
    due.and_then(|due| now.duration_since(due).ok()).is_some_and(|late| late > OVERDUE)
}

fn answer(healthy: bool, message: &str) -> Response {
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{message}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_overdue_after_an_hour() {
        let now = humantime::parse_rfc3339("2026-11-23T18:00:00Z").unwrap();
        let due = |at: &str| {
            let account = AccountStatus { next_check: Some(at.to_owned()), ..AccountStatus::default() };
            is_overdue(&account, now)
        };
        assert!(due("2026-11-23T16:59:59.000Z"));
        assert!(!due("2026-11-23T17:00:01.000Z"));
        assert!(!due("2026-11-23T18:00:30.000Z"));
        assert!(!is_overdue(&AccountStatus::default(), now));
    }
}
