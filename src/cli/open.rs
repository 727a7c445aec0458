//! From an account's settings to its provider.
//!
//! The embedded account is started here, on loopback and behind a token that only this process knows, and is
//! then spoken to over HTTP like any other.

use std::path::Path;

use anyhow::Context as _;

use crate::check::settings::{ProviderSettings, SandboxState};
use crate::config::Account;
use crate::providers::office::Office;
use crate::providers::snapshot::{self, Snapshot};
use crate::providers::{Access, Provider, Secret};
use crate::sandbox::{self, Running, SandboxOptions, Seed, State};

use super::request_limits::Effort;
use super::{accept, allowed_paths, secrets};

/// A provider, and what must run as long as it is used.
pub(super) struct Opened {
    pub(super) provider: Box<dyn Provider>,
    server: Option<Running>,
}

impl Opened {
    /// Ends what was started for the provider.
    pub(super) async fn close(self) {
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}

/// What the account is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Nothing is written, not even the file of an embedded account that does not exist yet.
    Look,
    /// It may be written to.
    Write,
}

impl From<Purpose> for Access {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Look => Self::Look,
            Purpose::Write => Self::Write,
        }
    }
}

/// Opens an account, if nothing of the way to it has to be accepted first.
pub(super) async fn open(account: &Account, purpose: Purpose, effort: Effort) -> anyhow::Result<Opened> {
    accept::check(account)?;
    open_accepted(account, purpose, effort).await
}

/// Opens an account that was found to be accepted.
pub(super) async fn open_accepted(account: &Account, purpose: Purpose, effort: Effort) -> anyhow::Result<Opened> {
    let root = &account.root;
    let mut options = effort.options();
    options.access = purpose.into();
    match &account.settings.provider {
        ProviderSettings::Snapshot { file } => Ok(Opened {
            provider: Box::new(Snapshot::new(allowed_paths::of_account(root, file, "file")?)),
            server: None,
        }),
        ProviderSettings::Office { url, token } => {
            let token = secrets::resolve(token, root)?;
            Ok(Opened { provider: Box::new(Office::new(url, token, options)?), server: None })
        }
        ProviderSettings::Sandbox { state, seed } => {
            let token = secret();
            let server = embedded(account, purpose, state, seed.as_deref(), token.clone()).await?;
            let provider = Office::new(&server.url(), Secret::new(token), options)?;
            Ok(Opened { provider: Box::new(provider), server: Some(server) })
        }
    }
}

/// A token that only this process knows.
fn secret() -> String {
    format!("{:032x}", fastrand::u128(..))
}

async fn embedded(
    account: &Account,
    purpose: Purpose,
    state: &SandboxState,
    seed: Option<&Path>,
    token: String,
) -> anyhow::Result<Running> {
    let Account { root, settings, .. } = account;
    let kept = match state {
        SandboxState::Memory => None,
        SandboxState::File(path) => Some(allowed_paths::of_account(root, path, "state")?),
    };
    let exists = kept.as_ref().is_some_and(|path| path.exists());
    let state = match kept {
        Some(path) if exists || purpose == Purpose::Write => State::File(path),
        _ => State::Memory,
    };
    // Once there is an account, its seed is history, and need not even exist.
    let seed = match seed.filter(|_| !exists) {
        None => None,
        Some(path) => Some(read_seed(&allowed_paths::of_account(root, path, "seed")?)?),
    };
    let mut options = SandboxOptions::new(token);
    if purpose == Purpose::Look {
        // The client is not able to write, and its token would not let it.
        options.read_token = Some(std::mem::replace(&mut options.token, secret()));
    }
    options.state = state;
    options.seed = seed;
    options.account_name = settings.name.to_string();
    if let Some(country) = settings.country {
        options.country = country.to_string();
    }
    sandbox::start(options).await.with_context(|| format!("the embedded account {} does not start", settings.name))
}

/// A seed from a file.
pub(super) fn read_seed(path: &Path) -> anyhow::Result<Seed> {
    // Names the file itself.
    let text = snapshot::text(path).context("cannot read the seed")?;
    Seed::from_yaml(&text).with_context(|| format!("{} is no seed", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test asserts by failing")]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::cli::plan::read_and_plan;
    use crate::config;
    use crate::providers::WriteError;

    #[tokio::test(flavor = "multi_thread")]
    async fn who_plans_cannot_write_to_the_embedded_account_either() {
        let loaded = config::load(&[PathBuf::from("examples/wework")]);
        let account = loaded.accounts.first().unwrap();
        let opened = open(account, Purpose::Look, Effort::default()).await.unwrap();
        let part = crate::plan::Part::default();
        let plan = read_and_plan(account, &*opened.provider, &part).await.unwrap().plan.unwrap();
        assert!(!plan.is_empty());
        for change in &plan.changes {
            // What a change waits for was not made, so some cannot even be put together.
            let refused = opened.provider.write(change).await.unwrap_err();
            assert!(matches!(refused, WriteError::ReadOnlyClient | WriteError::Unsupported(_)), "{refused}");
        }
        let server = opened.server.as_ref().unwrap();
        assert_eq!(server.counters().writes, 0);
        opened.close().await;
    }
}
