//! The command line: one file for each command.

pub mod validate;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::exit::Exit;

/// A declarative GitOps reconciler for business phone accounts.
#[derive(Debug, Parser)]
#[command(name = "strowger", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks files without any account: format, schema, rules
    Validate {
        /// Files, folders of files, or folders of such folders
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// What the output looks like
        #[arg(long, value_enum, default_value_t)]
        format: validate::Format,
    },
}

/// Runs the command that the arguments name.
pub fn run() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            // Nothing is left to say it with if printing fails.
            let _ = error.print();
            return exit;
        }
    };
    let result = match arguments.command {
        Command::Validate { paths, format } => validate::run(&paths, format, &mut anstream::stdout()),
    };
    result.unwrap_or(Exit::Failure)
}
