//! Server-sent events that keep the status page up to date.
//!
//! An event has the fingerprints and times of the accounts that changed, but not their HTML: the page fetches what it
//! shows. The first event of a connection lists every account, so that a page misses nothing while it is disconnected.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures_util::Stream;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use crate::apply::Urgency;

use super::super::status::AccountStatus;
use super::Shared;
use super::fingerprints::{fingerprint, source_fingerprint};
use super::problem::Problem;

/// The least time between two events of a connection.
const PACE: Duration = Duration::from_millis(250);
/// The interval of heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(15);

#[derive(Debug, Serialize)]
struct Update {
    at: String,
    /// Whether all accounts are listed.
    all: bool,
    /// The fingerprint of the head of the page.
    source: String,
    /// When the files were last read.
    read: Option<String>,
    accounts: Vec<AccountUpdate>,
    removed: Vec<Box<str>>,
}

/// The name, the fingerprint, the last check and the next one.
type AccountUpdate = (Box<str>, String, Option<String>, Option<String>);

struct Follower {
    shared: Arc<Shared>,
    version: watch::Receiver<u64>,
    known: Option<BTreeMap<Box<str>, Arc<AccountStatus>>>,
    /// When the last event was sent.
    sent_at: Instant,
    _permit: OwnedSemaphorePermit,
}

pub(super) async fn events(
    State(shared): State<Arc<Shared>>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let permit = Arc::clone(&shared.followers)
        .try_acquire_owned()
        .map_err(|_| Problem::busy("too many pages are updated live; reload this one by hand"))?;
    let version = shared.setup.status_store.follow();
    let follower = Follower { shared, version, known: None, sent_at: Instant::now(), _permit: permit };
    Ok(Sse::new(futures_util::stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    })))
}

impl Follower {
    /// The next event; `None` once the process stops.
    async fn next(&mut self) -> Option<Event> {
        let stop = self.shared.setup.stop.clone();
        if self.known.is_some() {
            tokio::select! {
                () = stop.until(Urgency::Finish) => return None,
                changed = self.version.changed() => changed.ok()?,
                () = tokio::time::sleep_until(self.sent_at + HEARTBEAT) => {
                    self.sent_at = Instant::now();
                    return Some(Event::default().event("beat").data(self.shared.setup.clock.stamp()));
                }
            }
            tokio::time::sleep_until(self.sent_at + PACE).await;
        }
        self.version.mark_unchanged();
        let update = self.update();
        self.sent_at = Instant::now();
        // Serializing strings cannot fail.
        Some(Event::default().event("state").data(serde_json::to_string(&update).unwrap_or_default()))
    }

    fn update(&mut self) -> Update {
        let source = self.shared.setup.status_store.source();
        let now: BTreeMap<Box<str>, Arc<AccountStatus>> = self
            .shared
            .setup
            .status_store
            .all()
            .into_iter()
            .map(|account| (account.account.clone(), account))
            .collect();
        let before = self.known.take();
        let is_changed = |account: &Arc<AccountStatus>| {
            let before = before.as_ref().and_then(|before| before.get(&account.account));
            before.is_none_or(|before| !Arc::ptr_eq(before, account))
        };
        let changed = now.values().filter(|account| is_changed(account)).map(|account| {
            (account.account.clone(), fingerprint(account), account.last_check.clone(), account.next_check.clone())
        });
        let accounts: Vec<AccountUpdate> = changed.collect();
        let removed = before.iter().flat_map(BTreeMap::keys).filter(|name| !now.contains_key(*name)).cloned().collect();
        self.known = Some(now);
        Update {
            at: self.shared.setup.clock.stamp(),
            all: before.is_none(),
            source: source_fingerprint(&source),
            read: source.last_success.clone(),
            accounts,
            removed,
        }
    }
}
