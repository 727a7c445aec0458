//! Problem documents (RFC 9457), read for what can be shown. Any body will do; none is trusted.

use serde::Deserialize;

use crate::model::{Kind, ObjectId};
use crate::providers::http::{Answer, Http, SendError};
use crate::providers::{Referrer, WriteError};

use super::wire::Id;

/// The most referrers that are worth a line.
const MOST_REFERRERS: usize = 20;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    code: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    referrers: Vec<WireReferrer>,
}

#[derive(Deserialize)]
struct WireReferrer {
    kind: String,
    id: Id,
    name: Option<String>,
    field: Option<String>,
}

/// What the server says is wrong; safe to show.
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) referrers: Vec<Referrer>,
}

impl Problem {
    pub(super) fn read(http: &Http, answer: &Answer) -> Self {
        let wire: Wire = serde_json::from_slice(&answer.body).unwrap_or_default();
        let sanitized = |text: Option<String>| text.map(|text| http.sanitized(&text)).unwrap_or_default();
        let reason = || answer.status.canonical_reason().unwrap_or("no reason given").to_owned();
        let title = wire.title.filter(|title| !title.is_empty()).map_or_else(reason, |title| http.sanitized(&title));
        let referrers = wire.referrers.into_iter().take(MOST_REFERRERS).map(|referrer| Referrer {
            kind: if referrer.kind == "number" {
                Kind::Number
            } else {
                Kind::parse(&referrer.kind).unwrap_or(Kind::Other)
            },
            name: referrer.name.map_or_else(|| http.sanitized(&referrer.id.0), |name| http.sanitized(&name)),
            id: ObjectId(http.redacted(&referrer.id.0).into()),
            field: sanitized(referrer.field),
        });
        Self {
            code: wire.code.unwrap_or_default(),
            title,
            detail: sanitized(wire.detail),
            referrers: referrers.collect(),
        }
    }

    /// What an answer of this status means for a write.
    pub(super) fn refusal(self, status: u16) -> WriteError {
        if let 401 | 403 = status {
            return WriteError::Unauthorized { status, detail: self.as_suffix() };
        }
        let Self { title, detail, referrers, .. } = self;
        WriteError::Refused { status, title, detail, referrers }
    }

    /// What was said, to be put behind a status.
    pub(super) fn as_suffix(&self) -> String {
        if self.detail.is_empty() { format!(", {}", self.title) } else { format!(", {}: {}", self.title, self.detail) }
    }
}

/// Why a write has no answer, after so many attempts.
pub(super) fn unanswered(error: SendError, attempts: u32) -> WriteError {
    match error {
        SendError::OutcomeUnknown(why) => WriteError::Unknown(why),
        SendError::Forbidden => WriteError::ReadOnlyClient,
        SendError::Limited(why) => WriteError::Unavailable { attempts, why },
        SendError::NotDone(failure) => WriteError::Unavailable { attempts, why: failure.to_string() },
    }
}
