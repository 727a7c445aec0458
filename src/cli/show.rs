//! `strowger show`: shows a saved plan as `plan` would have; and the output of plans and findings for both.

use std::path::PathBuf;

use anyhow::bail;

use crate::config::Loaded;
use crate::exit::Exit;
use crate::render::json::{self, Report};
use crate::render::repository::Repository;
use crate::render::runbook::Language;
use crate::render::{failed_accounts, github, human, markdown, review, runbook, sarif};

use super::console;
use super::format::{Format, one_of};
use super::saved::Saved;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Saved plan, as written by `plan --out`
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    /// Show only the plan of this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Output format
    #[arg(long, default_value = "human", value_parser = one_of(FORMATS))]
    format: Format,
    /// Maximum size of the Markdown in bytes [default: 65536, the limit of a GitHub comment]
    #[arg(long, value_name = "BYTES", value_parser = budget)]
    markdown_budget: Option<usize>,
    /// Language of the runbook [default: en]
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Option<Language>,
}

/// The formats for a saved plan. The others need the lines of files, which it does not have.
const FORMATS: &[Format] = &[Format::Human, Format::Json, Format::Markdown, Format::Runbook, Format::Review];

/// Shows a saved plan. Nothing but its file is read.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Some(view) = view(arguments.format, arguments.markdown_budget, arguments.lang) else {
        return Ok(Exit::Usage);
    };
    let mut report = Saved::read(&arguments.plan)?.report;
    if let Some(name) = &arguments.account {
        report.plans.retain(|plan| plan.account == *name);
        if report.plans.is_empty() {
            bail!("{} has no plan of the account {}", arguments.plan.display(), crate::text::sanitized(name, 200));
        }
    }
    show(&report, &Loaded::default(), &view);
    Ok(Exit::Ok)
}

/// How to show plans.
pub(super) struct View {
    pub(super) format: Format,
    /// The most bytes of Markdown.
    pub(super) budget: usize,
    pub(super) language: Language,
}

/// How the plans are shown, unless an option is about another format than the one that was asked for.
pub(super) fn view(format: Format, budget: Option<usize>, lang: Option<Language>) -> Option<View> {
    let mut misplaced = None;
    if budget.is_some() && format != Format::Markdown {
        misplaced = Some("`--markdown-budget` requires `--format markdown`");
    }
    if lang.is_some() && format != Format::Runbook {
        misplaced = Some("`--lang` requires `--format runbook`");
    }
    if let Some(misplaced) = misplaced {
        console::complain(misplaced);
        return None;
    }
    let budget = budget.unwrap_or(markdown::COMMENT);
    Some(View { format, budget, language: lang.unwrap_or_default() })
}

/// Less than this leaves no room to say what was cut.
pub(super) fn budget(text: &str) -> Result<usize, String> {
    let bytes: usize = text.parse().map_err(|_| "expected a whole number of bytes".to_owned())?;
    if bytes < markdown::LEAST { Err(format!("must be at least {}", markdown::LEAST)) } else { Ok(bytes) }
}

/// Plans go to stdout. Findings go there too where the format has a place for them, else to stderr, for people.
pub(super) fn show(report: &Report, loaded: &Loaded, view: &View) {
    let (findings, sources) = (&loaded.diagnostics, &loaded.sources);
    let (plans, unplanned) = (report.plans.as_slice(), report.unplanned.as_slice());
    let text = match view.format {
        Format::Json => json::text(report),
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
