//! Many accounts: opened, read and planned side by side.
//!
//! Accounts do not affect each other: each ends in its own [`Planned`], in the order of the
//! files, however long each takes. At most [`Effort::accounts`] accounts are being read at once, so that memory and
//! connections are bounded.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

use crate::apply::Lock;
use crate::check::address::Address;
use crate::config::{Account, InvalidAccount, Loaded};
use crate::diag::{Diagnostic, has_errors};
use crate::exit::Exit;
use crate::plan::{Part, Plan, Sharing, cap_together, revalidate, unapplied_objects};
use crate::providers::{Access, Identity, Opened, Provider};
use crate::render::failed_accounts::{Reason, Unplanned};
use crate::render::stale;
use crate::text::sanitized;

use super::accept::Unaccepted;
use super::open::open;
use super::progress::Reading;
use super::read_account::{FreshPlan, LiveIdentity, read, read_and_plan};
use super::request_limits::Effort;
use super::saved::Saved;
use super::snapshot_source::SnapshotSource;
use super::{console, progress, run_metadata};

/// What became of one account.
pub(super) enum Planned {
    /// It has a plan. Errors among the findings are about what the plan leaves out.
    Ready(Box<Plan>, Vec<Diagnostic>),
    /// The files do not fit the account.
    Invalid(Vec<Diagnostic>),
    /// It could not be locked, opened or read.
    Failed(anyhow::Error),
    /// Something has to be accepted before anything is sent; in words.
    NotAccepted(String),
    /// Its saved plan has been applied already.
    Applied(Box<Plan>),
    /// Its saved plan no longer holds; in lines for people.
    Stale(String),
}

/// One account, and what became of it.
pub(super) struct PlannedAccount<'a> {
    pub(super) account: &'a Account,
    pub(super) planned: Planned,
    /// Which live account it is, if it was read.
    seen: Option<LiveIdentity>,
    /// The way to the account, if it could be opened and is to be written to.
    pub(super) open: Option<Open>,
}

/// An account that is open, for this process alone.
pub(super) struct Open {
    pub(super) opened: Opened,
    /// Held until the end.
    pub(super) lock: Option<Lock>,
}

/// What the accounts are planned against.
#[derive(Clone, Copy)]
pub(super) enum Against<'a> {
    /// The accounts as they are.
    Live,
    /// Snapshots of them.
    Snapshots(&'a SnapshotSource),
    /// The accounts as they are, which must still be those of a saved plan.
    Saved(&'a Saved),
}

/// What to plan, and how.
#[derive(Clone, Copy)]
pub(super) struct PlanRequest<'a> {
    pub(super) against: Against<'a>,
    /// What the accounts are opened for; those that are to be written to are locked, and stay open.
    pub(super) access: Access,
    pub(super) effort: Effort,
    /// Which part of what the files ask for is planned.
    pub(super) part: &'a Part,
}

/// Reads and plans all accounts; the results are in the order of the accounts.
pub(super) async fn plan_all<'a>(accounts: &[&'a Account], request: PlanRequest<'_>) -> Vec<PlannedAccount<'a>> {
    let names = accounts.iter().map(|account| &*account.settings.name).collect();
    let reading = Reading::new(names);
    let work = stream::iter(accounts.iter().copied().enumerate())
        .map(|(at, account)| {
            let reading = &reading;
            async move {
                let results = plan_one(account, request).await;
                reading.done(at);
                (at, results)
            }
        })
        // Not in order: one slow account would keep the next ones from beginning.
        .buffer_unordered(request.effort.accounts())
        .collect::<Vec<_>>();
    let mut results: Vec<_> = progress::show_after_a_while(&reading.bar, work).await;
    reading.bar.finish_and_clear();
    results.sort_unstable_by_key(|(at, _)| *at);
    let mut results: Vec<_> = results.into_iter().map(|(_, results)| results).collect();
    if !matches!(request.against, Against::Snapshots(_)) {
        refuse_twice(&mut results).await;
        cap_shared(&mut results);
    }
    results
}

/// Counts the changes of the accounts that share a live account together, so that no cap is evaded by spreading them.
fn cap_shared(results: &mut [PlannedAccount<'_>]) {
    let mut groups: Vec<(&Identity<Address>, Vec<Sharing<'_>>)> = Vec::new();
    for PlannedAccount { account, planned, seen, .. } in results {
        let (Planned::Ready(plan, _), Some(LiveIdentity { identity, size })) = (planned, seen) else { continue };
        let share = Sharing { plan, desired: &account.desired, size: *size };
        match groups.iter_mut().find(|(first, _)| first.is_same(identity)) {
            Some((_, shares)) => shares.push(share),
            None => groups.push((identity, vec![share])),
        }
    }
    for (_, mut shares) in groups {
        cap_together(&mut shares);
    }
}

/// Refuses the accounts that are one live account, unless what they own is apart: each would undo what the other does.
async fn refuse_twice(results: &mut [PlannedAccount<'_>]) {
    let mut found: BTreeMap<usize, Vec<Diagnostic>> = BTreeMap::new();
    for (at, one) in results.iter().enumerate() {
        let Some(LiveIdentity { identity, .. }) = &one.seen else { continue };
        let same = |first: &(usize, &PlannedAccount<'_>)| {
            first.1.seen.as_ref().is_some_and(|first| first.identity.is_same(identity))
                && !first.1.account.scope().is_disjoint(one.account.scope())
        };
        for (first, other) in results.iter().enumerate().take(at).filter(same) {
            let what = format!("one live account, `{}`", sanitized(identity.account(), 100));
            found.entry(at).or_default().push(one.account.same_as(other.account, &what));
            found.entry(first).or_default();
        }
    }
    for (at, findings) in found {
        let Some(one) = results.get_mut(at) else { continue };
        let mut all = one.take_findings();
        all.extend(findings);
        one.planned = Planned::Invalid(all);
        if let Some(Open { opened, .. }) = one.open.take() {
            opened.close().await;
        }
    }
}

async fn plan_one<'a>(account: &'a Account, request: PlanRequest<'_>) -> PlannedAccount<'a> {
    if let Against::Snapshots(snapshots) = request.against {
        let (planned, seen) = planned(account, request, &snapshots.of(account)).await;
        return PlannedAccount { account, planned, seen, open: None };
    }
    let writes = request.access == Access::Write;
    let opened = async {
        let lock = if writes { run_metadata::lock(account, &account.root)? } else { None };
        anyhow::Ok(Open { opened: open(account, request.access, request.effort).await?, lock })
    };
    let named = || format!("cannot open the account {}", sanitized(&account.settings.name, 200));
    let open = match opened.await.with_context(named) {
        Ok(open) => open,
        Err(error) => {
            let held = error.downcast_ref::<Unaccepted>().map(ToString::to_string);
            let planned = held.map_or_else(|| Planned::Failed(error), Planned::NotAccepted);
            return PlannedAccount { account, planned, seen: None, open: None };
        }
    };
    let (planned, seen) = planned(account, request, &*open.opened.provider).await;
    if writes && matches!(planned, Planned::Ready(..)) {
        return PlannedAccount { account, planned, seen, open: Some(open) };
    }
    open.opened.close().await;
    PlannedAccount { account, planned, seen, open: None }
}

async fn planned(
    account: &Account,
    request: PlanRequest<'_>,
    provider: &dyn Provider,
) -> (Planned, Option<LiveIdentity>) {
    if let Against::Saved(saved) = request.against {
        return match revalidated(saved, account, provider, request.part.take_over).await {
            Ok((planned, seen)) => (planned, Some(seen)),
            Err(error) => (Planned::Failed(error), None),
        };
    }
    match read_and_plan(account, provider, request.part).await {
        Ok(FreshPlan { plan: Some(plan), findings, seen }) => (Planned::Ready(Box::new(plan), findings), Some(seen)),
        Ok(FreshPlan { plan: None, findings, seen }) => (Planned::Invalid(findings), Some(seen)),
        Err(error) => (Planned::Failed(error), None),
    }
}

/// Reads the account and compares its saved plan with it.
async fn revalidated(
    saved: &Saved,
    account: &Account,
    provider: &dyn Provider,
    take_over: bool,
) -> anyhow::Result<(Planned, LiveIdentity)> {
    let name = &account.settings.name;
    let plan = saved.of(account).with_context(|| format!("{name} has no saved plan"))?;
    let read = read(account, provider).await?;
    let live = &read.live;
    if *plan.account_id != *live.account.id {
        bail!(
            "the plan is for the account with the id {}, and {name} has the id {}: they are different accounts",
            sanitized(&plan.account_id, 200),
            sanitized(&live.account.id, 200)
        );
    }
    let planned = match revalidate(plan.clone(), &account.desired, live) {
        Ok(mut plan) => {
            // Windows have opened or closed since, and owners may have come and gone.
            plan.claim(&account.desired, &live.account, take_over);
            Planned::Ready(Box::new(plan.frozen_at(&account.desired, Timestamp::now())), Vec::new())
        }
        // No guard blocks it, because nothing is written.
        Err(_) if unapplied_objects(plan, live).is_empty() => {
            Planned::Applied(Box::new(Plan { blocked: Vec::new(), ..plan.clone() }))
        }
        Err(changes) => {
            let title = format!("The plan of {} is stale; nothing was written:\n", sanitized(name, 200));
            Planned::Stale(title + &stale::human(&changes))
        }
    };
    Ok((planned, LiveIdentity::new(account, &read)))
}

impl Planned {
    /// How a command ends that finds this.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Ready(..) | Self::Applied(_) => Exit::Ok,
            Self::Invalid(_) => Exit::Invalid,
            Self::Failed(_) => Exit::Failure,
            Self::NotAccepted(_) => Exit::Blocked,
            Self::Stale(_) => Exit::Stale,
        }
    }
}

impl PlannedAccount<'_> {
    /// The findings that are not shown yet.
    pub(super) fn take_findings(&mut self) -> Vec<Diagnostic> {
        match &mut self.planned {
            Planned::Ready(_, findings) | Planned::Invalid(findings) => std::mem::take(findings),
            Planned::Failed(_) | Planned::NotAccepted(_) | Planned::Applied(_) | Planned::Stale(_) => Vec::new(),
        }
    }

    /// The plan, if there is one.
    pub(super) fn into_plan(self) -> Option<Plan> {
        if let Planned::Ready(plan, _) = self.planned { Some(*plan) } else { None }
    }

    /// Why the account has no plan; nothing if it has one, also one that is stale.
    pub(super) fn unplanned(&self, loaded: &Loaded) -> Option<Unplanned> {
        let (reason, message) = match &self.planned {
            Planned::Ready(..) | Planned::Applied(_) | Planned::Stale(_) => return None,
            Planned::Invalid(_) => (Reason::Invalid, "its files do not fit the account".to_owned()),
            Planned::Failed(error) => (Reason::Unreadable, sanitized(&format!("{error:#}"), 4000)),
            Planned::NotAccepted(why) => (Reason::Held, why.clone()),
        };
        let settings = &self.account.settings;
        let place = Some(loaded.sources.place(settings.name_span));
        Some(Unplanned { account: settings.name.to_string(), reason, message, place })
    }
}

/// The accounts without a plan, in the order of the files, and how a command ends that leaves it at that.
pub(super) fn unplanned(loaded: &Loaded, results: &[PlannedAccount<'_>]) -> (Vec<Unplanned>, Exit) {
    let mut list: Vec<(usize, Unplanned)> = loaded
        .invalid
        .iter()
        .map(|InvalidAccount { name, order, .. }| {
            let message = "its files have errors".to_owned();
            let account = name.to_string();
            (*order, Unplanned { account, reason: Reason::Invalid, message, place: None })
        })
        .collect();
    list.extend(results.iter().filter_map(|one| Some((one.account.order, one.unplanned(loaded)?))));
    list.sort_by_key(|(order, _)| *order);
    let files = if loaded.invalid.is_empty() && !has_errors(&loaded.diagnostics) { Exit::Ok } else { Exit::Invalid };
    let exit = Exit::of_all(results.iter().map(|one| one.planned.exit()).chain([files]));
    (list.into_iter().map(|(_, one)| one).collect(), exit)
}

/// Says on stderr what no format of findings has: which accounts have no plan, and why.
pub(super) fn report(unplanned: &[Unplanned]) {
    for one in unplanned {
        let line = match one.reason {
            // Names the account itself.
            Reason::Unreadable => sanitized(&one.message, 4000),
            Reason::Invalid | Reason::Held => one.line(),
        };
        console::complain(&line);
    }
}
