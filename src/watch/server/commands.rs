//! Requests to the loops: check now, approve a plan. Both need the token.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;

use crate::ledger::{Approver, ApproverSource};
use crate::plan::Digest;
use crate::serve::bearer;
use crate::text::sanitized;

use super::super::status::AccountStatus;
use super::super::{Command, Reason};
use super::Shared;
use super::problem::Problem;

/// The query of `POST /reconcile`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    account: Option<Box<str>>,
}

/// The body of `POST /api/accounts/{name}/approve`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    digest: String,
    /// Who approves. Anyone with the token can give any name, so it is recorded as unverified.
    #[serde(default, rename = "as")]
    by: Option<String>,
}

pub(super) async fn reconcile(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    authorize(&shared, &headers)?;
    let Query(Which { account }) =
        which.map_err(|_| Problem::malformed("the only parameter is `account`, the name of one account"))?;
    let (answer, woken) = oneshot::channel();
    let command = Command::Reconcile { account: account.clone(), reason: Reason::Request, answer: Some(answer) };
    let woken = ask(&shared, command, woken).await?;
    match (account, woken) {
        (Some(account), 0) => Err(unknown(&account)),
        (_, woken) => Ok((StatusCode::ACCEPTED, axum::Json(json!({ "woken": woken }))).into_response()),
    }
}

pub(super) async fn approve(
    State(shared): State<Arc<Shared>>,
    Path(account): Path<Box<str>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    authorize(&shared, &headers)?;
    let example =
        "the body is JSON: `{\"digest\": \"…\", \"as\": \"ada\"}`, with the plan's digest of 64 hexadecimal digits";
    let approval: Approval = serde_json::from_slice(&body).map_err(|_| Problem::malformed(example))?;
    let digest: Digest = approval.digest.parse().map_err(|_| Problem::malformed(example))?;
    let status = shared.setup.status_store.get(&account).ok_or_else(|| unknown(&account))?;
    check(&status, &digest)?;
    let (answer, known) = oneshot::channel();
    let by = Approver::new(approval.by.as_deref(), ApproverSource::Token);
    let command = Command::Approve { account: account.clone(), digest: digest.clone(), by: by.clone(), answer };
    if !ask(&shared, command, known).await? {
        return Err(unknown(&account));
    }
    tracing::info!(account = &*account, digest = &*digest.0, "plan approved by {by}");
    Ok((StatusCode::ACCEPTED, axum::Json(json!({ "approved": digest }))).into_response())
}

/// Only the plan that is blocked now can be approved: an approval of another one could take effect much later.
fn check(status: &AccountStatus, digest: &Digest) -> Result<(), Problem> {
    let conflict = |detail: &str| {
        Err(Problem::new(StatusCode::CONFLICT, "not_blocked", "There is nothing to approve", detail.to_owned()))
    };
    match &status.plan {
        Some(plan) if status.approvable && plan.digest == *digest => Ok(()),
        Some(_) if status.approvable => conflict("the blocked plan has changed; review the current one"),
        _ => conflict("no plan of this account is blocked"),
    }
}

fn authorize(shared: &Shared, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(token) = &shared.setup.token else {
        let detail =
            "this server is read-only; start it with `--token-env NAME` or `--token-file FILE` to allow this request";
        return Err(Problem::new(StatusCode::FORBIDDEN, "no_token_configured", "The server is read-only", detail));
    };
    if bearer(headers).is_some_and(|given| token.is(given)) {
        return Ok(());
    }
    let detail = "send the header Authorization: Bearer TOKEN";
    Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "A valid token is required", detail))
}

async fn ask<T>(shared: &Shared, command: Command, answer: oneshot::Receiver<T>) -> Result<T, Problem> {
    let stopping = || Problem::busy("the process is stopping");
    shared.setup.commands.send(command).await.map_err(|_| stopping())?;
    answer.await.map_err(|_| stopping())
}

pub(super) fn unknown(account: &str) -> Problem {
    Problem::not_found(format!("there is no account {:?}", sanitized(account, 100)))
}

/// The number of watched accounts; `None` if the loops do not answer.
pub(super) async fn count(shared: &Shared) -> Option<usize> {
    let (answer, known) = oneshot::channel();
    shared.setup.commands.send(Command::Count(answer)).await.ok()?;
    known.await.ok()
}
