//! `strowger validate`: every finding of all files, without any account.

use std::path::PathBuf;

use crate::config;
use crate::diag::has_errors;
use crate::exit::Exit;
use crate::render::{counted, diagnostics, github, json, sarif};
use crate::watch::source::Changes;

use super::console::{self, OutputStream};
use super::format::{Format, one_of};
use super::read_account::runtime;
use super::show::repository;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders of files, or folders of such folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Output format
    #[arg(long, default_value = "human", value_parser = one_of(FORMATS))]
    format: Format,
    /// Check again whenever a file changes, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

/// What findings can look like.
const FORMATS: &[Format] = &[Format::Human, Format::Json, Format::Github, Format::Sarif];

/// Checks the files, once or whenever they change.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    if !arguments.watch {
        return Ok(check(arguments));
    }
    runtime()?.block_on(async {
        // Start watching before the first check, so that no change is missed between the two.
        let mut changes = Changes::of(arguments.paths.clone(), None);
        let mut known = changes.now();
        loop {
            let exit = check(arguments);
            if OutputStream::Out.broken().is_some() {
                return Ok(exit);
            }
            known = changes.next(&known).await;
        }
    })
}

/// Writes what is wrong with the files; invalid if anything is an error.
fn check(arguments: &Arguments) -> Exit {
    let loaded = config::load(&arguments.paths);
    let (findings, sources) = (&loaded.diagnostics, &loaded.sources);
    match arguments.format {
        Format::Json => console::print(&json::text(&diagnostics::json(findings, sources))),
        Format::Github => console::print(&github::findings(findings, sources, &repository())),
        Format::Sarif => console::print(&sarif::findings(findings, sources, &repository())),
        _ => console::findings(OutputStream::Out, findings, sources),
    }
    if matches!(arguments.format, Format::Human | Format::Github) && findings.is_empty() {
        OutputStream::Out.say(&format!("{} valid", counted(loaded.accounts.len(), "account")));
    }
    if has_errors(findings) { Exit::Invalid } else { Exit::Ok }
}
