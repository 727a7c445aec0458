//! From reference texts to the objects that they mean.

use std::collections::HashSet;

use crate::diag::{Rule, nearest_of_any};
use crate::model::{
    Directory, Found, Incomplete, Kind, LiveAccount, ObjectId, ObjectRef, Reference, ReferenceError, Selector,
};
use crate::text::sanitized;

use super::document::Document;
use super::error::LateProblem;
use super::locate::Step;
use super::problem::Problem;
use super::references::{References, Slot};

/// The prefix of a reference to something that is not modelled, or is gone.
pub(super) const OTHER: &str = "other/";

/// Connects the objects of a document.
pub(super) fn resolve(document: Document) -> Result<LiveAccount, LateProblem> {
    let Document { mut live, mut references, shares } = document;
    check_shared_mailboxes(&live, &shares)?;
    let texts = references.texts();
    let meanings = meanings(&live, &mut references, &texts);
    for (slot, text) in references.waiting {
        let meaning = match meanings.get(text as usize) {
            Some(Ok(reference)) => reference.clone(),
            Some(Err(problem)) => return Err(LateProblem { path: path(slot), problem: problem.clone() }),
            // Each text has one meaning, so this is not reached.
            None => continue,
        };
        if let Some(place) = slot.of(&mut live) {
            *place = meaning;
        }
    }
    live.validated().map_err(|Incomplete::Repeated { kind, id }| repeated(kind, &id))
}

/// A shared mailbox is a user's own, or one of `mailboxes`.
fn check_shared_mailboxes(live: &LiveAccount, shares: &[(Box<str>, Box<str>)]) -> Result<(), LateProblem> {
    if shares.is_empty() {
        return Ok(());
    }
    let id = |kind: &str, key: &str| ObjectId([kind, "/", key].concat().into());
    let sharing: HashSet<ObjectId> = shares.iter().map(|(user, _)| id("user", user)).collect();
    let own = live.users.iter().filter(|user| !sharing.contains(&user.id)).filter_map(|user| user.voicemail.as_ref());
    let known: HashSet<&ObjectId> = own.chain(live.mailboxes.iter().map(|mailbox| &mailbox.id)).collect();
    let Some((user, owner)) = shares.iter().find(|(_, owner)| !known.contains(&id("voicemail", owner))) else {
        return Ok(());
    };
    let message = format!("there is no mailbox `voicemail/{}` in the snapshot", sanitized(owner, 80));
    let hint = "write `voicemail/` and the key of a user with a mailbox, or of an entry of `mailboxes`";
    let path = vec![key("users"), key(user), key("voicemail")];
    Err(LateProblem { path, problem: Problem::new(Rule::UNKNOWN_REFERENCE, message, hint) })
}

/// An object that a section gives twice.
fn repeated(kind: Kind, id: &str) -> LateProblem {
    let given = id.split_once('/').map_or(id, |(_, key)| key);
    let path = match kind {
        // Phones are below their users.
        Kind::Device => vec![key("users")],
        Kind::Voicemail => vec![key("mailboxes"), Step::Second(given.into())],
        kind => vec![key(&format!("{kind}s")), Step::Second(given.into())],
    };
    LateProblem { path, problem: Problem::twice(given) }
}

fn key(name: &str) -> Step {
    Step::Key(name.into())
}

/// The steps that lead to a slot.
fn path(slot: Slot) -> Vec<Step> {
    let nth = |position: u32| Step::Nth(position as usize);
    match slot {
        Slot::To { number } => vec![key("numbers"), nth(number), key("to")],
        Slot::Member { group, member } => vec![key("ring_groups"), nth(group), key("members"), nth(member)],
        Slot::NoAnswer { group } => vec![key("ring_groups"), nth(group), key("no_answer")],
        Slot::Key { receptionist, key: pressed } => {
            vec![key("receptionists"), nth(receptionist), key("keys"), nth(pressed)]
        }
    }
}

/// What each text means that had to wait: an object's id, or else what it finds in the account.
fn meanings(live: &LiveAccount, references: &mut References, texts: &[Box<str>]) -> Vec<Result<ObjectRef, Problem>> {
    let directory = Directory::new(live);
    texts
        .iter()
        .map(|text| {
            if let Some(id) = text.strip_prefix(OTHER) {
                return Ok(ObjectRef { kind: Kind::Other, id: ObjectId(id.into()) });
            }
            let reference: Reference = text.parse().map_err(|why: ReferenceError| {
                let message = format!("`{}`: {}", sanitized(text, 80), sanitized(&why.to_string(), 200));
                Problem::new(Rule::BAD_REFERENCE, message, "write a kind, `/` and a name, such as `user/201`")
            })?;
            if let Selector::Number(number) = reference.selector {
                return Ok(ObjectRef { kind: Kind::External, id: ObjectId(number.to_string().into()) });
            }
            let by_extension = matches!(reference.selector, Selector::Extension(_));
            // All digits is an extension number first, whatever the keys are.
            if !by_extension && let Some(id) = references.by_id(live, reference.kind, text) {
                return Ok(ObjectRef { kind: reference.kind, id });
            }
            find(&directory, &reference, text)
        })
        .collect()
}

fn find(directory: &Directory<'_>, reference: &Reference, text: &str) -> Result<ObjectRef, Problem> {
    let unknown = || {
        let message = format!("`{}`: there is no such object in the snapshot", sanitized(text, 80));
        let near = nearest_of_any(text.split_once('/').map_or(text, |(_, name)| name), directory.texts(reference.kind));
        let hint = match near {
            Some(name) => format!("did you mean `{}/{}`?", reference.kind, sanitized(name, 80)),
            None => format!("add it to the snapshot's section of {}s, or correct the reference", reference.kind),
        };
        Problem::new(Rule::UNKNOWN_REFERENCE, message, hint)
    };
    match directory.find(reference) {
        Found::One(handle) => {
            let id = directory.id(handle).cloned().ok_or_else(unknown)?;
            Ok(ObjectRef { kind: reference.kind, id })
        }
        Found::None => Err(unknown()),
        Found::Several(all) => {
            let all: Vec<_> = all.iter().filter_map(|handle| directory.id(*handle)).map(ToString::to_string).collect();
            let all = sanitized(&all.join(", "), 300);
            let message = format!("`{}`: it could be any of {all}", sanitized(text, 80));
            let hint = "write the key or the extension number of the one that is meant";
            Err(Problem::new(Rule::AMBIGUOUS_REFERENCE, message, hint))
        }
    }
}
