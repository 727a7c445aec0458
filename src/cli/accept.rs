//! Accepts new addresses and token sources before a token is sent or its command is run: those that the previous
//! revision of the files does not have.
//!
//! An edit of the files could send a token elsewhere, and even a plan, which only reads, sends it. So every command
//! that opens accounts checks here first.

use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use crate::config::{self, Account, BaseError, Loaded, NewTargets, Reach, Revision};
use crate::text::sanitized;

/// The environment variable with hosts that are accepted.
const HOSTS: &str = "STROWGER_ACCEPT_ADDRESS";
/// The one with token sources: only names of variables, whose meaning the files cannot change.
const SOURCES: &str = "STROWGER_ACCEPT_TOKEN_SOURCE";

/// What is accepted.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Accept {
    /// Allow sending the token to this host, which the previous revision of the files does not have: the exact host,
    /// with its port unless it is 443. Can be repeated; `STROWGER_ACCEPT_ADDRESS` may list more, separated by commas
    #[arg(long, value_name = "HOST")]
    accept_address: Vec<Host>,
    /// Allow this token source, which the previous revision of the files does not have: `env:NAME`, `file:PATH` or
    /// `command:LINE`, exactly as the error message shows it. Can be repeated; `STROWGER_ACCEPT_TOKEN_SOURCE` may list
    /// more of the form `env:NAME`
    #[arg(long, value_name = "SOURCE")]
    accept_token_source: Vec<String>,
}

/// A host and its port, as the HTTP client reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host(Box<str>);

/// An address or token source is new and not accepted.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unaccepted(pub(super) String);

impl FromStr for Host {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write a host such as `pbx.example.org`, or with its port `pbx.example.org:8443`";
        let plain = !text.is_empty()
            && !text.contains(['/', '\\', '@', '?', '#', ',', '*'])
            && !text.contains(char::is_whitespace);
        let url = plain.then(|| Url::parse(&format!("https://{text}/")).ok()).flatten().ok_or(wrong)?;
        let host = url.host_str().ok_or(wrong)?;
        Ok(Self(url.port().map_or_else(|| host.into(), |port| format!("{host}:{port}").into())))
    }
}

impl Accept {
    /// The files with the guards of the revisions before, and with what is accepted.
    pub(super) fn load(&self, paths: &[PathBuf], base: Option<&Revision>) -> Result<Loaded, BaseError> {
        let mut loaded = config::load_guarded(paths, base)?;
        for account in &mut loaded.accounts {
            account.reach = Reach::Checked(self.left(account));
        }
        Ok(loaded)
    }

    /// What of an account is new and not accepted.
    fn left(&self, account: &Account) -> NewTargets {
        let Reach::Checked(news) = &account.reach else { return unchecked() };
        let more = listed(HOSTS).into_iter().filter_map(|host| host.parse().ok());
        let hosts: Vec<Host> = self.accept_address.iter().cloned().chain(more).collect();
        let more = listed(SOURCES).into_iter().filter(|source| source.starts_with("env:"));
        let sources: Vec<String> = self.accept_token_source.iter().cloned().chain(more).collect();
        let address = news.address.clone().filter(|new| !hosts.iter().any(|host| *host.0 == **new));
        let source = news.source.clone().filter(|new| !sources.iter().any(|source| **source == **new));
        NewTargets { address, source, says: news.says.clone() }
    }

    /// Why nothing may be sent to an account; `None` if sending is allowed.
    pub(super) fn refusal(&self, account: &Account) -> Option<String> {
        refusal(account, &self.left(account))
    }
}

/// What an environment variable lists, with commas or white space between.
fn listed(variable: &str) -> Vec<String> {
    let text = std::env::var(variable).unwrap_or_default();
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Accepts what the operator has given a moment ago.
pub(super) fn everything(loaded: &mut Loaded) {
    for account in &mut loaded.accounts {
        account.reach = Reach::Checked(NewTargets::default());
    }
}

/// Refuses an account with a new address or token source that is not accepted.
pub(super) fn check(account: &Account) -> Result<(), Unaccepted> {
    let unchecked = unchecked();
    let news = match &account.reach {
        Reach::Checked(news) => news,
        Reach::Unchecked => &unchecked,
    };
    refusal(account, news).map_or(Ok(()), |why| Err(Unaccepted(why)))
}

/// Of files that were not compared, everything is new.
fn unchecked() -> NewTargets {
    NewTargets {
        says: vec!["the files were not compared with an earlier revision".to_owned()],
        ..NewTargets::default()
    }
}

fn refusal(account: &Account, NewTargets { address, source, says }: &NewTargets) -> Option<String> {
    let sends = account.settings.provider.endpoint().is_some();
    let unchecked = account.reach == Reach::Unchecked;
    if !sends || address.is_none() && source.is_none() && !unchecked {
        return None;
    }
    let quoted = |text: &str| shlex::try_quote(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned);
    let address = address.iter().map(|host| format!("--accept-address {}", quoted(host)));
    let source = source.iter().map(|source| format!("--accept-token-source {}", quoted(source)));
    let words: Vec<String> = address.chain(source).collect();
    let name = sanitized(&account.settings.name, 200);
    Some(format!(
        "nothing was sent to {name} and no token command was run: {}; if this is intended, add {}",
        says.join("; "),
        sanitized(&words.join(" "), 2000)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_accepted_with_its_port_and_nothing_else() {
        let host = |text: &str| text.parse::<Host>().map(|host| host.0.to_string());
        for (text, parsed) in [
            ("pbx.example.org", "pbx.example.org"),
            ("PBX.example.org:443", "pbx.example.org"),
            ("pbx.example.org:8443", "pbx.example.org:8443"),
            ("[::1]:80", "[::1]:80"),
            ("127.1:9", "127.0.0.1:9"),
        ] {
            assert_eq!(host(text).as_deref(), Ok(parsed), "{text}");
        }
        for text in ["", "*", "*.example.org", "https://pbx.example.org", "a@b", "a/b", "a b", "a,b", ":9"] {
            assert!(host(text).is_err(), "{text}");
        }
    }
}
