//! What an `account` section says about reaching its account.
//!
//! Paths are as the operator wrote them, relative to the account's folder. A secret is only ever a reference;
//! resolving it is the business of whoever needs it.

use std::path::PathBuf;

use crate::model::{OwnerName, Span};

/// How an account is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its name.
    pub name: Box<str>,
    /// Where the name is written.
    pub name_span: Span,
    /// The country whose national spellings of numbers are recognised.
    pub country: Option<Country>,
    /// Who manages it, if the files say so.
    pub owner: Option<OwnerName>,
    /// What it is reached through.
    pub provider: ProviderSettings,
    /// Where the provider is written.
    pub provider_span: Span,
}

/// A country code that the phone-number library knows, such as `FR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country(pub(super) phonenumber::country::Id);

impl std::fmt::Display for Country {
    /// The two capital letters of ISO 3166.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_ref())
    }
}

/// The fields of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderSettings {
    /// The embedded account.
    Sandbox {
        /// What keeps it.
        state: SandboxState,
        /// The snapshot that a new one starts from.
        seed: Option<PathBuf>,
    },
    /// A server of the Account API.
    Office {
        /// Where it is: `https`, or `http` on this machine; no user name, no query.
        url: Box<str>,
        /// Its token.
        token: SecretRef,
    },
    /// A file that is only read.
    Snapshot {
        /// The snapshot.
        file: PathBuf,
    },
}

/// What keeps an embedded account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxState {
    /// Nothing: it is gone afterwards.
    Memory,
    /// A file.
    File(PathBuf),
}

/// Where a secret is found. It holds no secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// In an environment variable.
    Env(Box<str>),
    /// In a file.
    File(PathBuf),
    /// In the output of a program.
    Command {
        /// The program.
        program: Box<str>,
        /// Its arguments.
        arguments: Vec<Box<str>>,
    },
}

impl ProviderSettings {
    /// The word in the file.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Sandbox { .. } => "sandbox",
            Self::Office { .. } => "office",
            Self::Snapshot { .. } => "snapshot",
        }
    }
}

impl Settings {
    /// What files of this account are called, without their suffix.
    pub fn file_stem(&self) -> String {
        file_stem(&self.name)
    }
}

impl SandboxState {
    /// Where the embedded account of this name is kept unless the file says otherwise.
    pub fn of_account(name: &str) -> Self {
        Self::File(PathBuf::from(format!(".strowger/{}.db", file_stem(name))))
    }
}

/// A file name for an account. A name that is none gets a hash, so that two names never share a file.
fn file_stem(name: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let safe = name.chars().all(plain) && !name.starts_with('.') && name.len() <= 100;
    if safe {
        return name.to_owned();
    }
    let slug: String = name.chars().map(|character| if plain(character) { character } else { '-' }).take(64).collect();
    let hash = sha2_prefix(name);
    format!("{}-{hash}", slug.trim_start_matches('.'))
}

fn sha2_prefix(text: &str) -> String {
    use sha2::Digest as _;

    let digest = sha2::Sha256::digest(text.as_bytes());
    crate::text::hex(digest.get(..5).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_file_stays_in_its_folder_and_belongs_to_one_name() {
        let file = |name: &str| match SandboxState::of_account(name) {
            SandboxState::File(path) => path.to_string_lossy().into_owned(),
            SandboxState::Memory => String::new(),
        };
        assert_eq!(file("wework-republique"), ".strowger/wework-republique.db");
        assert!(!file("../../etc/passwd").trim_start_matches(".strowger/").contains(['/', '\\']));
        assert_ne!(file("a/b"), file("a-b"));
        assert_ne!(file("a/b"), file("a:b"));
    }
}
