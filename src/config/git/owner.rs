//! Which repository an account's files are in, as the owner of the account.
//!
//! That is where `origin` leads to, without what differs from clone to clone: the scheme, who asks, `.git`. It is in a
//! shallow clone as well, and a fork has another one. A repository without `origin` is known by the commit that its history
//! begins with, if all of the history is there.

use super::{GitError, Repository, run, succeeded, text};
use crate::model::OwnerName;

impl Repository {
    /// The owner; `None` if the repository has neither an `origin` nor its whole history.
    pub(in crate::config) fn owner(&mut self) -> Result<Option<OwnerName>, GitError> {
        let origin = run(&self.at, &["config", "--local", "--get", "remote.origin.url"])?;
        if origin.status.success()
            && let Some(owner) = owner_of(&text(&origin.stdout))
        {
            return Ok(Some(owner));
        }
        let shallow = succeeded(run(&self.at, &["rev-parse", "--is-shallow-repository"])?)?;
        let Some(head) = self.commit("HEAD")?.filter(|_| text(&shallow.stdout) == "false") else { return Ok(None) };
        // The first parents lead to one beginning, whatever other histories were merged.
        let first = ["rev-list", "--first-parent", "--max-parents=0", &head.0];
        let first = text(&succeeded(run(&self.at, &first)?)?.stdout);
        Ok(format!("git:{first}").parse().ok())
    }
}

/// The owner that a repository's address is: `github.com/acme/phones`.
pub fn owner_of(url: &str) -> Option<OwnerName> {
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest.split(['?', '#']).next()?.to_owned(),
        // `git@host:path`, unless it is a path.
        None => match url.split_once(':') {
            Some((host, path)) if !host.contains('/') => format!("{host}/{}", path.trim_start_matches('/')),
            _ => url.to_owned(),
        },
    };
    let (host, path) = rest.split_once('/')?;
    let host = host.rsplit('@').next()?.to_ascii_lowercase();
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    if path.is_empty() {
        return None;
    }
    format!("{host}/{path}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_is_one_owner_however_it_was_cloned() {
        for url in [
            "https://github.com/acme/phones",
            "https://github.com/acme/phones.git",
            "https://GitHub.com/acme/phones.git/",
            "https://x-access-token:secret@github.com/acme/phones?token=secret",
            "ssh://git@github.com/acme/phones.git",
            "git@github.com:acme/phones.git",
            "git@github.com:/acme/phones",
        ] {
            assert_eq!(owner_of(url).unwrap().as_str(), "github.com/acme/phones", "{url}");
        }
        assert_eq!(owner_of("/srv/git/phones.git").unwrap().as_str(), "/srv/git/phones");
        assert_eq!(owner_of("file:///srv/git/phones.git").unwrap().as_str(), "/srv/git/phones");
        assert_eq!(owner_of("https://git.example.org:8443/phones").unwrap().as_str(), "git.example.org:8443/phones");
        for url in ["", "phones", "https://github.com", "https://github.com/.git", "https://host/t\u{e9}l"] {
            assert_eq!(owner_of(url), None, "{url}");
        }
    }
}
