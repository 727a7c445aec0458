//! Which account the files of a commit are of, by the name that each gives its account.
//!
//! An account is known by its name and not by its path, because another account can take the path over in the
//! same change. Every YAML file of a commit is looked at once, and one that two commits share once for both.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::check;
use crate::diag::Source;
use crate::model::{FileId, NameKey};

use super::super::git::{Commit, Entry as File, GitError, Repository};

/// What a file says of the account that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// It names one.
    Of(NameKey),
    /// It names none.
    None,
    /// It may name one, but cannot be read.
    Unknown,
}

/// The names that are known from files that were read already.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// The files as they are, and their accounts, by the path in the repository.
    current: HashMap<(PathBuf, OsString), (&'a Source, NameKey)>,
    /// Of files in commits, by their content's object.
    blobs: HashMap<String, Name>,
}

/// The files of a commit that name an account, or may.
#[derive(Debug, Default)]
pub(super) struct Index {
    named: HashMap<NameKey, Vec<(PathBuf, File)>>,
    unknown: Vec<(PathBuf, File)>,
}

impl<'a> Names<'a> {
    /// Notes which account a file, as it is, names.
    pub(super) fn note(&mut self, place: PathBuf, file: &OsStr, source: &'a Source, account: NameKey) {
        self.current.insert((place, file.to_owned()), (source, account));
    }

    fn of(
        &mut self,
        repository: &mut Repository,
        commit: &Commit,
        place: &Path,
        file: &File,
    ) -> Result<Name, GitError> {
        if let Some(known) = self.blobs.get(&file.blob).filter(|_| !file.link) {
            return Ok(known.clone());
        }
        if file.size > super::super::read::MOST {
            return Ok(Name::Unknown);
        }
        let bytes = match repository.read(commit, place, file) {
            Ok(bytes) => bytes,
            Err(GitError::Failed(_)) => return Ok(Name::Unknown),
            Err(error) => return Err(error),
        };
        let current = self.current.get(&(place.to_owned(), file.name.clone()));
        let name = match current {
            // A large file need not be parsed once more.
            Some((source, account)) if source.is(&bytes) => Name::Of(account.clone()),
            _ => name(bytes),
        };
        if !file.link {
            self.blobs.insert(file.blob.clone(), name.clone());
        }
        Ok(name)
    }
}

fn name(bytes: Vec<u8>) -> Name {
    // Most files are not about accounts. A key can also be written with escapes.
    let candidate = bytes.windows(7).any(|word| word == b"account") || bytes.contains(&b'\\');
    if !candidate {
        return Name::None;
    }
    let Ok(text) = super::super::read::text(bytes, FileId(0)) else { return Name::Unknown };
    let Ok(document) = super::super::yaml::parse(FileId(0), &text) else { return Name::Unknown };
    check::account_name(&document).map_or(Name::None, |name| Name::Of(NameKey::of(name)))
}

impl Index {
    /// Looks at all files of a commit.
    pub(super) fn new(repository: &mut Repository, commit: &Commit, names: &mut Names<'_>) -> Result<Self, GitError> {
        let mut index = Self::default();
        for place in repository.places(commit)?.iter() {
            for file in repository.files(commit, place)?.iter() {
                let found = (place.clone(), file.clone());
                match names.of(repository, commit, place, file)? {
                    Name::Of(account) => index.named.entry(account).or_default().push(found),
                    Name::Unknown => index.unknown.push(found),
                    Name::None => {}
                }
            }
        }
        Ok(index)
    }

    /// The files that name this account, with their folders.
    pub(super) fn of(&self, account: &NameKey) -> &[(PathBuf, File)] {
        self.named.get(account).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a file names an account.
    pub(super) fn names(&self, place: &Path, file: &File) -> bool {
        self.named.values().flatten().any(|(at, named)| at == place && named == file)
    }

    /// How many accounts the files of a folder name.
    pub(super) fn accounts(&self, place: &Path) -> usize {
        let here = |(_, files): &(&NameKey, &Vec<(PathBuf, File)>)| files.iter().any(|(at, _)| at == place);
        self.named.iter().filter(here).map(|(account, _)| account).collect::<BTreeSet<_>>().len()
    }

    /// The files that may name an account and cannot be read.
    pub(super) fn unknown(&self) -> &[(PathBuf, File)] {
        &self.unknown
    }
}
