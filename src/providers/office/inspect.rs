//! What became of a change that was not answered with a success: found out by reading the account.
//!
//! Doubt about any attempt outlives the answer to the last one, and a proxy may have sent a request twice without
//! saying so: the first was carried out, and the second was answered. So an object that is not as it was read
//! is compared with what the change makes of it, and the account's audit log shows who changed it
//! ([`super::trace`]). Versions never come back, so a change whose `If-Match` names an older one is not carried out
//! later either.

use std::sync::atomic::Ordering;

use crate::model::{Change, FieldName, FieldValue, LiveRingGroup, NameKey, Verb};
use crate::providers::http::Request;
use crate::providers::{Progress, WriteError, WriteReceipt};

use super::Office;
use super::change_check::Reading;
use super::compare::Object;
use super::trace::{Replaced, Sought, Trace};
use super::wire;
use super::write::Writing;

/// How the sending of a change ended, if not with success.
pub(super) enum End {
    /// The last attempt may have been carried out.
    Doubt,
    /// The object has another version than the change was held to.
    Precondition,
    /// The account refuses: perhaps because it is not what the plan was made for.
    Conflict(WriteError),
    /// The last attempt certainly was not carried out.
    NotDone(WriteError),
}

/// The object of a change, looked at.
pub(super) enum Observed {
    Is(Object),
    Gone,
    /// The account cannot be asked.
    Unreadable,
}

impl Office {
    /// How far a change has come that was sent before, perhaps by another run.
    pub(super) async fn inspect_change(&self, change: &Change) -> Result<Progress, WriteError> {
        let mut writing = self.writing(change)?;
        writing.attempts.doubted("an earlier attempt was not answered".to_owned());
        let written = writing.inspect(End::Doubt).await?;
        let requests = writing.looks.into_inner();
        Ok(if let Some(WriteReceipt { id, revision, document, .. }) = written {
            Progress { id: Some(id), revision, document, left: Vec::new(), requests }
        } else {
            let (id, revision) = (change.object.id.clone(), change.revision.clone());
            Progress { id, revision, document: None, left: vec![0], requests }
        })
    }
}

impl Writing<'_> {
    /// What the change came to; nothing if it was not carried out yet and may be sent again.
    pub(super) async fn inspect(&mut self, end: End) -> Result<Option<WriteReceipt>, WriteError> {
        match end {
            End::NotDone(error) if self.attempts.doubt().is_none() => Err(error),
            end if self.change.verb == Verb::Create => self.inspect_creation(end).await.map(Some),
            end => self.inspect_object(end).await,
        }
    }

    async fn inspect_object(&mut self, end: End) -> Result<Option<WriteReceipt>, WriteError> {
        let seen = self.look().await;
        match &seen {
            Observed::Unreadable => return Err(self.ended(end)),
            Observed::Is(object) if self.is_untouched(object) => {
                return match end {
                    End::Doubt => Ok(None),
                    // An attempt that was not carried out yet may still be.
                    end if self.attempts.doubt().is_some() => Err(self.unknown(Some(end))),
                    End::Conflict(error) => Err(self.unless_moved(error).await),
                    End::Precondition => Err(WriteError::Stale(format!("{} has a newer version", self.name()))),
                    End::NotDone(error) => Err(error),
                };
            }
            Observed::Is(_) | Observed::Gone => {}
        }
        let sought = Sought {
            key: &self.key,
            kind: self.change.object.kind.into(),
            object: self.change.object.id.as_ref(),
            replaced: Replaced::Version(self.expected.as_ref()),
        };
        let trace = self.office.trace(&sought, &self.looks).await;
        let is_wanted = match &seen {
            Observed::Is(object) => self.change.verb == Verb::Update && object.is_as_after(self.change),
            Observed::Gone | Observed::Unreadable => self.change.verb == Verb::Delete,
        };
        let doubt = self.attempts.doubt().is_some();
        match trace {
            Trace::Own { revision, .. } => Ok(Some(self.written(revision))),
            Trace::None if is_wanted && doubt => {
                let revision =
                    if let Observed::Is(object) = &seen { object.as_ref().revision().cloned() } else { None };
                Ok(Some(self.written(revision)))
            }
            Trace::None if is_wanted => Err(WriteError::Unattributed(match self.change.verb {
                Verb::Delete => format!("{} is gone, and the account does not say who deleted it", self.name()),
                _ => format!("{} is as the plan asks, and the account does not say who made it so", self.name()),
            })),
            // What is there in another version was not deleted, and will not be by a request that names the old one.
            Trace::None if doubt && !(self.change.verb == Verb::Delete && self.expected.is_some()) => {
                let how = self.moved(&seen);
                Err(WriteError::Unknown(format!("{}; {how}, before that or after", self.why(None))))
            }
            Trace::Other | Trace::None => Err(WriteError::Stale(self.moved(&seen))),
        }
    }

    /// Names are unique, so the account shows whether there is such a group, and its audit log who made it. One that
    /// is not there may still come: the server may be busy with it.
    async fn inspect_creation(&mut self, end: End) -> Result<WriteReceipt, WriteError> {
        let Some(groups) = self.groups().await else { return Err(self.ended(end)) };
        let found = match self.change.after(FieldName::Name) {
            Some(FieldValue::Name(name)) => groups.into_iter().find(|group| group.name.key() == name.key()),
            _ => None,
        };
        let doubt = self.attempts.doubt().is_some();
        if let (None, false, End::Conflict(error)) = (&found, doubt, &end) {
            return Err(self.unless_moved(error.clone()).await);
        }
        let object = found.as_ref().map(|group| &group.id);
        let sought =
            Sought { key: &self.key, kind: self.change.object.kind.into(), object, replaced: Replaced::Nothing };
        let trace = self.office.trace(&sought, &self.looks).await;
        let exists = || format!("{} exists now", self.name());
        match (trace, found) {
            (Trace::Own { id, revision }, _) => {
                Ok(WriteReceipt { id, revision, document: None, requests: self.requests() })
            }
            (Trace::Other, Some(_)) => Err(WriteError::Stale(exists())),
            (_, None) => Err(self.ended(end)),
            (Trace::None, Some(group)) => {
                let id = group.id.clone();
                let revision = group.revision.clone();
                match (Object::RingGroup(group).is_as_after(self.change), doubt) {
                    (true, true) => Ok(WriteReceipt { id, revision, document: None, requests: self.requests() }),
                    (true, false) => Err(WriteError::Unattributed(format!(
                        "{} is as the plan asks, and the account does not say who made it",
                        self.name()
                    ))),
                    (false, true) => {
                        Err(WriteError::Unknown(format!("{}; {}, with other fields", self.why(None), exists())))
                    }
                    (false, false) => Err(WriteError::Stale(format!("{}, with other fields", exists()))),
                }
            }
        }
    }

    /// The ring groups; nothing if they, or the one of this name, cannot be read.
    pub(super) async fn groups(&self) -> Option<Vec<LiveRingGroup>> {
        let reading = Reading::default();
        let groups = self.office.list::<wire::RingGroup>("ring_groups", &reading).await;
        self.looks.fetch_add(reading.requests(), Ordering::Relaxed);
        let (groups, unreadable) = groups.ok()?;
        let own = NameKey::of(&self.change.object.name);
        let unclear = unreadable.iter().any(|one| NameKey::of(&one.name) == own);
        (!unclear).then_some(groups)
    }

    /// Reads the object.
    pub(super) async fn look(&self) -> Observed {
        let answer = self.office.answer(&Request::get(self.url.clone()), &self.looks).await;
        match answer.map(|answer| (answer.status.as_u16(), answer)) {
            Ok((404 | 410, _)) => Observed::Gone,
            Ok((200, answer)) => {
                Object::read(self.change.object.kind, &answer).map_or(Observed::Unreadable, Observed::Is)
            }
            _ => Observed::Unreadable,
        }
    }

    /// Whether an object still is what the change expects: the same version, or else the fields of before.
    pub(super) fn is_untouched(&self, object: &Object) -> bool {
        match (object.as_ref().revision(), &self.expected) {
            (Some(now), Some(expected)) => now == expected,
            _ => object.moved(self.change).is_empty(),
        }
    }

    /// How the object is not what the change expects.
    pub(super) fn moved(&self, seen: &Observed) -> String {
        let Observed::Is(object) = seen else { return format!("{} is gone", self.name()) };
        let fields = object.moved(self.change);
        if fields.is_empty() {
            return format!("{} has changed in a field that the plan does not write", self.name());
        }
        let fields: Vec<_> = fields.iter().map(|field| format!("`{}`", field.as_str())).collect();
        format!("{} of {} changed meanwhile", fields.join(", "), self.name())
    }

    /// What is left to say where the account cannot be asked.
    fn ended(&self, end: End) -> WriteError {
        match end {
            end if self.attempts.doubt().is_some() => self.unknown(Some(end)),
            End::Precondition => unread(&format!("{} has a newer version", self.name())),
            End::Conflict(error) if self.may_be_ours(&error) => unread(&error.to_string()),
            End::Conflict(error) | End::NotDone(error) => error,
            End::Doubt => self.unknown(None),
        }
    }

    /// Whether a refusal may come from what this change did: a proxy may have sent it twice.
    fn may_be_ours(&self, refusal: &WriteError) -> bool {
        let WriteError::Refused { status, .. } = refusal else { return false };
        match self.change.verb {
            Verb::Create => matches!(status, 409 | 422),
            Verb::Delete => matches!(status, 404 | 410),
            Verb::Update => false,
        }
    }

    /// An attempt may have been carried out, and the account does not tell.
    pub(super) fn unknown(&self, end: Option<End>) -> WriteError {
        WriteError::Unknown(self.why(end))
    }

    /// Why an attempt may have been carried out, and what came after it.
    fn why(&self, end: Option<End>) -> String {
        let doubt = self.attempts.doubt().unwrap_or("the answer was lost");
        match end {
            Some(End::Conflict(error) | End::NotDone(error)) => format!("{doubt}; then: {error}"),
            Some(End::Precondition) => format!("{doubt}; then: {} has a newer version", self.name()),
            Some(End::Doubt) | None => doubt.to_owned(),
        }
    }
}

fn unread(what: &str) -> WriteError {
    WriteError::Unattributed(format!("{what}, and the account could not be read to see who made it so"))
}
