//! Who changed what differs, as far as the account keeps a log.

use std::collections::BTreeSet;

use crate::model::Change;
use crate::providers::AuditEntry;
use crate::render::fields;
use crate::text::sanitized;

use super::Watcher;

/// So many objects are told of.
const MOST: usize = 3;

impl Watcher {
    /// Who touched the objects of these changes last, as the end of a sentence; nothing if nobody knows.
    pub(super) async fn attribute(&self, changes: &[&Change]) -> Option<String> {
        if changes.is_empty() {
            return None;
        }
        let touches = self.provider().ok()?.recent_audit_entries().await;
        let said: Vec<String> = changes.iter().take(MOST).filter_map(|change| last(change, &touches)).collect();
        let more = changes.len().saturating_sub(MOST);
        let more = if more > 0 && !said.is_empty() { format!("; and {more} more") } else { String::new() };
        (!said.is_empty()).then(|| said.join("; ") + &more)
    }

    /// Both sides of a fight: everybody who touched one of these objects lately.
    pub(super) async fn conflicting_actors(&self, changes: &[&Change]) -> Option<String> {
        let touches = self.provider().ok()?.recent_audit_entries().await;
        let ids: BTreeSet<_> = changes.iter().filter_map(|change| change.object.id.as_ref()).collect();
        let sides: BTreeSet<String> = touches
            .iter()
            .filter(|touch| ids.contains(&touch.object))
            .map(|touch| sanitized(&touch.who, 100))
            .collect();
        (!sides.is_empty())
            .then(|| format!("the account's log names {}", sides.into_iter().collect::<Vec<_>>().join(" and ")))
    }
}

fn last(change: &Change, touches: &[AuditEntry]) -> Option<String> {
    let id = change.object.id.as_ref()?;
    let touch = touches.iter().find(|touch| touch.object == *id)?;
    let (who, at) = (sanitized(&touch.who, 100), sanitized(&touch.at, 40));
    Some(format!("{} was changed by {who} at {at}", fields::object(change)))
}
