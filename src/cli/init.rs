//! `strowger init`: the first run. It asks, tries, and writes files whose plan is empty.
//!
//! Nothing is written before the last question is answered, and nothing that exists is overwritten. Every answer has a
//! flag; without a terminal, a missing one is an error that names its flag.

mod account;
mod arguments;
mod choose;
mod connect;
mod files;
mod gitignore;
mod holdings;
mod place;
mod prove;
mod spreadsheet;
mod terminal;
mod token;
mod workflows;

use std::path::Path;

use crate::exit::Exit;
use crate::providers::registry::{PROVIDERS, ProviderSpec};
use crate::text::sanitized;

use super::console::{complain, note};
use super::read_account::runtime;

use arguments::Workflow;
use place::Place;
use terminal::Terminal;

pub(super) use arguments::Arguments;

/// Why it ends before anything is written, though nothing failed.
#[derive(Debug, thiserror::Error)]
enum Ending {
    /// A question was left without an answer.
    #[error("nothing written")]
    Left,
    /// The flags are wrong, or too few.
    #[error("{0}")]
    Usage(String),
    /// The spreadsheet has errors, each with its place and remedy.
    #[error("{}", .0.join("; "))]
    Spreadsheet(Vec<String>),
}

/// Asks, tries, writes, and shows that the plan is empty.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let ended = begin(arguments);
    match ended.as_ref().err().and_then(|error| error.downcast_ref::<Ending>()) {
        None => ended,
        Some(Ending::Left) => {
            note("Nothing written.");
            Ok(Exit::Usage)
        }
        Some(Ending::Usage(why)) => {
            complain(&sanitized(why, 1_000));
            Ok(Exit::Usage)
        }
        Some(Ending::Spreadsheet(errors)) => {
            for error in errors {
                complain(&sanitized(error, 1_000));
            }
            note("Nothing written.");
            Ok(Exit::Invalid)
        }
    }
}

fn begin(arguments: &Arguments) -> anyhow::Result<Exit> {
    arguments.fit_together()?;
    account::check(arguments)?;
    token::given(arguments)?;
    let terminal = Terminal::here().filter(|_| !arguments.yes);
    if terminal.is_none() {
        arguments.complete()?;
    }
    // Reported before anything is asked.
    let given = arguments.folder.as_deref().map(Place::at).transpose()?;
    if let (Some(place), Some(Workflow::Github)) = (&given, arguments.workflow) {
        workflows::files(place, arguments.office.token_env.as_deref())?;
    }
    let provider = provider(arguments, terminal)?;
    let place = match given {
        Some(place) => place,
        None => ask_place(terminal)?,
    };
    let runtime = runtime()?;
    let connected = connect::connect(arguments, terminal, &place, provider, &runtime)?;
    let written = files::write(arguments, terminal, &place, connected)?;
    let exit = runtime.block_on(prove::prove(&place, written));
    runtime.shutdown_background();
    exit
}

fn provider(arguments: &Arguments, terminal: Option<Terminal>) -> anyhow::Result<&'static ProviderSpec> {
    let [default, ..] = PROVIDERS;
    match (arguments.provider(), terminal) {
        (Some(provider), _) => Ok(provider),
        (None, None) => Ok(default),
        (None, Some(terminal)) => {
            let offers = PROVIDERS.map(|spec| (format!("{}: {}", spec.word, spec.offer), spec));
            terminal.one_of("Which provider has the account?", offers, 0)
        }
    }
}

/// The default folder; that of the published workflows.
const FOLDER: &str = "phones";

fn ask_place(terminal: Option<Terminal>) -> anyhow::Result<Place> {
    let Some(terminal) = terminal else { return Place::at(Path::new(FOLDER)) };
    let wrong = |typed: &str| Place::at(Path::new(typed)).err().map(|error| sanitized(&format!("{error:#}"), 300));
    let folder = terminal.text("Which folder will hold the files?", Some(FOLDER), None, wrong)?;
    Place::at(Path::new(&folder))
}
