//! The providers, and what each declares about itself.
//!
//! Everything outside a provider's folder reads these declarations: the account schema, the checks, `init`, `export`
//! and the watch loop. The declarations are pure data, so that `check` can use them.

use std::fmt;

use crate::model::Capabilities;

use super::http::Class;
use super::open::{OpenRequest, Opened};
use super::settings::SettingValue;
use super::{BoxFuture, asterisk, office, sandbox, snapshot};

/// All providers; `init` offers the first one by default. This is the line to add for a new one.
pub static PROVIDERS: [&ProviderSpec; 4] = [&sandbox::SPEC, &office::SPEC, &asterisk::SPEC, &snapshot::SPEC];

/// A provider's declaration.
pub struct ProviderSpec {
    /// The value of `provider` in an account file.
    pub word: &'static str,
    /// A sentence for editors and `--help`.
    pub about: &'static str,
    /// How `init` offers it, after the word.
    pub offer: &'static str,
    /// The fields of the `account` section. At most one is an address and at most one a secret: a change of either has
    /// to be accepted before the secret is sent.
    pub settings: &'static [SettingSpec],
    /// The setting that says where the account is: two accounts with one location are one live account.
    pub location: &'static str,
    pub is_read_only: bool,
    /// Whether opening it for writing creates the account.
    pub is_embedded: bool,
    /// What the vendor states for each class of requests, in its documentation; what an account states is read from it.
    pub rate_limits: &'static [Class],
    /// What a file is checked against before the account is read.
    pub capabilities: fn() -> Capabilities,
    /// What the workflows that `init` writes cannot do with such an account.
    pub workflow_remark: Option<&'static str>,
    pub open: for<'a> fn(OpenRequest<'a>) -> BoxFuture<'a, anyhow::Result<Opened>>,
}

/// A field of the `account` section.
#[derive(Debug)]
pub struct SettingSpec {
    pub name: &'static str,
    pub kind: SettingKind,
    pub presence: Presence,
    /// Sentences for editors; they follow "`WORD` only: ".
    pub about: &'static str,
    /// A valid value, as JSON.
    pub example: &'static str,
}

/// What the value of a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// The address of an HTTP server.
    Url,
    /// The address of a PostgreSQL database.
    Database,
    Secret,
    File,
    /// A file, or `:memory:`.
    State,
    /// A word such as the name of a dialplan context.
    Word,
    /// Names of objects, each with its place in a dialplan: `context,extension`.
    Dialplan,
}

/// Whether a setting has to be given.
#[derive(Clone, Copy, Debug)]
pub enum Presence {
    Required {
        /// The remedy if it is missing.
        hint: &'static str,
        /// How `init` asks for it.
        question: &'static str,
    },
    Optional,
    /// Has a default that depends on the account's name.
    Default(fn(&str) -> SettingValue),
}

impl ProviderSpec {
    /// The declaration of one of its settings.
    pub fn setting(&self, name: &str) -> Option<&'static SettingSpec> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// The setting that holds a secret.
    pub fn secret(&self) -> Option<&'static SettingSpec> {
        self.settings.iter().find(|setting| setting.kind == SettingKind::Secret)
    }
}

impl SettingKind {
    /// Whether the secret is sent there.
    pub fn is_address(self) -> bool {
        matches!(self, Self::Url | Self::Database)
    }
}

impl SettingSpec {
    pub fn is_required(&self) -> bool {
        matches!(self.presence, Presence::Required { .. })
    }
}

/// The provider of this word.
pub fn find(word: &str) -> Option<&'static ProviderSpec> {
    PROVIDERS.into_iter().find(|provider| provider.word == word)
}

/// The words of all providers.
pub fn words() -> [&'static str; PROVIDERS.len()] {
    PROVIDERS.map(|provider| provider.word)
}

/// The settings of all providers, each name once.
pub fn settings() -> Vec<&'static SettingSpec> {
    let mut settings: Vec<&SettingSpec> = Vec::new();
    for setting in PROVIDERS.into_iter().flat_map(|provider| provider.settings) {
        if !settings.iter().any(|known| known.name == setting.name) {
            settings.push(setting);
        }
    }
    settings
}

/// The providers that have a setting of this name.
pub fn with_setting(name: &str) -> Vec<&'static ProviderSpec> {
    PROVIDERS.into_iter().filter(|provider| provider.setting(name).is_some()).collect()
}

impl PartialEq for ProviderSpec {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for ProviderSpec {}

impl fmt::Debug for ProviderSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_complete() {
        for provider in PROVIDERS {
            let word = provider.word;
            assert_eq!(PROVIDERS.into_iter().filter(|other| other.word == word).count(), 1, "{word} is there twice");
            assert!(provider.setting(provider.location).is_some(), "{word} has no setting `{}`", provider.location);
            let count = |is: fn(SettingKind) -> bool| provider.settings.iter().filter(|one| is(one.kind)).count();
            let addresses = count(SettingKind::is_address);
            assert!(addresses <= 1, "{word}: `config::NewTargets` compares one address with the revision before");
            let secrets = count(|kind| kind == SettingKind::Secret);
            assert_eq!(addresses, secrets, "{word}: an address and a secret are accepted as a pair");
            for setting in provider.settings {
                let example = serde_json::from_str::<serde_json::Value>(setting.example);
                assert!(example.is_ok(), "{word}: the example of `{}` is not JSON", setting.name);
                let other = with_setting(setting.name).into_iter().filter_map(|other| other.setting(setting.name));
                assert!(
                    other.into_iter().all(|other| other.kind == setting.kind),
                    "{}: one name, two kinds",
                    setting.name
                );
            }
        }
    }
}
