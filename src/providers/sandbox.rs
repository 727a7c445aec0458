//! The `sandbox` provider: the embedded account, started in this process on loopback and spoken to over HTTP like any
//! other server of the Account API.

use crate::model::Capabilities;

use super::open::{EmbeddedAccount, OpenRequest, Opened};
use super::registry::{Presence, ProviderSpec, SettingKind, SettingSpec};
use super::settings::{ProviderSettings, SettingValue, StateFile};
use super::{Access, Secret, office::Office};

pub static SPEC: ProviderSpec = ProviderSpec {
    word: "sandbox",
    about: "The embedded account: nothing to sign up for, no credentials.",
    offer: "an account to try on",
    settings: &[
        SettingSpec {
            name: "state",
            kind: SettingKind::State,
            presence: Presence::Default(|account| SettingValue::State(StateFile::of_account(account))),
            about: "the file that keeps the embedded account, or `:memory:` for one that is gone afterwards. Without it, \
                    `.strowger/<name>.db` in the folder of the file.",
            example: "\":memory:\"",
        },
        SettingSpec {
            name: "seed",
            kind: SettingKind::File,
            presence: Presence::Optional,
            about: "a snapshot (YAML) that a new embedded account starts from, relative to this file.",
            example: "\"seed.yaml\"",
        },
    ],
    location: "state",
    is_read_only: false,
    is_embedded: true,
    rate_limits: &[],
    capabilities: Capabilities::default,
    workflow_remark: Some("On GitHub's machine the embedded account begins anew in each run."),
    open: |request| Box::pin(open(request)),
};

/// The settings of an embedded account.
pub fn settings(state: StateFile, seed: Option<std::path::PathBuf>) -> ProviderSettings {
    let seed = seed.map(|seed| ("seed", SettingValue::File(seed)));
    ProviderSettings::new(&SPEC, [("state", SettingValue::State(state))].into_iter().chain(seed).collect())
}

async fn open(request: OpenRequest<'_>) -> anyhow::Result<Opened> {
    let OpenRequest { settings, host, options, .. } = &request;
    let read_only = options.access == Access::ReadOnly;
    let file = match settings.location() {
        Some(SettingValue::State(StateFile::File(path))) => Some(host.file("state", path)?),
        _ => None,
    };
    let exists = file.as_ref().is_some_and(|path| path.exists());
    // Reading creates no file.
    let state = file.filter(|_| exists || !read_only);
    // Once there is an account, its seed is not read, and need not exist.
    let seed = settings.file("seed").filter(|_| !exists).map(|path| host.file("seed", path)).transpose()?;
    // Only this process knows the token.
    let token = format!("{:032x}", fastrand::u128(..));
    let account = EmbeddedAccount {
        name: request.name.to_owned(),
        country: request.country.clone(),
        state,
        seed,
        token: token.clone(),
        read_only,
    };
    let server = host.start(account).await?;
    let client = Office::new(&server.url(), Secret::new(token), request.options)?;
    Ok(Opened::new(client).with_server(server))
}
