//! The command line: one file for each command.
//!
//! The only module that sees all others, and the only one that prints. A command returns how it ended; what
//! went wrong on the way is an [`anyhow::Error`] with its context, printed once, here.

mod accept;
mod account_output;
mod account_section;
mod accounts;
mod allowed_paths;
mod apply;
mod approval;
mod console;
mod events;
mod execution;
mod expected_plan;
mod export;
mod format;
mod history;
mod init;
mod open;
mod outcome;
mod partial;
mod plan;
mod progress;
mod read_account;
mod request_limits;
mod rollback;
mod run_metadata;
mod sandbox;
mod saved;
mod schema;
mod secrets;
mod show;
mod signals;
mod snapshot_source;
mod untrusted_ledgers;
mod validate;
mod watch;
mod waves;
mod write_args;
mod write_file;

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::exit::Exit;

pub use format::Format;

use console::OutputStream;

/// A declarative GitOps reconciler for business phone accounts.
#[derive(Debug, Parser)]
#[command(name = "strowger", version, about, max_term_width = 100)]
struct Arguments {
    /// Verbose output on stderr (`-vv` logs every request)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    /// Allow account settings (`file`, `seed`, `state`) to name files outside of their repository
    #[arg(long, global = true, env = "STROWGER_ALLOW_OUTSIDE_PATHS", value_parser = clap::builder::FalseyValueParser::new())]
    allow_outside_paths: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up an account: test its credentials and write files that match it exactly
    Init(Box<init::Arguments>),
    /// Validate files without contacting an account: format, schema, rules
    Validate(validate::Arguments),
    /// Show what would change in the account; never writes to it
    Plan(plan::Arguments),
    /// Apply the files to the account, then verify
    Apply(apply::Arguments),
    /// Check accounts continuously, and report, correct or adopt drift
    Watch(Box<watch::Arguments>),
    /// Show a saved plan again, without contacting the account
    Show(show::Arguments),
    /// List earlier runs, or show one run with the outcome of each change
    History(history::Arguments),
    /// Roll back a run; what changed since then is left alone
    Rollback(rollback::Arguments),
    /// Write the live account as files that match it exactly (`plan` shows no changes)
    Export(export::Arguments),
    /// Print a published schema
    Schema(schema::Arguments),
    /// Serve an embedded phone account over HTTP
    Sandbox(Box<sandbox::Arguments>),
    /// Print a shell completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write the pages of all commands to a folder
    Man {
        /// The folder
        #[arg(value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

impl Command {
    /// Whether stdout has what the command is for, so that it fails if that cannot be written.
    fn prints(&self) -> bool {
        match self {
            Self::Init(_) | Self::Apply(_) | Self::Watch(_) | Self::Sandbox(_) => false,
            Self::Rollback(arguments) => arguments.plan_only,
            Self::Export(arguments) => arguments.out.is_none(),
            Self::Man { folder } => folder.is_none(),
            _ => true,
        }
    }
}

/// Runs the command that the arguments name.
pub fn run() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let (voice, exit) =
                if error.use_stderr() { (OutputStream::Err, Exit::Usage) } else { (OutputStream::Out, Exit::Ok) };
            voice.write(&error.render().ansi().to_string());
            return console::ending(exit, true);
        }
    };
    log(arguments.verbose, &arguments.command);
    allowed_paths::allow_outside(arguments.allow_outside_paths);
    let prints = arguments.command.prints();
    let exit = command(arguments.command).unwrap_or_else(|error| {
        let held = error.is::<accept::Unaccepted>();
        console::complain(&crate::text::sanitized(&format!("{error:#}"), 4000));
        if held { Exit::Blocked } else { Exit::Failure }
    });
    console::ending(exit, prints)
}

fn command(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Apply(arguments) => apply::run(&arguments),
        Command::Watch(arguments) => watch::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::History(arguments) => history::run(&arguments),
        Command::Rollback(arguments) => rollback::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Schema(arguments) => Ok(schema::run(&arguments)),
        Command::Sandbox(arguments) => sandbox::run(&arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "strowger", &mut script);
            console::print_bytes(&script);
            Ok(Exit::Ok)
        }
        Command::Man { folder: None } => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
            console::print_bytes(&page);
            Ok(Exit::Ok)
        }
        Command::Man { folder: Some(folder) } => {
            write_file::man_pages(Arguments::command(), &folder)?;
            Ok(Exit::Ok)
        }
    }
}

/// The command line itself, for documents that are generated from it.
pub fn reference() -> clap::Command {
    Arguments::command()
}

/// `RUST_LOG` wins over the flag; without either only warnings are shown, and of `watch` what happens.
fn log(verbose: u8, command: &Command) {
    use tracing_subscriber::EnvFilter;

    let watch = if let Command::Watch(arguments) = command { Some(arguments.log) } else { None };
    let level = match verbose {
        0 if watch.is_none() => "warn",
        0 | 1 => "strowger=info,warn",
        _ => "strowger=debug,warn",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(anstream::stderr);
    // Its complaint about a broken stderr would go to stderr, and panic there.
    let subscriber = subscriber.log_internal_errors(false);
    // A second subscriber in one process is not ours to replace.
    let _ = match watch {
        None => subscriber.without_time().try_init(),
        Some(watch::LogFormat::Human) => subscriber.with_target(false).try_init(),
        Some(watch::LogFormat::Json) => subscriber.json().flatten_event(true).try_init(),
    };
}
