//! `strowger plan`: what would change, and how many API calls it takes. Never writes to an account.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use crate::config::Revision;
use crate::exit::Exit;
use crate::plan::Cause;
use crate::providers::Access;
use crate::render::runbook::Language;
use crate::render::{diagnostics, json};

use super::accept::Accept;
use super::accounts::{self, Against, PlanRequest, PlannedAccount, plan_all};
use super::format::{Format, one_of};
use super::partial::PartArguments;
use super::read_account::runtime;
use super::request_limits::Effort;
use super::show::{budget, show, view};
use super::{console, saved, snapshot_source};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders of files, or folders of such folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Output format
    #[arg(long, default_value = "human", value_parser = one_of(Format::value_variants()))]
    format: Format,
    /// Save the plan to a file, for `apply --plan`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Maximum size of the Markdown in bytes [default: 65536, the limit of a GitHub comment; a job summary may have
    /// 1048576]
    #[arg(long, value_name = "BYTES", value_parser = budget)]
    markdown_budget: Option<usize>,
    /// Plan against a snapshot, without contacting the account or reading its token: a file, or a folder with
    /// `NAME.yaml` for each account NAME
    #[arg(long, value_name = "PATH")]
    snapshot: Option<PathBuf>,
    /// Language of the runbook [default: en]
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Option<Language>,
    /// Exit with 2 if there are changes, with 0 if there are none
    #[arg(long)]
    detailed_exitcode: bool,
    /// Git revision whose policy is enforced in addition to the current one [default: HEAD and its parents]
    #[arg(long, value_name = "REF")]
    base: Option<Revision>,
    #[command(flatten)]
    accept: Accept,
    #[command(flatten)]
    part: PartArguments,
    #[command(flatten)]
    effort: Effort,
}

/// Reads the accounts and shows their plans.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Some(view) = view(arguments.format, arguments.markdown_budget, arguments.lang) else { return Ok(Exit::Usage) };
    let mut loaded = arguments.accept.load(&arguments.paths, arguments.base.as_ref())?;
    let valid = std::mem::take(&mut loaded.accounts);
    let snapshots = arguments.snapshot.as_deref().map(|path| snapshot_source::of(path, &valid)).transpose()?;
    let against = snapshots.as_ref().map_or(Against::Live, Against::Snapshots);
    let part = arguments.part.part(&[], false);
    let request = PlanRequest { against, access: Access::ReadOnly, effort: arguments.effort, part: &part };
    let Some(accounts) = arguments.part.accounts(valid.iter().collect()) else { return Ok(Exit::Usage) };
    let mut results = runtime()?.block_on(plan_all(&accounts, request));
    let (unplanned, exit) = accounts::unplanned(&loaded, &results);
    for one in &mut results {
        loaded.diagnostics.extend(one.take_findings());
    }
    crate::diag::sort(&mut loaded.diagnostics);
    let plans = results.into_iter().filter_map(PlannedAccount::into_plan).collect();
    let paths = arguments.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let findings = diagnostics::json(&loaded.diagnostics, &loaded.sources);
    let report = json::Report::new(paths, plans, unplanned, findings);
    show(&report, &loaded, &view);
    accounts::report(&report.unplanned);
    if let Some(path) = &arguments.out {
        save(path, &report, exit, snapshots.is_some())?;
    }
    let pending = arguments.detailed_exitcode && report.plans.iter().any(|plan| !plan.is_empty());
    let invalid = report.plans.iter().flat_map(|plan| &plan.skipped).any(|one| one.cause == Cause::Invalid);
    let partial = if invalid { Exit::Invalid } else { Exit::Ok };
    Ok(Exit::of_all([exit, partial, if pending { Exit::Pending } else { Exit::Ok }]))
}

/// Saves the plan, unless an account could not be planned: a saved plan must be complete.
fn save(path: &Path, report: &json::Report, exit: Exit, is_snapshot: bool) -> anyhow::Result<()> {
    let shown = path.display();
    if exit != Exit::Ok {
        console::note(&format!("Not saved to {shown}: not every account could be planned."));
        return Ok(());
    }
    saved::save(path, report)?;
    let then = if is_snapshot {
        "It was made from a snapshot and cannot be applied.".to_owned()
    } else {
        format!("Apply it with `strowger apply --plan {shown}`.")
    };
    console::note(&format!("Saved. {then}"));
    Ok(())
}
