//! Somebody undoes what the loop corrects, and the loop corrects it again: noticed, so that it ends.
//!
//! Pure. A field that was corrected as often as the limit within the window, and differs once more, is fought
//! over. From then on it is given up: it is not corrected again until somebody says so, by the files or by
//! asking for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::model::{Change, FieldName, FieldValue, Kind};
use crate::text::sanitized;

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FlappingField {
    pub(super) kind: Kind,
    pub(super) name: Box<str>,
    pub(super) field: FieldName,
}

impl std::fmt::Display for FlappingField {
    /// `` `to` of number/+33142685300 ``, safe to show.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` of {}/{}", self.field.as_str(), self.kind, sanitized(&self.name, 100))
    }
}

/// What was corrected, and when.
#[derive(Debug)]
pub(super) struct FlapDetector {
    limit: usize,
    window: Duration,
    corrected: BTreeMap<FlappingField, VecDeque<Duration>>,
    suspended_fields: BTreeSet<FlappingField>,
}

impl FlapDetector {
    /// After so many corrections of a field within the window, the next difference is a fight.
    pub(super) fn new(limit: usize, window: Duration) -> Self {
        Self { limit: limit.max(1), window, corrected: BTreeMap::new(), suspended_fields: BTreeSet::new() }
    }

    /// These differences were corrected at this time (since any fixed moment).
    pub(super) fn corrected<'a>(&mut self, at: Duration, changes: impl IntoIterator<Item = &'a Change>) {
        for contested in changes.into_iter().flat_map(fields) {
            self.corrected.entry(contested).or_default().push_back(at);
        }
        // What was left alone for a whole window was no fight.
        let window = self.window;
        self.corrected.retain(|_, times| {
            while times.front().is_some_and(|time| at.saturating_sub(*time) > window) {
                times.pop_front();
            }
            !times.is_empty()
        });
    }

    /// The fields of a difference that are fought over, at this time.
    pub(super) fn flapping(&mut self, at: Duration, change: &Change) -> Vec<FlappingField> {
        let (limit, window) = (self.limit, self.window);
        let mut contested = Vec::new();
        for field in fields(change) {
            let recent = self
                .corrected
                .get(&field)
                .map_or(0, |times| times.iter().filter(|time| at.saturating_sub(**time) <= window).count());
            if recent >= limit {
                self.suspended_fields.insert(field.clone());
            }
            if self.suspended_fields.contains(&field) {
                contested.push(field);
            }
        }
        contested
    }

    /// Nothing is given up any longer.
    pub(super) fn forget(&mut self) {
        self.corrected.clear();
        self.suspended_fields.clear();
    }
}

/// The fields that a change is about; of a creation or a deletion, the object as a whole by its name.
fn fields(change: &Change) -> impl Iterator<Item = FlappingField> + '_ {
    let whole = change.fields.is_empty().then_some(FieldName::Name);
    let fields = change.fields.iter().map(|field| field.field).chain(whole);
    // The name that it shall have, so that a group which is renamed again and again stays one object.
    let name: Box<str> = match change.after(FieldName::Name) {
        Some(FieldValue::Name(name)) => name.as_str().into(),
        _ => change.object.name.as_str().into(),
    };
    fields.map(move |field| FlappingField { kind: change.object.kind, name: name.clone(), field })
}
