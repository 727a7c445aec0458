//! Where an account's files would have a token sent, and what they would have run for it, that the revision before
//! does not have.
//!
//! A token is sent to an address as soon as an account is read, and a token's command runs before that: no plan can be
//! blocked in time. So what is new is found here, and must be accepted first. A pair counts: another
//! account's token is as new to an address as a token that no account had.

use std::path::{Component, Path, PathBuf};

use url::Url;

use crate::providers::settings::SecretRef;
use crate::text::sanitized;

use super::super::account::{Account, NewTargets};
use super::super::address::resolved;
use super::super::files::display;
use super::super::git::{Commit, Entry, GitError, Repository};
use super::accounts::{Former, Index};

/// A file that a token's command names is not compared beyond this many bytes, and counts as another one.
const MOST: u64 = 16 * 1024 * 1024;

impl NewTargets {
    /// The same for an account whose earlier revision is unknown.
    pub(super) fn unclear(account: &Account, top: &Path, why: &str) -> Self {
        let Some((url, token)) = account.settings.provider.endpoint() else { return Self::default() };
        let says = vec![sanitized(why, 1000)];
        Self { address: Some(host(url)), source: Some(source(token, &account.root, top)), says }
    }

    /// This and what is new to another revision.
    pub(super) fn add(&mut self, other: Self) {
        self.address = other.address.or(self.address.take());
        self.source = other.source.or(self.source.take());
        self.says.extend(other.says.into_iter().filter(|says| !self.says.contains(says)).collect::<Vec<_>>());
    }

    /// What an account has that a commit does not.
    pub(super) fn of(
        account: &Account,
        (repository, revision, commit): (&mut Repository, &str, &Commit),
        index: &Index,
    ) -> Result<Self, GitError> {
        let Some((url, token)) = account.settings.provider.endpoint() else { return Ok(Self::default()) };
        let own = crate::model::NameKey::of(&account.settings.name);
        let (mut address_known, mut source_known) = (false, false);
        for former in &index.accounts {
            let Some((before, source_before)) = former.endpoint() else { continue };
            let same_address = endpoint(before) == endpoint(url);
            address_known |= same_address;
            // The comparison of files takes a process.
            if (same_address || !source_known)
                && is_same(repository, commit, (token, &account.root), (source_before, &former.place))?
            {
                if same_address {
                    return Ok(Self::default());
                }
                source_known = true;
            }
        }
        let mut before = index.named(&own).iter().filter_map(|at| index.accounts.get(*at));
        let before = before.find(|former| former.heading.provider.is_some()).and_then(Former::endpoint);
        let top = repository.top().to_path_buf();
        let mut news = Self::default();
        if !address_known {
            let was = before.map(|(url, _)| format!(" (before: {})", sanitized(url, 300))).unwrap_or_default();
            news.says.push(format!("the address {} is not in `{revision}`{was}", sanitized(url, 300)));
            news.address = Some(host(url));
        }
        if address_known || !source_known {
            let named = source(token, &account.root, &top);
            let was = before.map(|(_, token)| source(token, &account.root, &top)).filter(|was| *was != named);
            let was = was.map(|was| format!(" (before: {})", sanitized(&was, 300))).unwrap_or_default();
            let for_it = if address_known { " for this address" } else { "" };
            news.says.push(format!(
                "the token source {} is not in `{revision}`{for_it}, or its file is another{was}",
                sanitized(&named, 300)
            ));
            news.source = Some(named);
        }
        Ok(news)
    }
}

/// An address as the HTTP client reads it.
fn endpoint(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.as_str().trim_end_matches('/').to_owned())
}

/// The host and the port, as they are accepted.
fn host(url: &str) -> Box<str> {
    let parsed = Url::parse(url).ok();
    let host = parsed.as_ref().and_then(|url| {
        let host = url.host_str()?;
        // A scheme that is not encrypted is never the same.
        let port = if url.scheme() == "https" { url.port() } else { url.port_or_known_default() };
        Some(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    });
    host.unwrap_or_else(|| url.to_owned()).into()
}

/// A token's source in words.
fn source(token: &SecretRef, root: &Path, top: &Path) -> Box<str> {
    match token {
        SecretRef::Env(name) => format!("env:{name}").into(),
        SecretRef::File(file) => {
            let whole = resolved(&absolute(root).join(file));
            format!("file:{}", display(whole.strip_prefix(top).unwrap_or(&whole))).into()
        }
        SecretRef::Command { program, arguments } => {
            let words = std::iter::once(program).chain(arguments).map(|word| &**word);
            // A word with a NUL cannot be run either.
            let line = shlex::try_join(words).unwrap_or_default();
            format!("command:{line}").into()
        }
    }
}

fn absolute(root: &Path) -> PathBuf {
    std::path::absolute(super::super::files::or_here(root)).unwrap_or_else(|_| root.to_path_buf())
}

/// Whether an account's token has the same source as that of an account of a commit, with the same files of the
/// repository.
fn is_same(
    repository: &mut Repository,
    commit: &Commit,
    (now, root): (&SecretRef, &Path),
    (before, place): (&SecretRef, &Path),
) -> Result<bool, GitError> {
    match (now, before) {
        (SecretRef::Env(now), SecretRef::Env(before)) => Ok(now == before),
        (SecretRef::File(now), SecretRef::File(before)) => {
            let was = resolved(&repository.top().join(place).join(before));
            Ok(resolved(&absolute(root).join(now)) == was
                && is_same_file(repository, commit, &root.join(now), &place.join(before))?)
        }
        (SecretRef::Command { .. }, SecretRef::Command { .. }) => {
            if now != before {
                return Ok(false);
            }
            for file in files(now) {
                if !is_same_file(repository, commit, &root.join(&file), &place.join(&file))? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Every part of a command that can be a file: words, and what is between the signs that a shell or an option knows.
fn files(command: &SecretRef) -> Vec<PathBuf> {
    let SecretRef::Command { program, arguments } = command else { return Vec::new() };
    let ends = |c: char| c.is_whitespace() || ";|&<>()'\"`$={},:".contains(c);
    let words = std::iter::once(program).chain(arguments);
    let parts = words.flat_map(|word| std::iter::once(&**word).chain(word.split(ends)));
    parts.filter(|part| !part.is_empty() && !part.starts_with('-')).map(PathBuf::from).collect()
}

/// Whether a file that the repository has is on the disk as it was in a commit. What the repository never had is the
/// operator's own, and no change of it.
fn is_same_file(repository: &mut Repository, commit: &Commit, now: &Path, place: &Path) -> Result<bool, GitError> {
    let Some(place) = inside(place) else { return Ok(true) };
    let before = read(repository, commit, &place)?;
    let about = now.metadata().ok().filter(std::fs::Metadata::is_file);
    match (before, about) {
        (None, None) => Ok(true),
        (None, Some(_)) => {
            let head = repository.commit("HEAD")?;
            Ok(head.map_or(Ok(None), |head| read(repository, &head, &place))?.is_none())
        }
        (Some(_), None) => Ok(false),
        (Some(before), Some(about)) => Ok(about.len() <= MOST && std::fs::read(now).is_ok_and(|now| now == before)),
    }
}

/// The bytes of any file of a commit; of a link, those of the file that it leads to.
fn read(repository: &mut Repository, commit: &Commit, path: &Path) -> Result<Option<Vec<u8>>, GitError> {
    let (Some(place), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
    // By its path, as a link is.
    let entry = Entry { name: name.to_owned(), size: 0, link: true, blob: String::new() };
    match repository.read(commit, place, &entry) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(GitError::Failed(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The path without `.` and `..`, if it stays inside of the repository.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => inside.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !inside.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(inside)
}
