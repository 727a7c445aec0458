//! The lines of an `account` section that say how the account is reached.

use std::path::{Path, PathBuf};

use crate::check::settings::{ProviderSettings, SandboxState, SecretRef};
use crate::text::yaml;

/// The provider's part of the section, without indentation. Each path is written as it is placed.
pub(super) fn provider(provider: &ProviderSettings, place: &dyn Fn(&Path) -> PathBuf) -> Vec<String> {
    let mut lines = vec![format!("provider: {}", provider.as_str())];
    match provider {
        ProviderSettings::Sandbox { state, seed } => {
            lines.push(match state {
                SandboxState::Memory => "state: \":memory:\"".to_owned(),
                SandboxState::File(file) => format!("state: {}", path(&place(file))),
            });
            lines.extend(seed.as_ref().map(|seed| format!("seed: {}", path(&place(seed)))));
        }
        ProviderSettings::Office { url, token } => {
            lines.push(format!("url: {}", yaml(url)));
            lines.push(match token {
                SecretRef::Env(name) => format!("token: {{ env: {} }}", yaml(name)),
                SecretRef::File(file) => format!("token: {{ file: {} }}", path(&place(file))),
                SecretRef::Command { program, arguments } => {
                    let words: Vec<_> = std::iter::once(program).chain(arguments).map(|word| yaml(word)).collect();
                    format!("token: {{ command: [{}] }}", words.join(", "))
                }
            });
        }
        ProviderSettings::Snapshot { file } => lines.push(format!("file: {}", path(&place(file)))),
    }
    lines
}

/// A path as YAML.
pub(super) fn path(path: &Path) -> String {
    yaml(&path.to_string_lossy()).into_owned()
}
