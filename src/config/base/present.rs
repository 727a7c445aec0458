//! The accounts that there are now, of this run or not: those of an earlier commit that are not among them have
//! vanished.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::check::address::Address;
use crate::model::NameKey;

use super::super::account::Account;
use super::super::git::{Commit, Repository};
use super::accounts::{Former, Index, Location};
use super::names::{Said, said};

/// The names and addresses of the accounts that there are now.
#[derive(Debug, Default)]
pub(super) struct Present {
    names: HashMap<NameKey, HashSet<Location>>,
    addresses: HashMap<Address, HashSet<NameKey>>,
}

impl Present {
    /// The accounts of this run.
    pub(super) fn new(accounts: &[Account]) -> Self {
        let mut present = Self::default();
        for account in accounts {
            present.add(NameKey::of(&account.settings.name), Location::At(account.address()));
        }
        present
    }

    /// Adds the accounts of a commit whose files are still there and still name them.
    pub(super) fn and_still_of(&mut self, index: &Index, (repository, commit): (&mut Repository, &Commit), top: &Path) {
        for account in &index.accounts {
            if self.has(account) {
                continue;
            }
            for file in &account.naming {
                if repository.has_still(commit, &account.place, file) {
                    self.add(account.key.clone(), account.address.clone());
                    continue;
                }
                let root = top.join(&account.place);
                let Ok(text) = super::super::read::read(&root.join(&file.name), crate::model::FileId(0)) else {
                    continue;
                };
                if let Said::Account(heading) = said(text.into_bytes()) {
                    self.add(heading.key(), heading.location(&root));
                }
            }
        }
    }

    fn add(&mut self, name: NameKey, at: Location) {
        if let Location::At(Some(address)) = &at {
            self.addresses.entry(address.clone()).or_default().insert(name.clone());
        }
        self.names.entry(name).or_default().insert(at);
    }

    /// Whether an account of a commit is still there, under its name and at its address.
    pub(super) fn has(&self, former: &Former) -> bool {
        self.names.get(&former.key).is_some_and(|at| at.contains(&former.address))
    }

    /// The other accounts at an address.
    pub(super) fn beside<'p>(
        &'p self,
        own: &'p NameKey,
        address: Option<&Address>,
    ) -> impl Iterator<Item = &'p NameKey> {
        let all = address.and_then(|address| self.addresses.get(address));
        all.into_iter().flatten().filter(move |name| *name != own)
    }
}
