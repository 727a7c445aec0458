//! What the YAML files of a commit say of accounts: which one each file is of, and how that is reached.
//!
//! Every YAML file of a commit is looked at once, and one that two commits share once for both.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::check;
use crate::diag::Source;
use crate::model::{FileId, NameKey};
use crate::providers::settings::ProviderSettings;

use super::super::git::{Commit, Entry as File, GitError, Repository};

/// What a file says of the account that it is of.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Account(Rc<Heading>),
    Nothing,
    /// It may name one, but cannot be read.
    Unknown,
}

/// An `account` section.
#[derive(Debug)]
pub(super) struct Heading {
    /// The name as it is written.
    pub(super) name: Box<str>,
    /// How the account is reached; `None` if the section has errors.
    pub(super) provider: Option<ProviderSettings>,
}

impl Heading {
    pub(super) fn key(&self) -> NameKey {
        NameKey::of(&self.name)
    }
}

/// What is known of files that were read already.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// The files as they are, by the path in the repository.
    current: HashMap<(PathBuf, OsString), (&'a Source, Rc<Heading>)>,
    /// Of files in commits, by their content's object.
    blobs: HashMap<String, Said>,
}

impl<'a> Names<'a> {
    /// Notes what a file, as it is, says.
    pub(super) fn note(&mut self, place: PathBuf, file: &OsStr, source: &'a Source, heading: Heading) {
        self.current.insert((place, file.to_owned()), (source, Rc::new(heading)));
    }

    /// What a file of a commit says.
    pub(super) fn of(
        &mut self,
        repository: &mut Repository,
        commit: &Commit,
        (place, file): (&Path, &File),
    ) -> Result<Said, GitError> {
        if let Some(known) = self.blobs.get(&file.blob).filter(|_| !file.link) {
            return Ok(known.clone());
        }
        if file.size > super::super::read::MOST {
            return Ok(Said::Unknown);
        }
        let bytes = match repository.read(commit, place, file) {
            Ok(bytes) => bytes,
            Err(GitError::Failed(_)) => return Ok(Said::Unknown),
            Err(error) => return Err(error),
        };
        let current = self.current.get(&(place.to_owned(), file.name.clone()));
        let said = match current {
            // A large file need not be parsed once more.
            Some((source, heading)) if source.is(&bytes) => Said::Account(Rc::clone(heading)),
            _ => said(bytes),
        };
        if !file.link {
            self.blobs.insert(file.blob.clone(), said.clone());
        }
        Ok(said)
    }
}

/// What a text says.
pub(super) fn said(bytes: Vec<u8>) -> Said {
    // Most files are not about accounts. A key can also be written with escapes.
    let candidate = bytes.windows(7).any(|word| word == b"account") || bytes.contains(&b'\\');
    if !candidate {
        return Said::Nothing;
    }
    let Ok(text) = super::super::read::text(bytes, FileId(0)) else { return Said::Unknown };
    let Ok(document) = super::super::yaml::parse(FileId(0), &text) else { return Said::Unknown };
    check::account_name(&document).map_or(Said::Nothing, |name| {
        Said::Account(Rc::new(Heading { name: name.into(), provider: check::provider(&document) }))
    })
}
