//! The budget of an account, within that of its server: accounts of one host share what the host can take.
//!
//! An account's own budget bounds what it states or shows for itself. When one account meets a 429 or an overload,
//! every account of the same scheme, host and port slows down, because a server limits clients more often than
//! accounts.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use reqwest::Url;

use crate::model::RequestLimits;

use super::rate_limit::{self, Budget};

/// The most requests to one host under way at once, however many accounts it has.
const MOST: usize = 64;

/// The budgets in use, by origin. They go with the last account that has them.
static HOSTS: Mutex<Vec<(String, Weak<Budget>)>> = Mutex::new(Vec::new());

/// The budgets that a request has to pass.
#[derive(Debug)]
pub(super) struct Budgets {
    own: Budget,
    host: Arc<Budget>,
}

/// The right to have one request under way.
#[derive(Debug)]
pub(super) struct RequestPermit<'a> {
    own: rate_limit::RequestPermit<'a>,
    host: rate_limit::RequestPermit<'a>,
}

impl Budgets {
    /// The budgets of an account below `base`.
    pub(super) fn new(base: &Url, limits: RequestLimits) -> Self {
        Self { own: Budget::new(limits), host: host(base.origin().ascii_serialization()) }
    }

    /// Takes over what the account states; that is about this account alone.
    pub(super) fn learn(&self, limits: RequestLimits) {
        self.own.learn(limits);
    }

    /// Waits until a request may start.
    pub(super) async fn turn(&self) -> RequestPermit<'_> {
        // First the account's own: waiting for it must not keep other accounts from the host.
        let own = self.own.turn().await;
        RequestPermit { own, host: self.host.turn().await }
    }

    /// The server asked for less.
    pub(super) fn limited(&self, turn: &RequestPermit<'_>, wait: Duration) {
        self.own.limited(&turn.own, wait);
        self.host.limited(&turn.host, wait);
    }

    /// The server, or a proxy before it, is overloaded.
    pub(super) fn overloaded(&self, turn: &RequestPermit<'_>) {
        self.own.overloaded(&turn.own);
        self.host.overloaded(&turn.host);
    }

    /// A request was served.
    pub(super) fn served(&self) {
        self.own.served();
        self.host.served();
    }
}

fn host(origin: String) -> Arc<Budget> {
    // Poisoning is harmless: the list is only a cache.
    let mut hosts = HOSTS.lock().unwrap_or_else(PoisonError::into_inner);
    hosts.retain(|(_, budget)| budget.strong_count() > 0);
    let known = hosts.iter().find(|(known, _)| *known == origin);
    if let Some(budget) = known.and_then(|(_, budget)| budget.upgrade()) {
        return budget;
    }
    let budget = Arc::new(Budget::new(RequestLimits { per_second: None, concurrent: MOST }));
    hosts.push((origin, Arc::downgrade(&budget)));
    budget
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test asserts by failing")]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn budgets(url: &str) -> Budgets {
        Budgets::new(&url.parse().unwrap(), RequestLimits::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_of_one_account_holds_back_the_others_of_its_host_and_no_other_host() {
        let (one, two) = (budgets("https://pbx.example.org/a/"), budgets("https://PBX.example.org:443/b/"));
        let other = budgets("https://pbx.example.com/");
        let start = Instant::now();
        let turn = one.turn().await;
        one.limited(&turn, Duration::from_secs(3));
        drop(turn);
        other.turn().await;
        assert!(start.elapsed() < Duration::from_secs(1));
        two.turn().await;
        assert!(start.elapsed() >= Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn many_accounts_of_one_host_send_no_more_at_once_than_the_host_gets() {
        let accounts: Vec<Budgets> = (0..100).map(|at| budgets(&format!("https://many.example.org/{at}/"))).collect();
        let mut turns = Vec::new();
        for account in &accounts {
            if let Ok(turn) = tokio::time::timeout(Duration::from_millis(1), account.turn()).await {
                turns.push(turn);
            }
        }
        assert_eq!(turns.len(), MOST);
    }
}
