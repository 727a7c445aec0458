//! The guards of the revisions that the files come from.
//!
//! A plan is held against the policy of its files and against the policies before it, so that one change
//! cannot take a protection away and use that. Where nothing else is asked for, these are the last commit
//! (which covers what is not committed yet) and its first parent (which covers a commit, or a merge, that is
//! being applied); see `docs/decisions/0003-guards-outlive-their-lines.md`. Nothing but guards is taken from
//! there.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::check;
use crate::diag::{Diagnostic, Rule};
use crate::model::{BasePolicy, FileId, GuardPolicy, NameKey};

use super::git::{self, Commit, Entry as File, GitError, Repository};
use super::load::{Account, Loaded};

/// What is looked at unless a revision is named.
const DEFAULT: [&str; 2] = ["HEAD", "HEAD^1"];

/// A revision as git spells it; it cannot be mistaken for an option of git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision(Box<str>);

/// Why a text cannot be a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a revision is a commit, a tag or a branch, such as `origin/main`, and does not begin with `-`")]
pub struct RevisionError;

/// Why a revision that was named cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The files are in no repository.
    #[error("cannot look at `{revision}`: {folder} is in no git repository; leave `--base` out")]
    NoRepository {
        /// The revision.
        revision: Box<str>,
        /// The account's folder.
        folder: String,
    },
    /// The repository does not have it.
    #[error(
        "cannot look at `{revision}`: the repository has no such commit; fetch it (in CI with `fetch-depth: 0`), or name another"
    )]
    Unknown {
        /// The revision.
        revision: Box<str>,
    },
    /// Git failed.
    #[error("cannot look at `{revision}`")]
    Git {
        /// The revision.
        revision: Box<str>,
        /// What git says.
        #[source]
        source: GitError,
    },
}

impl FromStr for Revision {
    type Err = RevisionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sound = !text.is_empty() && !text.starts_with('-') && !text.chars().any(char::is_control);
        sound.then(|| Self(text.into())).ok_or(RevisionError)
    }
}

/// Gives every account the guards of the named revision, or of the default ones.
///
/// A policy that cannot be read is a finding. Returned is what to tell the operator, a line each: default
/// revisions that should be there and are not.
///
/// # Errors
///
/// Only if a revision was named and cannot be looked at.
pub fn guard_by_base(loaded: &mut Loaded, revision: Option<&Revision>) -> Result<Vec<String>, BaseError> {
    let Loaded { accounts, sources, diagnostics } = loaded;
    let texts = sources.iter().filter_map(|source| source.text().map(|text| (source.path(), text))).collect();
    let mut reader = Reader { texts, findings: Vec::new(), notes: Vec::new() };
    let mut repositories: HashMap<PathBuf, Option<Repository>> = HashMap::new();
    for account in accounts {
        let Some(folder) = git::above(&account.root) else {
            match revision {
                None => continue,
                Some(revision) => return Err(revision.outside(&account.root)),
            }
        };
        let repository = match repositories.entry(folder) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let opened = Repository::open(free.key());
                free.insert(match (opened, revision) {
                    (Ok(repository), _) => Some(repository),
                    (Err(error), None) => {
                        reader.note(format!("no policy of an earlier revision guards this plan: {error}"));
                        None
                    }
                    (Err(source), Some(Revision(revision))) => {
                        return Err(BaseError::Git { revision: revision.clone(), source });
                    }
                })
            }
        };
        let Some(repository) = repository else { continue };
        let bases = match revision {
            Some(Revision(revision)) => reader.named(account, repository, revision)?,
            None => reader.default(account, repository),
        };
        account.severities.apply(&mut reader.findings);
        diagnostics.append(&mut reader.findings);
        account.desired.base = bases;
    }
    crate::diag::sort(diagnostics);
    Ok(reader.notes)
}

impl Revision {
    fn outside(&self, folder: &Path) -> BaseError {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        BaseError::NoRepository { revision: self.0.clone(), folder: super::load::display(folder) }
    }
}

struct Reader<'a> {
    /// The files as they are.
    texts: HashMap<&'a Path, &'a str>,
    /// Of the account that is being looked at.
    findings: Vec<Diagnostic>,
    notes: Vec<String>,
}

/// The files of a revision that was looked at already.
type Seen = Vec<Vec<File>>;

impl Reader<'_> {
    fn named(
        &mut self,
        account: &Account,
        repository: &mut Repository,
        revision: &str,
    ) -> Result<Vec<BasePolicy>, BaseError> {
        let git = |source| BaseError::Git { revision: revision.into(), source };
        let commit = repository.commit(revision).map_err(git)?;
        let commit = commit.ok_or_else(|| BaseError::Unknown { revision: revision.into() })?;
        let base = self.policy(account, repository, revision, &commit, &mut Seen::new()).map_err(git)?;
        Ok(base.into_iter().collect())
    }

    fn default(&mut self, account: &Account, repository: &mut Repository) -> Vec<BasePolicy> {
        let mut bases = Vec::new();
        let mut seen = Seen::new();
        for revision in DEFAULT {
            let found = match repository.commit(revision) {
                Ok(Some(commit)) => self.policy(account, repository, revision, &commit, &mut seen),
                Ok(None) => {
                    // The first commit has no parent, and a new repository no commit. That is no gap.
                    if repository.is_shallow() {
                        self.note(format!(
                            "`{revision}` was not fetched, so its policy does not guard this plan; in CI, fetch it with \
                             `fetch-depth: 2`"
                        ));
                    }
                    Ok(None)
                }
                Err(error) => Err(error),
            };
            match found {
                Ok(base) => bases.extend(base),
                Err(error) => self.note(format!("the policy at `{revision}` does not guard this plan: {error}")),
            }
        }
        bases
    }

    /// Accounts of one repository miss the same.
    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The guards at a commit; `None` if the account was not there, or is just as it is now.
    fn policy(
        &mut self,
        account: &Account,
        repository: &mut Repository,
        revision: &str,
        commit: &Commit,
        seen: &mut Seen,
    ) -> Result<Option<BasePolicy>, GitError> {
        let Some((place, files)) = files(account, repository, commit)? else { return Ok(None) };
        // Where a link leads to can differ though the link does not.
        let known = seen.contains(&files) && !files.iter().any(|file| file.link);
        if known {
            return Ok(None);
        }
        let mut texts = Vec::with_capacity(files.len());
        for file in &files {
            if file.size > super::read::MOST {
                self.unreadable(account, revision, &format!("{} has more than 256 MiB", file.name));
                return Ok(None);
            }
            texts.push(repository.read(commit, &place, file)?);
        }
        let guards = if self.is_current(account, &files, &texts) { Ok(None) } else { guards(texts).map(Some) };
        seen.push(files);
        match guards {
            Ok(guards) => Ok(guards.map(|guards| BasePolicy { revision: revision.into(), guards })),
            Err(finding) => {
                self.unreadable(account, revision, &finding.message);
                Ok(None)
            }
        }
    }

    /// Whether the files are those of now, whose policy is known already.
    fn is_current(&self, account: &Account, files: &[File], texts: &[Vec<u8>]) -> bool {
        let same = |(file, text): (&File, &Vec<u8>)| {
            let now = self.texts.get(account.root.join(&file.name).as_path());
            now.is_some_and(|now| now.as_bytes() == text.as_slice())
        };
        files.len() == account.files.len() && files.iter().zip(texts).all(same)
    }

    fn unreadable(&mut self, account: &Account, revision: &str, why: &str) {
        let name = &account.settings.name;
        let message = format!("the policy of `{name}` at `{revision}` cannot be read, so it does not guard: {why}");
        self.findings.push(
            Diagnostic::new(Rule::UNREADABLE_BASE, None, message)
                .hint("name a revision whose files are valid with `--base`"),
        );
    }
}

/// The account's folder in a commit and its files there; `None` if the commit does not have the account.
fn files(
    account: &Account,
    repository: &mut Repository,
    commit: &Commit,
) -> Result<Option<(String, Vec<File>)>, GitError> {
    let Some(place) = repository.place(&account.root) else { return Ok(None) };
    let here = repository.files(commit, &place)?;
    let files: Vec<File> = here.iter().filter(|file| account.reads(&file.name)).cloned().collect();
    if files.is_empty() { moved(account, repository, commit) } else { Ok(Some((place, files))) }
}

/// Where the account's files were before they got another name: a move must not shake the guards off. Only
/// files that are gone can have been moved, and the account's name tells which.
fn moved(
    account: &Account,
    repository: &mut Repository,
    commit: &Commit,
) -> Result<Option<(String, Vec<File>)>, GitError> {
    let name = NameKey::of(&account.settings.name);
    for place in repository.left(commit)?.iter() {
        let files = repository.files(commit, place)?;
        for file in files.iter().filter(|file| file.size <= super::read::MOST) {
            // Whatever cannot be read here has another name than this account's.
            let Ok(bytes) = repository.read(commit, place, file) else { continue };
            let Ok(text) = super::read::text(bytes, FileId(0)) else { continue };
            let Ok(document) = super::yaml::parse(FileId(0), &text) else { continue };
            if check::account_name(&document).is_some_and(|found| NameKey::of(found) == name) {
                let all = if account.folder { files.to_vec() } else { vec![file.clone()] };
                return Ok(Some((place.clone(), all)));
            }
        }
    }
    Ok(None)
}

/// The guards of these files, or the first thing that is wrong with them.
fn guards(files: Vec<Vec<u8>>) -> Result<GuardPolicy, Diagnostic> {
    let mut texts = Vec::with_capacity(files.len());
    for (id, bytes) in (0_u32..).zip(files) {
        let text = super::read::text(bytes, FileId(id))?;
        // Most files of a large account are numbers. A key can also be written with escapes.
        if text.contains("policy") || text.contains('\\') {
            texts.push((FileId(id), text));
        }
    }
    let documents = texts.iter().map(|(id, text)| super::yaml::parse(*id, text)).collect::<Result<Vec<_>, _>>()?;
    check::guards(&documents).map_err(|finding| *finding)
}
