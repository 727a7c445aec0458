//! The settings by which an account is reached: values of the types that a [`ProviderSpec`] declares.
//!
//! Pure. Paths are as the operator wrote them, relative to the account's folder. A secret is only ever a reference;
//! it is resolved when the account is opened.

use std::path::{Path, PathBuf};

use super::registry::ProviderSpec;
use crate::model::Name;

/// The provider of an account and its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSettings {
    spec: &'static ProviderSpec,
    values: Vec<(&'static str, SettingValue)>,
}

/// The value of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// `https`, or `http` on this machine, without a user name; or `postgresql`, with one. No password, no query.
    Url(Box<str>),
    Secret(SecretRef),
    File(PathBuf),
    State(StateFile),
    Word(Box<str>),
    /// Names, each with its `context,extension`.
    Dialplan(Vec<(Name, Box<str>)>),
}

/// Where an embedded account is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateFile {
    /// In memory only: the account ends with the process.
    Memory,
    File(PathBuf),
}

/// Where a secret is found. It holds no secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// In an environment variable.
    Env(Box<str>),
    File(PathBuf),
    /// In the output of a program.
    Command {
        program: Box<str>,
        arguments: Vec<Box<str>>,
    },
}

impl ProviderSettings {
    /// Settings that are absent have no value; the caller has checked that each required one is there.
    pub fn new(spec: &'static ProviderSpec, values: Vec<(&'static str, SettingValue)>) -> Self {
        Self { spec, values }
    }

    /// What this provider declares.
    pub fn spec(&self) -> &'static ProviderSpec {
        self.spec
    }

    /// The values in the order of the declaration.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, &SettingValue)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    pub fn value(&self, name: &str) -> Option<&SettingValue> {
        self.values().find_map(|(own, value)| (own == name).then_some(value))
    }

    pub fn file(&self, name: &str) -> Option<&Path> {
        self.value(name)
            .and_then(|value| if let SettingValue::File(path) = value { Some(path.as_path()) } else { None })
    }

    pub fn word(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(|value| if let SettingValue::Word(word) = value { Some(&**word) } else { None })
    }

    /// The names of a setting, each with its `context,extension`; none without the setting.
    pub fn dialplan(&self, name: &str) -> &[(Name, Box<str>)] {
        match self.value(name) {
            Some(SettingValue::Dialplan(entries)) => entries,
            _ => &[],
        }
    }

    /// The address of the account, if it is on a server.
    pub fn url(&self) -> Option<&str> {
        self.values().find_map(|(_, value)| if let SettingValue::Url(url) = value { Some(&**url) } else { None })
    }

    /// The one secret that is sent to [`Self::url`].
    pub fn secret(&self) -> Option<&SecretRef> {
        self.values().find_map(|(_, value)| if let SettingValue::Secret(secret) = value { Some(secret) } else { None })
    }

    /// The address, and the secret that is sent there.
    pub fn endpoint(&self) -> Option<(&str, &SecretRef)> {
        Some((self.url()?, self.secret()?))
    }

    /// The setting that says where the account is.
    pub fn location(&self) -> Option<&SettingValue> {
        self.value(self.spec.location)
    }

    /// The same settings with another reference to the secret.
    #[must_use]
    pub fn map_secret(mut self, change: impl Fn(SecretRef) -> SecretRef) -> Self {
        let change =
            |value| if let SettingValue::Secret(secret) = value { SettingValue::Secret(change(secret)) } else { value };
        self.values = self.values.into_iter().map(|(name, value)| (name, change(value))).collect();
        self
    }
}

impl StateFile {
    /// The file of the embedded account of this name, unless the settings name one.
    pub fn of_account(name: &str) -> Self {
        Self::File(PathBuf::from(format!(".strowger/{}.db", crate::text::file_stem(name))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_file_stays_in_its_folder_and_belongs_to_one_name() {
        let file = |name: &str| match StateFile::of_account(name) {
            StateFile::File(path) => path.to_string_lossy().into_owned(),
            StateFile::Memory => String::new(),
        };
        assert_eq!(file("wework-republique"), ".strowger/wework-republique.db");
        assert!(!file("../../etc/passwd").trim_start_matches(".strowger/").contains(['/', '\\']));
        assert_ne!(file("a/b"), file("a-b"));
        assert_ne!(file("a/b"), file("a:b"));
    }
}
