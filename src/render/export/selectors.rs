//! References that read back as the object that they were made from, or the reason why there is none.

use crate::model::{Directory, ExtensionNumber, Found, Kind, ObjectRef, Reference, is_unprintable};
use crate::text::sanitized;

/// `kind/selector` for an object.
pub(in crate::render) fn reference(directory: &Directory<'_>, to: &ObjectRef) -> Result<String, String> {
    if to.kind == Kind::Other {
        return Err(format!("it leads to something that no file can name ({})", sanitized(&to.id.0, super::LONGEST)));
    }
    let gone = || format!("it leads to {} {}, which is gone", to.kind, sanitized(&to.id.0, super::LONGEST));
    let handle = directory.by_id(to).ok_or_else(gone)?;
    let label = directory.label(handle);
    let finds = |reference: Reference| directory.find(&reference) == Found::One(handle);
    // A label may be the bare id, when no other text finds this object and only this one.
    if !Reference::parse(to.kind, &label).is_ok_and(finds) || !is_written(&label) {
        let why = "nothing that a file can say tells it from others";
        return Err(format!("it leads to {} {}, and {why}", to.kind, sanitized(&to.id.0, super::LONGEST)));
    }
    Ok(format!("{}/{label}", to.kind))
}

/// Whether a file takes this text behind the `/`: with a line break or white space around it is refused, and digits alone are an
/// extension number there, which not every number of digits can be.
fn is_written(label: &str) -> bool {
    let digits = label.bytes().all(|byte| byte.is_ascii_digit());
    label.trim() == label && !label.chars().any(is_unprintable) && (!digits || label.parse::<ExtensionNumber>().is_ok())
}
