//! Drift that the files are to follow: the files that would make it intended, proven before anybody sees them.
//!
//! The edits of [`crate::render::adopt`] are read and planned again against the same account. Only if the adopted
//! changes are gone from the plan, nothing else has changed in it, and the files ask for the same of everything else,
//! they are handed over; else it is told why not.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{self, Account};
use crate::diag::Sources;
use crate::model::{Change, FieldChange, FieldValue, FileId, ObjectLabel, PlannedRef, Verb};
use crate::plan::{Part, Plan, plan_part};
use crate::providers::FetchedAccount;
use crate::render::adopt::adopt;

use super::drift::equal_except;

/// Files that would make an account's state the wanted one.
#[derive(Debug)]
pub struct Adoption {
    /// The account.
    pub account: Arc<Account>,
    /// The commit of its files, if their source knows it.
    pub commit: Option<String>,
    /// All of its files: where each is, its name as the operator gave it, and its text; in order.
    pub files: Vec<File>,
    /// What of the account is adopted, named.
    pub objects: Vec<String>,
}

/// One file of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Its text with what is adopted.
    pub text: String,
    /// Whether that differs from what it has.
    pub edited: bool,
}

/// Files that make these changes of a plan needless, or why there are none. `left` is what stays as it is, and why.
pub(super) fn adoption(
    (account, commit): (&Arc<Account>, Option<&str>),
    sources: &Sources,
    read: &FetchedAccount,
    plan: &Plan,
    changes: &[&Change],
) -> Result<(Adoption, Vec<String>), String> {
    let edited = adopt(sources, &account.desired, &read.live, changes);
    if edited.adopted.is_empty() {
        return Err(edited.left.join("; "));
    }
    let adopted: Vec<&Change> = edited.adopted.iter().filter_map(|at| changes.get(*at).copied()).collect();
    if !holds(account, sources, &edited.files, read, plan, &adopted) {
        return Err("files that ask for exactly that cannot be made by a program; edit them by hand".to_owned());
    }
    let mut files = Vec::new();
    for (id, name) in (0_u32..).map(FileId).zip(&account.desired.files) {
        let Some(source) = sources.get(id).filter(|_| !name.is_empty()) else { continue };
        let new = edited.files.get(&id);
        let text = new.map(String::as_str).or_else(|| source.text()).ok_or("a file was changed meanwhile")?;
        files.push(File { path: source.path().to_owned(), text: text.to_owned(), edited: new.is_some() });
    }
    let objects = adopted.iter().map(|change| change.object.name.clone()).collect();
    Ok((Adoption { account: Arc::clone(account), commit: commit.map(str::to_owned), files, objects }, edited.left))
}

/// Whether the edited files ask for what the account has of the adopted objects, and for the same of all others.
fn holds(
    account: &Account,
    sources: &Sources,
    edited: &BTreeMap<FileId, String>,
    read: &FetchedAccount,
    plan: &Plan,
    adopted: &[&Change],
) -> bool {
    let Some(desired) = config::reread(account, sources, edited) else { return false };
    if !equal_except(&account.desired, &desired, adopted) {
        return false;
    }
    let part = Part { skip_invalid: true, ..Part::default() };
    let (after, _) = plan_part(&desired, &read.live, &account.severities, read.requests, &part);
    let Some(after) = after else { return false };
    let gone = |change: &&Change| !adopted.iter().any(|adopted| adopted.id == change.id);
    let mut before: Vec<_> = plan.changes.iter().filter(gone).map(what).collect();
    let mut after: Vec<_> = after.changes.iter().map(what).collect();
    before.sort_by_key(|(verb, object, _)| (object.kind, object.name.as_str(), *verb));
    after.sort_by_key(|(verb, object, _)| (object.kind, object.name.as_str(), *verb));
    before.len() == after.len()
        && before
            .iter()
            .zip(&after)
            .all(|(before, after)| before.0 == after.0 && before.1 == after.1 && same_fields(before.2, after.2))
}

fn what(change: &Change) -> (Verb, &ObjectLabel, &[FieldChange]) {
    (change.verb, &change.object, &change.fields)
}

/// The same values; that a reference is created by another change by number is the order of the plan.
fn same_fields(one: &[FieldChange], other: &[FieldChange]) -> bool {
    let plain = |field: &FieldChange| {
        let value =
            |value: &FieldValue| value.with_references(|target| PlannedRef { created_by: None, ..target.clone() });
        (field.field, value(&field.before), value(&field.after))
    };
    one.iter().map(plain).eq(other.iter().map(plain))
}
