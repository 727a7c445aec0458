//! The lines of an `account` section that say how the account is reached.

use std::path::{Path, PathBuf};

use crate::providers::settings::{ProviderSettings, SecretRef, SettingValue, StateFile};
use crate::text::{quoted, yaml};

/// The provider's part of the section, without indentation. `place` maps each path to the one that is written.
pub(super) fn provider(provider: &ProviderSettings, place: &dyn Fn(&Path) -> PathBuf) -> Vec<String> {
    let word = format!("provider: {}", provider.spec().word);
    let values = provider.values().map(|(name, value)| format!("{name}: {}", self::value(value, place)));
    std::iter::once(word).chain(values).collect()
}

fn value(value: &SettingValue, place: &dyn Fn(&Path) -> PathBuf) -> String {
    match value {
        SettingValue::Url(url) => yaml(url).into_owned(),
        SettingValue::File(file) | SettingValue::State(StateFile::File(file)) => path(&place(file)),
        SettingValue::Word(word) => yaml(word).into_owned(),
        SettingValue::Dialplan(entries) => {
            let entries = entries.iter().map(|(name, place)| format!("{}: {}", yaml(name.as_str()), quoted(place)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        SettingValue::State(StateFile::Memory) => "\":memory:\"".to_owned(),
        SettingValue::Secret(SecretRef::Env(name)) => format!("{{ env: {} }}", yaml(name)),
        SettingValue::Secret(SecretRef::File(file)) => format!("{{ file: {} }}", path(&place(file))),
        SettingValue::Secret(SecretRef::Command { program, arguments }) => {
            let words: Vec<_> = std::iter::once(program).chain(arguments).map(|word| yaml(word)).collect();
            format!("{{ command: [{}] }}", words.join(", "))
        }
    }
}

/// A path as YAML.
fn path(path: &Path) -> String {
    yaml(&path.to_string_lossy()).into_owned()
}
