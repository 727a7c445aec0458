//! The guards of earlier revisions of the files.
//!
//! A plan is held against the policy of its files and against the policies before it, so that one change
//! cannot take a protection away and use that. Where nothing else is asked for, these are the last commit
//! (which covers what is not committed yet) and its parents (which cover a commit, or a merge, that is
//! being applied); see `docs/decisions/0003-guards-outlive-their-lines.md`. Guards belong to the live account: an
//! account takes those that were given under its name, at its address, and, if it was not there before, those of every
//! account that is gone now. Guards that should be known and are not (a parent that was not fetched, a git that refuses,
//! files with errors) are a value as well, and a guard.

mod accounts;
mod addresses;
mod history;
mod names;
mod policies;
mod present;
mod revision;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, has_errors};
use crate::model::Base;

use super::account::{Account, Loaded, NewTargets, Reach};
use super::files::or_here;
use super::git::{self, Commit, GitError, Repository};
use super::load::load;

use history::History;
use policies::{Counts, Reader, Seen};

pub use revision::{BaseError, Revision, RevisionError};

/// A merge of more parents than this has enough of them that hold it back.
const MOST_PARENTS: usize = 64;

/// Reads and checks everything that the paths lead to, for plans: every account without errors gets the guards of the
/// named revision, or of the default ones, or why they are not known, and what of the way to it is new, whatever is wrong
/// with other accounts. A policy that cannot be read is a finding, too.
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
    let Loaded { accounts, invalid, sources, diagnostics, .. } = loaded;
    let mut unguarded = Vec::new();
    let files = sources.iter().map(|source| (source.path(), source)).collect::<HashMap<_, _>>();
    let mut repositories: HashMap<PathBuf, Result<History<'_>, GitError>> = HashMap::new();
    let mut reader = Reader::new(files.clone());
    for at in 0..accounts.len() {
        let Some(account) = accounts.get(at) else { continue };
        let mut owner = None;
        let guarded = match git::above(&account.root) {
            // Nothing to compare with.
            None => revision.map_or_else(|| Ok(Guarded::default()), |revision| Err(revision.outside(&account.root)))?,
            Some(folder) => {
                let history = match repositories.entry(folder) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(free) => {
                        let opened = Repository::open(free.key());
                        free.insert(opened.and_then(|repository| History::new(repository, accounts, &files)))
                    }
                };
                owner = history.as_mut().ok().and_then(History::owner);
                guarded(&mut reader, account, history, revision)?
            }
        };
        if let Some(account) = accounts.get_mut(at) {
            let named = account.desired.owner.take();
            account.desired.owner = named.or(owner);
            let found = take(account, guarded, &mut reader.findings, diagnostics);
            if has_errors(&found) {
                unguarded.push(at);
            }
            diagnostics.extend(found);
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

/// What the revisions before say of an account.
#[derive(Default)]
struct Guarded {
    counts: Counts,
    news: NewTargets,
}

fn guarded(
    reader: &mut Reader<'_>,
    account: &Account,
    history: &mut Result<History<'_>, GitError>,
    revision: Option<&Revision>,
) -> Result<Guarded, BaseError> {
    match (history, revision) {
        (Ok(history), None) => Ok(default(reader, account, history)),
        (Ok(history), Some(Revision(revision))) => named(reader, account, history, revision),
        (Err(error), None) => {
            let mut guarded = Guarded::default();
            let why = unknown_policy("the policy before this change", error, &account.root);
            guarded.add_unknown(account, Path::new("/"), why);
            Ok(guarded)
        }
        (Err(error), Some(Revision(revision))) => {
            Err(BaseError::Git { revision: revision.clone(), source: error.clone() })
        }
    }
}

/// Adds the earlier guards to an account; returns the resulting findings.
fn take(
    account: &mut Account,
    guarded: Guarded,
    found: &mut Vec<Diagnostic>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let Guarded { counts: Counts { bases, before }, news } = guarded;
    for before in &before {
        if let Ok(before) = &**before {
            account.severities.raise(&before.severities);
        }
    }
    // What the files' own policy lowers counts if the policy before did not.
    let mut raised = account.lowered.clone();
    account.severities.apply(&mut raised);
    let is_same = |one: &Diagnostic, other: &Diagnostic| {
        one.rule == other.rule && one.span == other.span && one.message == other.message
    };
    diagnostics.retain(|known| !raised.iter().any(|raised| is_same(raised, known)));
    account.severities.apply(found);
    raised.append(found);
    account.desired.base = bases;
    account.reach = Reach::Checked(news);
    raised
}

/// Guards that should be known and are not, with what helps.
fn unknown_policy(what: &str, error: &GitError, root: &Path) -> String {
    let help = match error {
        GitError::Start(_) => "install git where this runs".to_owned(),
        GitError::Failed(said) if said.contains("dubious ownership") => {
            let folder = git::above(root).unwrap_or_default();
            format!("run `git config --global --add safe.directory {}`", super::files::display(&folder))
        }
        GitError::Failed(_) => "run git there to see why".to_owned(),
        GitError::Unclear(_) => "name a revision for which it is known with `--base`, or approve this plan".to_owned(),
    };
    format!("{what} is not known: {error}; {help}")
}

/// What a revision says that is named.
fn named(
    reader: &mut Reader<'_>,
    account: &Account,
    history: &mut History<'_>,
    revision: &str,
) -> Result<Guarded, BaseError> {
    let git = |source| BaseError::Git { revision: revision.into(), source };
    if let Some([first, second]) = history.repository.ambiguous(revision).map_err(git)? {
        let refs = format!("`{first}` and `{second}`");
        return Err(BaseError::Ambiguous { revision: revision.into(), refs });
    }
    let commit = history.repository.commit(revision).map_err(git)?;
    let commit = commit.ok_or_else(|| BaseError::Unknown { revision: revision.into() })?;
    let mut guarded = Guarded::default();
    guarded.fill_gap(account, history);
    guarded.add(reader, (account, history), (revision, &commit), &mut Seen::new()).map_err(git)?;
    Ok(guarded)
}

/// What the last commit and its parents say.
fn default(reader: &mut Reader<'_>, account: &Account, history: &mut History<'_>) -> Guarded {
    let mut guarded = Guarded::default();
    guarded.fill_gap(account, history);
    let mut seen = Seen::new();
    // For a merge, all parents: their order depends on how it was merged.
    for parent in 0.. {
        let revision = if parent == 0 { "HEAD".to_owned() } else { format!("HEAD^{parent}") };
        let found = match history.repository.commit(&revision) {
            Ok(Some(commit)) => guarded.add(reader, (account, history), (&revision, &commit), &mut seen),
            Ok(None) if parent > 1 => break,
            Ok(None) => lacking(&mut history.repository, &revision).map(|lacking| {
                if let Some(why) = lacking {
                    guarded.add_unknown(account, history.repository.top(), why);
                }
            }),
            Err(error) => Err(error),
        };
        if let Err(error) = found {
            let why = unknown_policy(&format!("the policy at `{revision}`"), &error, &account.root);
            guarded.add_unknown(account, history.repository.top(), why);
        }
        let is_unborn = parent == 0 && !matches!(history.repository.commit("HEAD"), Ok(Some(_)));
        if is_unborn || parent > 1 && guarded.counts.bases.len() > MOST_PARENTS {
            break;
        }
    }
    guarded
}

/// Why a revision should be there that is not; nothing if it is right that it is not.
fn lacking(repository: &mut Repository, revision: &str) -> Result<Option<String>, GitError> {
    if repository.lacks(revision)? {
        return Ok(Some(format!(
            "the policy at `{revision}` is not known: that commit was not fetched; fetch it (in CI with \
             `fetch-depth: 2`), or name the revision before this change with `--base`"
        )));
    }
    // The first commit has no parent, and a new repository no commit. That is not a gap; a history without a beginning in
    // the midst of another is.
    let Some(head) = repository.commit("HEAD")?.filter(|_| revision != "HEAD") else { return Ok(None) };
    Ok(repository.has_other_history(&head)?.then(|| {
        "the policy before this change is not known: `HEAD` has no parent, and the repository has another history; \
         name the revision before this change with `--base`"
            .to_owned()
    }))
}

/// Why the repository in which an account's folder really is does not say what was before: a link leads there from
/// another one, which may have had the account itself.
fn linked_away(root: &Path, top: &Path) -> Option<String> {
    let way = std::path::absolute(or_here(root)).ok()?;
    let is_top = |folder: &&Path| folder.join(".git").symlink_metadata().is_ok();
    let nearest = way.ancestors().find(is_top)?.canonicalize().ok()?;
    (nearest != top).then(|| {
        let (folder, top) = (super::files::display(root), super::files::display(top));
        format!(
            "the guards before this change are not known: {folder} is a link into another repository, {top}; keep the \
             account's files in the repository itself, or approve this plan"
        )
    })
}

impl Guarded {
    /// Notes that something should be known and is not.
    fn add_unknown(&mut self, account: &Account, top: &Path, why: String) {
        self.news.add(NewTargets::unclear(account, top, &why));
        self.counts.bases.push(Base::Unread(why.into()));
    }

    fn fill_gap(&mut self, account: &Account, history: &History<'_>) {
        let top = history.repository.top();
        for why in linked_away(&account.root, top).into_iter().chain(history.gap.clone()) {
            self.add_unknown(account, top, why);
        }
    }

    /// Adds what a commit says.
    fn add(
        &mut self,
        reader: &mut Reader<'_>,
        (account, history): (&Account, &mut History<'_>),
        (revision, commit): (&str, &Commit),
        seen: &mut Seen,
    ) -> Result<(), GitError> {
        reader.add(&mut self.counts, (account, history), (revision, commit), seen)?;
        let index = history.index(commit)?;
        self.news.add(NewTargets::of(account, (&mut history.repository, revision, commit), &index)?);
        Ok(())
    }
}
