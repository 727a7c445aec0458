//! The parts of a change that all formats share: signs, values, lists as unified diffs.
//!
//! Names and labels are untrusted; whatever leaves this module stays on its line.

use similar::ChangeTag;
use similar::algorithms::{Capture, Compact, Replace, myers};

use crate::model::{Change, FieldChange, FieldValue, Kind, ObjectLabel, PlannedRef, Reason, Verb};
use crate::text;

/// No name or label is shown longer than this.
const MOST: usize = 300;

/// The sign before an object, as in a unified diff; an update has neither.
pub(crate) fn sign(verb: Verb) -> char {
    match verb {
        Verb::Create => '+',
        Verb::Update => '~',
        Verb::Delete => '-',
    }
}

/// The object as a reference of the file would name it; a number is its own name.
pub(crate) fn object(change: &Change) -> String {
    label(&change.object)
}

/// The same of any object.
pub(crate) fn label(object: &ObjectLabel) -> String {
    named(object.kind.into(), &object.name)
}

/// The same of an object of any kind.
pub(super) fn named(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Number => sanitized(name),
        kind => format!("{kind}/{}", sanitized(name)),
    }
}

/// Untrusted text on one line.
pub(super) fn sanitized(value: &str) -> String {
    text::sanitized(value, MOST)
}

/// An untrusted path on one line, also at its beginning.
pub(super) fn path(file: &str) -> String {
    text::path(file, MOST)
}

/// One value as people read it. Values that a file spells in quotes are in quotes.
pub(crate) fn value(value: &FieldValue) -> String {
    match value {
        FieldValue::None => "(none)".to_owned(),
        FieldValue::ChosenByAccount => "(the account chooses)".to_owned(),
        FieldValue::Text(label) => quoted(label),
        FieldValue::Name(name) => sanitized(name.as_str()),
        FieldValue::Extension(extension) => format!("\"{extension}\""),
        FieldValue::Ring(ring) => ring.to_string(),
        FieldValue::RingFor(duration) => duration.to_string(),
        FieldValue::Reference(target) => reference(target),
        FieldValue::References(targets) => targets.iter().map(reference).collect::<Vec<_>>().join(", "),
    }
}

/// A label as a file would spell it, so that spaces at its ends show.
pub(super) fn quoted(label: &str) -> String {
    let mut shortened: String = label.chars().take(MOST).collect();
    if shortened.len() < label.len() {
        shortened.push('…');
    }
    text::quoted(&shortened)
}

fn reference(target: &PlannedRef) -> String {
    format!("{}/{}", target.kind, sanitized(&target.name))
}

/// What an object has after its creation, or had before its deletion.
pub(super) fn only(field: &FieldChange, verb: Verb) -> &FieldValue {
    if verb == Verb::Delete { &field.before } else { &field.after }
}

/// The lines of a unified diff, each with its sign, for values of several lines; nothing for the others.
pub(super) fn unified(field: &FieldChange) -> Option<Vec<(char, String)>> {
    let (FieldValue::References(before), FieldValue::References(after)) = (&field.before, &field.after) else {
        return None;
    };
    let lines = |targets: &[PlannedRef]| targets.iter().map(reference).collect::<Vec<_>>();
    let (before, after) = (lines(before), lines(after));
    // One algorithm by its name: what chooses among all of them brings all of them along, 0.4 MB.
    let mut diff = Compact::new(Replace::new(Capture::new()), &before, &after);
    let Ok(()) = myers::diff(&mut diff, &before, 0..before.len(), &after, 0..after.len());
    let mut list = Vec::new();
    for (index, group) in diff.into_inner().into_inner().into_grouped_ops(3).iter().enumerate() {
        if index > 0 {
            list.push((' ', "…".to_owned()));
        }
        for change in group.iter().flat_map(|op| op.iter_changes(&before, &after)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            list.push((sign, change.value().trim_end().to_owned()));
        }
    }
    Some(list)
}

/// What people should know about the change beyond its fields.
pub(super) fn notes(change: &Change) -> Vec<String> {
    let mut notes = Vec::new();
    match change.reason {
        Reason::Declared | Reason::Absent => {}
        Reason::Renamed => notes.push("renamed; it stays the same group".to_owned()),
        Reason::Pruned => notes.push("not in any file; deleted because of `policy.prune`".to_owned()),
        Reason::ExtensionCycle => {
            notes.push("first of two writes: extension numbers are swapped".to_owned());
        }
        Reason::NoAnswerCycle => {
            notes.push("first of two writes: groups point at each other".to_owned());
        }
    }
    if !change.unreachable_meanwhile.is_empty() {
        let groups: Vec<String> =
            change.unreachable_meanwhile.iter().map(|group| format!("ring_group/{}", sanitized(group))).collect();
        notes.push(format!(
            "no number leads to {} during one write; every number keeps a destination",
            groups.join(", ")
        ));
    }
    if change.gap {
        notes
            .push("calls to the number may fail during the write: this vendor does not move it in one step".to_owned());
    }
    if change.steps.len() > 1 {
        let steps: Vec<String> = change.steps.iter().map(|step| sanitized(&step.name)).collect();
        notes.push(format!("{} steps: {}", steps.len(), steps.join(", ")));
    }
    notes
}
