//! What the `office` provider declares, and how it is opened.

use std::future::ready;

use crate::model::Capabilities;
use crate::providers::open::{OpenRequest, Opened};
use crate::providers::registry::{Presence, ProviderSpec, SettingKind, SettingSpec};
use crate::providers::settings::{ProviderSettings, SecretRef, SettingValue};

use super::Office;

pub static SPEC: ProviderSpec = ProviderSpec {
    word: "office",
    about: "A server of the Account API.",
    offer: "an Account API server",
    settings: &[
        SettingSpec {
            name: "url",
            kind: SettingKind::Url,
            presence: Presence::Required {
                hint: "write `url:` and the address of the Account API",
                question: "Where is the Account API?",
            },
            about: "where the Account API is. `https`, or `http` on this machine.",
            example: "\"https://accounts.example.org/v1\"",
        },
        SettingSpec {
            name: "token",
            kind: SettingKind::Secret,
            presence: Presence::Required {
                hint: "write `token: { env: STROWGER_TOKEN }`",
                question: "Where will the API token be?",
            },
            about: "where the API token is found. A token is never written in a file.",
            example: "{\"env\": \"STROWGER_TOKEN\"}",
        },
    ],
    location: "url",
    is_read_only: false,
    is_embedded: false,
    rate_limits: &[],
    capabilities: Capabilities::before_reading,
    workflow_remark: None,
    open: |request| Box::pin(ready(open(request))),
};

/// The settings of an account on a server.
pub fn settings(url: &str, token: SecretRef) -> ProviderSettings {
    ProviderSettings::new(&SPEC, vec![("url", SettingValue::Url(url.into())), ("token", SettingValue::Secret(token))])
}

fn open(request: OpenRequest<'_>) -> anyhow::Result<Opened> {
    let Some((url, token)) = request.settings.endpoint() else { anyhow::bail!("`url` or `token` is missing") };
    let token = request.host.secret(token)?;
    Ok(Opened::new(Office::new(url, token, request.options)?))
}
