//! The guards of the revisions that the files come from.
//!
//! A plan is held against the policy of its files and against the policies before it, so that one change
//! cannot take a protection away and use that. Where nothing else is asked for, these are the last commit
//! (which covers what is not committed yet) and its first parent (which covers a commit, or a merge, that is
//! being applied); see `docs/decisions/0003-guards-outlive-their-lines.md`. Nothing but guards is taken from
//! there. An account that was in none of them has no guards before. Guards that should be known and are not
//! (a parent that was not fetched, a git that refuses, files with errors) are a value as well, and a guard.

mod names;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::check;
use crate::diag::{Diagnostic, Rule, Source, has_errors};
use crate::model::{Base, BasePolicy, FileId, GuardPolicy, NameKey};

use super::files::or_here;
use super::git::{self, Commit, Entry as File, GitError, Repository};
use super::load::{Account, Loaded, load};

use names::{Index, Names};

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

/// Reads and checks everything that the paths lead to, for plans: every account without errors gets the guards of the
/// named revision, or of the default ones, or why they are not known, whatever is wrong with other accounts. A policy
/// that cannot be read is a finding, too.
///
/// # Errors
///
/// Only if a revision was named and cannot be looked at.
pub fn load_guarded(paths: &[PathBuf], revision: Option<&Revision>) -> Result<Loaded, BaseError> {
    let mut loaded = load(paths);
    guard_by_base(&mut loaded, revision)?;
    Ok(loaded)
}

fn guard_by_base(loaded: &mut Loaded, revision: Option<&Revision>) -> Result<(), BaseError> {
    let Loaded { accounts, invalid, sources, diagnostics } = loaded;
    let mut unguarded = Vec::new();
    let files = sources.iter().map(|source| (source.path(), source)).collect();
    let mut repositories: HashMap<PathBuf, Result<History<'_>, GitError>> = HashMap::new();
    let mut reader = Reader { files, findings: Vec::new() };
    for at in 0..accounts.len() {
        let Some(account) = accounts.get(at) else { continue };
        let Some(folder) = git::above(&account.root) else {
            match revision {
                None => continue,
                Some(revision) => return Err(revision.outside(&account.root)),
            }
        };
        let history = match repositories.entry(folder) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let opened = Repository::open(free.key());
                free.insert(opened.map(|repository| History::new(repository, accounts, &reader.files)))
            }
        };
        let base = match (history, revision) {
            (Ok(history), None) => reader.default(account, history),
            (Ok(history), Some(Revision(revision))) => reader.named(account, history, revision)?,
            (Err(error), None) => vec![missed("the policy before this change", error, &account.root)],
            (Err(error), Some(Revision(revision))) => {
                return Err(BaseError::Git { revision: revision.clone(), source: error.clone() });
            }
        };
        account.severities.apply(&mut reader.findings);
        if has_errors(&reader.findings) {
            unguarded.push(at);
        }
        diagnostics.append(&mut reader.findings);
        if let Some(account) = accounts.get_mut(at) {
            account.desired.base = base;
        }
    }
    drop(reader);
    drop(repositories);
    for (at, account) in std::mem::take(accounts).into_iter().enumerate() {
        if unguarded.contains(&at) { invalid.push(account.invalid()) } else { accounts.push(account) }
    }
    crate::diag::sort(diagnostics);
    Ok(())
}

impl Revision {
    fn outside(&self, folder: &Path) -> BaseError {
        BaseError::NoRepository { revision: self.0.clone(), folder: super::load::display(or_here(folder)) }
    }
}

/// Guards that should be known and are not, with what helps.
fn missed(what: &str, error: &GitError, root: &Path) -> Base {
    let help = match error {
        GitError::Start(_) => "install git where this runs".to_owned(),
        GitError::Failed(said) if said.contains("dubious ownership") => {
            let folder = git::above(root).unwrap_or_default();
            format!("run `git config --global --add safe.directory {}`", super::load::display(&folder))
        }
        GitError::Failed(_) => "run git there to see why".to_owned(),
        GitError::Unclear(_) => "name a revision for which it is known with `--base`, or approve this plan".to_owned(),
    };
    Base::Unread(format!("{what} is not known: {error}; {help}").into())
}

/// A repository, and what is known of its files.
struct History<'a> {
    repository: Repository,
    names: Names<'a>,
    indices: HashMap<Commit, Index>,
}

impl<'a> History<'a> {
    fn new(repository: Repository, accounts: &[Account], files: &HashMap<&'a Path, &'a Source>) -> Self {
        let mut names = Names::default();
        for account in accounts {
            let Some(place) = repository.place(&account.root) else { continue };
            let span = account.settings.name_span;
            let section = account.desired.files.get(span.file.0 as usize);
            for path in &account.files {
                let is_section = section.is_some_and(|section| **section == *super::load::display(path));
                let name = path.file_name().filter(|_| is_section);
                if let (Some(name), Some(source)) = (name, files.get(path.as_path())) {
                    names.note(place.clone(), name, source, NameKey::of(&account.settings.name));
                }
            }
        }
        Self { repository, names, indices: HashMap::new() }
    }

    /// The account's files at a commit.
    fn find(&mut self, account: &Account, commit: &Commit) -> Result<Was, GitError> {
        let Self { repository, names, indices } = self;
        let index = match indices.entry(commit.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(Index::new(repository, commit, names)?),
        };
        let own = repository.place(&account.root);
        let mut here = Vec::new();
        if let Some(own) = &own {
            let files = repository.files(commit, own)?;
            here.extend(files.iter().filter(|file| account.reads(&file.name)).cloned());
        }
        let own = own.unwrap_or_default();
        let named = index.of(&NameKey::of(&account.settings.name));
        if named.iter().any(|(place, file)| *place == own && here.contains(file)) {
            return Ok(Was::There(vec![(own, here)]));
        }
        let lost = index.unknown().iter().find(|(place, file)| *place == own && here.contains(file));
        if let Some((_, file)) = lost {
            return Ok(Was::Unknown(format!("{} has errors", called(file))));
        }
        if !named.is_empty() {
            return moved(account, repository, commit, index, named);
        }
        if here.iter().any(|file| index.names(&own, file)) {
            // It was renamed.
            return Ok(Was::There(vec![(own, here)]));
        }
        if let Some(file) = here.first() {
            return Ok(Was::Unknown(format!("{} is not of an account", called(file))));
        }
        // Any file that cannot be read could be where it was, but one that is still there is somebody else's.
        let unknown = index.unknown().iter().find(|(place, file)| !repository.has_still(commit, place, file));
        Ok(unknown.map_or(Was::Nowhere, |(_, file)| {
            Was::Unknown(format!("{} has errors, and may be where the account was", called(file)))
        }))
    }
}

/// Where an account's files were.
enum Was {
    /// In this folder, or in several that give their account the same name.
    There(Vec<(PathBuf, Vec<File>)>),
    /// In none.
    Nowhere,
    /// Nobody can tell, and why.
    Unknown(String),
}

/// An account that has another folder now, or another file: a move must not shake the guards off.
fn moved(
    account: &Account,
    repository: &mut Repository,
    commit: &Commit,
    index: &Index,
    named: &[(PathBuf, File)],
) -> Result<Was, GitError> {
    let mut found = Vec::with_capacity(named.len());
    for (place, file) in named {
        // A folder of several accounts has one file for each.
        let whole = account.folder && index.accounts(place) == 1;
        let files = if whole { repository.files(commit, place)?.to_vec() } else { vec![file.clone()] };
        found.push((place.clone(), files));
    }
    Ok(Was::There(found))
}

/// What a file is called, safe to show.
fn called(file: &File) -> String {
    crate::text::shown(&file.name.to_string_lossy(), 200)
}

struct Reader<'a> {
    /// The files as they are.
    files: HashMap<&'a Path, &'a Source>,
    /// Of the account that is being looked at.
    findings: Vec<Diagnostic>,
}

/// The files of a revision that was looked at already.
type Seen = Vec<Vec<File>>;

impl Reader<'_> {
    fn named(&mut self, account: &Account, history: &mut History<'_>, revision: &str) -> Result<Vec<Base>, BaseError> {
        let git = |source| BaseError::Git { revision: revision.into(), source };
        let commit = history.repository.commit(revision).map_err(git)?;
        let commit = commit.ok_or_else(|| BaseError::Unknown { revision: revision.into() })?;
        self.policies(account, history, revision, &commit, &mut Seen::new()).map_err(git)
    }

    fn default(&mut self, account: &Account, history: &mut History<'_>) -> Vec<Base> {
        let mut bases = Vec::new();
        let mut seen = Seen::new();
        for revision in DEFAULT {
            let found = match history.repository.commit(revision) {
                Ok(Some(commit)) => self.policies(account, history, revision, &commit, &mut seen),
                Ok(None) => history.repository.lacks(revision).map(|lacks| {
                    let why = format!(
                        "the policy at `{revision}` is not known: that commit was not fetched; fetch it (in CI with \
                         `fetch-depth: 2`), or name the revision before this change with `--base`"
                    );
                    // The first commit has no parent, and a new repository no commit. That is no gap.
                    lacks.then(|| Base::Unread(why.into())).into_iter().collect()
                }),
                Err(error) => Err(error),
            };
            let what = format!("the policy at `{revision}`");
            bases.extend(found.unwrap_or_else(|error| vec![missed(&what, &error, &account.root)]));
        }
        bases
    }

    /// The guards at a commit; none if the account was not there, or is just as it is now.
    fn policies(
        &mut self,
        account: &Account,
        history: &mut History<'_>,
        revision: &str,
        commit: &Commit,
        seen: &mut Seen,
    ) -> Result<Vec<Base>, GitError> {
        let found = match history.find(account, commit)? {
            Was::There(found) => found,
            Was::Nowhere => return Ok(Vec::new()),
            Was::Unknown(why) => return Ok(vec![self.unreadable(account, revision, &why)]),
        };
        let mut bases = Vec::new();
        for (place, files) in found {
            // Where a link leads to can differ though the link does not.
            let known = seen.contains(&files) && !files.iter().any(|file| file.link);
            if !known {
                bases.extend(self.policy(account, &mut history.repository, revision, commit, (&place, &files))?);
                seen.push(files);
            }
        }
        Ok(bases)
    }

    fn policy(
        &mut self,
        account: &Account,
        repository: &mut Repository,
        revision: &str,
        commit: &Commit,
        (place, files): (&Path, &[File]),
    ) -> Result<Option<Base>, GitError> {
        let mut texts = Vec::with_capacity(files.len());
        for file in files {
            if file.size > super::read::MOST {
                let why = format!("{} has more than 256 MiB", called(file));
                return Ok(Some(self.unreadable(account, revision, &why)));
            }
            match repository.read(commit, place, file) {
                Ok(text) => texts.push(text),
                Err(GitError::Failed(why)) => return Ok(Some(self.unreadable(account, revision, &why))),
                Err(error) => return Err(error),
            }
        }
        if self.is_current(account, files, &texts) {
            return Ok(None);
        }
        Ok(Some(match guards(texts) {
            Ok(guards) => Base::Read(Box::new(BasePolicy { revision: revision.into(), guards })),
            Err(finding) => self.unreadable(account, revision, &finding.message),
        }))
    }

    /// Whether the files are those of now, whose policy is known already.
    fn is_current(&self, account: &Account, files: &[File], texts: &[Vec<u8>]) -> bool {
        let same = |(file, text): (&File, &Vec<u8>)| {
            let now = self.files.get(account.root.join(&file.name).as_path());
            now.is_some_and(|now| now.is(text))
        };
        files.len() == account.files.len() && files.iter().zip(texts).all(same)
    }

    fn unreadable(&mut self, account: &Account, revision: &str, why: &str) -> Base {
        let name = &account.settings.name;
        let what = format!("the policy of `{name}` at `{revision}` cannot be read: {why}");
        let help = "name a revision whose files are valid with `--base`";
        self.findings.push(Diagnostic::new(Rule::UNREADABLE_BASE, None, what.as_str()).hint(help));
        Base::Unread(format!("{what}; {help}").into())
    }
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
