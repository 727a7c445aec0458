//! Claiming the account, or a part of it.
//!
//! The server decides: it refuses a claim that overlaps one of another owner that is not named. The request has a key, so
//! that it can be repeated; if no answer comes at last, the account is asked whether the claim is there.

use std::sync::atomic::AtomicU64;

use reqwest::Method;
use serde::Serialize;
use serde::de::IgnoredAny;

use crate::model::{AccountInfo, Claim, Scope};
use crate::providers::WriteError;
use crate::providers::http::{self, Answer, Request};

use super::change_check::Source;
use super::problem::{Problem, unanswered};
use super::{Office, convert, wire};

#[derive(Serialize)]
struct Body<'a> {
    owner: &'a str,
    account: &'a str,
    scope: wire::OwnerScope,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    take_over: Vec<&'a str>,
}

impl Office {
    pub(super) async fn make_claim(&self, claim: &Claim) -> Result<u64, WriteError> {
        let take_over = claim.take_over.iter().map(|other| &*other.id.0).collect();
        let body = Body { owner: claim.owner.as_str(), account: &claim.account, scope: scope(&claim.scope), take_over };
        let body = serde_json::to_vec(&body).map_err(|error| WriteError::Unsupported(error.to_string()))?;
        let idempotency_key = Some(self.key_of(&body));
        let url = self.url(&["owners"]);
        let call =
            Request { method: Method::POST, idempotency_key, body: Some(http::Body::Json(body)), ..Request::get(url) };
        let mut attempts = self.http.attempts();
        let end = match self.http.send(&call, &mut attempts).await {
            // 202 is a promise, and what is not JSON comes from something on the way.
            Ok(answer) if matches!(answer.status.as_u16(), 200 | 201) && is_json(&answer) => {
                return Ok(u64::from(attempts.made));
            }
            Ok(answer) if answer.status.is_success() => {
                attempts.doubted(format!("the answer ({}) does not tell whether it was done", answer.status.as_u16()));
                WriteError::Unknown("the claim was not answered".to_owned())
            }
            Ok(answer) => self.refusal(&answer),
            Err(error) => unanswered(error, attempts.made),
        };
        if attempts.doubt().is_none() {
            return Err(end);
        }
        let looks = AtomicU64::new(0);
        let made = self.account_now(&looks).await.is_some_and(|account| {
            account.owners.is_some_and(|owners| owners.iter().any(|known| known.fulfils(claim)))
        });
        if made { Ok(u64::from(attempts.made) + looks.into_inner()) } else { Err(end) }
    }

    /// What an answer means that is not a success.
    fn refusal(&self, answer: &Answer) -> WriteError {
        let problem = Problem::read(&self.http, answer);
        if problem.code == "owned" {
            return WriteError::Owned(problem.as_suffix());
        }
        problem.refusal(answer.status.as_u16())
    }

    /// The account's document as it is now; nothing if it cannot be read.
    async fn account_now(&self, requests: &AtomicU64) -> Option<AccountInfo> {
        let answer = self.answer(&Request::get(self.address(&Source::Account)), requests).await.ok()?;
        let account: wire::Account = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200)?;
        Some(convert::account(account).0)
    }
}

fn is_json(answer: &Answer) -> bool {
    serde_json::from_slice::<IgnoredAny>(&answer.body).is_ok()
}

fn scope(scope: &Scope) -> wire::OwnerScope {
    let numbers =
        scope.numbers.as_ref().map(|(set, _)| set.patterns().iter().map(|one| one.to_string().into()).collect());
    let groups =
        scope.ring_groups.as_ref().map(|(set, _)| set.patterns().iter().map(|one| one.to_string().into()).collect());
    wire::OwnerScope { numbers, ring_groups: groups }
}
