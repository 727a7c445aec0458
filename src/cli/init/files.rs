//! The files of the first run: what is left to ask, what is in them, and that they are written.

use std::fs;
use std::path::{Path, PathBuf};

use crate::check::schema;
use crate::cli::account_section;
use crate::cli::export::SCHEMA;
use crate::cli::write_file::{Made, create_all};
use crate::providers::registry::ProviderSpec;
use crate::providers::settings::{ProviderSettings, SecretRef};
use crate::render::export::{ByFolder, ExportOptions, export};
use crate::render::json;
use crate::text::sanitized;

use super::arguments::{Arguments, Workflow};
use super::connect::Connected;
use super::holdings::Holdings;
use super::place::{Place, near};
use super::terminal::{Terminal, fitted};
use super::{Ending, account, choose, gitignore, note, token, workflows};

/// What was written, for the words at the end.
pub(super) struct Written {
    pub(super) files: Vec<PathBuf>,
    /// The same, as long as they may have to go again.
    pub(super) made: Made,
    /// Whether a command prints the token.
    pub(super) has_command: bool,
    /// What is left to do by hand.
    pub(super) remarks: Vec<String>,
    pub(super) provider: &'static ProviderSpec,
}

/// Asks what is left to ask, and writes the files.
pub(super) fn write(
    arguments: &Arguments,
    terminal: Option<Terminal>,
    place: &Place,
    connected: Connected,
) -> anyhow::Result<Written> {
    let Connected { provider, mut head, live, files: new } = connected;
    let holdings = Holdings::of(&live);
    let columns = terminal.map_or(usize::MAX, Terminal::columns);
    for line in holdings.summary() {
        note(&fitted(&line, columns));
    }
    let only = choose::choose(arguments, terminal, &holdings)?;
    let name = match head.name.take() {
        Some(name) => name,
        None => account::name(arguments, terminal, &live.account.name)?,
    };
    let workflows = workflows(arguments, terminal, place, &provider)?;
    let options = ExportOptions {
        name,
        country: head.country.take(),
        provider: lines(arguments, place, &provider),
        schema: SCHEMA.to_owned(),
        by_folder: ByFolder::Auto,
        only,
    };
    let account = export(&live, &options);
    let mut files: Vec<_> = account.into_iter().map(|(name, text)| (place.folder.join(name), text)).collect();
    files.extend(new);
    files.push((place.folder.join(SCHEMA), json::text(&schema::account())));
    let mut remarks = Vec::new();
    ignore(place, &provider, &mut files, &mut remarks);
    if !workflows.is_empty() {
        remarks.push(workflows::to_do(&workflows, secret(&provider)));
        remarks.extend(workflow_remark(&provider).map(str::to_owned));
        files.extend(workflows);
    }
    if let Some(terminal) = terminal {
        note("These files are new:");
        for (path, _) in &files {
            note(&format!("  {}", near(path)));
        }
        if !terminal.confirm("Write them?", true)? {
            return Err(Ending::Left.into());
        }
    }
    let made = create_all(&files)?;
    let has_command = matches!(provider.secret(), Some(SecretRef::Command { .. }));
    let files = files.into_iter().map(|(path, _)| path).collect();
    Ok(Written { files, made, has_command, remarks, provider: provider.spec() })
}

/// The provider's lines in the file: relative paths, and nothing that is the default anyway.
fn lines(arguments: &Arguments, place: &Place, provider: &ProviderSettings) -> Vec<String> {
    let to = |path: &Path| place.path_to(path);
    let provider = provider.clone().map_secret(|secret| token::placed(secret, &to));
    let mut lines = account_section::provider(&provider, &to);
    if arguments.other.state.is_none() {
        lines.retain(|line| !line.starts_with("state:"));
    }
    lines
}

/// Adds `.gitignore`, or says what the one that is there lacks.
fn ignore(place: &Place, provider: &ProviderSettings, files: &mut Vec<(PathBuf, String)>, remarks: &mut Vec<String>) {
    let token = match provider.secret() {
        Some(SecretRef::File(file)) => Some(file),
        _ => None,
    };
    let inside = token.and_then(|token| place.inside(token));
    let lines = gitignore::lines(inside.as_deref());
    let path = place.folder.join(".gitignore");
    if path.is_symlink() || path.exists() {
        let there = fs::read_to_string(&path).unwrap_or_default();
        for line in gitignore::lacking(&lines, &there) {
            remarks.push(format!("Add `{line}` to {}, which was there already.", path.display()));
        }
    } else {
        files.push((path, gitignore::text(&lines)));
    }
    if let Some(token) = token.filter(|_| inside.is_none())
        && place.repository().is_ok_and(|repository| repository.holds(token))
    {
        remarks.push(format!("See that git ignores {}: the token is in it.", near(token)));
    }
}

/// The workflows, if they are wanted.
fn workflows(
    arguments: &Arguments,
    terminal: Option<Terminal>,
    place: &Place,
    provider: &ProviderSettings,
) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let secret = secret(provider);
    match (arguments.workflow, terminal) {
        (Some(Workflow::Github), _) => workflows::files(place, secret),
        (Some(Workflow::None), _) | (None, None) => Ok(Vec::new()),
        // The question is left out if the workflows cannot be written.
        (None, Some(terminal)) => match workflows::files(place, secret) {
            Ok(files) => Ok(if terminal.confirm("Write GitHub workflows?", false)? { files } else { Vec::new() }),
            Err(why) => {
                note(&format!("No GitHub workflows are offered: {}", sanitized(&format!("{why:#}"), 300)));
                Ok(Vec::new())
            }
        },
    }
}

/// The environment variable that holds the token, which is the secret's name on GitHub as well.
fn secret(provider: &ProviderSettings) -> Option<&str> {
    match provider.secret() {
        Some(SecretRef::Env(name)) => Some(name),
        _ => None,
    }
}

/// What workflows cannot do with such an account.
fn workflow_remark(provider: &ProviderSettings) -> Option<&'static str> {
    match provider.secret() {
        None | Some(SecretRef::Env(_)) => provider.spec().workflow_remark,
        Some(SecretRef::File(_) | SecretRef::Command { .. }) => Some(
            "The token's file or command is not on GitHub's machine: write `token: { env: STROWGER_TOKEN }` there.",
        ),
    }
}
