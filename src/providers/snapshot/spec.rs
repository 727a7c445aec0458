//! What the `snapshot` provider declares, and how it is opened.

use std::future::ready;
use std::path::PathBuf;

use crate::model::Capabilities;
use crate::providers::open::{OpenRequest, Opened};
use crate::providers::registry::{Presence, ProviderSpec, SettingKind, SettingSpec};
use crate::providers::settings::{ProviderSettings, SettingValue};

use super::Snapshot;

pub static SPEC: ProviderSpec = ProviderSpec {
    word: "snapshot",
    about: "A snapshot in a file, which is read and never written.",
    offer: "a file, read-only",
    settings: &[SettingSpec {
        name: "file",
        kind: SettingKind::File,
        presence: Presence::Required {
            hint: "write `file:` and the path of the snapshot",
            question: "Which file is the snapshot?",
        },
        about: "the snapshot of the live account (YAML), relative to this file.",
        example: "\"live.yaml\"",
    }],
    location: "file",
    is_read_only: true,
    is_embedded: false,
    rate_limits: &[],
    capabilities: Capabilities::of_snapshot,
    workflow_remark: Some("A snapshot is read-only: what is merged is planned, and not applied."),
    open: |request| Box::pin(ready(open(&request))),
};

/// The settings of an account in a file.
pub fn settings(file: impl Into<PathBuf>) -> ProviderSettings {
    ProviderSettings::new(&SPEC, vec![("file", SettingValue::File(file.into()))])
}

fn open(request: &OpenRequest<'_>) -> anyhow::Result<Opened> {
    let Some(file) = request.settings.file("file") else { anyhow::bail!("`file` is missing") };
    Ok(Opened::new(Snapshot::new(request.host.file("file", file)?)))
}
