//! `strowger plan`: what would change, and what it costs. Writes nothing, ever.

use std::io;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum as _;

use crate::config::{self, Account, Loaded, Revision};
use crate::diag::{Diagnostic, has_errors};
use crate::exit::Exit;
use crate::live::{Provider, Read};
use crate::plan::{self, Plan};
use crate::render::{diagnostics, json, markdown};

use super::effort::Effort;
use super::format::{Format, Lang, one_of};
use super::frozen::Frozen;
use super::show::{View, show};
use super::{console, freeze, frozen, open, progress, saved};

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
    /// The revision whose guards hold as well; without it, HEAD and its first parent
    #[arg(long, value_name = "REF")]
    base: Option<Revision>,
    #[command(flatten)]
    effort: Effort,
}

/// Reads the accounts and shows their plans.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Some(view) = view(arguments.format, arguments.markdown_budget, arguments.lang) else { return Ok(Exit::Usage) };
    let mut loaded = config::load_guarded(&arguments.paths, arguments.base.as_ref())?;
    if has_errors(&loaded.diagnostics) {
        show(&report(arguments, &loaded, Vec::new()), &loaded, &view);
        return Ok(Exit::Invalid);
    }
    let mut plans = Vec::new();
    let accounts = std::mem::take(&mut loaded.accounts);
    let frozen = arguments.snapshot.as_deref().map(|path| frozen::of(path, &accounts)).transpose()?;
    runtime()?.block_on(async {
        for account in &accounts {
            let (plan, found) = look(account, frozen.as_ref(), arguments.effort).await?;
            loaded.diagnostics.extend(found);
            plans.extend(plan);
        }
        anyhow::Ok(())
    })?;
    crate::diag::sort(&mut loaded.diagnostics);
    let report = report(arguments, &loaded, plans);
    show(&report, &loaded, &view);
    if let Some(path) = arguments.out.as_ref().filter(|_| !has_errors(&loaded.diagnostics)) {
        saved::save(path, &report)?;
        let then = match frozen {
            None => format!("`strowger apply --plan {}` applies exactly this.", path.display()),
            Some(_) => "It was planned against a snapshot, so nothing applies it.".to_owned(),
        };
        console::note(&format!("Saved. {then}"));
    }
    let pending = report.plans.iter().any(|plan| !plan.is_empty());
    Ok(match (has_errors(&loaded.diagnostics), pending && arguments.detailed_exitcode) {
        (true, _) => Exit::Invalid,
        (false, true) => Exit::Pending,
        (false, false) => Exit::Ok,
    })
}

/// Plans for one account as it is, or as it was written down.
async fn look(
    account: &Account,
    frozen: Option<&Frozen>,
    effort: Effort,
) -> anyhow::Result<(Option<Plan>, Vec<Diagnostic>)> {
    if let Some(frozen) = frozen {
        return read_and_plan(account, &frozen.of(account)).await;
    }
    let opened = open::open(account, open::Purpose::Look, effort).await?;
    let planned = read_and_plan(account, &*opened.provider).await;
    opened.close().await;
    planned
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
pub(super) async fn read(account: &Account, provider: &dyn Provider) -> anyhow::Result<Read> {
    let name = &account.settings.name;
    let read = progress::during(&format!("reading {name}"), provider.read()).await;
    let read = read.with_context(|| format!("cannot read the account {name}"))?;
    tracing::info!(account = %name, objects = read.live.objects(), requests = read.requests, "read");
    Ok(read)
}

/// Reads one account and plans for it. No plan means that a finding is an error.
pub(super) async fn read_and_plan(
    account: &Account,
    provider: &dyn Provider,
) -> anyhow::Result<(Option<Plan>, Vec<Diagnostic>)> {
    let read = read(account, provider).await?;
    let (plan, findings) = plan::plan(&account.desired, &read.live, &account.severities, read.requests);
    Ok((plan.map(|plan| freeze::now(plan, account)), findings))
}

fn report(arguments: &Arguments, loaded: &Loaded, plans: Vec<Plan>) -> json::Report {
    let paths = arguments.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    json::Report::new(paths, plans, diagnostics::json(&loaded.diagnostics, &loaded.sources))
}
