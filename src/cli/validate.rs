//! `strowger validate`: every finding of all files, without any account.

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use crate::config;
use crate::diag::has_errors;
use crate::exit::Exit;
use crate::render::diagnostics;

use super::console;

/// The arguments of `validate`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders of files, or folders of such folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// What the output looks like
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What findings look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people: with excerpts on a terminal, one line each elsewhere
    #[default]
    Human,
    /// For programs: a JSON array
    Json,
}

/// Checks the files and writes what is wrong with them; invalid if anything is an error.
pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> io::Result<Exit> {
    let loaded = config::load(&arguments.paths);
    let (findings, sources) = (&loaded.diagnostics, &loaded.sources);
    match arguments.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &diagnostics::json(findings, sources))?;
            writeln!(out)?;
        }
        Format::Human => console::findings(out, io::stdout().is_terminal(), findings, sources)?,
    }
    if arguments.format == Format::Human && findings.is_empty() {
        writeln!(out, "{} valid", counted(loaded.accounts.len(), "account"))?;
    }
    out.flush()?;
    Ok(if has_errors(findings) { Exit::Invalid } else { Exit::Ok })
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
