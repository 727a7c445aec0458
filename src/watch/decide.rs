//! What to do about an account as it was read: nothing, report a difference, or correct it.
//!
//! [`decide`] does no I/O and reads no clock: it depends on its inputs and on the [`Memory`] of the checks before, which
//! it updates.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Account;
use crate::diag::{Diagnostic, Sources};
use crate::ledger::Approver;
use crate::model::{Change, ChangeId, Desired, OnDrift, Reason, Verb};
use crate::plan::{Digest, Part, Plan, owner_conflict, plan_part};
use crate::providers::FetchedAccount;
use crate::render::{counted, diagnostics, fields, skipped};

use super::adopt::{AdoptionResult, adoption};
use super::backoff::Requeue;
use super::context::Options;
use super::deletion_delay::DeletionDelay;
use super::desired_state::DesiredState;
use super::drift::{excluding, in_sync_part, is_drift};
use super::flapping::{FlapDetector, FlappingField};
use super::status::{AccountState, Degraded};
use super::write_permission::WritePermission;

/// At most so many findings are shown.
const MOST_FINDINGS: usize = 20;
/// At most so many guards are named in a message.
const MOST_GUARDS: usize = 3;
/// At most so many objects are named in a message.
const MOST_OBJECTS: usize = 5;
/// At most so many fields are named in a message.
const MOST_FIELDS: usize = 5;

/// What a decision is made from.
pub(super) struct Inputs<'a> {
    pub(super) account: &'a Arc<Account>,
    pub(super) desired: &'a DesiredState,
    pub(super) permission: &'a WritePermission,
    pub(super) read: &'a FetchedAccount,
    /// The plans that were approved and not applied yet.
    pub(super) approved: &'a BTreeMap<Digest, Approver>,
    /// Whether there is a place for adopted files.
    pub(super) adopts: bool,
    pub(super) deletion_delay: Duration,
    /// Since the epoch.
    pub(super) now: Duration,
}

/// What later checks need to know of the earlier ones.
pub(super) struct Memory {
    pub(super) flap_detector: FlapDetector,
    pub(super) deletions: DeletionDelay,
    /// The files that the account matched when it was last in sync, without what it does not match yet.
    last_in_sync: Option<Arc<Account>>,
    /// What the last plan left out.
    pub(super) degraded: Option<Degraded>,
    /// The plan that the account rejected, and its error.
    pub(super) rejected: Option<(Digest, String)>,
    /// Whether the account may be taken over from other owners. False once that was done, so that the watch does not
    /// take the account back from an owner who takes it over later.
    pub(super) take_over: bool,
}

/// A decision, and the files that would adopt drift, if `policy.drift` asks for that.
pub(super) struct Decided {
    pub(super) decision: Decision,
    pub(super) adoption: Option<AdoptionResult>,
}

pub(super) enum Decision {
    /// Nothing has changed, so the last decision holds.
    Unchanged,
    InSync,
    /// The account differs, and nothing is written for now.
    Uncorrected(Uncorrected),
    /// The files do not fit the account.
    Invalid {
        message: String,
        findings: Vec<String>,
    },
    /// Nothing may be sent to the account, because its address or token source is not accepted.
    AddressRefused(String),
    /// A read or write failed, and may work later.
    Failing(String),
    /// The account rejects the plan, and will until the files or the account change.
    Rejected {
        message: String,
        plan: Arc<Plan>,
    },
    Correct(Box<Work>),
}

/// A difference that is not corrected.
pub(super) struct Uncorrected {
    pub(super) state: AccountState,
    pub(super) plan: Arc<Plan>,
    /// Why nothing is written.
    pub(super) message: String,
    /// In the state `fighting`, the fields in question.
    pub(super) flapping_fields: Vec<FlappingField>,
    /// Whether an approval of the plan would let it be written.
    pub(super) approvable: bool,
}

impl Uncorrected {
    fn new(state: AccountState, plan: Arc<Plan>, message: String) -> Self {
        Self { state, plan, message, flapping_fields: Vec::new(), approvable: false }
    }
}

/// What to write.
pub(super) struct Work {
    pub(super) plan: Arc<Plan>,
    /// The plan with what is not corrected now.
    pub(super) whole: Arc<Plan>,
    /// The changes of `plan` that take back drift.
    pub(super) drift: HashSet<ChangeId>,
}

impl Decision {
    pub(super) fn requeue(&self) -> Requeue {
        match self {
            Self::Failing(_) | Self::Correct(_) => Requeue::WithBackoff,
            _ => Requeue::AtInterval,
        }
    }
}

impl Memory {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            flap_detector: FlapDetector::new(options.fight_limit, options.fight_window),
            deletions: DeletionDelay::default(),
            last_in_sync: None,
            degraded: None,
            rejected: None,
            take_over: options.take_over,
        }
    }

    /// Forgets fights and rejected plans, so that both are tried again.
    pub(super) fn reset(&mut self) {
        self.flap_detector.reset();
        self.rejected = None;
    }

    /// The account matches the files, except what the plan leaves out.
    pub(super) fn record_in_sync(&mut self, account: &Arc<Account>, plan: &Plan) {
        self.last_in_sync = Some(if plan.is_whole() {
            Arc::clone(account)
        } else {
            let before = self.last_in_sync.as_ref().map(|before| &before.desired);
            let desired = in_sync_part(&account.desired, &plan.skipped, before);
            Arc::new(Account { desired, ..(**account).clone() })
        });
    }

    /// The changes that take back drift. None before the account was in sync once: until then, drift and new
    /// configuration cannot be distinguished.
    pub(super) fn drift(&self, account: &Account, plan: &Plan) -> HashSet<ChangeId> {
        let Some(before) = &self.last_in_sync else { return HashSet::new() };
        let drift = plan.changes.iter().filter(|change| is_drift(change, &account.desired, &before.desired));
        drift.map(|change| change.id).collect()
    }
}

pub(super) fn decide(inputs: &Inputs<'_>, memory: &mut Memory) -> Decided {
    let mut adoption = None;
    let decision = decision(inputs, memory, &mut adoption);
    Decided { decision, adoption }
}

fn decision(inputs: &Inputs<'_>, memory: &mut Memory, adoption: &mut Option<AdoptionResult>) -> Decision {
    let Inputs { account, permission, .. } = *inputs;
    memory.take_over &= !is_claimed(&account.desired, inputs.read);
    let (plan, findings) = inputs.plan(&account.desired);
    memory.degraded = plan.as_ref().and_then(degraded);
    let Some(plan) = plan else { return invalid(&findings, &inputs.desired.sources) };
    memory.deletions.record(&plan);
    if plan.is_empty() {
        return in_sync(inputs, memory, plan);
    }
    let plan = Arc::new(plan);
    let drift = memory.drift(account, &plan);
    if let Some((state, message)) = permission.refusal() {
        // Adopting writes files, not to the account, so it is allowed here.
        let changes = plan.changes.iter();
        let changes = changes.filter(|change| memory.last_in_sync.is_none() || drift.contains(&change.id));
        adopt(inputs, &plan, &changes.collect::<Vec<_>>(), adoption);
        let message = format!("{} {message}: {}", counted(plan.changes.len(), "change"), names(&plan));
        return Decision::Uncorrected(Uncorrected::new(state, plan, message));
    }
    if let Some((digest, message)) = &memory.rejected
        && *digest == plan.digest
    {
        return Decision::Rejected { message: message.clone(), plan };
    }
    let (uncorrected, flapping_fields) = uncorrected_changes(inputs, memory, &plan, &drift);
    if uncorrected.is_empty() {
        let decision = check_guards(inputs, Work { plan: Arc::clone(&plan), whole: plan, drift });
        return delay_deletions(inputs, memory, &account.desired, decision);
    }
    let mut message = why_uncorrected(&uncorrected, &flapping_fields, plan.changes.len());
    if adopt(inputs, &plan, &uncorrected, adoption) {
        message.push_str("; `adopt` needs `--adopt` or `--adopt-branch`, so the drift is only reported");
    }
    let state = if flapping_fields.is_empty() { AccountState::Drifted } else { AccountState::Fighting };
    let rest = excluding(&account.desired, &uncorrected);
    drop(uncorrected);
    match inputs.plan(&rest).0 {
        Some(rest_plan) if !rest_plan.is_empty() => {
            let drift = memory.drift(account, &rest_plan);
            let decision = check_guards(inputs, Work { plan: Arc::new(rest_plan), whole: plan, drift });
            return delay_deletions(inputs, memory, &rest, decision);
        }
        Some(rest) => memory.record_in_sync(account, &rest),
        // For instance, a number may lead to a group whose rename is not corrected.
        None => message.push_str("; the other changes cannot be planned without these"),
    }
    Decision::Uncorrected(Uncorrected { flapping_fields, ..Uncorrected::new(state, plan, message) })
}

/// The decision for an account with an empty plan.
fn in_sync(inputs: &Inputs<'_>, memory: &mut Memory, plan: Plan) -> Decision {
    let Inputs { account, permission, read, .. } = *inputs;
    memory.record_in_sync(account, &plan);
    memory.rejected = None;
    if permission.refusal().is_none()
        && let Some(message) = owner_conflict(&account.desired, &read.live.account, permission.take_over)
    {
        return Decision::Uncorrected(Uncorrected::new(AccountState::Blocked, Arc::new(plan), message));
    }
    match permission.freeze() {
        // Shown although the account is in sync, so that a suspension is not forgotten.
        Some((AccountState::Suspended, message)) => Decision::Uncorrected(Uncorrected::new(
            AccountState::Suspended,
            Arc::new(plan),
            format!("{message}; in sync"),
        )),
        _ => Decision::InSync,
    }
}

/// Corrects, unless a guard or a freeze blocks the plan and it is not approved.
fn check_guards(inputs: &Inputs<'_>, work: Work) -> Decision {
    let is_refused = work.plan.is_refused();
    if !work.plan.is_blocked() || (!is_refused && inputs.approved.contains_key(&work.plan.digest)) {
        return Decision::Correct(Box::new(work));
    }
    let guards = work.plan.blocked.iter().filter(|block| !block.guard.is_freeze());
    let guards = guards.map(|block| block.message.clone());
    let freeze = inputs.permission.freeze();
    let (state, freeze) = freeze.map_or((AccountState::Blocked, None), |(state, message)| (state, Some(message)));
    let messages: Vec<String> = freeze.into_iter().chain(guards).take(MOST_GUARDS).collect();
    let approve = format!("; approve {} to apply it", work.plan.digest);
    let message = messages.join("; ") + if is_refused { "" } else { &approve };
    // Shows `plan` and not `whole`, because that is what an approval applies.
    Decision::Uncorrected(Uncorrected { approvable: !is_refused, ..Uncorrected::new(state, work.plan, message) })
}

/// Takes the deletions that must wait out of the work for this desired state. An approved plan is applied as it was
/// approved.
fn delay_deletions(inputs: &Inputs<'_>, memory: &mut Memory, desired: &Desired, decision: Decision) -> Decision {
    let Decision::Correct(work) = decision else { return decision };
    if inputs.approved.contains_key(&work.plan.digest) {
        return Decision::Correct(work);
    }
    let mut delayed = memory.deletions.delayed(&work.plan, inputs.deletion_delay);
    if delayed.is_empty() {
        return Decision::Correct(work);
    }
    let (count, wait) = (counted(delayed.len(), "deletion"), if delayed.len() == 1 { "waits" } else { "wait" });
    let time = humantime::format_duration(inputs.deletion_delay);
    let mut message = format!("{count} {wait} until files and account have not changed for {time}");
    if delayed.iter().any(|change| change.reason == Reason::Pruned) {
        // A group that is pruned and one that is created may be one group whose rename is not declared yet.
        let deletions = delayed.len();
        delayed.extend(work.plan.changes.iter().filter(|change| change.verb == Verb::Create));
        if delayed.len() > deletions {
            message.push_str("; so do new groups, which may be the deleted ones renamed");
        }
    }
    match inputs.plan(&excluding(desired, &delayed)).0 {
        Some(rest) if !rest.is_empty() => {
            let drift = memory.drift(inputs.account, &rest);
            return check_guards(inputs, Work { plan: Arc::new(rest), whole: work.whole, drift });
        }
        Some(_) => {}
        None => message.push_str("; the other changes cannot be planned without them"),
    }
    Decision::Uncorrected(Uncorrected::new(AccountState::Drifted, work.whole, message))
}

/// The changes that are not made, and the fields that flap.
fn uncorrected_changes<'p>(
    inputs: &Inputs<'_>,
    memory: &mut Memory,
    plan: &'p Plan,
    drift: &HashSet<ChangeId>,
) -> (Vec<&'p Change>, Vec<FlappingField>) {
    let policy = &inputs.account.desired.policy.watch.drift;
    let (mut uncorrected, mut flapping_fields) = (Vec::new(), Vec::new());
    for change in &plan.changes {
        let is_drift = drift.contains(&change.id);
        let may_be_drift = is_drift || memory.last_in_sync.is_none();
        let is_reported = may_be_drift && policy.of(change.object.kind) != OnDrift::Correct;
        let flapping = if is_drift { memory.flap_detector.flapping(inputs.now, change) } else { Vec::new() };
        if is_reported || !flapping.is_empty() {
            uncorrected.push(change);
        }
        flapping_fields.extend(flapping);
    }
    (uncorrected, flapping_fields)
}

/// Prepares the files that adopt these changes, where the policy asks for it; true if there is no place for them.
fn adopt(inputs: &Inputs<'_>, plan: &Plan, changes: &[&Change], result: &mut Option<AdoptionResult>) -> bool {
    let policy = &inputs.account.desired.policy.watch.drift;
    let adopts = |change: &&&Change| policy.of(change.object.kind) == OnDrift::Adopt;
    let changes: Vec<&Change> = changes.iter().filter(adopts).copied().collect();
    if changes.is_empty() {
        return false;
    }
    if inputs.adopts {
        let commit = inputs.desired.files.commit.as_deref();
        *result = Some(adoption((inputs.account, commit), &inputs.desired.sources, inputs.read, plan, &changes));
    }
    !inputs.adopts
}

impl Inputs<'_> {
    /// The plan, without declarations that are invalid only because of the account's present state.
    fn plan(&self, desired: &Desired) -> (Option<Plan>, Vec<Diagnostic>) {
        let part = Part { skip_invalid: true, take_over: self.permission.take_over, ..Part::default() };
        let (plan, mut findings) =
            plan_part(desired, &self.read.live, &self.account.severities, self.read.requests, &part);
        crate::diag::sort(&mut findings);
        (plan.map(|plan| plan.frozen_by(&self.permission.frozen)), findings)
    }
}

/// What a plan leaves out, in lines that are safe to show.
fn degraded(plan: &Plan) -> Option<Degraded> {
    let reasons = skipped::list(plan);
    (!plan.is_whole()).then_some(Degraded { objects: plan.skipped.len(), reasons })
}

/// Whether the account has this owner's claim.
fn is_claimed(desired: &Desired, read: &FetchedAccount) -> bool {
    let Some(owner) = &desired.owner else { return false };
    let mut claims = read.live.account.owners.iter().flatten();
    claims.any(|claim| *claim.owner == *owner.as_str() && claim.scope.is_same(&desired.policy.guards.scope))
}

fn invalid(findings: &[Diagnostic], sources: &Sources) -> Decision {
    let lines: Vec<String> =
        diagnostics::plain(findings, sources).lines().take(MOST_FINDINGS).map(str::to_owned).collect();
    let message = format!("the files do not fit the account: {}", lines.first().map_or("", String::as_str));
    Decision::Invalid { message, findings: lines }
}

/// The first objects of a plan.
fn names(plan: &Plan) -> String {
    let mut names: Vec<String> = plan.changes.iter().take(MOST_OBJECTS).map(fields::object).collect();
    if plan.changes.len() > MOST_OBJECTS {
        names.push(format!("{} more", plan.changes.len() - MOST_OBJECTS));
    }
    names.join(", ")
}

fn why_uncorrected(uncorrected: &[&Change], flapping_fields: &[FlappingField], all: usize) -> String {
    if flapping_fields.is_empty() {
        return format!("{} of {} not corrected (`policy.drift`)", uncorrected.len(), counted(all, "change"));
    }
    let mut names: Vec<String> = flapping_fields.iter().take(MOST_FIELDS).map(FlappingField::to_string).collect();
    if flapping_fields.len() > MOST_FIELDS {
        names.push(format!("{} more", flapping_fields.len() - MOST_FIELDS));
    }
    format!("every correction of {} is undone, so it is no longer corrected", names.join(", "))
}

#[cfg(test)]
mod tests;
