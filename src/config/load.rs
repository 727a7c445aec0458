//! From paths to checked accounts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::check::document::Document;
use crate::check::settings::Settings;
use crate::check::{self, AccountSchema, Checked, Valid};
use crate::diag::{Diagnostic, Rule, Source, Sources};
use crate::model::{Desired, FileId, NameKey, Span};

use super::account::{Account, InvalidAccount, Loaded, Reach, Wave};
use super::duplicate_accounts;
use super::files::{AccountFiles, Discovered, discover, display};

/// Reads and checks everything that the paths lead to.
pub fn load(paths: &[PathBuf]) -> Loaded {
    let schema = AccountSchema::default();
    let mut loaded = Loaded::default();
    if paths.is_empty() {
        loaded.diagnostics.push(
            Diagnostic::new(Rule::NO_FILES, None, "no path is given")
                .hint("give a YAML file, a folder of `.yaml` or `.yml` files, or a folder of such folders"),
        );
    }
    let mut known: HashSet<Vec<PathBuf>> = HashSet::new();
    for (fleet, path) in paths.iter().enumerate() {
        let wave = Wave { fleet, number: 0 };
        let Discovered { accounts, fleet: own } = match discover(path) {
            Ok(found) => found,
            Err(finding) => {
                invalid_path(path, finding, wave, &mut loaded);
                continue;
            }
        };
        for found in accounts {
            match found {
                // The same files again, as `w` and `./w`, are one account.
                Ok(files) if known.insert(files.identity()) => account(&schema, files, wave, &mut loaded),
                Ok(_) => {}
                Err(why) => {
                    let (path, finding) = *why;
                    invalid_path(&path, finding, wave, &mut loaded);
                }
            }
        }
        if let Some(own) = own {
            super::fleet::apply(&own, fleet, &mut loaded);
        }
    }
    same_name_twice(&mut loaded);
    duplicate_accounts::refuse(&mut loaded);
    crate::diag::sort(&mut loaded.diagnostics);
    loaded
}

/// A path that leads to no account.
fn invalid_path(path: &Path, finding: Diagnostic, wave: Wave, loaded: &mut Loaded) {
    let order = loaded.accounts.len() + loaded.invalid.len();
    loaded.invalid.push(InvalidAccount { name: display(path).into(), path: path.to_path_buf(), order, wave });
    loaded.diagnostics.push(finding);
}

/// Checks the file of one account, of this name in this folder, that is not written yet.
pub fn text(root: &Path, name: &str, text: &str) -> Loaded {
    let mut loaded = Loaded::default();
    let path = root.join(name);
    let source = Source::unread(display(&path), path.clone()).with_text(text.into());
    let files = AccountFiles { root: root.to_path_buf(), files: vec![path], folder: false };
    checked(&AccountSchema::default(), files, Wave::default(), (vec![source], Vec::new()), &mut loaded);
    crate::diag::sort(&mut loaded.diagnostics);
    loaded
}

/// Reads and checks one account.
fn account(schema: &AccountSchema, account: AccountFiles, wave: Wave, loaded: &mut Loaded) {
    let first = loaded.sources.next_id();
    let files = &account.files;
    let mut findings = Vec::new();
    let mut sources = Vec::new();
    for (path, id) in files.iter().zip(first.0..) {
        let (source, unreadable) = super::read::source(path, FileId(id));
        sources.push(source);
        findings.extend(unreadable);
    }
    checked(schema, account, wave, (sources, findings), loaded);
}

/// Checks one account. Its documents live no longer than this.
fn checked(
    schema: &AccountSchema,
    AccountFiles { root, files, folder }: AccountFiles,
    wave: Wave,
    (mut sources, mut findings): (Vec<Source>, Vec<Diagnostic>),
    loaded: &mut Loaded,
) {
    let first = loaded.sources.next_id();
    let mut documents: Vec<Document<'_>> = Vec::new();
    for (source, id) in sources.iter().zip(first.0..) {
        let Some(text) = source.text() else { continue };
        match super::yaml::parse(FileId(id), text) {
            Ok(document) => documents.push(document),
            Err(finding) => findings.push(finding),
        }
    }
    let complete = documents.len() == sources.len();
    let Checked { account, mut findings, secrets } = check::account(schema, &documents, findings, complete);
    let order = loaded.accounts.len() + loaded.invalid.len();
    if account.is_none() {
        let path = if folder { root.clone() } else { files.first().cloned().unwrap_or_default() };
        let name = documents.iter().find_map(check::account_name).map_or_else(|| display(&path).into(), Box::from);
        loaded.invalid.push(InvalidAccount { name, path, order, wave });
    }
    drop(documents);
    super::symlinks::hide_linked_files(&root, first, &mut sources, &mut findings);
    let well = findings.is_empty();
    for secret in secrets {
        let FileId(index) = secret.file;
        if let Some(source) = sources.get_mut((index - first.0) as usize) {
            source.hide(secret);
        }
    }
    loaded.diagnostics.extend(findings);
    if let Some(Valid { settings, mut desired, severities, lowered }) = account {
        // Files of other accounts have no name here, so that a fleet's accounts do not repeat each other's.
        desired.files = vec![Box::default(); first.0 as usize];
        desired.files.extend(sources.iter().map(|source| Box::from(source.display())));
        loaded.accounts.push(Account {
            root,
            files,
            folder,
            order,
            wave,
            settings,
            desired,
            severities,
            lowered,
            reach: Reach::Unchecked,
        });
    }
    for mut source in sources {
        if well {
            // The text of a large account is a twelfth of all that its plan needs, and most plans show none of it.
            source.forget(|path| super::read::read(path, FileId::default()).ok().map(Into::into));
        }
        loaded.sources.push(source);
    }
}

/// What an account would be if some of its files had other texts; nothing if that has errors.
///
/// Its spans are of those texts. The guards of earlier revisions are those that it has.
pub fn reread(account: &Account, sources: &Sources, edited: &BTreeMap<FileId, String>) -> Option<Desired> {
    let files = || (0_u32..).map(FileId).zip(&account.desired.files).filter(|(_, name)| !name.is_empty());
    let mut documents: Vec<Document<'_>> = Vec::new();
    for (id, _) in files() {
        let text = edited.get(&id).map(String::as_str).or_else(|| sources.get(id)?.text())?;
        documents.push(super::yaml::parse(id, text).ok()?);
    }
    let Checked { account: valid, .. } = check::account(&AccountSchema::default(), &documents, Vec::new(), true);
    let Valid { settings, mut desired, .. } = valid?;
    desired.files.clone_from(&account.desired.files);
    desired.base.clone_from(&account.desired.base);
    desired.owner.clone_from(&account.desired.owner);
    (settings.provider == account.settings.provider).then_some(desired)
}

/// Accounts are known by their names in plans, logs and ledgers: none of those that share one can be planned.
fn same_name_twice(loaded: &mut Loaded) {
    let mut spans: HashMap<NameKey, Vec<Span>> = HashMap::new();
    for Settings { name, name_span, .. } in loaded.accounts.iter().map(|account| &account.settings) {
        spans.entry(NameKey::of(name)).or_default().push(*name_span);
    }
    let Loaded { accounts, invalid, diagnostics, .. } = loaded;
    let (shared, alone): (Vec<_>, Vec<_>) = std::mem::take(accounts)
        .into_iter()
        .partition(|account| spans.get(&NameKey::of(&account.settings.name)).is_some_and(|spans| spans.len() > 1));
    *accounts = alone;
    for account in shared {
        let Settings { name, name_span, .. } = &account.settings;
        let first = spans.get(&NameKey::of(name)).and_then(|spans| spans.first());
        if let Some(first) = first.filter(|first| *first != name_span) {
            let message = format!("two accounts are called `{name}`");
            diagnostics.push(
                Diagnostic::new(Rule::DUPLICATE_ACCOUNT, Some(*name_span), message)
                    .related(*first, "here as well")
                    .hint("give one of them another name"),
            );
        }
        invalid.push(account.invalid());
    }
}
