//! The URL of a repository. A password in it is never shown.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::text::{is_loopback_host, sanitized};

/// Replaces a secret.
const HIDDEN: &str = "(hidden)";

/// Only `Url::text` has the password; it is for git alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    text: Box<str>,
    shown: Box<str>,
    protocol: &'static str,
    secrets: Vec<String>,
}

/// Does not repeat the text, which may have a password in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It looks like an option, or has characters that a URL cannot have.
    #[error("a repository's URL does not begin with `-`, is not empty, and has no control characters")]
    NotifyFormat,
    /// The protocol does not authenticate the server, or runs programs.
    #[error("a repository is reached by https or ssh, as a path, or, on this machine only, by http or git")]
    Protocol,
}

impl Url {
    /// Parses `https://…`, `ssh://…`, `user@host:path`, `file://…`, or a path.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(UrlError::NotifyFormat);
        }
        let Some((scheme, rest)) = text.split_once("://") else { return Self::short(text) };
        let server = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, host) = server.rsplit_once('@').map_or((None, server), |(user, host)| (Some(user), host));
        if host.starts_with('-') {
            return Err(UrlError::NotifyFormat);
        }
        let here = is_loopback_host(without_port(host));
        let protocol = match scheme.to_ascii_lowercase().as_str() {
            "https" => "https",
            "ssh" => "ssh",
            "file" => "file",
            "http" if here => "http",
            "git" if here => "git",
            _ => return Err(UrlError::Protocol),
        };
        let (open, query) = rest.split_once(['?', '#']).map_or((rest, None), |(open, query)| (open, Some(query)));
        // The user of ssh is a word such as `git`; that of https can be a token.
        let name = user.and_then(|user| user.split(':').next()).filter(|_| protocol == "ssh");
        let name = name.map(|name| format!("{name}@")).unwrap_or_default();
        let path = open.get(server.len()..).unwrap_or_default();
        let display = format!("{protocol}://{name}{host}{path}");
        let secrets = user.map(|user| secrets_of(user, protocol)).unwrap_or_default();
        let secrets = secrets.into_iter().chain(query.map(str::to_owned)).filter(|secret| secret.len() > 2).collect();
        Ok(Self { text: text.into(), shown: sanitized(&display, 300).into(), protocol, secrets })
    }

    /// `user@host:path`, or a path of this machine.
    fn short(text: &str) -> Result<Self, UrlError> {
        let before = text.split('/').next().unwrap_or_default();
        if before.contains("::") {
            // A remote helper, which is a program that git would start.
            return Err(UrlError::Protocol);
        }
        if before.contains(':') && !Path::new(text).is_absolute() {
            if before.split(['@', ':']).any(|part| part.starts_with('-')) {
                return Err(UrlError::NotifyFormat);
            }
            let display = sanitized(text, 300).into();
            return Ok(Self { text: text.into(), shown: display, protocol: "ssh", secrets: Vec::new() });
        }
        // Git runs in another folder than this one.
        let path = std::path::absolute(text).map_err(|_| UrlError::NotifyFormat)?;
        let path: Box<str> = path.to_str().ok_or(UrlError::NotifyFormat)?.into();
        Ok(Self { shown: sanitized(&path, 300).into(), text: path, protocol: "file", secrets: Vec::new() })
    }

    /// With the secrets: for the environment of git.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The only protocol that git is allowed to use.
    pub(super) fn protocol(&self) -> &'static str {
        self.protocol
    }

    /// Replaces the secrets in a text: as written, percent-decoded, or encoded as in a request.
    pub(super) fn scrub(&self, text: &str) -> String {
        let mut clean = text.replace(&*self.text, &self.shown);
        for secret in &self.secrets {
            clean = clean.replace(secret.as_str(), HIDDEN);
        }
        without_passwords(&clean)
    }
}

/// Replaces passwords in all URLs of a text, such as the target of a redirect.
pub(super) fn without_passwords(text: &str) -> String {
    let mut open = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        open.push_str(before);
        open.push_str("://");
        let server = after.split(['/', ' ', '\'', '"', '\n']).next().unwrap_or_default();
        rest = match server.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => {
                open.push_str(HIDDEN);
                after.get(user.len()..).unwrap_or_default()
            }
            _ => after,
        };
    }
    open + rest
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The secret parts of `user:password`, longest first.
fn secrets_of(user: &str, protocol: &str) -> Vec<String> {
    let plain = percent_encoding::percent_decode_str(user).decode_utf8_lossy().into_owned();
    let mut secrets = vec![user.to_owned(), STANDARD.encode(&plain), plain.clone()];
    for text in [user, &plain] {
        match text.split_once(':') {
            Some((name, "") | ("", name)) => secrets.push(name.to_owned()),
            Some((_, password)) => secrets.push(password.to_owned()),
            None => {}
        }
    }
    if protocol == "ssh" && !user.contains(':') {
        secrets.clear();
    }
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_protocols_that_authenticate_the_server_are_accepted() {
        for good in [
            "https://example.org/a.git",
            "ssh://git@example.org:22/a.git",
            "git@example.org:a/b.git",
            "example.org:a",
            "file:///srv/a.git",
            "/srv/a.git",
            "a/b:c",
            "http://127.0.0.1:8080/a",
            "http://[::1]:8080/a",
            "git://localhost/a",
        ] {
            assert!(Url::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["http://example.org/a", "git://example.org/a", "ext::sh -c x", "foo::bar", "ftp://example.org/a", "x://y"]
        {
            assert_eq!(Url::parse(bad), Err(UrlError::Protocol), "{bad}");
        }
        for bad in ["", "-u", "--upload-pack=x", "ssh://-oProxyCommand=x/a", "-oProxyCommand=x:a", "a\nb", "a\0"] {
            assert_eq!(Url::parse(bad), Err(UrlError::NotifyFormat), "{bad:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown_in_any_form() {
        let url = Url::parse("https://me:h%40nter2@example.org/a.git?token=s3cret").unwrap();
        assert_eq!(url.to_string(), "https://example.org/a.git");
        assert_eq!(format!("{url:?}"), "https://example.org/a.git");
        let encoded = STANDARD.encode("me:h@nter2");
        let said = format!("fatal: {} h@nter2 h%40nter2 {encoded} token=s3cret https://x:y@b/c", url.text());
        let clean = url.scrub(&said);
        for secret in ["nter2", "s3cret", &encoded, "x:y"] {
            assert!(!clean.contains(secret), "{clean}");
        }
        assert!(clean.starts_with("fatal: https://example.org/a.git "), "{clean}");
    }

    #[test]
    fn a_token_in_the_place_of_a_user_is_not_shown_and_the_user_of_ssh_is() {
        let url = Url::parse("https://ghp_token@example.org/a").unwrap();
        assert_eq!(
            (url.to_string().as_str(), url.scrub("a ghp_token b").as_str()),
            ("https://example.org/a", "a (hidden) b")
        );
        assert_eq!(Url::parse("ssh://git@example.org/a").unwrap().to_string(), "ssh://git@example.org/a");
        let url = Url::parse("ssh://git:hunter2@example.org/a").unwrap();
        assert_eq!(url.to_string(), "ssh://git@example.org/a");
        assert!(!url.scrub("hunter2").contains("hunter2"));
    }
}
