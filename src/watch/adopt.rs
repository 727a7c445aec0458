//! Files that adopt drift: edited so that they declare what the account has, and verified.
//!
//! The edits of [`crate::render::adopt`] are read and planned again against the same account. They are used only if the
//! adopted changes are gone from the plan, nothing else has changed in it, and the files declare the same for everything
//! else.

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

#[derive(Debug)]
pub struct Adoption {
    pub account: Arc<Account>,
    /// The commit of its files, if their source knows it.
    pub commit: Option<String>,
    /// All files of the account, in order.
    pub files: Vec<File>,
    /// The names of the adopted objects.
    pub objects: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub path: PathBuf,
    /// With the adopted values.
    pub text: String,
    /// Whether the text differs from the file's.
    pub edited: bool,
}

/// The files, with the reasons for what they leave out; or why there are none.
pub(super) type AdoptionResult = Result<(Adoption, Vec<String>), String>;

/// Files that adopt these changes of a plan.
pub(super) fn adoption(
    (account, commit): (&Arc<Account>, Option<&str>),
    sources: &Sources,
    read: &FetchedAccount,
    plan: &Plan,
    changes: &[&Change],
) -> AdoptionResult {
    let edited = adopt(sources, &account.desired, &read.live, changes);
    if edited.adopted.is_empty() {
        return Err(edited.left.join("; "));
    }
    let adopted: Vec<&Change> = edited.adopted.iter().filter_map(|at| changes.get(*at).copied()).collect();
    if !is_verified(account, sources, &edited.files, read, plan, &adopted) {
        return Err("the files cannot be edited automatically to declare exactly that; edit them by hand".to_owned());
    }
    let mut files = Vec::new();
    for (id, name) in (0_u32..).map(FileId).zip(&account.desired.files) {
        let Some(source) = sources.get(id).filter(|_| !name.is_empty()) else { continue };
        let new = edited.files.get(&id);
        let text = new.map(String::as_str).or_else(|| source.text()).ok_or("a file changed meanwhile")?;
        files.push(File { path: source.path().to_owned(), text: text.to_owned(), edited: new.is_some() });
    }
    let objects = adopted.iter().map(|change| change.object.name.clone()).collect();
    Ok((Adoption { account: Arc::clone(account), commit: commit.map(str::to_owned), files, objects }, edited.left))
}

/// Whether the edited files declare the adopted objects as the account has them, and all others as before.
fn is_verified(
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
    let not_adopted = |change: &&Change| !adopted.iter().any(|adopted| adopted.id == change.id);
    let mut before: Vec<_> = plan.changes.iter().filter(not_adopted).map(parts).collect();
    let mut after: Vec<_> = after.changes.iter().map(parts).collect();
    before.sort_by_key(|(verb, object, _)| (object.kind, object.name.as_str(), *verb));
    after.sort_by_key(|(verb, object, _)| (object.kind, object.name.as_str(), *verb));
    before.len() == after.len()
        && before
            .iter()
            .zip(&after)
            .all(|(before, after)| before.0 == after.0 && before.1 == after.1 && same_fields(before.2, after.2))
}

fn parts(change: &Change) -> (Verb, &ObjectLabel, &[FieldChange]) {
    (change.verb, &change.object, &change.fields)
}

/// Compares the values. Which change creates a reference is ignored: its number depends on the order of the plan.
fn same_fields(one: &[FieldChange], other: &[FieldChange]) -> bool {
    let plain = |field: &FieldChange| {
        let value = |value: &FieldValue| value.map(|target| PlannedRef { created_by: None, ..target.clone() });
        (field.field, value(&field.before), value(&field.after))
    };
    one.iter().map(plain).eq(other.iter().map(plain))
}
