//! The guards of the revisions that the files come from.
//!
//! A plan is held against the policy of its files and against the policies before it, so that one change
//! cannot take a protection away and use that. Where nothing else is asked for, these are the last commit
//! (which covers what is not committed yet) and its first parent (which covers a commit, or a merge, that is
//! being applied); see `docs/decisions/0003-guards-outlive-their-lines.md`. Nothing but guards is taken from
//! there.

use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;

use crate::check;
use crate::diag::{Diagnostic, Rule};
use crate::model::{BasePolicy, FileId, GuardPolicy};

use super::git::{Commit, Entry, Git, GitError};
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
    let mut notes: Vec<String> = Vec::new();
    let Loaded { accounts, sources, diagnostics } = loaded;
    let texts: HashMap<&Path, &str> =
        sources.iter().filter_map(|source| source.text().map(|text| (source.path(), text))).collect();
    for account in accounts {
        let Some(git) = Git::of(&account.root) else {
            match revision {
                None => continue,
                Some(Revision(revision)) => {
                    let folder = if account.root.as_os_str().is_empty() { Path::new(".") } else { &account.root };
                    let folder = super::load::display(folder);
                    return Err(BaseError::NoRepository { revision: revision.clone(), folder });
                }
            }
        };
        let mut reader = Reader { git, account, texts: &texts, seen: Vec::new(), findings: Vec::new() };
        let bases = match revision {
            Some(Revision(revision)) => reader.named(revision)?,
            None => reader.default(&mut notes),
        };
        let mut findings = reader.findings;
        account.severities.apply(&mut findings);
        diagnostics.append(&mut findings);
        account.desired.base = bases;
    }
    crate::diag::sort(diagnostics);
    notes.dedup();
    Ok(notes)
}

struct Reader<'a> {
    git: Git<'a>,
    account: &'a Account,
    /// The files as they are.
    texts: &'a HashMap<&'a Path, &'a str>,
    /// The files of the revisions that were looked at.
    seen: Vec<Vec<Entry>>,
    findings: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn named(&mut self, revision: &str) -> Result<Vec<BasePolicy>, BaseError> {
        let git = |source| BaseError::Git { revision: revision.into(), source };
        let commit = self.git.commit(revision).map_err(git)?;
        let commit = commit.ok_or_else(|| BaseError::Unknown { revision: revision.into() })?;
        Ok(self.policy(revision, &commit).map_err(git)?.into_iter().collect())
    }

    fn default(&mut self, notes: &mut Vec<String>) -> Vec<BasePolicy> {
        let mut bases = Vec::new();
        for revision in DEFAULT {
            let found = match self.git.commit(revision) {
                Ok(Some(commit)) => self.policy(revision, &commit),
                // The first commit has no parent, and a new repository no commit. That is no gap.
                Ok(None) if !self.git.is_shallow() => Ok(None),
                Ok(None) => {
                    notes.push(format!(
                        "`{revision}` was not fetched, so its policy does not guard this plan; in CI, fetch it with \
                         `fetch-depth: 2`"
                    ));
                    Ok(None)
                }
                Err(error) => Err(error),
            };
            match found {
                Ok(base) => bases.extend(base),
                Err(error) => {
                    notes.push(format!("the policy at `{revision}` does not guard this plan: {error}"));
                    // The next one would fail for the same reason.
                    break;
                }
            }
        }
        bases
    }

    /// The guards at a commit; `None` if the account was not there, or is just as it is now.
    fn policy(&mut self, revision: &str, commit: &Commit) -> Result<Option<BasePolicy>, GitError> {
        let entries: Vec<Entry> =
            self.git.files(commit)?.into_iter().filter(|entry| self.account.reads(&entry.name)).collect();
        // Where a link leads to can differ though the link does not.
        let known = self.seen.contains(&entries) && !entries.iter().any(|entry| entry.link);
        if entries.is_empty() || known {
            return Ok(None);
        }
        let mut texts = Vec::with_capacity(entries.len());
        for entry in &entries {
            if entry.size > super::read::MOST {
                self.unreadable(revision, &format!("{} has more than 256 MiB", entry.name));
                return Ok(None);
            }
            texts.push(self.git.read(commit, entry)?);
        }
        let guards = if self.is_current(&entries, &texts) { Ok(None) } else { guards(texts).map(Some) };
        self.seen.push(entries);
        match guards {
            Ok(guards) => Ok(guards.map(|guards| BasePolicy { revision: revision.into(), guards })),
            Err(finding) => {
                self.unreadable(revision, &finding.message);
                Ok(None)
            }
        }
    }

    /// Whether the files are those of now, whose policy is known already.
    fn is_current(&self, entries: &[Entry], texts: &[Vec<u8>]) -> bool {
        let same = |(entry, text): (&Entry, &Vec<u8>)| {
            let now = self.texts.get(self.account.root.join(&entry.name).as_path());
            now.is_some_and(|now| now.as_bytes() == text.as_slice())
        };
        entries.len() == self.account.files.len() && entries.iter().zip(texts).all(same)
    }

    fn unreadable(&mut self, revision: &str, why: &str) {
        let name = &self.account.settings.name;
        let message = format!("the policy of `{name}` at `{revision}` cannot be read, so it does not guard: {why}");
        self.findings.push(
            Diagnostic::new(Rule::UNREADABLE_BASE, None, message)
                .hint("name a revision whose files are valid with `--base`"),
        );
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
