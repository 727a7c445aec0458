//! A repository, and what is known of its accounts.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::diag::Source;
use crate::model::{NameKey, OwnerName};

use super::super::account::Account;
use super::super::files::display;
use super::super::git::{self, Commit, Entry as File, GitError, Repository};
use super::accounts::{Former, Index, Location};
use super::names::{Heading, Names};
use super::present::Present;

/// A repository, and what is known of its accounts.
pub(super) struct History<'a> {
    pub(super) repository: Repository,
    owner: Option<Option<OwnerName>>,
    names: Names<'a>,
    indices: HashMap<Commit, Rc<Index>>,
    present: Present,
    /// Whether the accounts of the last commit that are still there are among those that are present.
    complete: bool,
    /// Why nothing that the repository has says what was before.
    pub(super) gap: Option<String>,
}

/// What a commit has that concerns an account; each is the position of an account in its index.
#[derive(Default)]
pub(super) struct Found {
    /// The account by its name.
    pub(super) own: Vec<usize>,
    /// Others at its address.
    pub(super) same_address: Vec<usize>,
    /// Others that are gone, if the account was not there.
    pub(super) vanished: Vec<usize>,
    /// Why it cannot be known whether there are others.
    pub(super) unknown: Option<String>,
    /// Why every change waits, whatever the guards were.
    pub(super) held: Option<String>,
}

impl<'a> History<'a> {
    pub(super) fn new(
        repository: Repository,
        accounts: &[Account],
        files: &HashMap<&'a Path, &'a Source>,
    ) -> Result<Self, GitError> {
        let gap = around(&repository)?;
        let mut names = Names::default();
        for account in accounts {
            let Some(place) = repository.place(&account.root) else { continue };
            let span = account.settings.name_span;
            let section = account.desired.files.get(span.file.0 as usize);
            for path in &account.files {
                let is_section = section.is_some_and(|section| **section == *display(path));
                let name = path.file_name().filter(|_| is_section);
                if let (Some(name), Some(source)) = (name, files.get(path.as_path())) {
                    let settings = &account.settings;
                    let heading = Heading { name: settings.name.clone(), provider: Some(settings.provider.clone()) };
                    names.note(place.clone(), name, source, heading);
                }
            }
        }
        let present = Present::new(accounts);
        Ok(Self { repository, owner: None, names, indices: HashMap::new(), present, complete: false, gap })
    }

    /// The owner that the repository is; `None` if that cannot be known.
    pub(super) fn owner(&mut self) -> Option<OwnerName> {
        // The guards say why git does not answer.
        self.owner.get_or_insert_with(|| self.repository.owner().unwrap_or_default()).clone()
    }

    /// The accounts of a commit.
    pub(super) fn index(&mut self, commit: &Commit) -> Result<Rc<Index>, GitError> {
        if let Some(known) = self.indices.get(commit) {
            return Ok(Rc::clone(known));
        }
        let top = self.repository.top().to_path_buf();
        let index = Rc::new(Index::new(&mut self.repository, commit, &mut self.names, &top)?);
        self.indices.insert(commit.clone(), Rc::clone(&index));
        self.present.and_still_of(&index, (&mut self.repository, commit), &top);
        Ok(index)
    }

    /// What a commit has that concerns an account.
    pub(super) fn find(&mut self, account: &Account, commit: &Commit) -> Result<Found, GitError> {
        if !self.complete {
            self.complete = true;
            // Those of other runs, too, which may have moved.
            if let Some(head) = self.repository.commit("HEAD")? {
                self.index(&head)?;
            }
        }
        let index = self.index(commit)?;
        let name = NameKey::of(&account.settings.name);
        let address = account.address();
        let others = |list: &[usize]| -> Vec<usize> {
            list.iter().copied().filter(|at| index.accounts.get(*at).is_some_and(|former| former.key != name)).collect()
        };
        let mut found = Found {
            own: index.named(&name).to_vec(),
            same_address: others(index.at(address.as_ref())),
            ..Found::default()
        };
        let former = |at: &usize| index.accounts.get(*at);
        let was_here = found.own.iter().filter_map(former).any(|former| former.is_at(account));
        if was_here {
            // Where this one was is known, so another of its name that is still there as it was is another account: an
            // example, a test case.
            let Self { repository, .. } = self;
            found.own.retain(|at| {
                former(at).is_none_or(|former| {
                    former.is_at(account)
                        || !former.naming.iter().all(|file| repository.has_still(commit, &former.place, file))
                })
            });
            return Ok(found);
        }
        found.held = self.beside(account);
        if !found.own.is_empty() {
            return Ok(found);
        }
        found.same_address.extend(others(&index.unlocated));
        let gone = |(_, former): &(usize, &Former)| former.key != name && !self.present.has(former);
        let gone = index.accounts.iter().enumerate().filter(gone).map(|(at, _)| at);
        found.vanished = gone.filter(|at| !found.same_address.contains(at)).collect();
        found.unknown = self.lost(account, commit, &index)?;
        Ok(found)
    }

    /// Why every change of an account waits that another shares since this change: together they could do more than one.
    fn beside(&self, account: &Account) -> Option<String> {
        let name = NameKey::of(&account.settings.name);
        let other = self.present.beside(&name, account.address().as_ref()).min()?;
        let (name, other) = (&account.settings.name, other.as_str());
        Some(format!(
            "`{name}` is at the address of `{other}`, and was not before this change; share the account in a change of \
             its own, or approve this plan"
        ))
    }

    /// Why it cannot be known whether a commit has the account, which it has not by its name.
    fn lost(&mut self, account: &Account, commit: &Commit, index: &Index) -> Result<Option<String>, GitError> {
        let Self { repository, .. } = self;
        let own = repository.place(&account.root);
        if let Some(own) = own {
            let files = repository.files(commit, &own)?;
            let here: Vec<&File> = files.iter().filter(|file| account.reads(&file.name)).collect();
            if let Some((_, file)) = index.unknown.iter().find(|(place, file)| *place == own && here.contains(&file)) {
                return Ok(Some(format!("{} has errors", called(file))));
            }
            let named =
                |file: &&File| index.accounts.iter().any(|former| former.place == own && former.naming.contains(file));
            if let Some(first) = here.first().filter(|_| !here.iter().any(named)) {
                return Ok(Some(format!("{} does not belong to an account", called(first))));
            }
        }
        // Any file that cannot be read could be where it was, but one that is still there is another account's.
        let unknown = index.unknown.iter().find(|(place, file)| !repository.has_still(commit, place, file));
        Ok(unknown.map(|(_, file)| format!("{} has errors, and may be where the account was", called(file))))
    }
}

impl Former {
    /// Whether it was where an account is now.
    pub(super) fn is_at(&self, account: &Account) -> bool {
        self.address == Location::At(account.address())
    }
}

/// What a file is called, safe to show.
fn called(file: &File) -> String {
    crate::text::sanitized(&file.name.to_string_lossy(), 200)
}

/// Why a repository does not say what was before: another one, around it, has it among its files.
fn around(repository: &Repository) -> Result<Option<String>, GitError> {
    let top = repository.top();
    for outer in git::all_above(top).into_iter().filter(|outer| outer != top) {
        if Repository::open(&outer)?.tracks(top)? {
            let (inner, outer) = (display(top), display(&outer));
            let why = format!(
                "the guards before this change are not known: {inner} is a submodule of {outer}; keep the account's \
                 files in that repository itself, or approve this plan"
            );
            return Ok(Some(why));
        }
    }
    Ok(None)
}
