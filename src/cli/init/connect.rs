//! Which account it is, how it is reached, and whether that works: the account is read before anything else is asked.
//!
//! If an answer from a flag does not work, it is asked for at the terminal, with the value that was tried last as the
//! default. A secret itself is never asked for, only where it is found.

use std::path::{Path, PathBuf};

use anyhow::bail;
use tokio::runtime::Runtime;

use crate::cli::open::open;
use crate::cli::request_limits::Effort;
use crate::cli::{accept, account_section, progress};
use crate::config;
use crate::model::LiveAccount;
use crate::providers::registry::{Presence, ProviderSpec, SettingKind, SettingSpec};
use crate::providers::settings::{ProviderSettings, SecretRef, SettingValue, StateFile};
use crate::providers::{Access, ReadError};
use crate::text::yaml;

use super::account::{self, Head};
use super::arguments::{self, Arguments};
use super::place::Place;
use super::terminal::Terminal;
use super::{Ending, note, spreadsheet, token};

/// An account that was read.
pub(super) struct Connected {
    /// How it is reached; paths are those from the current folder.
    pub(super) provider: ProviderSettings,
    /// Its name, as far as it is settled, and its country.
    pub(super) head: Head,
    pub(super) live: LiveAccount,
    /// Files that are still to be written for it.
    pub(super) files: Vec<(PathBuf, String)>,
}

/// Finds out which account it is, and reads it.
pub(super) fn connect(
    arguments: &Arguments,
    terminal: Option<Terminal>,
    place: &Place,
    spec: &'static ProviderSpec,
    runtime: &Runtime,
) -> anyhow::Result<Connected> {
    if let Some(file) = &arguments.other.from {
        return spreadsheet::connect(arguments, terminal, place, file);
    }
    let head = head(arguments, terminal, place, spec)?;
    let mut given = given(arguments, place, spec, head.name.as_deref().unwrap_or_default())?;
    let mut tried: Vec<(&str, SettingValue)> = Vec::new();
    loop {
        let values = answers(spec, terminal, &given, &tried)?;
        let provider = ProviderSettings::new(spec, values.clone());
        let error = match provider.secret().and_then(|secret| token::stays_here(secret, place)) {
            Some(error) => error,
            None => match (read(&provider, &head, runtime), provider.secret()) {
                (Ok(live), _) => return Ok(Connected { provider, head, live, files: Vec::new() }),
                (Err(error), Some(secret)) => token::remedied(error, secret),
                (Err(error), None) => error,
            },
        };
        if terminal.is_none() || !spec.settings.iter().any(SettingSpec::is_required) {
            return Err(error);
        }
        again(&error);
        // Only the answer that is to blame is asked for again.
        let blamed = |value: &SettingValue| match value {
            SettingValue::Secret(_) => blames_secret(&error),
            _ => spec.secret().is_none() || !blames_secret(&error),
        };
        (tried, given) = values.into_iter().partition(|(_, value)| blamed(value));
    }
}

/// The name and the country, as far as they have to be known before the account is read: an embedded account is created
/// with them.
fn head(arguments: &Arguments, terminal: Option<Terminal>, place: &Place, spec: &ProviderSpec) -> anyhow::Result<Head> {
    if !spec.is_embedded {
        return Ok(Head { name: arguments.name.clone(), country: account::country(arguments, None)? });
    }
    let is_new = arguments.other.seed.is_none();
    let name = account::name(arguments, terminal, &place.name().unwrap_or_default())?;
    let country = account::country(arguments, terminal.filter(|_| is_new))?;
    Ok(Head { name: Some(name), country: country.or_else(|| is_new.then(|| account::COUNTRY.to_owned())) })
}

/// The settings that flags give, and defaults.
fn given(
    arguments: &Arguments,
    place: &Place,
    spec: &'static ProviderSpec,
    name: &str,
) -> anyhow::Result<Vec<(&'static str, SettingValue)>> {
    let mut given = Vec::new();
    for setting in spec.settings {
        let value = match (arguments.value(setting.name)?, setting.presence) {
            (Some(value), _) => Some(value),
            (None, Presence::Default(default)) => Some(match default(name) {
                SettingValue::State(StateFile::File(file)) => {
                    SettingValue::State(StateFile::File(place.folder.join(file)))
                }
                value => value,
            }),
            (None, Presence::Optional | Presence::Required { .. }) => None,
        };
        given.extend(value.map(|value| (setting.name, value)));
    }
    Ok(given)
}

/// The value of each setting: given, or asked for with the value that was tried last as the default.
fn answers(
    spec: &'static ProviderSpec,
    terminal: Option<Terminal>,
    given: &[(&str, SettingValue)],
    tried: &[(&str, SettingValue)],
) -> anyhow::Result<Vec<(&'static str, SettingValue)>> {
    let named = |values: &[(&str, SettingValue)], name: &str| {
        values.iter().find_map(|(own, value)| (*own == name).then(|| value.clone()))
    };
    let mut values = Vec::new();
    for setting in spec.settings {
        let value = match (named(given, setting.name), setting.presence, terminal) {
            (Some(value), ..) => value,
            (None, Presence::Required { question, .. }, Some(terminal)) => {
                ask(spec, setting, question, terminal, named(tried, setting.name))?
            }
            (None, Presence::Required { .. }, None) if setting.kind == SettingKind::Secret => {
                SettingValue::Secret(SecretRef::Env(token::VARIABLE.into()))
            }
            (None, Presence::Required { .. }, None) => {
                let flag = arguments::flag(setting.name);
                return Err(Ending::Usage(format!("`{flag}` is missing")).into());
            }
            (None, Presence::Optional | Presence::Default(_), _) => continue,
        };
        values.push((setting.name, value));
    }
    Ok(values)
}

fn ask(
    spec: &'static ProviderSpec,
    setting: &SettingSpec,
    question: &str,
    terminal: Terminal,
    tried: Option<SettingValue>,
) -> anyhow::Result<SettingValue> {
    Ok(match (setting.kind, tried) {
        (kind @ (SettingKind::Url | SettingKind::Database | SettingKind::Word), tried) => {
            let tried = match &tried {
                Some(SettingValue::Url(text) | SettingValue::Word(text)) => Some(&**text),
                _ => None,
            };
            let help = match kind {
                SettingKind::Url => Some("https://…, or http:// on this machine"),
                SettingKind::Database => Some("postgresql://USER@HOST/DATABASE, without the password"),
                _ => None,
            };
            let wrong = |typed: &str| account::wrong_setting(spec, setting.name, &yaml(typed));
            let typed = terminal.text(question, tried, help, wrong)?.into();
            if kind.is_address() { SettingValue::Url(typed) } else { SettingValue::Word(typed) }
        }
        (SettingKind::Secret, tried) => {
            let tried =
                tried.and_then(|tried| if let SettingValue::Secret(secret) = tried { Some(secret) } else { None });
            SettingValue::Secret(token::ask(terminal, question, tried.as_ref())?)
        }
        // Declared as optional: there may be none of these objects.
        (SettingKind::Dialplan, _) => SettingValue::Dialplan(Vec::new()),
        (SettingKind::File | SettingKind::State, tried) => {
            let tried = match &tried {
                Some(SettingValue::File(file)) => Some(file.to_string_lossy()),
                _ => None,
            };
            SettingValue::File(terminal.text(question, tried.as_deref(), None, |_| None)?.into())
        }
    })
}

/// Whether another token would help, and another server would not.
fn blames_secret(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<ReadError>() {
        Some(error) => matches!(
            error,
            ReadError::Unauthorized { .. } | ReadError::Forbidden { .. } | ReadError::DatabaseLogin { .. }
        ),
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
        let opened = open(account, Access::ReadOnly, Effort::interactive()).await?;
        let read = progress::during("reading the account", opened.provider.read()).await;
        opened.close().await;
        Ok(read?.live)
    })
}
