//! Who made the changes that differ, if the account keeps an audit log.

use std::collections::BTreeSet;

use crate::model::Change;
use crate::providers::AuditEntry;
use crate::render::fields;
use crate::text::sanitized;

use super::Watcher;

/// At most so many objects are named.
const MOST: usize = 3;

impl Watcher {
    /// Who changed the objects of these changes last, as the end of a sentence; `None` if that is not known.
    pub(super) async fn attribute(&self, changes: &[&Change]) -> Option<String> {
        if changes.is_empty() {
            return None;
        }
        let entries = self.provider().ok()?.recent_audit_entries().await;
        let mut parts: Vec<String> = changes.iter().take(MOST).filter_map(|change| latest(change, &entries)).collect();
        if parts.is_empty() {
            return None;
        }
        if changes.len() > MOST {
            parts.push(format!("and {} more", changes.len() - MOST));
        }
        Some(parts.join("; "))
    }

    /// Everyone who changed one of these objects recently.
    pub(super) async fn conflicting_actors(&self, changes: &[&Change]) -> Option<String> {
        let entries = self.provider().ok()?.recent_audit_entries().await;
        let ids: BTreeSet<_> = changes.iter().filter_map(|change| change.object.id.as_ref()).collect();
        let entries = entries.iter().filter(|entry| ids.contains(&entry.object));
        let actors: BTreeSet<String> = entries.map(|entry| sanitized(&entry.who, 100)).collect();
        let actors: Vec<String> = actors.into_iter().collect();
        (!actors.is_empty()).then(|| format!("the account's audit log names {}", actors.join(" and ")))
    }
}

fn latest(change: &Change, entries: &[AuditEntry]) -> Option<String> {
    let id = change.object.id.as_ref()?;
    let entry = entries.iter().find(|entry| entry.object == *id)?;
    let (who, at) = (sanitized(&entry.who, 100), sanitized(&entry.at, 40));
    Some(format!("{} was changed by {who} at {at}", fields::object(change)))
}
