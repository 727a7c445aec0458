//! Who made an object what it is, by the account's audit log: the entries of a write carry its `Idempotency-Key`.
//!
//! Either the key is found, or the entry that replaced the version which the change required. A log that can
//! tell neither proves nothing, and neither does one that cannot be read.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Deserializer};

use crate::model::{Kind, ObjectId, Revision};

use super::Office;
use super::audit_log::Page;
use super::wire::Id;

/// So many pages are read, the newest first, of so many entries: what happens to an account while one write is settled.
const MOST_PAGES: usize = 5;
const MOST_ENTRIES: u32 = 200;
/// How the programs call themselves that send a key with every write. Without one, something on the way took it out.
const OURS: &str = "strowger/";

/// A change that may have been carried out.
pub(super) struct Sought<'a> {
    pub(super) key: &'a str,
    pub(super) kind: Kind,
    /// The object; of a creation, the one that looks as if it made it.
    pub(super) object: Option<&'a ObjectId>,
    /// What another entry has to have replaced to rule this change out.
    pub(super) replaced: Replaced<'a>,
}

/// What was there before a change.
pub(super) enum Replaced<'a> {
    /// No such object.
    Nothing,
    /// The version that the change was held to, if it was held to one.
    Version(Option<&'a Revision>),
}

/// What the log tells.
pub(super) enum Trace {
    /// It was this change, which made this version.
    Own { id: ObjectId, revision: Option<Revision> },
    /// It was another one, so this change was not carried out.
    Other,
    /// Nothing.
    None,
}

#[derive(Deserialize)]
struct Entry {
    object: Named,
    #[serde(default)]
    client: Option<Box<str>>,
    #[serde(default)]
    before: Option<Tagged>,
    #[serde(default)]
    after: Option<Tagged>,
    /// Absent if the account keeps no keys, null if the write had none.
    #[serde(default, deserialize_with = "present")]
    idempotency_key: Option<Option<Box<str>>>,
}

#[derive(Deserialize)]
struct Named {
    kind: Box<str>,
    id: Id,
}

#[derive(Deserialize)]
struct Tagged {
    #[serde(default)]
    etag: Option<Box<str>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Box<str>>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Office {
    /// What the account's log tells of a change.
    pub(super) async fn trace(&self, sought: &Sought<'_>, requests: &AtomicU64) -> Trace {
        let Some(first) = self.entries(None, requests).await else { return Trace::None };
        for cursor in first.cursors.iter().rev().take(MOST_PAGES) {
            let Some(page) = self.entries(Some(cursor), requests).await else { return Trace::None };
            if let Some(trace) = found(&page.items, sought) {
                return trace;
            }
        }
        let is_near = first.cursors.len() < MOST_PAGES;
        let trace = if is_near { found(&first.items, sought) } else { None };
        trace.unwrap_or(Trace::None)
    }

    async fn entries(&self, cursor: Option<&str>, requests: &AtomicU64) -> Option<Page<Entry>> {
        let limit = self.page_limit.load(Ordering::Relaxed).min(MOST_ENTRIES);
        self.log(limit, cursor, requests).await.ok()
    }
}

/// What the newest entry that tells something tells.
fn found(entries: &[Entry], sought: &Sought<'_>) -> Option<Trace> {
    entries.iter().rev().find_map(|entry| {
        if *entry.object.kind != *sought.kind.as_str() {
            return None;
        }
        let key = entry.idempotency_key.as_ref()?.as_deref();
        let tag = |side: &Option<Tagged>| side.as_ref().and_then(|side| side.etag.clone()).map(Revision);
        if key == Some(sought.key) {
            return Some(Trace::Own { id: ObjectId(entry.object.id.0.clone().into()), revision: tag(&entry.after) });
        }
        // Ours, if something on the way took its key out.
        if key.is_none() && entry.client.as_deref().is_some_and(|client| client.starts_with(OURS)) {
            return None;
        }
        let is_object = sought.object.is_some_and(|id| *id.0 == *entry.object.id.0);
        let replaced = match sought.replaced {
            Replaced::Nothing => entry.before.is_none() && entry.after.is_some(),
            Replaced::Version(version) => version.is_some() && tag(&entry.before).as_ref() == version,
        };
        (is_object && replaced).then_some(Trace::Other)
    })
}
