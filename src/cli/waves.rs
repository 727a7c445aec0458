//! Applies the plans of several accounts: wave by wave, and those of a wave concurrently.
//!
//! The output is grouped by account, in order. A wave begins only when every account of the
//! waves before it, in its fleet, has been applied and verified.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};

use crate::apply::{Recorder, ShutdownSignal};
use crate::config::{Account, InvalidAccount, Wave};
use crate::exit::Exit;
use crate::ledger::{Counts, Summary};
use crate::plan::{Part, Plan};
use crate::providers::Provider;
use crate::render::{counted, names};

use super::account_output::AccountOutput;
use super::console::OutputStream;
use super::execution::{Execution, RunResult, Target, carry_out};
use super::progress;

/// A plan that may be carried out.
pub(super) struct Task<'a> {
    pub(super) account: &'a Account,
    pub(super) provider: &'a dyn Provider,
    pub(super) plan: &'a Plan,
    pub(super) recorder: &'a mut Recorder,
}

/// How the plans are carried out.
pub(super) struct ApplyOptions<'a> {
    /// The part of the files that the plans cover.
    pub(super) part: &'a Part,
    pub(super) target: Target,
    /// The most changes of an account under way at once.
    pub(super) concurrency: usize,
    /// The most accounts at once.
    pub(super) accounts: usize,
    /// Whether the run is over several accounts, so that each line names its account.
    pub(super) several: bool,
    pub(super) stop: &'a ShutdownSignal,
    pub(super) stream: OutputStream,
}

/// An account that is not among the tasks.
pub(super) struct LeftOut {
    pub(super) name: Box<str>,
    pub(super) wave: Wave,
    pub(super) exit: Exit,
}

impl LeftOut {
    /// An account that could not be planned.
    pub(super) fn of(account: &Account, exit: Exit) -> Self {
        Self { name: account.settings.name.clone(), wave: account.wave, exit }
    }

    /// An account whose files have errors.
    pub(super) fn invalid(account: &InvalidAccount) -> Self {
        Self { name: account.name.clone(), wave: account.wave, exit: Exit::Invalid }
    }
}

/// How an account ended.
struct AccountResult {
    name: Box<str>,
    carried: RunResult,
    /// Whether its plan left nothing out.
    whole: bool,
}

/// Carries out the tasks. `lacking` are the accounts that are left out, which count as failures of their waves.
pub(super) async fn apply_all(tasks: Vec<Task<'_>>, lacking: &[LeftOut], applying: &ApplyOptions<'_>) -> Exit {
    let mut failed: BTreeMap<usize, usize> = BTreeMap::new();
    for Wave { fleet, number } in lacking.iter().map(|account| account.wave) {
        failed.entry(fleet).and_modify(|first| *first = number.min(*first)).or_insert(number);
    }
    let mut waves: BTreeMap<usize, Vec<Task<'_>>> = BTreeMap::new();
    for task in tasks {
        waves.entry(task.account.wave.number).or_default().push(task);
    }
    let (mut ended, mut waiting) = (Vec::new(), Vec::new());
    for (number, tasks) in waves {
        let may = |task: &Task<'_>| failed.get(&task.account.wave.fleet).is_none_or(|first| *first >= number);
        let (begun, left): (Vec<_>, Vec<_>) = tasks.into_iter().partition(may);
        waiting.extend(left.iter().map(|task| task.account.settings.name.clone()));
        for (wave, one) in side_by_side(begun, applying).await {
            if one.carried.exit != Exit::Ok || !one.whole {
                failed.entry(wave.fleet).or_insert(number);
            }
            ended.push(one);
        }
    }
    if applying.several {
        applying.stream.say(&total(&ended, &waiting, lacking));
    }
    exit(&ended, &waiting, lacking)
}

async fn side_by_side(tasks: Vec<Task<'_>>, applying: &ApplyOptions<'_>) -> Vec<(Wave, AccountResult)> {
    let changes = tasks.iter().map(|task| task.plan.changes.len()).sum();
    let bar = progress::bar(changes);
    let running = stream::iter(tasks).map(|task| {
        let Task { account, provider, plan, recorder } = task;
        let bar = &bar;
        async move {
            let name = &account.settings.name;
            let output =
                if applying.several { AccountOutput::of(name) } else { AccountOutput::Direct(applying.stream) };
            let ApplyOptions { part, target, concurrency, stop, .. } = *applying;
            let carried = if plan.is_empty() {
                output.say("No changes.");
                RunResult::default()
            } else {
                carry_out(
                    &Execution { account, provider, plan, part, target, concurrency, stop, output: &output, bar },
                    recorder,
                )
                .await
            };
            (account.wave, AccountResult { name: name.clone(), carried, whole: plan.is_whole() }, output.page())
        }
    });
    let mut ended = Vec::new();
    let work = async {
        // In order: the output of an account never precedes that of the one above it.
        let mut running = running.buffered(applying.accounts);
        while let Some((wave, one, page)) = running.next().await {
            bar.suspend(|| applying.stream.write(&page));
            ended.push((wave, one));
        }
    };
    progress::show_after_a_while(&bar, work).await;
    bar.finish_and_clear();
    ended
}

/// How the run ends. If an account has something of its plan and another lacks something, it is partly applied.
fn exit(ended: &[AccountResult], waiting: &[Box<str>], lacking: &[LeftOut]) -> Exit {
    let worst = Exit::of_all(ended.iter().map(|one| one.carried.exit).chain(lacking.iter().map(|one| one.exit)));
    let several = ended.len() + waiting.len() + lacking.len() > 1;
    let touched = ended.iter().any(|one| one.carried.touched);
    if several && touched && worst != Exit::Ok { Exit::Partial } else { worst }
}

/// `Total: 3 accounts: 8 changes applied, 1 unknown (fight)`.
fn total(ended: &[AccountResult], waiting: &[Box<str>], lacking: &[LeftOut]) -> String {
    let applied: u64 = ended.iter().map(|one| one.carried.summary.counts.applied).sum();
    let mut parts = vec![format!("{} applied", counted(usize::try_from(applied).unwrap_or(usize::MAX), "change"))];
    for (position, (_, word)) in Counts::default().others().into_iter().enumerate() {
        let count =
            |one: &AccountResult| one.carried.summary.counts.others().get(position).map_or(0, |(count, _)| *count);
        let with: Vec<&str> = ended.iter().filter(|one| count(one) > 0).map(|one| &*one.name).collect();
        if !with.is_empty() {
            parts.push(format!("{} {word} ({})", ended.iter().map(count).sum::<u64>(), names(&with)));
        }
    }
    let unverified = ended.iter().filter(|one| one.carried.exit != Exit::Ok && is_complete(&one.carried.summary));
    let lists: [(Vec<&str>, &str); 3] = [
        (unverified.map(|one| &*one.name).collect(), "not verified"),
        (waiting.iter().map(|name| &**name).collect(), "not started, because an earlier wave failed"),
        (lacking.iter().map(|one| &*one.name).collect(), "left out"),
    ];
    for (list, words) in lists {
        if !list.is_empty() {
            parts.push(format!("{} {words} ({})", counted(list.len(), "account"), names(&list)));
        }
    }
    let accounts = ended.len() + waiting.len() + lacking.len();
    format!("Total: {}: {}", counted(accounts, "account"), parts.join(", "))
}

fn is_complete(summary: &Summary) -> bool {
    summary.counts.not_applied() == 0
}
