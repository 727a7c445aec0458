//! The fingerprint of what a change expects to find.

use sha2::{Digest, Sha256};

use crate::model::{LiveNumber, LiveRingGroup, ObjectRef, PreImage, Revision, VendorDocument};
use crate::text::hex;

/// The fingerprint of a number's modelled fields; where the vendor counts no versions, of the rest of its document as well.
pub(super) fn of_number(number: &LiveNumber) -> PreImage {
    let mut hash = Fields::new("number");
    hash.field("id", &number.id.0);
    hash.field("number", &number.number.to_string());
    hash.reference("to", number.to.as_ref());
    hash.field("label", &number.label);
    hash.document(number.revision.as_ref(), number.document.as_ref());
    hash.done()
}

/// The same of a ring group.
pub(super) fn of_group(group: &LiveRingGroup) -> PreImage {
    let mut hash = Fields::new("ring_group");
    hash.field("id", &group.id.0);
    hash.field("name", group.name.as_str());
    hash.field("extension", group.extension.as_ref().map_or("", crate::model::ExtensionNumber::as_str));
    hash.field("ring", &group.ring.to_string());
    for member in &group.members {
        hash.reference("member", Some(member));
    }
    hash.field("ring_for", &group.ring_for.map(|ring_for| ring_for.to_string()).unwrap_or_default());
    hash.reference("no_answer", group.no_answer.as_ref());
    hash.document(group.revision.as_ref(), group.document.as_ref());
    hash.done()
}

struct Fields(Sha256);

impl Fields {
    fn new(kind: &str) -> Self {
        let mut fields = Self(Sha256::new());
        fields.field("kind", kind);
        fields
    }

    /// Lengths come first, so that no two lists of fields look the same.
    fn field(&mut self, name: &str, value: &str) {
        for text in [name, value] {
            self.0.update((text.len() as u64).to_le_bytes());
            self.0.update(text.as_bytes());
        }
    }

    fn reference(&mut self, name: &str, target: Option<&ObjectRef>) {
        match target {
            None => self.field(name, ""),
            Some(ObjectRef { kind, id }) => self.field(name, &format!("{kind}/{id}")),
        }
    }

    /// With a version, the vendor itself refuses a write to what has changed.
    fn document(&mut self, revision: Option<&Revision>, document: Option<&VendorDocument>) {
        if let (None, Some(VendorDocument(document))) = (revision, document) {
            self.field("document", document);
        }
    }

    fn done(self) -> PreImage {
        PreImage(hex(&self.0.finalize()))
    }
}
