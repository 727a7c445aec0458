//! `strowger history`: what earlier runs did, from their ledgers. No account is asked.

mod human;
mod json;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::diag::first_few;
use crate::exit::Exit;
use crate::ledger::{Found, LedgerError, Opened, Run, RunId};

use super::console;
use super::untrusted_ledgers::Doubts;

/// The most runs with untrusted ledgers that are listed.
const MOST_DOUBTED: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A file, a folder of files, or a folder of such folders; ledgers are in `.strowger/ledger` next to the files
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Show one run with each of its changes; a unique beginning of its name is enough, or of the part after the `-`
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Text
    #[default]
    Human,
    /// JSON
    Json,
}

/// Shows all runs, or one.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut found = Vec::new();
    for root in roots(&arguments.path)? {
        found.extend(Found::all(&root)?);
    }
    found.sort_by(|left, right| right.run.cmp(&left.run));
    let mut doubts = Doubts::default();
    let doubts: BTreeMap<&RunId, String> =
        found.iter().filter_map(|found| Some((&found.run, doubts.of(found)?))).collect();
    let (text, readable) = if let Some(name) = &arguments.run {
        let found = pick(&found, name)?;
        let run = found.open()?;
        let text = match arguments.format {
            Format::Human => human::run(&run, &found.path),
            Format::Json => json::run(&run, &found.path, &doubts)?,
        };
        warn(doubts.get(&run.id).map(|doubt| (&run.id, doubt)).into_iter());
        (text, true)
    } else {
        // A list has no changes, and those of a large account's runs would fill the memory.
        let head = |found: &Found| found.open().map(Run::without_changes);
        let runs: Vec<(&Found, Opened)> = found.iter().map(|found| (found, head(found))).collect();
        let text = match arguments.format {
            Format::Human => human::list(&runs),
            Format::Json => json::list(&runs, &doubts)?,
        };
        warn(doubts.iter().map(|(run, doubt)| (*run, doubt)));
        (text, complain(&runs))
    };
    console::print(&text);
    Ok(if readable { Exit::Ok } else { Exit::Failure })
}

/// The run with this name, or unique beginning of it.
pub(super) fn pick<'f>(found: &'f [Found], name: &str) -> anyhow::Result<&'f Found> {
    let matching: Vec<&Found> = found.iter().filter(|found| found.run.is_meant_by(name)).collect();
    match matching.as_slice() {
        [one] => Ok(one),
        [] if name.parse::<RunId>().is_err() => {
            bail!("{name} is not the name of a run; `strowger history` lists the runs")
        }
        [] => bail!("run {name} was not found here; `strowger history` lists the runs"),
        several => {
            let names: Vec<&str> = several.iter().take(5).map(|found| found.run.as_str()).collect();
            bail!("{name} is ambiguous, it matches {} runs: {}", several.len(), names.join(", "))
        }
    }
}

/// The folders that may have ledgers: that of the path, and those directly in it. The files need not be valid.
fn roots(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let about = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !about.is_dir() {
        return Ok(vec![path.parent().map(Path::to_path_buf).unwrap_or_default()]);
    }
    let mut roots = vec![path.to_path_buf()];
    let inside = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    for entry in inside {
        let path = entry?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.is_dir() {
            roots.push(path);
        }
    }
    roots.sort();
    Ok(roots)
}

/// Reports which ledgers are not trusted, and why.
fn warn<'d>(doubts: impl Iterator<Item = (&'d RunId, &'d String)>) {
    let mut alike: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (run, doubt) in doubts {
        alike.entry(doubt).or_default().push(run.as_str());
    }
    for (doubt, runs) in alike {
        let newest: Vec<&str> = runs.into_iter().rev().collect();
        let named = first_few(&newest, MOST_DOUBTED, ", ");
        console::complain(&format!("the ledger of run {named} {}", crate::text::sanitized(doubt, 500)));
    }
}

/// Reports ledgers that cannot be read; true if there are none.
fn complain(runs: &[(&Found, Opened)]) -> bool {
    let broken: Vec<&LedgerError> = runs.iter().filter_map(|(_, opened)| opened.as_ref().err()).collect();
    for error in &broken {
        console::complain(&crate::text::sanitized(&error.to_string(), 1000));
    }
    broken.is_empty()
}
