//! What changes, as server-sent events for the status page.
//!
//! An event names the accounts whose picture is another one now and the times that moved, and holds nothing of the
//! pictures: the page fetches those that it shows. The first event of a connection names every account, so that
//! nothing is missed while there was none.

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
use super::page::{mark, source_mark};
use super::problem::Problem;

/// The least time between two events of a connection.
const PACE: Duration = Duration::from_millis(250);
/// So often something is said, even if there is nothing to say.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What an event tells.
#[derive(Debug, Serialize)]
struct News {
    /// When.
    at: String,
    /// Whether these are all accounts.
    all: bool,
    /// Stands for what the head of the page shows.
    source: String,
    /// When the files were last read.
    read: Option<String>,
    accounts: Vec<StaleChange>,
    gone: Vec<Box<str>>,
}

/// An account: its name, what stands for its picture, the last look and the next one.
type StaleChange = (Box<str>, String, Option<String>, Option<String>);

struct Follower {
    shared: Arc<Shared>,
    version: watch::Receiver<u64>,
    known: Option<BTreeMap<Box<str>, Arc<AccountStatus>>>,
    /// When the last event was made.
    told: Instant,
    _permit: OwnedSemaphorePermit,
}

/// Everything from now on.
pub(super) async fn events(
    State(shared): State<Arc<Shared>>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let permit = Arc::clone(&shared.followers)
        .try_acquire_owned()
        .map_err(|_| Problem::busy("too many pages are kept up to date; this one has to be reloaded"))?;
    let version = shared.board.follow();
    let follower = Follower { shared, version, known: None, told: Instant::now(), _permit: permit };
    Ok(Sse::new(futures_util::stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    })))
}

impl Follower {
    /// The next event; none once the process stops.
    async fn next(&mut self) -> Option<Event> {
        let stop = self.shared.stop.clone();
        if self.known.is_some() {
            tokio::select! {
                () = stop.until(Urgency::Finish) => return None,
                changed = self.version.changed() => changed.ok()?,
                () = tokio::time::sleep_until(self.told + HEARTBEAT) => {
                    self.told = Instant::now();
                    return Some(Event::default().event("beat").data(self.shared.clock.stamp()));
                }
            }
            tokio::time::sleep_until(self.told + PACE).await;
        }
        self.version.mark_unchanged();
        let news = self.news();
        self.told = Instant::now();
        // Texts and lists of texts can always be written.
        Some(Event::default().event("state").data(serde_json::to_string(&news).unwrap_or_default()))
    }

    fn news(&mut self) -> News {
        let source = self.shared.board.source();
        let now: BTreeMap<Box<str>, Arc<AccountStatus>> =
            self.shared.board.all().into_iter().map(|account| (account.account.clone(), account)).collect();
        let before = self.known.take();
        let is_news = |account: &Arc<AccountStatus>| {
            let before = before.as_ref().and_then(|before| before.get(&account.account));
            before.is_none_or(|before| !Arc::ptr_eq(before, account))
        };
        let moved = now.values().filter(|account| is_news(account)).map(|account| {
            (account.account.clone(), mark(account), account.last_look.clone(), account.next_look.clone())
        });
        let accounts: Vec<StaleChange> = moved.collect();
        let gone = before.iter().flat_map(BTreeMap::keys).filter(|name| !now.contains_key(*name)).cloned().collect();
        self.known = Some(now);
        News {
            at: self.shared.clock.stamp(),
            all: before.is_none(),
            source: source_mark(&source),
            read: source.last_success.clone(),
            accounts,
            gone,
        }
    }
}
