//! The guards that accounts had in a commit.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::check::{self, Before};
use crate::diag::{Diagnostic, Rule, Source};
use crate::model::{Base, BasePolicy, FileId, Scope};

use super::super::account::Account;
use super::super::git::{Commit, Entry as File, GitError};
use super::accounts::Former;
use super::history::{Found, History};

/// What helps against a revision whose files have errors.
const HELP: &str = "name a revision whose files are valid with `--base`";

/// Reads guards, for one account after the other.
pub(super) struct Reader<'a> {
    /// The files as they are.
    files: HashMap<&'a Path, &'a Source>,
    /// Of the account that is being looked at.
    pub(super) findings: Vec<Diagnostic>,
    known: HashMap<(Commit, usize), Known>,
}

/// What the policy of an account was, or why it cannot be read.
type Known = Rc<Result<Before, String>>;

/// The files of an account that were looked at already, with their folder.
pub(super) type Seen = Vec<(std::path::PathBuf, Vec<File>)>;

/// What counts of the revisions before.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) bases: Vec<Base>,
    /// What rules were.
    pub(super) before: Vec<Known>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(files: HashMap<&'a Path, &'a Source>) -> Self {
        Self { files, findings: Vec::new(), known: HashMap::new() }
    }

    /// Adds what counts of a commit: nothing of an account that is just as it is now.
    pub(super) fn add(
        &mut self,
        counts: &mut Counts,
        (account, history): (&Account, &mut History<'_>),
        (revision, commit): (&str, &Commit),
        seen: &mut Seen,
    ) -> Result<(), GitError> {
        let Found { own, same_address, vanished, unknown, held } = history.find(account, commit)?;
        let index = history.index(commit)?;
        let former = |at: &usize| index.accounts.get(*at).map(|former| (*at, former));
        if let Some(why) = unknown {
            counts.bases.push(self.unreadable(account, revision, &why));
        }
        if let Some(why) = held {
            counts.bases.push(Base::Unread(why.into()));
        }
        let mut owned: Vec<Scope> = Vec::new();
        for (at, former) in own.iter().filter_map(former) {
            let known = self.known(history, commit, (at, former))?;
            if let Ok(before) = &*known
                && former.is_at(account)
            {
                owned.push(before.guards.scope.clone());
            }
            if self.is_current(account, former, history, commit)? {
                counts.before.push(known);
                continue;
            }
            self.count(counts, account, (revision, former), (known, None), seen);
        }
        for (at, former) in same_address.iter().filter_map(former) {
            let known = self.known(history, commit, (at, former))?;
            let apart = known.as_ref().as_ref().is_ok_and(|before| {
                !owned.is_empty() && owned.iter().all(|scope| scope.is_disjoint(&before.guards.scope))
            });
            // Two that share an account each own a part of it.
            let scope = apart.then(Scope::default);
            self.count(counts, account, (revision, former), (known, scope), seen);
        }
        for (at, former) in vanished.iter().filter_map(former) {
            let known = self.known(history, commit, (at, former))?;
            self.count(counts, account, (revision, former), (known, None), seen);
        }
        Ok(())
    }

    fn count(
        &mut self,
        counts: &mut Counts,
        account: &Account,
        (revision, former): (&str, &Former),
        (known, scope): (Known, Option<Scope>),
        seen: &mut Seen,
    ) {
        // Where a link leads to can differ though the link does not.
        let files = (former.place.clone(), former.files.clone());
        if seen.contains(&files) && !former.files.iter().any(|file| file.link) {
            return;
        }
        counts.bases.push(match &*known {
            Ok(before) => {
                let mut guards = before.guards.clone();
                guards.scope = scope.unwrap_or(guards.scope);
                let other = crate::model::NameKey::of(&account.settings.name) != former.key;
                let name = other.then(|| former.heading.name.clone());
                Base::Read(Box::new(BasePolicy { revision: revision.into(), account: name, guards }))
            }
            Err(why) => self.unreadable(account, revision, why),
        });
        counts.before.push(known);
        seen.push(files);
    }

    /// The policy of an account in a commit, read once.
    fn known(
        &mut self,
        history: &mut History<'_>,
        commit: &Commit,
        (at, former): (usize, &Former),
    ) -> Result<Known, GitError> {
        if let Some(known) = self.known.get(&(commit.clone(), at)) {
            return Ok(Rc::clone(known));
        }
        let known = Rc::new(read(history, commit, former)?);
        self.known.insert((commit.clone(), at), Rc::clone(&known));
        Ok(known)
    }

    /// Whether the files are those of now, whose policy is known already.
    fn is_current(
        &self,
        account: &Account,
        former: &Former,
        history: &mut History<'_>,
        commit: &Commit,
    ) -> Result<bool, GitError> {
        if former.files.len() != account.files.len() {
            return Ok(false);
        }
        for file in &former.files {
            let Some(now) = self.files.get(account.root.join(&file.name).as_path()) else { return Ok(false) };
            match history.repository.read(commit, &former.place, file) {
                Ok(text) if now.is(&text) => {}
                Ok(_) | Err(GitError::Failed(_)) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn unreadable(&mut self, account: &Account, revision: &str, why: &str) -> Base {
        let name = &account.settings.name;
        let what = format!("the policy of `{name}` at `{revision}` cannot be read: {why}");
        self.findings.push(Diagnostic::new(Rule::UNREADABLE_BASE, None, what.as_str()).hint(HELP));
        Base::Unread(format!("{what}; {HELP}").into())
    }
}

/// Reads the policy in an account's files.
fn read(history: &mut History<'_>, commit: &Commit, former: &Former) -> Result<Result<Before, String>, GitError> {
    let mut files = Vec::with_capacity(former.files.len());
    for file in &former.files {
        let name = crate::text::sanitized(&file.name.to_string_lossy(), 200);
        if file.size > super::super::read::MOST {
            return Ok(Err(format!("{name} has more than 256 MiB")));
        }
        match history.repository.read(commit, &former.place, file) {
            Ok(bytes) => files.push((bytes, former.naming.contains(file))),
            Err(GitError::Failed(why)) => return Ok(Err(why)),
            Err(error) => return Err(error),
        }
    }
    Ok(policy(files).map_err(|finding| finding.message))
}

/// The policy of these files, each with whether it names the account; or the first thing that is wrong with them.
fn policy(files: Vec<(Vec<u8>, bool)>) -> Result<Before, Diagnostic> {
    let mut texts = Vec::with_capacity(files.len());
    for (id, (bytes, names)) in (0_u32..).zip(files) {
        // A key can also be written with escapes.
        let has = |word: &[u8]| bytes.windows(word.len()).any(|found| found == word) || bytes.contains(&b'\\');
        let (policy, groups) = (has(b"policy"), has(b"ring_groups"));
        // Most files of a large account are numbers; and what is neither is not read at all.
        if policy || groups {
            match super::super::read::text(bytes, FileId(id)) {
                Ok(text) => texts.push((FileId(id), text, names, policy)),
                Err(finding) if policy => return Err(finding),
                Err(_) => {}
            }
        }
    }
    let mut documents = Vec::new();
    for (id, text, names, _) in texts.iter().filter(|(.., policy)| *policy) {
        let document = super::super::yaml::parse(*id, text)?;
        // Other YAML files may lie beside the file of an account.
        if *names || check::has_policy(&document) {
            documents.push(document);
        }
    }
    let mut before = check::before(&documents).map_err(|finding| *finding)?;
    if !before.guards.protect.groups.is_empty() {
        let groups = texts.iter().filter(|(.., policy)| !policy);
        documents.extend(groups.filter_map(|(id, text, ..)| super::super::yaml::parse(*id, text).ok()));
        check::alias(&mut before.guards.protect, &documents);
    }
    Ok(before)
}
