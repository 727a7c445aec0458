//! The latest entries of the account's audit log.

use std::sync::atomic::AtomicU64;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::providers::http::Request;
use crate::providers::{AuditEntry, ReadError};

use super::Office;
use super::change_check::Source;

/// So many entries are enough to find who touched an object last.
const ENTRIES: u32 = 200;

/// What is read of a page of the log, with the fields of its entries that are used. Other fields may change.
#[derive(Deserialize)]
pub(super) struct Page<E> {
    pub(super) items: Vec<E>,
    #[serde(default)]
    pub(super) cursors: Vec<String>,
}

#[derive(Deserialize)]
struct Entry {
    at: Box<str>,
    actor: Box<str>,
    #[serde(default)]
    client: Option<Box<str>>,
    object: Named,
}

#[derive(Deserialize)]
struct Named {
    id: Box<str>,
}

impl Office {
    /// The newest page of the log, which is the last one; with few entries, the first is it.
    pub(super) async fn latest_touches(&self) -> Result<Vec<AuditEntry>, ReadError> {
        let requests = AtomicU64::new(0);
        let first: Page<Entry> = self.log(ENTRIES, None, &requests).await?;
        let page = match first.cursors.last() {
            Some(last) => self.log(ENTRIES, Some(last), &requests).await?,
            None => first,
        };
        Ok(page.items.into_iter().rev().map(touch).collect())
    }

    /// One page of the log: the first one, or that of a cursor. Requests are counted.
    pub(super) async fn log<E: DeserializeOwned>(
        &self,
        limit: u32,
        cursor: Option<&str>,
        requests: &AtomicU64,
    ) -> Result<Page<E>, ReadError> {
        let source = Source::Page { list: "audit", limit, cursor: cursor.map(Into::into) };
        let url = self.address(&source);
        let answer = self.answer(&Request::get(url.clone()), requests).await?;
        if answer.status.as_u16() != 200 {
            return Err(self.unexpected_status(&url, &answer));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|error| ReadError::Malformed { what: "the audit log".to_owned(), why: error.to_string() })
    }
}

fn touch(Entry { at, actor, client, object }: Entry) -> AuditEntry {
    let who = client.map_or_else(|| actor.clone(), |client| format!("{actor} ({client})").into());
    AuditEntry { object: crate::model::ObjectId(object.id.into()), at, who }
}
