//! Where an account is, as far as its files say: two accounts with one address are one live account.
//!
//! However an address is spelled, it is compared as the HTTP client and the system read it, and where servers differ
//! (capitals in a path, the scheme) the spellings count as one: guards hang on it, so a doubt is a yes.

use std::net::{IpAddr, Ipv6Addr};
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::providers::settings::{ProviderSettings, SettingValue, StateFile};

/// The port of PostgreSQL, the one scheme of which the parser knows no default.
const POSTGRESQL_PORT: u16 = 5432;

/// The address of an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A server of an API, or of a database.
    Server {
        /// Lower case, without a trailing dot; `localhost` for every name of this machine.
        host: Box<str>,
        /// The port, also where it is the scheme's default.
        port: u16,
        /// Decoded, in lower case, without empty parts: `t/acme`.
        path: Box<str>,
    },
    /// A server whose address is not a URL, as it is written.
    Unparsed(Box<str>),
    /// The state of an embedded account. Links are resolved as far as the caller resolved them.
    State(PathBuf),
    Snapshot(PathBuf),
}

impl ProviderSettings {
    /// Where the account is; `root` is the folder that relative paths start at. `None` for an embedded account in
    /// memory, which nothing else reaches.
    pub fn address(&self, root: &Path) -> Option<Address> {
        match self.location()? {
            SettingValue::Url(url) => Some(server(url)),
            SettingValue::State(StateFile::File(path)) => Some(Address::State(plain(&root.join(path)))),
            SettingValue::State(StateFile::Memory)
            | SettingValue::Secret(_)
            | SettingValue::Word(_)
            | SettingValue::Dialplan(_) => None,
            SettingValue::File(path) => Some(Address::Snapshot(plain(&root.join(path)))),
        }
    }
}

impl Address {
    /// The same with its path, if it is one of a file, given to `resolve`.
    #[must_use]
    pub fn resolved(self, resolve: impl FnOnce(&Path) -> PathBuf) -> Self {
        match self {
            Self::State(path) => Self::State(resolve(&path)),
            Self::Snapshot(path) => Self::Snapshot(resolve(&path)),
            server => server,
        }
    }
}

fn server(text: &str) -> Address {
    let Some((url, host)) = Url::parse(text).ok().and_then(|url| Some((url.clone(), host(&url.host()?)))) else {
        return Address::Unparsed(text.into());
    };
    let parts = url.path().split('/').filter(|part| !part.is_empty());
    let decoded = parts.map(|part| percent_decode_str(part).decode_utf8_lossy().to_lowercase());
    let mut parts: Vec<_> = decoded.collect();
    // The client takes the version off the end of the path, which every resource begins with anyway.
    if parts.last().is_some_and(|last| last == "v1") {
        parts.pop();
    }
    let path = parts.join("/").into();
    Address::Server { host, port: url.port_or_known_default().unwrap_or(POSTGRESQL_PORT), path }
}

/// A host's name; one for all that are this machine.
fn host(host: &Host<&str>) -> Box<str> {
    let local = || "localhost".into();
    let mapped = |address: Ipv6Addr| address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4);
    let address = match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_lowercase();
            let is_local = name == "localhost" || name.ends_with(".localhost");
            return if is_local { local() } else { name.into() };
        }
        Host::Ipv4(address) => IpAddr::V4(*address),
        Host::Ipv6(address) => mapped(*address),
    };
    // The unspecified address reaches this machine, too.
    if address.is_loopback() || address.is_unspecified() { local() } else { address.to_string().into() }
}

/// A path without `.` and `..`; of links it knows nothing.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            // Nothing is above the root.
            Component::ParentDir if plain.has_root() => {}
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::settings::SecretRef;
    use crate::providers::{office, sandbox, snapshot};

    fn office(url: &str) -> Option<Address> {
        office::settings(url, SecretRef::Env("T".into())).address(Path::new("/r"))
    }

    fn state(path: &str) -> Option<Address> {
        sandbox::settings(StateFile::File(path.into()), None).address(Path::new("/r/phones"))
    }

    #[test]
    fn one_server_has_one_address_however_it_is_spelled() {
        for url in [
            "https://PBX.example.org/t/acme/",
            "https://pbx.example.org/t/acme/v1",
            "https://pbx.example.org/t/acme/v1/",
            "https://pbx.example.org:443/t/acme",
            "https://pbx.example.org./t//acme",
            "https://pbx.example.org/t/./x/../acme",
            "https://pbx.example.org/%74/%61cme",
            "https://pbx.example.org/T/Acme",
            "https://pbx.example.org\\t\\acme",
            "https://%70bx.example.org/t/acme",
            "https://user@pbx.example.org/t/acme",
            "https://p\u{ff42}x.example.org/t/acme",
            "http://pbx.example.org:443/t/acme",
        ] {
            assert_eq!(office(url), office("https://pbx.example.org/t/acme"), "{url}");
        }
        for url in [
            "http://127.0.0.1:8080",
            "http://127.1:8080/",
            "http://0x7f000001:8080",
            "http://LocalHost:8080",
            "http://a.localhost:8080",
            "http://[::1]:8080",
            "http://[::ffff:127.0.0.1]:8080",
            "http://127.8.9.1:8080",
            "http://0.0.0.0:8080",
            "http://localhost.:8080",
        ] {
            assert_eq!(office(url), office("http://localhost:8080"), "{url}");
        }
    }

    #[test]
    fn other_servers_ports_and_paths_are_other_addresses() {
        let url = "https://pbx.example.org/t/acme";
        for other in [
            "https://pbx.example.com/t/acme",
            "https://pbx.example.org:8443/t/acme",
            "https://pbx.example.org/t/acme2",
            "https://pbx.example.org/",
            "http://localhost:443/t/acme",
        ] {
            assert_ne!(office(url), office(other), "{other}");
        }
    }

    #[test]
    fn a_state_file_is_one_address_and_memory_is_none() {
        for path in
            ["./a.db", "x/../a.db", "../phones/a.db", "/r/phones/a.db", "//r/phones/./a.db", "/../r/phones/a.db"]
        {
            assert_eq!(state(path), state("a.db"), "{path}");
        }
        assert_ne!(state("b.db"), state("a.db"));
        let memory = sandbox::settings(StateFile::Memory, None);
        assert_eq!(memory.address(Path::new("/r")), None);
        let snapshot = snapshot::settings("a.db");
        assert_ne!(snapshot.address(Path::new("/r/phones")), state("a.db"));
    }
}
