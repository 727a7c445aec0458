//! The accounts of a commit.
//!
//! An account is known by its name and by its address, not by its path, because another account can take the path over
//! in the same change. All files of its folder count that name no other account, also if one of them alone is given
//! now: a policy can be in any.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::check::address::Address;
use crate::model::NameKey;
use crate::providers::settings::SecretRef;

use super::super::address;
use super::super::git::{Commit, Entry as File, GitError, Repository};
use super::names::{Heading, Names, Said};

/// An account as a commit has it.
#[derive(Debug)]
pub(super) struct Former {
    pub(super) heading: Rc<Heading>,
    pub(super) key: NameKey,
    pub(super) place: PathBuf,
    /// The files that name it, and those of its folder that name none; sorted by name.
    pub(super) files: Vec<File>,
    /// Which of the files name it.
    pub(super) naming: Vec<File>,
    pub(super) address: Location,
}

/// Where an account was.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Location {
    /// At this address; in memory, if there is none.
    At(Option<Address>),
    /// Its section has errors.
    Unknown,
}

/// The accounts of a commit, and the files that may be of one.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) accounts: Vec<Former>,
    by_name: HashMap<NameKey, Vec<usize>>,
    by_address: HashMap<Address, Vec<usize>>,
    /// The accounts whose address is not known, and may be any.
    pub(super) unlocated: Vec<usize>,
    /// The files that may name an account and cannot be read.
    pub(super) unknown: Vec<(PathBuf, File)>,
}

impl Former {
    /// How it was reached: the address, and where its token was found.
    pub(super) fn endpoint(&self) -> Option<(&str, &SecretRef)> {
        self.heading.provider.as_ref()?.endpoint()
    }
}

impl Heading {
    /// Where the account is; relative paths start at `root`.
    pub(super) fn location(&self, root: &Path) -> Location {
        self.provider.as_ref().map_or(Location::Unknown, |provider| Location::At(address::of(provider, root)))
    }
}

impl Index {
    /// Looks at all files of a commit; `top` is the folder that their paths are relative to.
    pub(super) fn new(
        repository: &mut Repository,
        commit: &Commit,
        names: &mut Names<'_>,
        top: &Path,
    ) -> Result<Self, GitError> {
        let mut index = Self::default();
        for place in repository.places(commit)?.iter() {
            let mut here: BTreeMap<NameKey, (Rc<Heading>, Vec<File>)> = BTreeMap::new();
            let mut others: Vec<File> = Vec::new();
            for file in repository.files(commit, place)?.iter() {
                match names.of(repository, commit, (place, file))? {
                    Said::Account(heading) => {
                        let slot = here.entry(heading.key()).or_insert_with(|| (heading, Vec::new()));
                        slot.1.push(file.clone());
                    }
                    Said::Nothing => others.push(file.clone()),
                    Said::Unknown => {
                        index.unknown.push((place.clone(), file.clone()));
                        others.push(file.clone());
                    }
                }
            }
            for (key, (heading, naming)) in here {
                let mut files: Vec<File> = naming.iter().chain(&others).cloned().collect();
                files.sort_by(|left, right| left.name.cmp(&right.name));
                let address = heading.location(&top.join(place));
                index.add(Former { heading, key, place: place.clone(), files, naming, address });
            }
        }
        Ok(index)
    }

    fn add(&mut self, account: Former) {
        let at = self.accounts.len();
        self.by_name.entry(account.key.clone()).or_default().push(at);
        match &account.address {
            Location::At(Some(address)) => self.by_address.entry(address.clone()).or_default().push(at),
            Location::At(None) => {}
            Location::Unknown => self.unlocated.push(at),
        }
        self.accounts.push(account);
    }

    /// The accounts of this name: several, if several folders or files give it.
    pub(super) fn named(&self, name: &NameKey) -> &[usize] {
        self.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The accounts at this address.
    pub(super) fn at(&self, address: Option<&Address>) -> &[usize] {
        address.and_then(|address| self.by_address.get(address)).map(Vec::as_slice).unwrap_or_default()
    }
}
