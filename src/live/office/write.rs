//! Carrying out one change, with its precondition, and finding out what became of it when the answer is lost.

use std::sync::atomic::Ordering;

use reqwest::{Method, Url};
use sha2::{Digest, Sha256};

use crate::live::http::{Answer, Attempts, Call, SendError};
use crate::live::{WriteError, Written};
use crate::model::{Change, FieldName, FieldValue, ObjectId, Revision, Verb};

use super::compare::Object;
use super::look::Reading;
use super::problem::Problem;
use super::{Office, body, wire};

/// What a look at an object tells of a change to it.
enum Seen {
    /// It has happened; the version that it made.
    Done(Option<Revision>),
    /// It has not, and still can.
    Untouched(Option<Revision>),
    /// Somebody else was faster.
    Moved(String),
    /// The account cannot be asked.
    Unclear,
}

/// A change on its way.
struct Writing<'a> {
    office: &'a Office,
    change: &'a Change,
    /// The object's own URL; of a creation, its collection's.
    url: Url,
    attempts: Attempts,
    /// Requests that only looked.
    looks: u64,
    /// Whether an attempt may have been carried out without our knowing.
    doubtful: bool,
}

impl Office {
    pub(super) async fn write_change(&self, change: &Change) -> Result<Written, WriteError> {
        let collection = body::collection(change)?;
        let url = match (&change.verb, &change.object.id) {
            (Verb::Create, _) => self.url(&[collection]),
            // A URL swallows dots, so that the change would go to the whole collection.
            (_, Some(id)) if !matches!(&*id.0, "" | "." | "..") => self.url(&[collection, &id.0]),
            (_, _) => return Err(WriteError::Unfit(format!("`{}` has no usable id", change.object.name))),
        };
        let attempts = self.http.attempts();
        Writing { office: self, change, url, attempts, looks: 0, doubtful: false }.run().await
    }

    /// The same for every repeat of one creation within this run, another for all else.
    fn idempotency_key(&self, change: &Change) -> Result<String, WriteError> {
        let content = serde_json::to_vec(change).map_err(|error| WriteError::Unfit(error.to_string()))?;
        let mut hash = Sha256::new();
        let run = self.runs.load(Ordering::Relaxed).to_le_bytes();
        for part in [self.base.as_str().as_bytes(), self.nonce.as_bytes(), &run, &content] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let hash: [u8; 32] = hash.finalize().into();
        Ok(format!("{:032x}", hash.iter().take(16).fold(0_u128, |all, byte| all << 8 | u128::from(*byte))))
    }
}

impl Writing<'_> {
    async fn run(mut self) -> Result<Written, WriteError> {
        let mut call = self.call()?;
        if self.change.verb != Verb::Create && call.if_match.is_none() {
            // Nothing to hold the server to: look whether the object still is as the plan saw it.
            match self.look().await {
                Seen::Untouched(revision) => call.if_match = revision.map(|Revision(etag)| etag),
                Seen::Done(revision) => return Ok(self.written(revision)),
                Seen::Moved(how) => return Err(WriteError::Stale(how)),
                Seen::Unclear => return Err(self.unavailable("the object cannot be read first")),
            }
        }
        loop {
            let why = match self.office.http.send(&call, &mut self.attempts).await {
                Ok(answer) => return self.settle(&answer).await,
                Err(SendError::Doubt(why)) if self.change.verb != Verb::Create => why,
                Err(SendError::Doubt(why)) => return self.made(why).await,
                Err(SendError::Limited(why)) => return Err(self.unavailable(&why)),
                Err(SendError::Forbidden) => return Err(WriteError::OnlyLooks),
                Err(SendError::NotDone(failure)) => return Err(self.unavailable(&format!("{failure}"))),
            };
            self.doubtful = true;
            match self.look().await {
                Seen::Done(revision) => return Ok(self.written(revision)),
                Seen::Moved(how) => return Err(WriteError::Stale(how)),
                Seen::Unclear => return Err(WriteError::Unknown(why)),
                Seen::Untouched(_) => match self.attempts.pause() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(self.unavailable(&why)),
                },
            }
        }
    }

    fn call(&self) -> Result<Call, WriteError> {
        let method = match self.change.verb {
            Verb::Create => Method::POST,
            Verb::Update => Method::PATCH,
            Verb::Delete => Method::DELETE,
        };
        let create = self.change.verb == Verb::Create;
        Ok(Call {
            method,
            url: self.url.clone(),
            if_match: self.change.revision.clone().filter(|_| !create).map(|Revision(etag)| etag),
            if_none_match: None,
            idempotency_key: if create { Some(self.office.idempotency_key(self.change)?) } else { None },
            body: body::body(self.change)?,
        })
    }

    /// What an answer means.
    async fn settle(mut self, answer: &Answer) -> Result<Written, WriteError> {
        let status = answer.status.as_u16();
        let problem = Problem::read(&self.office.http, answer);
        let conflict = status == 412 || status == 409 && problem.code.contains("precondition");
        match status {
            200..=299 => self.done(answer),
            404 | 410 if self.change.verb != Verb::Create => {
                // Gone is what a deletion wants; whether ours did it only matters to the account of the run.
                if self.change.verb == Verb::Delete && self.doubtful {
                    Ok(self.written(None))
                } else {
                    Err(WriteError::Stale(format!("{} is gone", self.name())))
                }
            }
            _ if conflict => match self.look().await {
                Seen::Done(revision) if self.doubtful => Ok(self.written(revision)),
                Seen::Moved(how) => Err(WriteError::Stale(how)),
                _ => Err(WriteError::Stale(format!("{} has a newer version", self.name()))),
            },
            401 | 403 => Err(WriteError::Unauthorized { status, detail: problem.aside() }),
            _ => {
                let Problem { title, detail, referrers, .. } = problem;
                Err(WriteError::Refused { status, title, detail, referrers })
            }
        }
    }

    /// A success, with the version that it made.
    fn done(self, answer: &Answer) -> Result<Written, WriteError> {
        if self.change.verb == Verb::Delete {
            return Ok(self.written(None));
        }
        let document: Option<wire::Written> = serde_json::from_slice(&answer.body).ok();
        let etag = answer.etag.clone().or_else(|| document.as_ref().and_then(|document| document.etag.clone()));
        let made = document.map(|document| ObjectId(document.id.0.into()));
        // Of an update the id is known; of a creation, whose id is not told, nothing can point at it.
        let id = match (self.change.verb, made) {
            (Verb::Create, made) => made,
            (_, _) => self.change.object.id.clone(),
        };
        match id {
            Some(id) => Ok(Written { id, revision: etag.map(Revision), requests: self.requests() }),
            None => Err(WriteError::Unknown("it was accepted, but the answer does not tell the new id".to_owned())),
        }
    }

    /// Whether a creation that nobody answered has happened: names are unique, so the account tells.
    ///
    /// One that is not there may still come: the server may be at it.
    async fn made(mut self, why: String) -> Result<Written, WriteError> {
        let Some(FieldValue::Name(name)) = self.change.after(FieldName::Name) else {
            return Err(WriteError::Unknown(why));
        };
        let looks = Reading::default();
        let groups = self.office.list::<wire::RingGroup>("ring_groups", &looks).await;
        self.looks += looks.requests();
        let made = groups.ok().and_then(|groups| groups.into_iter().find(|group| group.name.key() == name.key()));
        match made {
            Some(group) if Object::RingGroup(group.clone()).is_as_after(self.change) => {
                Ok(Written { id: group.id.clone(), revision: group.revision.clone(), requests: self.requests() })
            }
            Some(_) => Err(WriteError::Stale(format!("{} exists by now, with other fields", self.name()))),
            None => Err(WriteError::Unknown(why)),
        }
    }

    /// Reads the object and compares it with the change.
    async fn look(&mut self) -> Seen {
        if self.change.verb == Verb::Create {
            return Seen::Unclear;
        }
        let mut attempts = self.office.http.attempts();
        let answer = self.office.http.send(&Call::get(self.url.clone()), &mut attempts).await;
        self.looks += u64::from(attempts.made);
        let Ok(answer) = answer else { return Seen::Unclear };
        match (answer.status.as_u16(), self.change.verb) {
            (404 | 410, Verb::Delete) if self.doubtful => return Seen::Done(None),
            (404 | 410, _) => return Seen::Moved(format!("{} is gone", self.name())),
            (200, _) => {}
            _ => return Seen::Unclear,
        }
        let Some(object) = Object::read(self.change.object.kind, &answer) else { return Seen::Unclear };
        let revision = object.revision().cloned();
        let read = self.change.revision.as_ref();
        let moved = object.moved(self.change);
        // The same version is untouched, and so is one that cannot be compared but has the fields of before.
        let untouched = match (&revision, read) {
            (Some(now), Some(read)) => now == read,
            _ => moved.is_empty(),
        };
        if untouched {
            Seen::Untouched(revision)
        } else if self.doubtful && self.change.verb == Verb::Update && object.is_as_after(self.change) {
            Seen::Done(revision)
        } else if moved.is_empty() {
            Seen::Moved(format!("{} has changed in a field that the plan does not write", self.name()))
        } else {
            let fields: Vec<_> = moved.iter().map(|field| format!("`{}`", field.as_str())).collect();
            Seen::Moved(format!("{} of {} changed meanwhile", fields.join(", "), self.name()))
        }
    }

    fn name(&self) -> String {
        format!("{} {}", self.change.object.kind, crate::text::shown(&self.change.object.name, 80))
    }

    fn written(&self, revision: Option<Revision>) -> Written {
        // A creation is never found out by looking, so the id is known.
        let id = self.change.object.id.clone().unwrap_or_else(|| ObjectId::from(""));
        Written { id, revision, requests: self.requests() }
    }

    fn unavailable(&self, why: &str) -> WriteError {
        let why = why.to_owned();
        // After a doubt the object was seen untouched, but the last attempt may still be under way over there.
        if self.doubtful {
            WriteError::Unknown(why)
        } else {
            WriteError::Unavailable { attempts: self.attempts.made, why }
        }
    }

    fn requests(&self) -> u64 {
        u64::from(self.attempts.made) + self.looks
    }
}
