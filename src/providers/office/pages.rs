//! Reading a list to its end: one request for each page, pages concurrently where the server tells their
//! starts, and never without end.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::stream::{FuturesUnordered, TryStreamExt};

use crate::model::Unreadable;
use crate::providers::ReadError;
use crate::providers::http::Request;
use crate::text::sanitized;

use super::Office;
use super::change_check::{Reading, Source};
use super::convert::{Item, Malformed};
use super::wire::Page;

/// More pages than any account fills, however small its pages are.
const MOST_PAGES: usize = 20_000;
/// More objects than any account has; a snapshot may have as many.
const MOST_OBJECTS: usize = 2_500_000;
/// Pages that are less than half full although another follows, before the list counts as endless.
const MOST_SHORT: usize = 200;
/// The most bytes of all pages of a list: four times a million numbers.
const MOST_BYTES: usize = 1 << 30;
/// Empty pages in a row, each promising another one, before the list counts as endless.
const MOST_EMPTY: usize = 8;

impl From<Malformed> for ReadError {
    fn from(Malformed { what, why }: Malformed) -> Self {
        Self::Malformed { what, why }
    }
}

/// One list while it is read.
struct Listing<'a> {
    office: &'a Office,
    name: &'static str,
    limit: u32,
    pages: AtomicUsize,
    short: AtomicUsize,
    objects: AtomicUsize,
    bytes: AtomicUsize,
    reading: &'a Reading,
}

impl Office {
    /// Everything in a list, in no particular order; first what can be read.
    pub(super) async fn list<T: Item>(
        &self,
        name: &'static str,
        reading: &Reading,
    ) -> Result<(Vec<T::Live>, Vec<Unreadable>), ReadError> {
        let limit = self.page_limit.load(Ordering::Relaxed);
        let listing = Listing {
            office: self,
            name,
            limit,
            pages: AtomicUsize::new(0),
            short: AtomicUsize::new(0),
            objects: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            reading,
        };
        let first = listing.page::<T>(None).await?;
        let starts = first.cursors.unwrap_or_default();
        if starts.len() > MOST_PAGES {
            return Err(listing.malformed("it announces more pages than any account fills"));
        }
        let mut items = Items::default();
        items.extend(first.items);
        let chains: FuturesUnordered<_> = first
            .next
            .filter(|next| !starts.contains(next))
            .into_iter()
            .chain(starts)
            .map(|start| listing.chain::<T>(start))
            .collect();
        for more in chains.try_collect::<Vec<_>>().await? {
            items.live.extend(more.live);
            items.unreadable.extend(more.unreadable);
        }
        for one in &mut items.unreadable {
            self.redact_unreadable(one);
        }
        Ok((items.live, items.unreadable))
    }

    /// A value that makes no sense may be the token.
    fn redact_unreadable(&self, one: &mut Unreadable) {
        one.name = self.http.redacted(&one.name).into();
        one.why = self.http.redacted(&one.why).into();
    }
}

/// The items of some pages.
struct Items<T: Item> {
    live: Vec<T::Live>,
    unreadable: Vec<Unreadable>,
}

impl<T: Item> Default for Items<T> {
    fn default() -> Self {
        Self { live: Vec::new(), unreadable: Vec::new() }
    }
}

impl<T: Item> Items<T> {
    fn extend(&mut self, items: Vec<T>) {
        for item in items {
            match item.live() {
                Ok(live) => self.live.push(live),
                Err(unreadable) => self.unreadable.push(*unreadable),
            }
        }
    }
}

impl Listing<'_> {
    /// The page at a cursor and all that follow it.
    async fn chain<T: Item>(&self, start: String) -> Result<Items<T>, ReadError> {
        let mut items = Items::default();
        let mut seen = HashSet::new();
        let mut empty = 0;
        let mut at = Some(start);
        while let Some(cursor) = at {
            let page = self.page::<T>(Some(&cursor)).await?;
            empty = if page.items.is_empty() { empty + 1 } else { 0 };
            items.extend(page.items);
            seen.insert(cursor);
            at = page.next;
            if at.as_ref().is_some_and(|next| seen.contains(next)) {
                return Err(self.malformed("its pages go round in a circle"));
            }
            if empty > MOST_EMPTY {
                return Err(self.malformed("it has no end"));
            }
        }
        Ok(items)
    }

    async fn page<T: Item>(&self, cursor: Option<&str>) -> Result<Page<T>, ReadError> {
        if self.pages.fetch_add(1, Ordering::Relaxed) >= MOST_PAGES {
            return Err(self.malformed("it has no end"));
        }
        let source = Source::Page { list: self.name, limit: self.limit, cursor: cursor.map(Into::into) };
        let body = self.office.get(source, self.reading).await?;
        if self.bytes.fetch_add(body.len(), Ordering::Relaxed) >= MOST_BYTES {
            return Err(self.malformed("it has no end"));
        }
        let page: Page<T> = serde_json::from_slice(&body).map_err(|error| self.culprit::<T>(&body, &error))?;
        self.bounded(page.items.len(), page.next.is_some())?;
        Ok(page)
    }

    /// Every list has an end, whatever its server says.
    fn bounded(&self, items: usize, goes_on: bool) -> Result<(), ReadError> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if items > limit {
            return Err(self.malformed(&format!("a page has {items} objects, and {limit} were asked for")));
        }
        let short = goes_on && items.saturating_mul(2) < limit;
        let endless = self.objects.fetch_add(items, Ordering::Relaxed) + items > MOST_OBJECTS
            || (short && self.short.fetch_add(1, Ordering::Relaxed) >= MOST_SHORT);
        if endless { Err(self.malformed("it has no end")) } else { Ok(()) }
    }

    /// Reads a page that is not as it should be once more, item by item, to name the one at fault.
    fn culprit<T: Item>(&self, body: &[u8], error: &serde_json::Error) -> ReadError {
        let items = serde_json::from_slice::<Page<serde_json::Value>>(body).map(|page| page.items);
        for item in items.unwrap_or_default() {
            if let Err(why) = T::deserialize(&item) {
                let id = item.get("id").map(ToString::to_string).unwrap_or_default();
                let what = format!("an item of {} with the id {}", self.name, sanitized(&id, 80));
                return ReadError::Malformed { what, why: sanitized(&why.to_string(), 200) };
            }
        }
        let why = sanitized(&error.to_string(), 200);
        ReadError::Malformed { what: format!("the list of {}", self.name), why }
    }

    fn malformed(&self, why: &str) -> ReadError {
        ReadError::Malformed { what: format!("the list of {}", self.name), why: why.to_owned() }
    }
}

impl Office {
    /// The body of a successful answer, which becomes a part of the reading.
    pub(super) async fn get(&self, source: Source, reading: &Reading) -> Result<Vec<u8>, ReadError> {
        let url = self.address(&source);
        let answer = self.answer(&Request::get(url.clone()), reading.counter()).await?;
        if answer.status.as_u16() != 200 {
            return Err(self.unexpected_status(&url, &answer));
        }
        reading.add(source, answer.etag.as_deref());
        match answer.media {
            Some(media) if !is_json(&media) => Err(ReadError::WrongServer {
                host: self.host(),
                why: format!("GET {} answers {}, not JSON", sanitized(url.path(), 100), sanitized(&media, 80)),
            }),
            _ => Ok(answer.body),
        }
    }
}

/// Whether a body of this type can be JSON. Servers that say nothing in particular are given the chance.
fn is_json(media: &str) -> bool {
    let media = media.to_ascii_lowercase();
    media.ends_with("json") || ["application/octet-stream", "text/plain", ""].contains(&&*media)
}
