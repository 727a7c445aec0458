//! Carrying out one change, with its precondition. Every change is a single call. What became of one that was not
//! answered with a success is found out by [`super::inspect`].

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Method, StatusCode, Url};
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};

use crate::model::{Change, ObjectId, Revision, Verb};
use crate::providers::http::{Answer, Attempts, Body, Request, SendError};
use crate::providers::{WriteError, WriteReceipt};

use super::inspect::{End, Observed};
use super::problem::{Problem, unanswered};
use super::{Office, body, wire};

/// A change on its way.
pub(super) struct Writing<'a> {
    pub(super) office: &'a Office,
    pub(super) change: &'a Change,
    /// The object's own URL; of a creation, its collection's.
    pub(super) url: Url,
    /// What names this change in the account's audit log, and makes a creation repeatable.
    pub(super) key: String,
    /// The version that the request names as its precondition.
    pub(super) expected: Option<Revision>,
    pub(super) attempts: Attempts,
    /// Requests that only looked.
    pub(super) looks: AtomicU64,
}

impl Office {
    pub(super) async fn write_change(&self, change: &Change) -> Result<WriteReceipt, WriteError> {
        self.writing(change)?.run().await
    }

    pub(super) fn writing<'a>(&'a self, change: &'a Change) -> Result<Writing<'a>, WriteError> {
        let collection = body::collection(change)?;
        let url = match (&change.verb, &change.object.id) {
            (Verb::Create, _) => self.url(&[collection]),
            // A URL swallows dots, so that the change would go to the whole collection.
            (_, Some(id)) if !matches!(&*id.0, "" | "." | "..") => self.url(&[collection, &id.0]),
            (_, _) => return Err(WriteError::Unsupported(format!("`{}` has no usable id", change.object.name))),
        };
        let (key, attempts) = (self.idempotency_key(change)?, self.http.attempts());
        let expected = change.revision.clone().filter(|_| change.verb != Verb::Create);
        Ok(Writing { office: self, change, url, key, expected, attempts, looks: AtomicU64::new(0) })
    }

    /// The same for every repeat of one change within this run, another for all else.
    fn idempotency_key(&self, change: &Change) -> Result<String, WriteError> {
        let content = serde_json::to_vec(change).map_err(|error| WriteError::Unsupported(error.to_string()))?;
        Ok(self.key_of(&content))
    }

    /// What names a write with this content.
    pub(super) fn key_of(&self, content: &[u8]) -> String {
        let mut hash = Sha256::new();
        let run = self.runs.load(Ordering::Relaxed).to_le_bytes();
        for part in [self.base.as_str().as_bytes(), self.nonce.as_bytes(), &run, content] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let hash: [u8; 32] = hash.finalize().into();
        format!("{:032x}", hash.iter().take(16).fold(0_u128, |all, byte| all << 8 | u128::from(*byte)))
    }
}

impl Writing<'_> {
    async fn run(mut self) -> Result<WriteReceipt, WriteError> {
        if self.change.verb != Verb::Create && self.expected.is_none() {
            // No version for `If-Match`: look whether the object still is as the plan expects.
            match self.look().await {
                Observed::Is(object) if self.is_untouched(&object) => {
                    self.expected = object.as_ref().revision().cloned();
                }
                Observed::Unreadable => return Err(self.unavailable("the object cannot be read first")),
                seen => return Err(WriteError::Stale(self.moved(&seen))),
            }
        }
        let call = self.call()?;
        loop {
            let end = match self.office.http.send(&call, &mut self.attempts).await {
                Ok(answer) if answer.status.is_success() => match self.done(&answer) {
                    Some(written) => return Ok(written),
                    None => End::Doubt,
                },
                Ok(answer) => self.refused(&answer),
                Err(SendError::OutcomeUnknown(_)) => End::Doubt,
                Err(error) => End::NotDone(unanswered(error, self.attempts.made)),
            };
            if let Some(written) = self.inspect(end).await? {
                return Ok(written);
            }
            // It was not done yet, and may be tried again.
            match self.attempts.pause() {
                Some(pause) => self.office.http.pause(pause).await,
                None => return Err(self.unknown(None)),
            }
        }
    }

    fn call(&self) -> Result<Request, WriteError> {
        let method = match self.change.verb {
            Verb::Create => Method::POST,
            Verb::Update => Method::PATCH,
            Verb::Delete => Method::DELETE,
        };
        Ok(Request {
            method,
            url: self.url.clone(),
            if_match: self.expected.clone().map(|Revision(etag)| etag),
            if_none_match: None,
            idempotency_key: Some(self.key.clone()),
            body: body::body(self.change)?.map(if self.change.verb == Verb::Update {
                Body::MergePatch
            } else {
                Body::Json
            }),
            repeatable: false,
        })
    }

    /// What an answer means that is not a success. By itself it says that this attempt did nothing.
    fn refused(&self, answer: &Answer) -> End {
        let status = answer.status.as_u16();
        let problem = Problem::read(&self.office.http, answer);
        let create = self.change.verb == Verb::Create;
        if !create && (status == 412 || status == 409 && problem.code.contains("precondition")) {
            return End::Precondition;
        }
        let error = problem.refusal(status);
        match status {
            // These are about the object, or about what the change makes it refer to, which may not be as it was.
            400 | 404 | 409 | 410 | 412 | 422 | 423 | 424 => End::Conflict(error),
            _ => End::NotDone(error),
        }
    }

    /// A success, with the version that it made; nothing if it does not say what it made, or that it is done.
    fn done(&mut self, answer: &Answer) -> Option<WriteReceipt> {
        // 202 is a promise, and what is not JSON comes from something on the way: a page to log in, for instance.
        let is_json = answer.body.is_empty() || serde_json::from_slice::<IgnoredAny>(&answer.body).is_ok();
        if answer.status == StatusCode::ACCEPTED || !is_json {
            let status = answer.status.as_u16();
            self.attempts.doubted(format!("the answer ({status}) does not tell whether it was done"));
            return None;
        }
        if self.change.verb == Verb::Delete {
            return Some(self.written(None));
        }
        let document: Option<wire::WriteReceipt> = serde_json::from_slice(&answer.body).ok();
        let etag = answer.etag.clone().or_else(|| document.as_ref().and_then(|document| document.etag.clone()));
        // Of an update the id is known; to a new object without an id, nothing could point.
        let id = match self.change.verb {
            Verb::Create => document.map(|document| ObjectId(document.id.0.into())),
            Verb::Update | Verb::Delete => self.change.object.id.clone(),
        };
        if id.is_none() {
            self.attempts.doubted("it was accepted, but the answer does not tell the new id".to_owned());
        }
        Some(WriteReceipt { id: id?, revision: etag.map(Revision), document: None, requests: self.requests() })
    }

    /// The object of the change, in words.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.change.object.kind, crate::text::sanitized(&self.change.object.name, 80))
    }

    /// It was carried out on an object whose id is known.
    pub(super) fn written(&self, revision: Option<Revision>) -> WriteReceipt {
        let id = self.change.object.id.clone().unwrap_or_else(|| ObjectId::from(""));
        WriteReceipt { id, revision, document: None, requests: self.requests() }
    }

    fn unavailable(&self, why: &str) -> WriteError {
        WriteError::Unavailable { attempts: self.attempts.made, why: why.to_owned() }
    }

    pub(super) fn requests(&self) -> u64 {
        u64::from(self.attempts.made) + self.looks.load(Ordering::Relaxed)
    }
}
