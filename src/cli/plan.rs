//! `strowger plan`: what would change, and what it costs. Writes nothing, ever.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum as _;

use crate::check::address::Address;
use crate::config::{Account, Revision};
use crate::diag::Diagnostic;
use crate::exit::Exit;
use crate::plan::{Cause, Part, Plan, Size, plan_part};
use crate::providers::{Access, FetchedAccount, Identity, Provider};
use crate::render::{diagnostics, json, markdown};
use crate::text::sanitized;
use crate::watch::identity;

use super::accept::Accept;
use super::accounts::{self, Against, ChangeCheck, Looking, plan_all};
use super::format::{Format, Lang, one_of};
use super::partial::PartArguments;
use super::request_limits::Effort;
use super::show::{View, show};
use super::{clock, console, saved, snapshot_source};

/// The arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders of files, or folders of such folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// What the output looks like
    #[arg(long, default_value = "human", value_parser = one_of(Format::value_variants()))]
    format: Format,
    /// Save the plan, for `apply --plan` to apply exactly it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The most bytes of Markdown: 65536, which a comment on GitHub may have, unless told otherwise; a job's summary
    /// may have 1048576
    #[arg(long, value_name = "BYTES", value_parser = budget)]
    markdown_budget: Option<usize>,
    /// Plan against a snapshot instead of the account, which is not asked, nor is its token: a file, or a folder
    /// with `NAME.yaml` for the account NAME
    #[arg(long, value_name = "PATH")]
    snapshot: Option<PathBuf>,
    /// The language of a runbook: English unless told otherwise
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Option<Lang>,
    /// End with 2 if there are changes, with 0 if there are none
    #[arg(long)]
    detailed_exitcode: bool,
    /// The revision whose guards hold as well; without it, HEAD and its parents
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
    let frozen = arguments.snapshot.as_deref().map(|path| snapshot_source::of(path, &valid)).transpose()?;
    let against = frozen.as_ref().map_or(Against::LiveAccount, Against::SnapshotSource);
    let part = arguments.part.part(&[], false);
    let looking = Looking { against, access: Access::ReadOnly, effort: arguments.effort, part: &part };
    let Some(accounts) = arguments.part.accounts(valid.iter().collect()) else { return Ok(Exit::Usage) };
    let mut looked = runtime()?.block_on(plan_all(&accounts, looking));
    let (unplanned, exit) = accounts::unplanned(&loaded, &looked);
    for one in &mut looked {
        loaded.diagnostics.extend(one.take_findings());
    }
    crate::diag::sort(&mut loaded.diagnostics);
    let plans = looked.into_iter().filter_map(ChangeCheck::into_plan).collect();
    let paths = arguments.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let findings = diagnostics::json(&loaded.diagnostics, &loaded.sources);
    let report = json::Report::new(paths, plans, findings).with_unplanned(unplanned);
    show(&report, &loaded, &view);
    accounts::report(&report.unplanned);
    if let Some(path) = &arguments.out {
        save(path, &report, exit, frozen.is_some())?;
    }
    let pending = arguments.detailed_exitcode && report.plans.iter().any(|plan| !plan.is_empty());
    let invalid = report.plans.iter().flat_map(|plan| &plan.skipped).any(|one| one.cause == Cause::Invalid);
    let partial = if invalid { Exit::Invalid } else { Exit::Ok };
    Ok(Exit::of_all([exit, partial, if pending { Exit::Pending } else { Exit::Ok }]))
}

/// Saves the plan, unless it lacks an account: applied, it would pass for the whole.
fn save(path: &Path, report: &json::Report, exit: Exit, frozen: bool) -> anyhow::Result<()> {
    let shown = path.display();
    if exit != Exit::Ok {
        console::note(&format!("Not saved to {shown}: not every account could be planned."));
        return Ok(());
    }
    saved::save(path, report)?;
    let then = if frozen {
        "It was planned against a snapshot, so nothing applies it.".to_owned()
    } else {
        format!("`strowger apply --plan {shown}` applies exactly this.")
    };
    console::note(&format!("Saved. {then}"));
    Ok(())
}

/// How the plans are shown, unless an option is about another format than the one that was asked for.
pub(super) fn view(format: Format, budget: Option<usize>, lang: Option<Lang>) -> Option<View> {
    let mut misplaced = None;
    if budget.is_some() && format != Format::Markdown {
        misplaced = Some("`--markdown-budget` goes with `--format markdown`");
    }
    if lang.is_some() && format != Format::Runbook {
        misplaced = Some("`--lang` goes with `--format runbook`");
    }
    if let Some(misplaced) = misplaced {
        console::complain(misplaced);
        return None;
    }
    let budget = budget.unwrap_or(markdown::COMMENT);
    Some(View { format, budget, language: lang.unwrap_or_default().into() })
}

/// Less than this leaves no room to say what was cut.
pub(super) fn budget(text: &str) -> Result<usize, String> {
    let bytes: usize = text.parse().map_err(|_| "a whole number of bytes is wanted".to_owned())?;
    if bytes < markdown::LEAST { Err(format!("at least {} bytes are needed", markdown::LEAST)) } else { Ok(bytes) }
}

/// The runtime that talks to accounts. Two threads: this one waits, and the embedded account may be working.
pub(super) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// Reads one account.
pub(super) async fn read(account: &Account, provider: &dyn Provider) -> anyhow::Result<FetchedAccount> {
    let name = &account.settings.name;
    let read = provider.read().await.with_context(|| format!("cannot read the account {}", sanitized(name, 200)))?;
    tracing::info!(account = %name, objects = read.live.objects(), requests = read.requests, "read");
    Ok(read)
}

/// An account as it is, held against its files.
pub(super) struct Fresh {
    /// The plan; nothing if an error keeps all of it from being planned.
    pub(super) plan: Option<Plan>,
    pub(super) findings: Vec<Diagnostic>,
    pub(super) seen: Seen,
}

/// Which live account was read, and how large it is.
pub(super) struct Seen {
    pub(super) identity: Identity<Address>,
    pub(super) size: Size,
}

impl Seen {
    pub(super) fn new(account: &Account, read: &FetchedAccount) -> Self {
        Self { identity: identity(account, read), size: Size::of(&read.live) }
    }
}

/// Reads one account and plans for it.
pub(super) async fn read_and_plan(account: &Account, provider: &dyn Provider, part: &Part) -> anyhow::Result<Fresh> {
    let read = read(account, provider).await?;
    let (plan, findings) = plan_part(&account.desired, &read.live, &account.severities, read.requests, part);
    let plan = plan.map(|plan| clock::now(plan, account));
    Ok(Fresh { plan, findings, seen: Seen::new(account, &read) })
}
