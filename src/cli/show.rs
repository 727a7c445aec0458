//! Plans and findings in the format that was asked for.

use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::config::Loaded;
use crate::render::json::Report;
use crate::render::repository::Repository;
use crate::render::{github, human, markdown, runbook, sarif};

use super::console;
use super::format::Format;

/// How plans are shown.
pub(super) struct View {
    pub(super) format: Format,
    /// The most bytes of Markdown.
    pub(super) budget: usize,
    /// The language of a runbook.
    pub(super) language: runbook::Language,
}

/// Plans go to stdout. Findings go there too where the format has a place for them, else to stderr, for people.
pub(super) fn show(report: &Report, loaded: &Loaded, view: &View) -> io::Result<()> {
    let (findings, sources) = (&loaded.diagnostics, &loaded.sources);
    let plans = report.plans.as_slice();
    let text = match view.format {
        Format::Json => report.text(),
        Format::Github => github::plans(plans, findings, sources, &repository()),
        Format::Sarif => sarif::plans(plans, findings, sources, &repository()),
        Format::Human | Format::Markdown | Format::Runbook => {
            console::report(loaded, findings)?;
            match view.format {
                Format::Markdown => markdown::plans(plans, view.budget),
                Format::Runbook => runbook::plans(plans, view.language),
                _ => plans.iter().map(|plan| human::plan(plan, console::style())).collect::<Vec<_>>().join("\n"),
            }
        }
    };
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Where the files' repository begins: the next folder upwards that has a `.git`, else the current folder.
pub(super) fn repository() -> Repository {
    let here = std::env::current_dir().unwrap_or_default();
    let root = here.ancestors().find(|folder| folder.join(".git").exists()).map_or(here.clone(), PathBuf::from);
    Repository::new(&here, &root)
}
