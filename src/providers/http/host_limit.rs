//! The budget of an account, within that of its server: accounts of one host share what the host can take.
//!
//! An account's own budget bounds what it states or shows for itself. When one account meets a 429 or an overload,
//! every account of the same scheme, host and port slows down, because a server limits clients more often than
//! accounts. Where a vendor states its limits, a 429 is about the account's requests of one class.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use crate::model::RequestLimits;

use super::Request;
use super::budget::{self, Budget};
use super::rate_limit::{ClassPermit, Classes};
use super::shared::Shared;

/// The most requests to one host under way at once, however many accounts it has.
const MOST: usize = 64;

/// The budgets in use, by origin. They go with the last account that has them.
static HOSTS: Shared<String, Budget> = Shared::new();

/// The budgets that a request has to pass.
#[derive(Debug)]
pub(super) struct Budgets {
    classes: Arc<Classes>,
    own: Budget,
    host: Arc<Budget>,
}

/// The right to have one request under way.
#[derive(Debug)]
pub(super) struct RequestPermit<'a> {
    pub(super) class: ClassPermit<'a>,
    own: budget::RequestPermit<'a>,
    host: budget::RequestPermit<'a>,
}

impl Budgets {
    /// The budgets of an account below `base`.
    pub(super) fn new(base: &Url, limits: RequestLimits, classes: Arc<Classes>) -> Self {
        Self { classes, own: Budget::new(limits), host: host(base.origin().ascii_serialization()) }
    }

    /// Takes over what the account states; that is about this account alone.
    pub(super) fn learn(&self, limits: RequestLimits) {
        self.own.learn(limits);
    }

    /// Waits until a request may start; how long its classes stay closed, if that is longer than a request waits.
    pub(super) async fn turn(&self, call: &Request, longest: Duration) -> Result<RequestPermit<'_>, Duration> {
        // In this order, waiting keeps neither other classes from the account nor other accounts from the host.
        let class = self.classes.turn(&call.method, &call.url, longest).await?;
        let own = self.own.turn().await;
        Ok(RequestPermit { class, own, host: self.host.turn().await })
    }

    /// The server asked for less.
    pub(super) fn limited(&self, turn: &RequestPermit<'_>, wait: Duration) {
        if turn.class.has_class() {
            turn.class.close(Some(wait));
            self.own.overloaded(&turn.own);
        } else {
            self.own.limited(&turn.own, wait);
            self.host.limited(&turn.host, wait);
        }
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
    let limits = RequestLimits { per_second: None, concurrent: MOST };
    let Ok(budget) = HOSTS.get(origin, || Ok::<_, Infallible>(Budget::new(limits)));
    budget
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test asserts by failing")]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn budgets(url: &str) -> Budgets {
        let base = url.parse().unwrap();
        Budgets::new(&base, RequestLimits::default(), Classes::shared(&base, [0; 32], &[]))
    }

    async fn turn(budgets: &Budgets) -> RequestPermit<'_> {
        let call = Request::get("https://pbx.example.org/".parse().unwrap());
        budgets.turn(&call, Duration::MAX).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_of_one_account_holds_back_the_others_of_its_host_and_no_other_host() {
        let (one, two) = (budgets("https://pbx.example.org/a/"), budgets("https://PBX.example.org:443/b/"));
        let other = budgets("https://pbx.example.com/");
        let start = Instant::now();
        let held = turn(&one).await;
        one.limited(&held, Duration::from_secs(3));
        drop(held);
        turn(&other).await;
        assert!(start.elapsed() < Duration::from_secs(1));
        turn(&two).await;
        assert!(start.elapsed() >= Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn many_accounts_of_one_host_send_no_more_at_once_than_the_host_gets() {
        let accounts: Vec<Budgets> = (0..100).map(|at| budgets(&format!("https://many.example.org/{at}/"))).collect();
        let mut turns = Vec::new();
        for account in &accounts {
            if let Ok(held) = tokio::time::timeout(Duration::from_millis(1), turn(account)).await {
                turns.push(held);
            }
        }
        assert_eq!(turns.len(), MOST);
    }
}
