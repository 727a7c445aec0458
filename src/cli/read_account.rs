//! Reads an account and plans for it: the step that all commands share.

use std::io;

use anyhow::Context as _;
use jiff::Timestamp;

use crate::check::address::Address;
use crate::config::Account;
use crate::diag::Diagnostic;
use crate::plan::{Part, Plan, Size, plan_part};
use crate::providers::{FetchedAccount, Identity, Provider};
use crate::text::sanitized;
use crate::watch::identity;

/// The runtime that talks to accounts. Two threads: this one waits, and the embedded account may be working.
pub(super) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

pub(super) async fn read(account: &Account, provider: &dyn Provider) -> anyhow::Result<FetchedAccount> {
    let name = &account.settings.name;
    let read = provider.read().await.with_context(|| format!("cannot read the account {}", sanitized(name, 200)))?;
    tracing::info!(account = %name, objects = read.live.objects(), requests = read.requests, "read");
    Ok(read)
}

/// An account compared with its files.
pub(super) struct FreshPlan {
    /// The plan; nothing if an error keeps all of it from being planned.
    pub(super) plan: Option<Plan>,
    pub(super) findings: Vec<Diagnostic>,
    pub(super) seen: LiveIdentity,
}

/// Which live account was read, and how large it is.
pub(super) struct LiveIdentity {
    pub(super) identity: Identity<Address>,
    pub(super) size: Size,
}

impl LiveIdentity {
    pub(super) fn new(account: &Account, read: &FetchedAccount) -> Self {
        Self { identity: identity(account, read), size: Size::of(&read.live) }
    }
}

/// Reads one account and plans for it.
pub(super) async fn read_and_plan(
    account: &Account,
    provider: &dyn Provider,
    part: &Part,
) -> anyhow::Result<FreshPlan> {
    let read = read(account, provider).await?;
    let (plan, findings) = plan_part(&account.desired, &read.live, &account.severities, read.requests, part);
    let plan = plan.map(|plan| plan.frozen_at(&account.desired, Timestamp::now()));
    Ok(FreshPlan { plan, findings, seen: LiveIdentity::new(account, &read) })
}
