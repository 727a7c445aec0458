//! What a look at the account means: nothing to do, something to tell, or something to correct.

use std::collections::HashSet;
use std::sync::Arc;

use crate::config::Account;
use crate::diag::{Diagnostic, Sources};
use crate::model::{Change, ChangeId, Desired, OnDrift, Reason, Verb};
use crate::plan::{Part, Plan, plan_part};
use crate::providers::FetchedAccount;
use crate::render::{counted, diagnostics, skipped};

use super::super::backoff::Ended;
use super::super::desired_state::Wanted;
use super::super::drift::{excluding, fulfilled, is_drift};
use super::super::flapping::FlappingField;
use super::super::status::{Degraded, State};
use super::super::write_permission::Permit;
use super::Watcher;

/// So many findings are told.
const MOST_FINDINGS: usize = 20;
/// So many guards that hold a plan back are told.
const MOST_GUARDS: usize = 3;
/// So many fields that are fought over are named.
const MOST_CONTESTED: usize = 5;

/// What a look came to.
pub(super) enum Decision {
    /// The account certainly is as it was; so is what it means.
    Unchanged,
    /// It is as the files ask.
    InSync,
    /// It differs, and nothing is written for now.
    Held(Held),
    /// The files do not fit the account.
    Invalid { says: String, findings: Vec<String> },
    /// Nothing is sent to it: its address, or where its token comes from, is new and not accepted.
    Unaccepted(String),
    /// It could not be read or written; later it may.
    Failing(String),
    /// It refuses what the files ask for, and will as long as neither changes.
    Refused { says: String, plan: Arc<Plan> },
    /// It differs, and shall be corrected.
    Act(Box<Work>),
}

/// A difference that is left as it is.
pub(super) struct Held {
    pub(super) state: State,
    /// All that differs.
    pub(super) plan: Arc<Plan>,
    /// Why nothing is written.
    pub(super) says: String,
    /// Of a fight, the fields that are fought over: what it is about.
    pub(super) contested: Vec<FlappingField>,
    /// Whether an approval of the plan would let it be written.
    pub(super) approvable: bool,
}

impl Held {
    pub(super) fn new(state: State, plan: Arc<Plan>, says: String) -> Self {
        Self { state, plan, says, contested: Vec::new(), approvable: false }
    }
}

/// What shall be written.
pub(super) struct Work {
    pub(super) plan: Arc<Plan>,
    /// All that differs, with what is left as it is.
    pub(super) whole: Arc<Plan>,
    /// Of its changes, those that take back what somebody else did.
    pub(super) drift: HashSet<ChangeId>,
}

impl Decision {
    pub(super) fn ended(&self) -> Ended {
        match self {
            Self::Failing(_) | Self::Act(_) => Ended::Transient,
            _ => Ended::Settled,
        }
    }
}

impl Watcher {
    /// What the account, as it was read, means.
    pub(super) fn decide(
        &mut self,
        account: &Arc<Account>,
        wanted: &Wanted,
        permit: &Permit,
        read: &FetchedAccount,
    ) -> Decision {
        self.take_over &= !is_ours(&account.desired, read);
        let (plan, findings) = planned(account, &account.desired, permit, read);
        self.degraded = plan.as_ref().and_then(degraded);
        let Some(plan) = plan else { return invalid(&findings, &wanted.sources) };
        self.deletions.note(&plan);
        if plan.is_empty() {
            self.fulfil(account, &plan);
            self.refused = None;
            return match permit.freeze() {
                // In sync by chance: that nothing would be written must not be forgotten.
                Some((State::Suspended, says)) => {
                    Decision::Held(Held::new(State::Suspended, Arc::new(plan), format!("{says}; in sync")))
                }
                _ => Decision::InSync,
            };
        }
        let plan = Arc::new(plan);
        if let Some((state, says)) = permit.refusal() {
            // Files are no write to the account.
            let drift = self.drift(account, &plan);
            let differ = plan.changes.iter().filter(|change| self.fulfilled.is_none() || drift.contains(&change.id));
            let differ: Vec<&Change> = differ.collect();
            self.adopt(account, wanted, read, &plan, &differ);
            return Decision::Held(Held::new(state, plan, says));
        }
        if let Some((digest, says)) = &self.refused
            && *digest == plan.digest
        {
            return Decision::Refused { says: says.clone(), plan };
        }
        let drift = self.drift(account, &plan);
        let (held, contested) = self.held(account, &plan, &drift);
        if held.is_empty() {
            let verdict = self.guarded(permit, Work { plan: Arc::clone(&plan), whole: plan, drift });
            return self.rested(account, &account.desired, permit, read, verdict);
        }
        let mut says = why_held(&held, &contested, plan.changes.len());
        if self.adopt(account, wanted, read, &plan, &held) {
            says.push_str("; `adopt` does no more than that without `--adopt` or `--adopt-branch`");
        }
        let state = if contested.is_empty() { State::Drifted } else { State::Fighting };
        let rest = excluding(&account.desired, &held);
        drop(held);
        match planned(account, &rest, permit, read).0 {
            Some(rest_plan) if !rest_plan.is_empty() => {
                let drift = self.drift(account, &rest_plan);
                let verdict = self.guarded(permit, Work { plan: Arc::new(rest_plan), whole: plan, drift });
                self.rested(account, &rest, permit, read, verdict)
            }
            Some(rest) => {
                self.fulfil(account, &rest);
                Decision::Held(Held { contested, ..Held::new(state, plan, says) })
            }
            // A number may lead to a group that is called otherwise by now.
            None => {
                let says = format!("{says}; the rest cannot be planned without it");
                Decision::Held(Held { contested, ..Held::new(state, plan, says) })
            }
        }
    }

    /// Remembers that the account is as the files ask, but for what the plan leaves out.
    pub(super) fn fulfil(&mut self, account: &Arc<Account>, plan: &Plan) {
        self.fulfilled = Some(if plan.is_whole() {
            Arc::clone(account)
        } else {
            let before = self.fulfilled.as_ref().map(|before| &before.desired);
            let desired = fulfilled(&account.desired, &plan.skipped, before);
            Arc::new(Account { desired, ..(**account).clone() })
        });
    }

    /// Lets work through, unless a guard or a freeze holds it back and nobody approved it.
    fn guarded(&self, permit: &Permit, work: Work) -> Decision {
        let is_refused = work.plan.is_refused();
        if !work.plan.is_blocked() || (!is_refused && self.handle.approves(&work.plan.digest)) {
            return Decision::Act(Box::new(work));
        }
        let guards = work.plan.blocked.iter().filter(|block| !block.guard.is_freeze());
        let guards = guards.map(|block| block.message.clone());
        let (state, freeze) = permit.freeze().map_or((State::Blocked, None), |(state, says)| (state, Some(says)));
        let says: Vec<String> = freeze.into_iter().chain(guards).take(MOST_GUARDS).collect();
        let approve = format!("; approve {} to let it through", work.plan.digest);
        let says = says.join("; ") + if is_refused { "" } else { &approve };
        // What is approved is what is shown.
        Decision::Held(Held { approvable: !is_refused, ..Held::new(state, work.plan, says) })
    }

    /// Takes out of work for this desired state the deletions that wait. What guards hold back as a whole stays whole,
    /// and so does a plan that was approved.
    fn rested(
        &mut self,
        account: &Account,
        desired: &Desired,
        permit: &Permit,
        read: &FetchedAccount,
        verdict: Decision,
    ) -> Decision {
        let Decision::Act(work) = verdict else { return verdict };
        let time = self.context.options.delete_rest;
        if self.handle.approves(&work.plan.digest) {
            return Decision::Act(work);
        }
        let mut held = self.deletions.waiting(&work.plan, time);
        if held.is_empty() {
            return Decision::Act(work);
        }
        let (count, wait) = (counted(held.len(), "deletion"), if held.len() == 1 { "waits" } else { "wait" });
        let time = humantime::format_duration(time);
        let mut says = format!("{count} {wait} until files and account have stayed as they are for {time}");
        if held.iter().any(|change| change.reason == Reason::Pruned) {
            // A group that goes and one that comes may be one that is renamed, by a line that is not there yet.
            let before = held.len();
            held.extend(work.plan.changes.iter().filter(|change| change.verb == Verb::Create));
            if held.len() > before {
                says.push_str("; so do the groups that are made, which may be the same ones renamed");
            }
        }
        match planned(account, &excluding(desired, &held), permit, read).0 {
            Some(rest) if !rest.is_empty() => {
                let drift = self.drift(account, &rest);
                self.guarded(permit, Work { plan: Arc::new(rest), whole: work.whole, drift })
            }
            Some(_) => Decision::Held(Held::new(State::Drifted, work.whole, says)),
            None => {
                let says = format!("{says}; the rest cannot be planned without them");
                Decision::Held(Held::new(State::Drifted, work.whole, says))
            }
        }
    }

    /// The changes that take back what somebody else did, as far as that is known.
    pub(super) fn drift(&self, account: &Account, plan: &Plan) -> HashSet<ChangeId> {
        let Some(fulfilled) = &self.fulfilled else { return HashSet::new() };
        let drift = plan.changes.iter().filter(|change| is_drift(change, &account.desired, &fulfilled.desired));
        drift.map(|change| change.id).collect()
    }

    /// The changes that are not made, and the fields that are fought over.
    fn held<'p>(
        &mut self,
        account: &Account,
        plan: &'p Plan,
        drift: &HashSet<ChangeId>,
    ) -> (Vec<&'p Change>, Vec<FlappingField>) {
        let at = self.now();
        let policy = &account.desired.policy.watch.drift;
        let (mut held, mut all) = (Vec::new(), Vec::new());
        for change in &plan.changes {
            let is_drift = drift.contains(&change.id);
            let on_drift = policy.of(change.object.kind);
            // Before the account was in sync once, nobody knows who is right.
            let reported = on_drift != OnDrift::Correct && (is_drift || self.fulfilled.is_none());
            let contested = if is_drift { self.fights.flapping(at, change) } else { Vec::new() };
            if reported || !contested.is_empty() {
                held.push(change);
            }
            all.extend(contested);
        }
        (held, all)
    }
}

/// What a plan leaves out, in lines that are safe to show.
fn degraded(plan: &Plan) -> Option<Degraded> {
    let reasons = skipped::list(plan);
    (!plan.is_whole()).then_some(Degraded { objects: plan.skipped.len(), reasons })
}

/// The plan, without invalid declarations if only the account shows that they are.
fn planned(
    account: &Account,
    desired: &Desired,
    permit: &Permit,
    read: &FetchedAccount,
) -> (Option<Plan>, Vec<Diagnostic>) {
    let part = Part { skip_invalid: true, take_over: permit.take_over, ..Part::default() };
    let (plan, mut findings) = plan_part(desired, &read.live, &account.severities, read.requests, &part);
    crate::diag::sort(&mut findings);
    (plan.map(|plan| plan.frozen_by(&permit.frozen)), findings)
}

/// Whether the account is claimed already, so that it can only be taken away again, and not be taken over.
fn is_ours(desired: &Desired, read: &FetchedAccount) -> bool {
    let Some(owner) = &desired.owner else { return false };
    let mut claims = read.live.account.owners.iter().flatten();
    claims.any(|claim| *claim.owner == *owner.as_str() && claim.scope.is_same(&desired.policy.guards.scope))
}

fn invalid(findings: &[Diagnostic], sources: &Sources) -> Decision {
    let lines: Vec<String> =
        diagnostics::plain(findings, sources).lines().take(MOST_FINDINGS).map(str::to_owned).collect();
    let says = format!("the files do not fit the account: {}", lines.first().map_or("", String::as_str));
    Decision::Invalid { says, findings: lines }
}

fn why_held(held: &[&Change], contested: &[FlappingField], all: usize) -> String {
    if contested.is_empty() {
        return format!("{} of {} only reported, as `policy.drift` says", held.len(), counted(all, "change"));
    }
    let mut names: Vec<String> = contested.iter().take(MOST_CONTESTED).map(FlappingField::to_string).collect();
    if contested.len() > MOST_CONTESTED {
        names.push(format!("{} more", contested.len() - MOST_CONTESTED));
    }
    format!("somebody keeps changing {}, so it is not corrected any longer", names.join(", "))
}
