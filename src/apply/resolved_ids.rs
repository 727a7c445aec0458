//! What the changes so far have made known: the ids of new objects, the versions of written ones.

use std::collections::HashMap;

use crate::model::{Change, ChangeId, Kind, ObjectId, Revision, VendorDocument, Verb, WritableKind};
use crate::providers::WriteReceipt;

/// Ids and revisions that the plan could not know.
pub(super) struct ResolvedIds<'a> {
    /// The creation of each new object, by its name.
    creations: HashMap<(WritableKind, &'a str), ChangeId>,
    /// The ids that creations gave.
    created: HashMap<ChangeId, ObjectId>,
    /// The last version that this run made of an object, with its document.
    versions: HashMap<(WritableKind, ObjectId), (Option<Revision>, Option<VendorDocument>)>,
}

impl<'a> ResolvedIds<'a> {
    pub(super) fn new(changes: &'a [Change]) -> Self {
        let creations = changes.iter().filter(|change| change.verb == Verb::Create);
        let creations = creations.map(|change| ((change.object.kind, &*change.object.name), change.id)).collect();
        Self { creations, created: HashMap::new(), versions: HashMap::new() }
    }

    pub(super) fn record(&mut self, change: &Change, written: &WriteReceipt) {
        if change.verb == Verb::Create {
            self.created.insert(change.id, written.id.clone());
        }
        let version = (written.revision.clone(), written.document.clone());
        self.versions.insert((change.object.kind, written.id.clone()), version);
    }

    /// The change as the provider gets it: everything that it names has an id, and its revision is the newest.
    pub(super) fn resolve(&self, change: &Change) -> Result<Change, String> {
        let mut prepared = change.clone();
        for reference in prepared.references_mut() {
            if let (None, Some(creation)) = (&reference.id, reference.created_by) {
                let id = self.created.get(&creation).cloned();
                reference.id = Some(id.ok_or_else(|| missing(creation, reference.kind, &reference.name))?);
            }
        }
        if prepared.verb == Verb::Create {
            return Ok(prepared);
        }
        let object = &mut prepared.object;
        if object.id.is_none() {
            let creation = self.creations.get(&(object.kind, &*object.name)).copied().unwrap_or(change.id);
            let id = self.created.get(&creation).cloned();
            object.id = Some(id.ok_or_else(|| missing(creation, object.kind.into(), &object.name))?);
        }
        if let Some(id) = &object.id
            && let Some((revision, document)) = self.versions.get(&(object.kind, id.clone()))
        {
            prepared.revision.clone_from(revision);
            prepared.document.clone_from(document);
        }
        Ok(prepared)
    }
}

fn missing(ChangeId(creation): ChangeId, kind: Kind, name: &str) -> String {
    format!("the plan uses `{kind}/{name}` before its change {creation} has made it")
}
