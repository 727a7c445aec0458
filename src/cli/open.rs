//! Opens accounts: what providers need of this process.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::config::Account;
use crate::providers::settings::{SecretRef, StateFile};
use crate::providers::snapshot;
use crate::providers::{Access, BoxFuture, EmbeddedAccount, EmbeddedServer, Host, OpenRequest, Opened, Secret};
use crate::sandbox::{self, SandboxOptions, Seed};

use super::request_limits::Effort;
use super::{accept, allowed_paths, secrets};

/// Opens an account, if nothing of the way to it has to be accepted first.
pub(super) async fn open(account: &Account, access: Access, effort: Effort) -> anyhow::Result<Opened> {
    accept::check(account)?;
    open_accepted(account, access, effort).await
}

/// Opens an account that was found to be accepted.
pub(super) async fn open_accepted(account: &Account, access: Access, effort: Effort) -> anyhow::Result<Opened> {
    let settings = &account.settings;
    let mut options = effort.options();
    options.access = access;
    let request = OpenRequest {
        settings: &settings.provider,
        name: &settings.name,
        country: settings.country.map(|country| country.to_string()),
        options,
        host: &Folder(&account.root),
    };
    (settings.provider.spec().open)(request).await
}

/// The folder of an account: relative paths start there.
struct Folder<'a>(&'a Path);

impl Host for Folder<'_> {
    fn file(&self, setting: &str, path: &Path) -> anyhow::Result<PathBuf> {
        allowed_paths::of_account(self.0, path, setting)
    }

    fn secret(&self, reference: &SecretRef) -> anyhow::Result<Secret> {
        secrets::resolve(reference, self.0)
    }

    fn start(&self, account: EmbeddedAccount) -> BoxFuture<'_, anyhow::Result<Box<dyn EmbeddedServer>>> {
        Box::pin(start(account))
    }
}

async fn start(account: EmbeddedAccount) -> anyhow::Result<Box<dyn EmbeddedServer>> {
    let EmbeddedAccount { name, country, state, seed, token, read_only } = account;
    let mut options = SandboxOptions::new(token);
    if read_only {
        // The client does not write, and its token does not allow it.
        options.read_token = Some(std::mem::replace(&mut options.token, format!("{:032x}", fastrand::u128(..))));
    }
    options.state = state.map_or(StateFile::Memory, StateFile::File);
    options.seed = seed.map(|path| read_seed(&path)).transpose()?;
    options.account_name.clone_from(&name);
    options.country = country.unwrap_or(options.country);
    let server =
        sandbox::start(options).await.with_context(|| format!("the embedded account {name} does not start"))?;
    Ok(Box::new(server))
}

/// A seed from a file.
pub(super) fn read_seed(path: &Path) -> anyhow::Result<Seed> {
    // Names the file itself.
    let text = snapshot::text(path).context("cannot read the seed")?;
    Seed::from_yaml(&text).with_context(|| format!("{} is not a seed", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test asserts by failing")]
mod tests {
    use super::*;
    use crate::cli::read_account::read_and_plan;
    use crate::config;
    use crate::providers::WriteError;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_plan_cannot_write_to_the_embedded_account() {
        let loaded = config::load(&[PathBuf::from("examples/wework")]);
        let account = loaded.accounts.first().unwrap();
        let opened = open(account, Access::ReadOnly, Effort::default()).await.unwrap();
        let part = crate::plan::Part::default();
        let before = opened.provider.read().await.unwrap();
        let plan = read_and_plan(account, &*opened.provider, &part).await.unwrap().plan.unwrap();
        assert!(!plan.is_empty());
        for change in &plan.changes {
            // A change that waits for a creation has references without ids and is refused for those.
            let refused = opened.provider.perform(change, 0).await.unwrap_err();
            assert!(matches!(refused, WriteError::ReadOnlyClient | WriteError::Unsupported(_)), "{refused}");
        }
        // Each object has its revision, which a write would change.
        assert_eq!(opened.provider.read().await.unwrap().live, before.live);
        opened.close().await;
    }
}
