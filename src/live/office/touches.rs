//! The latest entries of the account's audit log.

use std::sync::atomic::AtomicU64;

use serde::Deserialize;

use crate::live::http::Call;
use crate::live::{ReadError, Touch};

use super::Office;
use super::look::Source;

/// So many entries are enough to find who touched an object last.
const ENTRIES: u32 = 200;

/// What is read of a page. Whatever else there is may change.
#[derive(Deserialize)]
struct Page {
    items: Vec<Entry>,
    #[serde(default)]
    cursors: Vec<String>,
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
    pub(super) async fn latest_touches(&self) -> Result<Vec<Touch>, ReadError> {
        let first = self.log(None).await?;
        let page = match first.cursors.last() {
            Some(last) => self.log(Some(last)).await?,
            None => first,
        };
        Ok(page.items.into_iter().rev().map(touch).collect())
    }

    async fn log(&self, cursor: Option<&str>) -> Result<Page, ReadError> {
        let source = Source::Page { list: "audit", limit: ENTRIES, cursor: cursor.map(Into::into) };
        let url = self.address(&source);
        let answer = self.answer(&Call::get(url.clone()), &AtomicU64::new(0)).await?;
        if answer.status.as_u16() != 200 {
            return Err(self.unusable(&url, &answer));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|error| ReadError::Malformed { what: "the audit log".to_owned(), why: error.to_string() })
    }
}

fn touch(Entry { at, actor, client, object }: Entry) -> Touch {
    let who = client.map_or_else(|| actor.clone(), |client| format!("{actor} ({client})").into());
    Touch { object: crate::model::ObjectId(object.id.into()), at, who }
}
