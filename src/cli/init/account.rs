//! The `account` section: its name and country, and what the rules of the file say of an answer.

use crate::config::{self, Loaded};
use crate::diag::Severity;
use crate::providers::registry::{PROVIDERS, ProviderSpec};
use crate::sandbox;
use crate::text::yaml;

use std::path::Path;

use super::Ending;
use super::arguments::Arguments;
use super::terminal::Terminal;

/// The default country of a new embedded account.
pub(super) const COUNTRY: &str = "FR";

/// What every account section begins with.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    /// The name, once it is known.
    pub(super) name: Option<String>,
    pub(super) country: Option<String>,
}

/// A file with nothing but an account section.
pub(super) fn file(head: &Head, provider: &[String]) -> String {
    let name = head.name.as_deref().unwrap_or("account");
    let mut text = format!("version: 1\naccount:\n  name: {}\n", yaml(name));
    for line in head.lines().iter().chain(provider) {
        text.push_str("  ");
        text.push_str(line);
        text.push('\n');
    }
    text
}

impl Head {
    /// The lines besides the name.
    fn lines(&self) -> Vec<String> {
        self.country.iter().map(|country| format!("country: {}", yaml(country))).collect()
    }
}

/// The first error of a file, with its remedy.
pub(super) fn first_error(loaded: &Loaded) -> Option<String> {
    let error = loaded.diagnostics.iter().find(|finding| finding.severity == Severity::Error)?;
    let hint = error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    Some(format!("{}{hint}", error.message))
}

/// What is wrong with a section of this provider: with its name and country, and with one setting (name, YAML). The
/// other required settings are the examples.
fn wrong(head: &Head, provider: &ProviderSpec, setting: Option<(&str, &str)>) -> Option<String> {
    let mut lines = vec![format!("provider: {}", provider.word)];
    for own in provider.settings {
        match setting {
            Some((name, value)) if name == own.name => lines.push(format!("{name}: {value}")),
            _ if own.is_required() => lines.push(format!("{}: {}", own.name, own.example)),
            _ => {}
        }
    }
    first_error(&config::text(Path::new(""), "account.yaml", &file(head, &lines)))
}

pub(super) fn wrong_name(name: &str) -> Option<String> {
    let [provider, ..] = PROVIDERS;
    wrong(&Head { name: Some(name.to_owned()), country: None }, provider, None)
}

fn wrong_country(country: &str) -> Option<String> {
    let [provider, ..] = PROVIDERS;
    wrong(&Head { name: None, country: Some(country.to_owned()) }, provider, None)
}

/// What is wrong with the value (YAML) of a setting.
pub(super) fn wrong_setting(provider: &ProviderSpec, name: &str, value: &str) -> Option<String> {
    wrong(&Head::default(), provider, Some((name, value)))
}

/// What is wrong with the name of an environment variable that holds a secret.
pub(super) fn wrong_variable(name: &str) -> Option<String> {
    let (provider, secret) = PROVIDERS.into_iter().find_map(|provider| Some((provider, provider.secret()?)))?;
    wrong_setting(provider, secret.name, &format!("{{ env: {} }}", yaml(name)))
}

/// Refuses flags that no file could have.
pub(super) fn check(arguments: &Arguments) -> Result<(), Ending> {
    let setting = |name, value: Option<&str>| wrong_setting(arguments.provider()?, name, &yaml(value?));
    let flags = [
        ("--name", arguments.name.as_deref().and_then(wrong_name)),
        ("--country", arguments.country.as_deref().and_then(wrong_country)),
        ("--url", setting("url", arguments.office.url.as_deref())),
        ("--database", setting("database", arguments.office.database.as_deref())),
    ];
    match flags.into_iter().find_map(|(flag, wrong)| wrong.map(|wrong| (flag, wrong))) {
        None => Ok(()),
        Some((flag, wrong)) => Err(Ending::Usage(format!("`{flag}`: {wrong}"))),
    }
}

/// The account's name: from a flag, from the terminal, or this default, if it is valid.
pub(super) fn name(arguments: &Arguments, terminal: Option<Terminal>, default: &str) -> anyhow::Result<String> {
    if let Some(name) = &arguments.name {
        return Ok(name.clone());
    }
    let default = if wrong_name(default).is_none() { default } else { "my-office" };
    match terminal {
        Some(terminal) => terminal.text("What is the account called?", Some(default), None, wrong_name),
        None => Ok(default.to_owned()),
    }
}

/// The country: from a flag, or from the terminal.
pub(super) fn country(arguments: &Arguments, terminal: Option<Terminal>) -> anyhow::Result<Option<String>> {
    if let Some(country) = &arguments.country {
        return Ok(Some(country.clone()));
    }
    let Some(terminal) = terminal else { return Ok(None) };
    let countries: Vec<&str> = sandbox::countries().collect();
    let start = countries.iter().position(|country| *country == COUNTRY).unwrap_or_default();
    let options = countries.into_iter().map(|country| (country, Some(country.to_owned())));
    terminal.one_of("In which country?", options, start)
}
