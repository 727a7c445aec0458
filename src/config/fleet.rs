//! A fleet's own file: which account is in which wave.

use std::path::Path;

use crate::check::fleet::{Fleet, fleet};
use crate::diag::{Diagnostic, Rule, has_errors, nearest};
use crate::model::{NameKey, Span};

use super::account::Loaded;
use super::files::display;

/// Reads the file and gives every account of this fleet its wave.
pub(super) fn apply(path: &Path, number: usize, loaded: &mut Loaded) {
    let id = loaded.sources.next_id();
    let (source, unreadable) = super::read::source(path, id);
    let (fleet, mut findings) = match source.text().map(|text| super::yaml::parse(id, text)) {
        Some(Ok(document)) => fleet(&document),
        Some(Err(finding)) => (None, vec![finding]),
        None => (None, unreadable.into_iter().collect()),
    };
    loaded.sources.push(source);
    if let Some(fleet) = &fleet {
        assign(fleet, number, loaded, &mut findings);
    }
    loaded.waves_unknown |= has_errors(&findings);
    loaded.diagnostics.append(&mut findings);
}

/// An account of the fleet: its name, if it is known, and its folder.
struct Member {
    name: Option<NameKey>,
    folder: NameKey,
}

fn assign(fleet: &Fleet, number: usize, loaded: &mut Loaded, findings: &mut Vec<Diagnostic>) {
    let folder = |path: &Path| NameKey::of(&path.file_name().unwrap_or_default().to_string_lossy());
    let valid = loaded.accounts.iter().filter(|account| account.wave.fleet == number);
    let mut members: Vec<Member> = valid
        .map(|account| Member { name: Some(NameKey::of(&account.settings.name)), folder: folder(&account.root) })
        .collect();
    members.extend(loaded.invalid.iter().filter(|account| account.wave.fleet == number).map(|account| {
        // An account without a name is called by its path, which no wave can list.
        let known = *account.name != *display(&account.path);
        Member { name: known.then(|| NameKey::of(&account.name)), folder: folder(&account.path) }
    }));
    let last = fleet.waves.len();
    let mut waves: Vec<Option<(usize, Span)>> = vec![None; members.len()];
    let mut unknown = None;
    for (wave, entries) in fleet.waves.iter().enumerate() {
        for entry in entries {
            let key = NameKey::of(&entry.value);
            let named = members.iter().position(|member| member.name.as_ref() == Some(&key));
            let Some(at) = named.or_else(|| members.iter().position(|member| member.folder == key)) else {
                if members.iter().all(|member| member.name.is_some()) {
                    findings.push(unknown_account(&entry.value, entry.span, &members));
                }
                unknown = unknown.or(Some(wave));
                continue;
            };
            match waves.get_mut(at) {
                Some(Some((_, first))) => findings.push(twice(&entry.value, entry.span, *first)),
                Some(free) => *free = Some((wave, entry.span)),
                None => {}
            }
        }
    }
    // An account whose name is unknown may be the one of any unmatched entry: put it in the first such wave.
    let wave_of = |at: usize, named: bool| {
        let wave = waves.get(at).copied().flatten().map(|(wave, _)| wave);
        wave.unwrap_or(if named { last } else { unknown.unwrap_or(last) })
    };
    let mut at = 0;
    for account in loaded.accounts.iter_mut().filter(|account| account.wave.fleet == number) {
        account.wave.number = wave_of(at, true);
        at += 1;
    }
    for account in loaded.invalid.iter_mut().filter(|account| account.wave.fleet == number) {
        account.wave.number = wave_of(at, members.get(at).is_some_and(|member| member.name.is_some()));
        at += 1;
    }
}

fn unknown_account(name: &str, span: Span, members: &[Member]) -> Diagnostic {
    let names = || members.iter().filter_map(|member| member.name.as_ref()).map(NameKey::as_str);
    let key = NameKey::of(name);
    let hint = nearest(key.as_str(), names()).map_or_else(
        || "name an account of this fleet, or its folder".to_owned(),
        |meant| format!("did you mean `{meant}`?"),
    );
    Diagnostic::new(Rule::UNKNOWN_ACCOUNT, Some(span), format!("no account of this fleet is called `{name}`"))
        .hint(hint)
}

fn twice(name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Rule::ACCOUNT_IN_TWO_WAVES, Some(span), format!("`{name}` is already in a wave"))
        .related(first, "here")
        .hint("name each account once")
}
