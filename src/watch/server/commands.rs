//! What may be asked of the loops: to look now, and to let a plan through. Both need the token.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;

use crate::ledger::{Approver, ApproverSource};
use crate::plan::Digest;
use crate::text::sanitized;

use super::super::Command;
use super::super::status::AccountStatus;
use super::super::wake::Reason;
use super::Shared;
use super::problem::Problem;

/// What `POST /reconcile` takes in its address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    account: Option<Box<str>>,
}

/// What `POST /api/accounts/{name}/approve` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    digest: String,
    /// Who says to approve it. Whoever has the token can claim any name, so it is recorded as a claim.
    #[serde(default, rename = "as")]
    by: Option<String>,
}

/// Has one account looked at, or all of them.
pub(super) async fn reconcile(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    authorize(&shared, &headers)?;
    let Query(Which { account }) =
        which.map_err(|_| Problem::malformed("the only parameter is `account`, the name of one account"))?;
    let (answer, woken) = oneshot::channel();
    let order = Command::Reconcile { account: account.clone(), reason: Reason::Request, answer: Some(answer) };
    let woken = ask(&shared, order, woken).await?;
    match (account, woken) {
        (Some(account), 0) => Err(unknown(&account)),
        (_, woken) => Ok((StatusCode::ACCEPTED, axum::Json(json!({ "woken": woken }))).into_response()),
    }
}

/// Lets the plan through that guards hold back now.
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
    let status = shared.board.get(&account).ok_or_else(|| unknown(&account))?;
    check(&status, &digest)?;
    let (answer, known) = oneshot::channel();
    let by = Approver::new(approval.by.as_deref(), ApproverSource::Token);
    let order = Command::Approve { account: account.clone(), digest: digest.clone(), by: by.clone(), answer };
    if !ask(&shared, order, known).await? {
        return Err(unknown(&account));
    }
    tracing::info!(account = &*account, digest = &*digest.0, "a plan was approved by {by}");
    Ok((StatusCode::ACCEPTED, axum::Json(json!({ "approved": digest }))).into_response())
}

/// What is approved is what is held back now: another digest would only lie in wait.
fn check(status: &AccountStatus, digest: &Digest) -> Result<(), Problem> {
    let conflict = |detail: &str| {
        Err(Problem::new(StatusCode::CONFLICT, "not_blocked", "There is nothing to approve", detail.to_owned()))
    };
    match &status.plan {
        Some(plan) if status.approvable && plan.digest == *digest => Ok(()),
        Some(_) if status.approvable => conflict("the plan that guards hold back is another one by now: look at it"),
        _ => conflict("no guard holds back a plan of this account"),
    }
}

fn authorize(shared: &Shared, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(token) = &shared.token else {
        let detail =
            "this server only shows: start it with `--token-env NAME` or `--token-file FILE` to allow requests";
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "no_token_configured",
            "Nothing can be asked for here",
            detail,
        ));
    };
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split_once(' '));
    match given {
        Some((scheme, given)) if scheme.eq_ignore_ascii_case("bearer") && token.is(given.trim()) => Ok(()),
        _ => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "A valid token is needed",
            "send the header Authorization: Bearer TOKEN",
        )),
    }
}

async fn ask<T>(shared: &Shared, order: Command, answer: oneshot::Receiver<T>) -> Result<T, Problem> {
    let ending = |_| Problem::busy("the process is ending");
    shared.orders.send(order).await.map_err(|_| Problem::busy("the process is ending"))?;
    answer.await.map_err(ending)
}

/// No account has this name.
pub(super) fn unknown(account: &str) -> Problem {
    Problem::not_found(format!("no account is called {:?}", sanitized(account, 100)))
}

/// How many accounts the loops know, which tells as well that they take orders.
pub(super) async fn count(shared: &Shared) -> Option<usize> {
    let (answer, known) = oneshot::channel();
    shared.orders.send(Command::Count(answer)).await.ok()?;
    known.await.ok()
}
