//! The address and token source that a watch refused, kept in the account's state folder.
//!
//! After a later commit, the refused address is in the previous revision and looks accepted. So it is kept over
//! restarts until it is accepted.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::{Account, NewTargets, Reach};
use crate::ledger::state_dir;
use crate::providers::settings::SecretRef;

/// The file in the state folder.
const NAME: &str = "refused.json";
/// More than any that was written here.
const MOST_BYTES: u64 = 1 << 20;

/// What was refused, and where the account's files had it.
#[derive(Serialize, Deserialize, PartialEq)]
struct Refused {
    url: String,
    /// The reference to the token.
    token: Vec<String>,
    address: Option<Box<str>>,
    source: Option<Box<str>>,
    says: Vec<String>,
}

/// Keeps what is refused of an account, below this folder.
pub(super) fn keep(root: &Path, account: &Account) -> io::Result<()> {
    let (Some((url, token)), Reach::Checked(news)) = (way(account), &account.reach) else { return Ok(()) };
    let NewTargets { address, source, says } = news.clone();
    let refused = Refused { url, token, address, source, says };
    if read(root).is_some_and(|kept| kept == refused) {
        return Ok(());
    }
    let folder = state_dir::subfolder(root, None)?;
    fs::create_dir_all(&folder)?;
    let new = folder.join(format!("{NAME}.new"));
    let mut file = state_dir::open(OpenOptions::new().write(true).create(true).truncate(true), &new)?;
    file.write_all(&serde_json::to_vec(&refused)?)?;
    file.sync_all()?;
    fs::rename(new, folder.join(NAME))
}

/// The account with what was refused of it, if its files have the same address and token source still.
pub(super) fn recall(root: &Path, account: &Account) -> Option<Account> {
    let (url, token) = way(account)?;
    let kept = read(root).filter(|kept| kept.url == url && kept.token == token)?;
    let news = NewTargets { address: kept.address, source: kept.source, says: kept.says };
    Some(Account { reach: Reach::Checked(news), ..account.clone() })
}

/// Forgets what was refused: it is accepted.
pub(super) fn forget(root: &Path) -> io::Result<()> {
    fs::remove_file(state_dir::subfolder(root, None)?.join(NAME))
}

fn read(root: &Path) -> Option<Refused> {
    let path = state_dir::subfolder(root, None).ok()?.join(NAME);
    let file = state_dir::open(OpenOptions::new().read(true), &path).ok()?;
    let mut text = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The address, and the reference to the token that is sent there.
fn way(account: &Account) -> Option<(String, Vec<String>)> {
    let (url, token) = account.settings.provider.endpoint()?;
    let token = match token {
        SecretRef::Env(name) => vec!["env".to_owned(), name.to_string()],
        SecretRef::File(path) => vec!["file".to_owned(), path.to_string_lossy().into_owned()],
        SecretRef::Command { program, arguments } => std::iter::once("command".to_owned())
            .chain([program.to_string()])
            .chain(arguments.iter().map(ToString::to_string))
            .collect(),
    };
    Some((url.to_string(), token))
}
