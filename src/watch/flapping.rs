//! Detects fields that are corrected and changed back again and again, so that the loop stops correcting them.
//!
//! Pure. A field that was corrected as often as the limit within the window, and differs once more, is flapping. It is
//! suspended until the files of the account change or a reconciliation is requested.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::model::{Change, FieldName, FieldValue, Kind};
use crate::text::sanitized;

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

#[derive(Debug)]
pub(super) struct FlapDetector {
    limit: usize,
    window: Duration,
    /// When each field was corrected.
    corrected: BTreeMap<FlappingField, VecDeque<Duration>>,
    suspended_fields: BTreeSet<FlappingField>,
}

impl FlapDetector {
    pub(super) fn new(limit: usize, window: Duration) -> Self {
        Self { limit: limit.max(1), window, corrected: BTreeMap::new(), suspended_fields: BTreeSet::new() }
    }

    /// These changes were made at this time, since any fixed moment.
    pub(super) fn record<'a>(&mut self, at: Duration, changes: impl IntoIterator<Item = &'a Change>) {
        for field in changes.into_iter().flat_map(fields) {
            self.corrected.entry(field).or_default().push_back(at);
        }
        let window = self.window;
        self.corrected.retain(|_, times| {
            while times.front().is_some_and(|time| at.saturating_sub(*time) > window) {
                times.pop_front();
            }
            !times.is_empty()
        });
    }

    /// The fields of a change that flap at this time; they are suspended from now on.
    pub(super) fn flapping(&mut self, at: Duration, change: &Change) -> Vec<FlappingField> {
        let (limit, window) = (self.limit, self.window);
        let mut flapping = Vec::new();
        for field in fields(change) {
            let recent = self
                .corrected
                .get(&field)
                .map_or(0, |times| times.iter().filter(|time| at.saturating_sub(**time) <= window).count());
            if recent >= limit {
                self.suspended_fields.insert(field.clone());
            }
            if self.suspended_fields.contains(&field) {
                flapping.push(field);
            }
        }
        flapping
    }

    pub(super) fn reset(&mut self) {
        self.corrected.clear();
        self.suspended_fields.clear();
    }
}

/// The fields of a change; for a creation or a deletion, the name stands for the object.
fn fields(change: &Change) -> impl Iterator<Item = FlappingField> + '_ {
    let whole = change.fields.is_empty().then_some(FieldName::Name);
    let fields = change.fields.iter().map(|field| field.field).chain(whole);
    // The name after the change, so that a group that is renamed again and again counts as one object.
    let name: Box<str> = match change.after(FieldName::Name) {
        Some(FieldValue::Name(name)) => name.as_str().into(),
        _ => change.object.name.as_str().into(),
    };
    fields.map(move |field| FlappingField { kind: change.object.kind.into(), name: name.clone(), field })
}
