//! Where the token of an account is found. The token itself is never asked for, shown or written.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::cli::secrets;
use crate::providers::ReadError;
use crate::providers::settings::SecretRef;
use crate::text::sanitized;

use super::arguments::Arguments;
use super::place::{Place, near};
use super::terminal::Terminal;
use super::{Ending, account};

/// The default environment variable; that of the published workflows.
pub(super) const VARIABLE: &str = "STROWGER_TOKEN";

/// The place that a flag names.
pub(super) fn given(arguments: &Arguments) -> anyhow::Result<Option<SecretRef>> {
    let office = &arguments.office;
    if let Some(name) = &office.token_env {
        if account::wrong_variable(name).is_some() {
            // The value may be the token.
            let why =
                "`--token-env` wants the name of an environment variable, such as `STROWGER_TOKEN`, never the token";
            return Err(Ending::Usage(why.to_owned()).into());
        }
        return Ok(Some(SecretRef::Env(name.as_str().into())));
    }
    if let Some(file) = &office.token_file {
        return Ok(Some(SecretRef::File(file.clone())));
    }
    let Some(command) = &office.token_command else { return Ok(None) };
    match self::command(command) {
        Some(command) => Ok(Some(command)),
        None => Err(Ending::Usage(format!("`--token-command`: {NO_COMMAND}")).into()),
    }
}

const NO_COMMAND: &str = "a program and its arguments are wanted, with every quote closed";

/// The kinds of places.
#[derive(Clone, Copy)]
enum Source {
    Variable,
    File,
    Command,
}

/// Asks for the place, beginning with the one that was tried last.
pub(super) fn ask(terminal: Terminal, question: &str, tried: Option<&SecretRef>) -> anyhow::Result<SecretRef> {
    let start = match tried {
        None | Some(SecretRef::Env(_)) => 0,
        Some(SecretRef::File(_)) => 1,
        Some(SecretRef::Command { .. }) => 2,
    };
    let sources = [
        ("In an environment variable", Source::Variable),
        ("In a file", Source::File),
        ("A command prints it", Source::Command),
    ];
    match terminal.one_of(question, sources, start)? {
        Source::Variable => {
            let default = match tried {
                Some(SecretRef::Env(name)) => name,
                _ => VARIABLE,
            };
            let help = Some("its name, never the token");
            let name = terminal.text("Which variable?", Some(default), help, account::wrong_variable)?;
            Ok(SecretRef::Env(name.into()))
        }
        Source::File => {
            let default = match tried {
                Some(SecretRef::File(file)) => Some(file.to_string_lossy()),
                _ => None,
            };
            let file = terminal.text("Which file?", default.as_deref(), Some("its path, never the token"), |_| None)?;
            Ok(SecretRef::File(file.into()))
        }
        Source::Command => {
            let default = match tried {
                Some(SecretRef::Command { program, arguments }) => {
                    shlex::try_join(std::iter::once(&**program).chain(arguments.iter().map(|word| &**word))).ok()
                }
                _ => None,
            };
            let wrong = |typed: &str| self::command(typed).is_none().then(|| NO_COMMAND.to_owned());
            let help = Some("such as: pass show phones");
            let typed = terminal.text("Which command?", default.as_deref(), help, wrong)?;
            self::command(&typed).ok_or_else(|| Ending::Usage(NO_COMMAND.to_owned()).into())
        }
    }
}

/// The command of these words.
fn command(typed: &str) -> Option<SecretRef> {
    let mut words = shlex::split(typed)?.into_iter();
    let program = words.next().filter(|program| !program.is_empty())?;
    Some(SecretRef::Command { program: program.into(), arguments: words.map(Into::into).collect() })
}

/// Whether a program is named by a path, and not looked for.
fn is_path(program: &str) -> bool {
    Path::new(program).components().count() > 1
}

/// The reference as the file has it.
pub(super) fn placed(token: SecretRef, place: &dyn Fn(&Path) -> PathBuf) -> SecretRef {
    match token {
        SecretRef::Command { program, arguments } if is_path(&program) => {
            let program = place(Path::new(&*program));
            // Without a folder it would be looked for elsewhere.
            let program = if program.components().count() > 1 { program } else { Path::new(".").join(program) };
            SecretRef::Command { program: program.to_string_lossy().into(), arguments }
        }
        token => token,
    }
}

/// Why a command that works here would not from the folder of the files, where it will run: it is given a file by its
/// path from here.
pub(super) fn stays_here(token: &SecretRef, place: &Place) -> Option<anyhow::Error> {
    let SecretRef::Command { arguments, .. } = token else { return None };
    let file = arguments.iter().find(|word| {
        let path = Path::new(&***word);
        path.is_relative() && path.is_file() && !place.folder.join(path).is_file()
    })?;
    // A word that only looks like the file is no reason: then the command works from anywhere.
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    secrets::resolve(&placed(token.clone(), &whole), Path::new("/")).err()?;
    let (file, folder) = (sanitized(file, 200), near(&place.folder));
    Some(anyhow!("the command will run in {folder}, and finds {file} only from here; give whole paths in it"))
}

/// The error, with what to do about a token that is not there.
pub(super) fn remedied(error: anyhow::Error, token: &SecretRef) -> anyhow::Error {
    if error.downcast_ref::<ReadError>().is_some() || error.downcast_ref::<Ending>().is_some() {
        return error;
    }
    let remedy = match token {
        SecretRef::Env(name) => format!("set it (`export {name}=…`) and begin again, or say another place"),
        SecretRef::File(_) => "put the token there, or say another place".to_owned(),
        SecretRef::Command { .. } => "mend the command, or say another place".to_owned(),
    };
    anyhow!("{error:#}; {remedy}")
}
