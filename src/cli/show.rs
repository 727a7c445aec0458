//! `strowger show`: a plan that was saved, as `plan` would have shown it; and how both show plans and findings.

use std::path::PathBuf;

use anyhow::bail;

use crate::config::Loaded;
use crate::exit::Exit;
use crate::render::json::Report;
use crate::render::repository::Repository;
use crate::render::{failed_accounts, github, human, markdown, review, runbook, sarif};

use super::console;
use super::format::{Format, Lang, one_of};
use super::plan::{budget, view};
use super::saved::Saved;

/// The arguments of `show`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What `plan --out` saved
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    /// Only the plan of this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// What the output looks like
    #[arg(long, default_value = "human", value_parser = one_of(FORMATS))]
    format: Format,
    /// The most bytes of Markdown: 65536, which a comment on GitHub may have, unless told otherwise
    #[arg(long, value_name = "BYTES", value_parser = budget)]
    markdown_budget: Option<usize>,
    /// The language of a runbook: English unless told otherwise
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Option<Lang>,
}

/// What a saved plan can look like. The others are about the lines of files, which it has not.
const FORMATS: &[Format] = &[Format::Human, Format::Json, Format::Markdown, Format::Runbook, Format::Review];

/// Shows a saved plan. Nothing but its file is read.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Some(view) = view(arguments.format, arguments.markdown_budget, arguments.lang) else {
        return Ok(Exit::Usage);
    };
    let mut report = Saved::read(&arguments.plan)?.into_report();
    if let Some(name) = &arguments.account {
        report.plans.retain(|plan| plan.account == *name);
        if report.plans.is_empty() {
            bail!("{} has no plan of the account {}", arguments.plan.display(), crate::text::sanitized(name, 200));
        }
    }
    show(&report, &Loaded::default(), &view);
    Ok(Exit::Ok)
}

/// How plans are shown.
pub(super) struct View {
    pub(super) format: Format,
    /// The most bytes of Markdown.
    pub(super) budget: usize,
    /// The language of a runbook.
    pub(super) language: runbook::Language,
}

/// Plans go to stdout. Findings go there too where the format has a place for them, else to stderr, for people.
pub(super) fn show(report: &Report, loaded: &Loaded, view: &View) {
    let (findings, sources) = (&loaded.diagnostics, &loaded.sources);
    let (plans, unplanned) = (report.plans.as_slice(), report.unplanned.as_slice());
    let text = match view.format {
        Format::Json => report.text(),
        Format::Github => github::plans(plans, unplanned, findings, sources, &repository()),
        Format::Sarif => sarif::plans(plans, unplanned, findings, sources, &repository()),
        Format::Human | Format::Markdown | Format::Runbook | Format::Review => {
            console::report(loaded, findings);
            match view.format {
                Format::Review => review::text(plans),
                Format::Markdown => markdown::report(plans, unplanned, view.budget),
                Format::Runbook => {
                    blocks([runbook::plans(plans, view.language), runbook::unplanned(unplanned, view.language)])
                }
                _ => {
                    let style = console::style();
                    let total = failed_accounts::total(plans, unplanned).map(|total| format!("Total: {total}\n"));
                    // Of a single account stderr says it.
                    let missing = total.as_ref().map(|_| failed_accounts::human(unplanned, style)).unwrap_or_default();
                    let plans = plans.iter().map(|plan| human::plan(plan, style));
                    blocks(plans.chain([missing]).chain(total))
                }
            }
        }
    };
    console::print(&text);
}

/// Texts with an empty line between each two.
fn blocks(blocks: impl IntoIterator<Item = String>) -> String {
    blocks.into_iter().filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Where the files' repository begins: the next folder upwards that has a `.git`, else the current folder.
pub(super) fn repository() -> Repository {
    let here = std::env::current_dir().unwrap_or_default();
    let root = here.ancestors().find(|folder| folder.join(".git").exists()).map_or(here.clone(), PathBuf::from);
    Repository::new(&here, &root)
}
