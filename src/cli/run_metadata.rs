//! Who runs what, when, and from which commit, for the ledger.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use crate::apply::{Events, Lock, Recorder};
use crate::config::{self, Account};
use crate::ledger::{Approver, ApproverSource, Commit, Planned, RunId};
use crate::plan::Plan;

/// What the ledger records besides the plan.
#[derive(Default)]
pub(super) struct RunMetadata<'a> {
    pub(super) undoes: Option<&'a RunId>,
    pub(super) events: Option<Arc<Events>>,
    /// The commit of the files, if that is known; without it Git is asked.
    pub(super) commit: Option<Commit>,
}

/// A record of the run that is about to carry out this plan.
pub(super) fn recorder(account: &Account, plan: &Plan, about: RunMetadata<'_>) -> anyhow::Result<Recorder> {
    let RunMetadata { undoes, events, commit: known } = about;
    let run = RunId::new(&now(), fastrand::u32(..))?;
    let planned = Planned {
        // A run without changes leaves no ledger, so the commit is not needed.
        commit: match known {
            None if plan.is_empty() && events.is_none() => None,
            None => config::head(account).map(|(id, dirty)| Commit { id, dirty }),
            known => known,
        },
        actor: actor().and_then(|actor| actor.name),
        undoes: undoes.cloned(),
        ..Planned::of(plan)
    };
    Ok(Recorder::new(run, planned, now, events))
}

/// The account for this process alone, until the lock is dropped, by a file below this folder. A read-only
/// account needs no lock.
pub(super) fn lock(account: &Account, root: &Path) -> anyhow::Result<Option<Lock>> {
    if account.settings.provider.spec().is_read_only {
        return Ok(None);
    }
    let second = humantime::format_rfc3339_seconds(SystemTime::now());
    let holder = format!("process {}, since {second},", std::process::id());
    Ok(Some(Lock::take(root, &account.settings.file_stem(), &holder)?))
}

fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

/// The user according to the pipeline (for a rerun, the one who restarted it), or else to the system.
fn actor() -> Option<Approver> {
    use ApproverSource::{Pipeline, User};
    let names = [
        ("GITHUB_TRIGGERING_ACTOR", Pipeline),
        ("GITHUB_ACTOR", Pipeline),
        ("GITLAB_USER_LOGIN", Pipeline),
        ("USER", User),
        ("USERNAME", User),
    ];
    let mut actors =
        names.into_iter().filter_map(|(name, source)| Some(Approver::new(Some(&std::env::var(name).ok()?), source)));
    actors.find(|actor| actor.name.is_some())
}

/// The approver: the one who is named, else the current user.
pub(super) fn approver(named: Option<&str>) -> Approver {
    match named {
        Some(_) => Approver::new(named, ApproverSource::Option),
        None => actor().unwrap_or_else(|| Approver::new(None, ApproverSource::User)),
    }
}
