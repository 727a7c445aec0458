//! The fingerprint of what a change expects to find.

use sha2::{Digest, Sha256};

use crate::model::{FieldName, LiveObject, ObjectRef, PreImage, Value, VendorDocument};
use crate::text::hex;

/// The fingerprint of an object's modelled fields; where the vendor counts no versions, of the rest of its document as
/// well: with a version, the vendor itself refuses a write to what has changed.
pub(super) fn of(object: LiveObject<'_>) -> PreImage {
    let mut hash = Fields(Sha256::new());
    hash.text("kind", object.kind().as_str());
    hash.text("id", &object.id().0);
    if let LiveObject::Number(number) = object {
        hash.text("number", &number.number.to_string());
    }
    for field in object.kind().fields() {
        if let Some(value) = object.field(field) {
            hash.field(field, &value);
        }
    }
    if let (None, Some(VendorDocument(document))) = (object.revision(), object.document()) {
        hash.text("document", document);
    }
    PreImage(hex(&hash.0.finalize()))
}

struct Fields(Sha256);

impl Fields {
    fn field(&mut self, field: FieldName, value: &Value<&ObjectRef>) {
        let name = field.as_str();
        match value {
            Value::None | Value::ChosenByAccount => self.text(name, ""),
            Value::Text(text) => self.text(name, text),
            Value::Name(text) => self.text(name, text.as_str()),
            Value::Extension(digits) => self.text(name, digits.as_str()),
            Value::Ring(mode) => self.text(name, mode.as_str()),
            Value::RingFor(duration) => self.text(name, &duration.to_string()),
            Value::Reference(target) => self.reference(name, target),
            // One entry for each, under the singular: `member`.
            Value::References(targets) => {
                for target in targets {
                    self.reference(name.trim_end_matches('s'), target);
                }
            }
        }
    }

    fn reference(&mut self, name: &str, ObjectRef { kind, id }: &ObjectRef) {
        self.text(name, &format!("{kind}/{id}"));
    }

    /// Lengths come first, so that no two lists of fields look the same.
    fn text(&mut self, name: &str, value: &str) {
        for text in [name, value] {
            self.0.update((text.len() as u64).to_le_bytes());
            self.0.update(text.as_bytes());
        }
    }
}
