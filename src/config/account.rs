//! The accounts that paths lead to.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::check::address::Address;
use crate::check::settings::Settings;
use crate::diag::{Diagnostic, Rule, Severities, Sources};
use crate::model::{Desired, Scope};

/// What paths lead to. An account with an error is not among the accounts.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The accounts without errors, in the order of the paths.
    pub accounts: Vec<Account>,
    /// What has errors, in the order of the paths: every error finding is about one of these.
    pub invalid: Vec<InvalidAccount>,
    /// The files, for excerpts.
    pub sources: Sources,
    /// Whether a fleet's file has errors, so that the order of its accounts is unknown.
    pub waves_unknown: bool,
    /// Every finding, sorted by file, line, column and rule.
    pub diagnostics: Vec<Diagnostic>,
}

/// An account whose files have errors, or a path that leads to none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidAccount {
    /// Its name, if the files still say it, else the path of its folder or file. Untrusted text.
    pub name: Box<str>,
    pub path: PathBuf,
    /// Its position among all accounts, valid or not, in the order of the paths.
    pub order: usize,
    /// When its turn comes.
    pub wave: Wave,
}

impl InvalidAccount {
    pub fn folder(&self) -> &Path {
        if self.path.is_dir() { &self.path } else { self.path.parent().unwrap_or(&self.path) }
    }
}

/// An account that can be planned.
#[derive(Clone, Debug)]
pub struct Account {
    /// The folder that paths in its settings are relative to; empty is the current one.
    pub root: PathBuf,
    pub files: Vec<PathBuf>,
    /// Whether it has all YAML files of its folder, and not one file.
    pub folder: bool,
    /// Its position among all accounts, valid or not, in the order of the paths.
    pub order: usize,
    /// When its turn comes.
    pub wave: Wave,
    /// How it is reached.
    pub settings: Settings,
    pub desired: Desired,
    /// What becomes of the rules; findings made while planning pass through it too.
    pub severities: Severities,
    /// Findings that the files' own policy lowers and that count if the policy before did not.
    pub lowered: Vec<Diagnostic>,
    /// What has to be accepted before a token is sent or its command is run.
    pub reach: Reach,
}

impl Account {
    /// Where the account is, links on the way to a file resolved; `None` if nothing else can reach it.
    pub fn address(&self) -> Option<Address> {
        super::address::of(&self.settings.provider, &self.root)
    }

    /// What these files own of the account.
    pub fn scope(&self) -> &Scope {
        &self.desired.policy.guards.scope
    }

    /// The finding that this account and another one of the run are `what`.
    pub fn same_as(&self, first: &Self, what: &str) -> Diagnostic {
        let (name, first_name) = (&self.settings.name, &first.settings.name);
        let message = format!("`{name}` and `{first_name}` are {what}");
        Diagnostic::new(Rule::ONE_ACCOUNT_TWICE, Some(self.settings.provider_span), message)
            .related(first.settings.provider_span, format!("`{first_name}` is reached here"))
            .hint(
                "remove one of them or correct its address; to share an account, give each a `policy.scope` with both \
                 lists, so that no two overlap",
            )
    }

    /// The account, once it is known to have an error that its own files do not show.
    pub(super) fn invalid(self) -> InvalidAccount {
        let Self { root, mut files, folder, settings, order, wave, .. } = self;
        let path = if folder || files.is_empty() { root } else { files.swap_remove(0) };
        InvalidAccount { name: settings.name, path, order, wave }
    }

    /// Whether a file of this name, in the account's folder, is one of the account's; also one that is gone.
    pub(super) fn reads(&self, name: &OsStr) -> bool {
        let name = Path::new(name);
        if self.folder {
            return super::files::is_read(name);
        }
        self.files.iter().any(|file| file.file_name() == name.file_name())
    }
}

/// When an account's turn comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wave {
    /// Which fleet it is of: the position of the path that led to it.
    pub fleet: usize,
    /// The wave within the fleet, from 0. Without a `fleet.yaml` all accounts are in the same one.
    pub number: usize,
}

/// What has to be accepted before a token is sent or its command is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// The files were not compared with those before: nothing may be sent.
    #[default]
    Unchecked,
    /// They were.
    Checked(NewTargets),
}

/// What is new; nothing, if both are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTargets {
    /// The host of an address, with the port unless it is that of https: `pbx.example.org`.
    pub address: Option<Box<str>>,
    /// A token's source: `env:NAME`, `file:PATH` from the repository's top, or `command:` and the command as a shell
    /// takes it. Untrusted text.
    pub source: Option<Box<str>>,
    /// What is new and what was before, as sentences without a full stop, safe to show.
    pub says: Vec<String>,
}
