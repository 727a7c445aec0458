//! Which account it is, how it is reached, and whether that works: the account is read before anything else is asked.
//!
//! An answer from a flag is used once; if it does not work, whoever sits at the terminal is asked, with what was tried
//! last as the default. A secret is never asked for, only where it is found.

use std::path::Path;

use anyhow::bail;
use tokio::runtime::Runtime;

use crate::check::settings::{ProviderSettings, SandboxState, SecretRef};
use crate::cli::open::{Purpose, open};
use crate::cli::request_limits::Effort;
use crate::cli::{accept, account_section, progress};
use crate::config;
use crate::model::LiveAccount;
use crate::providers::ReadError;

use super::account::{self, Head};
use super::arguments::{Arguments, Provider};
use super::place::Place;
use super::terminal::Terminal;
use super::{Ending, note, token};

/// An account that was read.
pub(super) struct Connected {
    /// How it is reached; paths are those from the current folder.
    pub(super) provider: ProviderSettings,
    /// Its name, as far as it is settled, and its country.
    pub(super) head: Head,
    pub(super) live: LiveAccount,
}

/// Finds out which account it is, and reads it.
pub(super) fn connect(
    arguments: &Arguments,
    terminal: Option<Terminal>,
    place: &Place,
    provider: Provider,
    runtime: &Runtime,
) -> anyhow::Result<Connected> {
    match provider {
        Provider::Sandbox => sandbox(arguments, terminal, place, runtime),
        Provider::Office => office(arguments, terminal, place, runtime),
        Provider::Snapshot => snapshot(arguments, terminal, runtime),
    }
}

fn sandbox(
    arguments: &Arguments,
    terminal: Option<Terminal>,
    place: &Place,
    runtime: &Runtime,
) -> anyhow::Result<Connected> {
    let seed = arguments.other.seed.clone();
    let name = account::name(arguments, terminal, &place.name().unwrap_or_default())?;
    let country = account::country(arguments, terminal.filter(|_| seed.is_none()))?
        .or_else(|| seed.is_none().then(|| account::COUNTRY.to_owned()));
    let state = match &arguments.other.state {
        Some(path) if path == Path::new(":memory:") => SandboxState::Memory,
        Some(path) => SandboxState::File(path.clone()),
        None => match SandboxState::of_account(&name) {
            SandboxState::File(file) => SandboxState::File(place.folder.join(file)),
            SandboxState::Memory => SandboxState::Memory,
        },
    };
    let head = Head { name: Some(name), country };
    let provider = ProviderSettings::Sandbox { state, seed };
    let live = read(&provider, &head, runtime)?;
    Ok(Connected { provider, head, live })
}

fn snapshot(arguments: &Arguments, terminal: Option<Terminal>, runtime: &Runtime) -> anyhow::Result<Connected> {
    let head = Head { name: arguments.name.clone(), country: account::country(arguments, None)? };
    let mut given = arguments.other.snapshot.clone();
    let mut tried: Option<String> = None;
    loop {
        let file = match (given.take(), terminal) {
            (Some(file), _) => file,
            (None, Some(terminal)) => {
                terminal.text("Which file is the snapshot?", tried.as_deref(), None, |_| None)?.into()
            }
            (None, None) => return Err(Ending::Usage("`--snapshot` is missing".to_owned()).into()),
        };
        let provider = ProviderSettings::Snapshot { file: file.clone() };
        match (read(&provider, &head, runtime), terminal) {
            (Ok(live), _) => return Ok(Connected { provider, head, live }),
            (Err(error), None) => return Err(error),
            (Err(error), Some(_)) => again(&error),
        }
        tried = Some(file.to_string_lossy().into_owned());
    }
}

fn office(
    arguments: &Arguments,
    terminal: Option<Terminal>,
    place: &Place,
    runtime: &Runtime,
) -> anyhow::Result<Connected> {
    let head = Head { name: arguments.name.clone(), country: account::country(arguments, None)? };
    let (mut url, mut token) = (arguments.office.url.clone(), token::given(arguments)?);
    let (mut tried_url, mut tried_token): (Option<String>, Option<SecretRef>) = (None, None);
    loop {
        let address = match (url.take(), terminal) {
            (Some(url), _) => url,
            (None, Some(terminal)) => {
                let question = "Where is the Account API?";
                terminal.text(
                    question,
                    tried_url.as_deref(),
                    Some("https://…, or http:// on this machine"),
                    account::wrong_url,
                )?
            }
            (None, None) => return Err(Ending::Usage("`--url` is missing".to_owned()).into()),
        };
        let reference = match (token.take(), terminal) {
            (Some(token), _) => token,
            (None, Some(terminal)) => token::ask(terminal, tried_token.as_ref())?,
            (None, None) => SecretRef::Env(token::VARIABLE.into()),
        };
        let provider = ProviderSettings::Office { url: address.as_str().into(), token: reference.clone() };
        let error = match token::stays_here(&reference, place) {
            Some(error) => error,
            None => match read(&provider, &head, runtime) {
                Ok(live) => return Ok(Connected { provider, head, live }),
                Err(error) => token::remedied(error, &reference),
            },
        };
        if terminal.is_none() {
            return Err(error);
        }
        again(&error);
        // What was not to blame is not asked again.
        if blames_token(&error) {
            (url, tried_token) = (Some(address), Some(reference));
        } else {
            (tried_url, token) = (Some(address), Some(reference));
        }
    }
}

/// Whether another token would help, and another server would not.
fn blames_token(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<ReadError>() {
        Some(error) => matches!(error, ReadError::Unauthorized { .. } | ReadError::Forbidden { .. }),
        // No request was sent: there is no token.
        None => true,
    }
}

fn again(error: &anyhow::Error) {
    note(&format!("That does not work: {}", crate::text::sanitized(&format!("{error:#}"), 600)));
    note("Nothing is written yet. Try again, or leave with Esc.");
}

/// Reads the account as the files will, but with paths from the current folder.
fn read(provider: &ProviderSettings, head: &Head, runtime: &Runtime) -> anyhow::Result<LiveAccount> {
    let lines = account_section::provider(provider, &Path::to_path_buf);
    let mut loaded = config::text(Path::new(""), "account.yaml", &account::file(head, &lines));
    // The address and the token were given a moment ago.
    accept::everything(&mut loaded);
    if let Some(wrong) = account::first_error(&loaded) {
        return Err(Ending::Usage(wrong).into());
    }
    let Some(account) = loaded.accounts.first() else { bail!("the settings name no account") };
    runtime.block_on(async {
        let opened = open(account, Purpose::Look, Effort::interactive()).await?;
        let read = progress::during("reading the account", opened.provider.read()).await;
        opened.close().await;
        Ok(read?.live)
    })
}
