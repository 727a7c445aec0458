//! Looking whether the account still is what was read, without reading it again.
//!
//! A complete reading leaves a trail: every document that it was made of, with the entity tag that this document had.
//! As long as all of them have these tags, the account is what was read: whatever is new stands in one of these
//! documents, or makes the last page of its list name another one. Only tags and cursors are kept, nothing of the
//! account. Whatever is doubtful counts as a change, which costs a reading and nothing else.

use std::mem::size_of;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use reqwest::Url;

use crate::providers::http::{Answer, Request};
use crate::providers::{ChangeCheck, ReadError};

use super::Office;

/// The most bytes of a trail: several thousand pages. An account with a longer one is read each time.
const MOST_BYTES: usize = 2 << 20;
/// The most bytes of a tag. Those of a digest in hexadecimal are 66.
const MOST_TAG: usize = 256;
/// One more page is asked for at the same time for so many of them: an account of a few pages is served by a single
/// connection, and stops at the first change.
const PAGES_EACH: usize = 16;

/// Where a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The account itself.
    Account,
    /// A page of a list; the first one has no cursor.
    Page { list: &'static str, limit: u32, cursor: Option<Box<str>> },
}

/// A document as it was.
#[derive(Debug)]
pub(super) struct Step {
    source: Source,
    etag: Box<str>,
}

/// All documents of one complete reading.
pub(super) type KnownPages = Arc<[Step]>;

/// A reading under way.
#[derive(Debug, Default)]
pub(super) struct Reading {
    requests: AtomicU64,
    steps: Mutex<Steps>,
}

#[derive(Debug, Default)]
struct Steps {
    known: Vec<Step>,
    bytes: usize,
    /// Whether a document has no tag, or there are too many of them.
    lost: bool,
}

impl Reading {
    /// How many requests were sent for it, repeated ones included.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn counter(&self) -> &AtomicU64 {
        &self.requests
    }

    /// A document was read.
    pub(super) fn add(&self, source: Source, etag: Option<&str>) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(etag) = etag.filter(|etag| is_tag(etag)) else {
            *steps = Steps { lost: true, ..Steps::default() };
            return;
        };
        let cursor = if let Source::Page { cursor: Some(cursor), .. } = &source { cursor.len() } else { 0 };
        steps.bytes += size_of::<Step>() + etag.len() + cursor;
        if steps.bytes > MOST_BYTES {
            *steps = Steps { lost: true, ..Steps::default() };
        }
        if !steps.lost {
            steps.known.push(Step { source, etag: etag.into() });
        }
    }

    /// The lists, each with the tag of its first page.
    pub(super) fn versions(&self) -> Vec<Box<str>> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let lists = steps.known.iter().filter_map(|step| match &step.source {
            Source::Page { list, cursor: None, .. } => Some(format!("{list} {}", step.etag).into()),
            Source::Account | Source::Page { .. } => None,
        });
        lists.collect()
    }

    fn trail(self) -> Option<KnownPages> {
        let steps = self.steps.into_inner().unwrap_or_else(PoisonError::into_inner);
        (!steps.lost).then(|| steps.known.into())
    }
}

impl Office {
    /// The reading is complete: the next look is at what it read.
    pub(super) fn remember(&self, reading: Reading) {
        *self.trail.lock().unwrap_or_else(PoisonError::into_inner) = reading.trail();
    }

    /// Asks for everything that the last complete reading read, under the condition that it is different now.
    pub(super) async fn look_again(&self) -> Result<ChangeCheck, ReadError> {
        let trail = self.trail.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(trail) = trail else { return Ok(ChangeCheck { unchanged: false, requests: 0 }) };
        let requests = AtomicU64::new(0);
        let at_once = trail.len().div_ceil(PAGES_EACH);
        let (mut steps, mut asked, mut all) = (trail.iter(), FuturesUnordered::new(), Ok(true));
        loop {
            // After the first change nothing more is asked. What is under way is waited for: to cut it off would cost
            // its connection.
            while matches!(all, Ok(true)) && asked.len() < at_once {
                let Some(step) = steps.next() else { break };
                asked.push(self.is_still(step, &requests));
            }
            let Some(one) = asked.next().await else { break };
            all = match (all, one) {
                // What is known to be different is different, whatever became of the rest.
                (Ok(false), _) | (_, Ok(false)) => Ok(false),
                (Err(first), _) => Err(first),
                (Ok(true), one) => one,
            };
        }
        let unchanged = all.map_err(|error| self.redact(error))?;
        drop(asked);
        Ok(ChangeCheck { unchanged, requests: requests.into_inner() })
    }

    /// Whether a document still has its tag.
    async fn is_still(&self, step: &Step, requests: &AtomicU64) -> Result<bool, ReadError> {
        let url = self.address(&step.source);
        let call = Request { if_none_match: Some(step.etag.clone()), ..Request::get(url.clone()) };
        let answer = self.answer(&call, requests).await?;
        match (answer.status.as_u16(), &step.source) {
            // A cache may answer 304 for another version than it was asked for.
            (304, _) => Ok(answer.etag.is_none_or(|etag| opaque(&etag) == opaque(&step.etag))),
            // It is another one, or there is no such page any more.
            (200, _) | (400 | 404 | 410 | 422, Source::Page { cursor: Some(_), .. }) => Ok(false),
            _ => Err(self.unexpected_status(&url, &answer)),
        }
    }

    /// The answer to a request for reading, each attempt counted.
    pub(super) async fn answer(&self, call: &Request, requests: &AtomicU64) -> Result<Answer, ReadError> {
        let mut attempts = self.http.attempts();
        let sent = self.http.send(call, &mut attempts).await;
        requests.fetch_add(u64::from(attempts.made), Ordering::Relaxed);
        sent.map_err(|error| self.transport_error(error, attempts.made))
    }

    pub(super) fn address(&self, source: &Source) -> Url {
        let (list, limit, cursor) = match source {
            Source::Account => return self.url(&["account"]),
            Source::Page { list, limit, cursor } => (list, limit.to_string(), cursor),
        };
        let mut url = self.url(&[list]);
        match cursor {
            None => url.query_pairs_mut().append_pair("limit", &limit).append_pair("ranges", "true"),
            Some(cursor) => url.query_pairs_mut().append_pair("limit", &limit).append_pair("cursor", cursor),
        };
        url
    }
}

/// Whether this is one tag, and not the `*` or the list of tags that would fit what was never read.
fn is_tag(text: &str) -> bool {
    let quoted = opaque(text).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    text.len() <= MOST_TAG && quoted.is_some_and(|inner| !inner.contains('"'))
}

/// The tag without the mark of a weak one. Those are as good here: proxies that compress mark what they pass on.
fn opaque(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tag_is_a_tag() {
        for tag in ["\"\"", "\"1\"", "W/\"1\"", "\"a,b\""] {
            assert!(is_tag(tag), "{tag}");
        }
        let long = format!("\"{}\"", "1".repeat(MOST_TAG));
        for other in ["", "*", "1", "\"", "W/", "\"1\", \"2\"", "\"1", &long] {
            assert!(!is_tag(other), "{other}");
        }
    }

    #[test]
    fn a_trail_with_a_gap_or_without_end_is_none() {
        let page = |cursor: &str| Source::Page { list: "numbers", limit: 1, cursor: Some(cursor.into()) };
        let reading = Reading::default();
        reading.add(Source::Account, Some("\"1\""));
        reading.add(page("a"), Some("\"2\""));
        assert_eq!(reading.trail().map(|trail| trail.len()), Some(2));
        let reading = Reading::default();
        reading.add(Source::Account, None);
        reading.add(page("a"), Some("\"2\""));
        assert!(reading.trail().is_none());
        let reading = Reading::default();
        for _ in 0..40_000 {
            reading.add(page("a"), Some("\"2\""));
        }
        assert!(reading.trail().is_none());
    }
}
