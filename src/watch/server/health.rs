//! Whether the process lives, and whether it is ready.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::render::counted;
use crate::text::sanitized;

use super::super::status::{AccountStatus, State as Standing};
use super::{Shared, commands};

/// How soon the loops take an order.
const PROMPT: Duration = Duration::from_secs(2);
/// A loop that is so late has stopped, or its account takes all its requests and answers none. A run of many writes
/// under a strict rate limit may last; being restarted costs it nothing, as the next start goes on.
const OVERDUE: Duration = Duration::from_secs(3600);

/// The process lives: its loops go round.
pub(super) async fn healthz(State(shared): State<Arc<Shared>>) -> Response {
    if tokio::time::timeout(PROMPT, commands::count(&shared)).await.ok().flatten().is_none() {
        return answer(false, "the loops take no orders");
    }
    let now = shared.clock.now();
    let late = shared.board.all().into_iter().find(|account| is_overdue(account, now));
    match late {
        None => answer(true, "the loops go round"),
        Some(account) => {
            let name = sanitized(&account.account, 100);
            answer(false, &format!("{name} should have been looked at more than an hour ago"))
        }
    }
}

/// The files were read, and every account was looked at once. From then on that stays so.
pub(super) async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    if shared.ready.load(Ordering::Relaxed) {
        return answer(true, "every account was looked at");
    }
    let known = tokio::time::timeout(PROMPT, commands::count(&shared)).await.ok().flatten();
    let accounts = shared.board.all();
    let waiting = accounts.iter().filter(|account| account.state == Standing::Starting).count();
    match known {
        None => answer(false, "the loops take no orders"),
        Some(0) => answer(false, "no account is known yet: the files were not read, or all of them have errors"),
        Some(_) if waiting > 0 => {
            let of = counted(accounts.len(), "account");
            answer(false, &format!("{waiting} of {of} not looked at yet"))
        }
        Some(_) => {
            shared.ready.store(true, Ordering::Relaxed);
            answer(true, "every account was looked at")
        }
    }
}

fn is_overdue(account: &AccountStatus, now: SystemTime) -> bool {
    let due = account.next_look.as_deref().and_then(|at| humantime::parse_rfc3339(at).ok());
    due.and_then(|due| now.duration_since(due).ok()).is_some_and(|late| late > OVERDUE)
}

fn answer(well: bool, says: &str) -> Response {
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{says}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_an_hour_late_is_overdue() {
        let now = humantime::parse_rfc3339("2026-11-23T18:00:00Z").unwrap();
        let due = |at: &str| {
            let account = AccountStatus { next_look: Some(at.to_owned()), ..AccountStatus::default() };
            is_overdue(&account, now)
        };
        assert!(due("2026-11-23T16:59:59.000Z"));
        assert!(!due("2026-11-23T17:00:01.000Z"));
        assert!(!due("2026-11-23T18:00:30.000Z"));
        assert!(!is_overdue(&AccountStatus::default(), now));
    }
}
