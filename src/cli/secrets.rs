//! Secrets, from the references that a file holds.
//!
//! What is found here goes into a [`Secret`] at once and never into an error: errors name where was looked.

mod command;

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::config;
use crate::providers::Secret;
use crate::providers::settings::SecretRef;
use crate::text::sanitized;

/// No token is longer; a larger file is some other file.
const MOST_BYTES: u64 = 64 * 1024;

/// Finds the secret; a relative path starts at the account's folder.
pub(super) fn resolve(reference: &SecretRef, root: &Path) -> anyhow::Result<Secret> {
    let secret = match reference {
        SecretRef::Env(name) => {
            let value = std::env::var_os(&**name)
                .with_context(|| format!("the token's environment variable {name} is not set"))?;
            let Ok(text) = value.into_string() else { bail!("the environment variable {name} is not UTF-8") };
            Secret::new(text)
        }
        SecretRef::File(path) => {
            let path = root.join(path);
            let place = path.display();
            let about = std::fs::metadata(&path).with_context(|| format!("cannot read the token's file {place}"))?;
            if !about.is_file() || about.len() > MOST_BYTES {
                bail!("the token's file {place} is not a small regular file");
            }
            Secret::new(
                std::fs::read_to_string(&path).with_context(|| format!("cannot read the token's file {place}"))?,
            )
        }
        SecretRef::Command { program, arguments } => {
            let printed = command::printed(program, arguments, config::or_here(root), command::DEADLINE)?;
            let Ok(text) = String::from_utf8(printed) else {
                bail!("the token's command {} printed something that is not UTF-8", sanitized(program, 200))
            };
            Secret::new(text)
        }
    };
    if secret.is_empty() {
        bail!("the token is empty");
    }
    Ok(secret)
}
