//! `policy.caps`: how many objects one plan may touch.

use crate::diag::{Diagnostic, Rule};
use crate::model::{Cap, Capped, Caps, Spanned};

use crate::check::document::View;
use crate::check::reader::{Field, Reader};

/// The most that `most` and `floor` can be: more objects than any account has.
const MOST: u32 = 10_000_000;
const FORM: &str = "write `{ most: 100, percent: 30, floor: 10 }`, some of these, or `off`";

pub(super) fn read(reader: &mut Reader, section: Field<'_>, caps: &mut Caps) {
    let Some(mapping) = reader.mapping(section) else { return };
    let [numbers, groups] = reader.fields(mapping, section.key.span(), ["numbers", "ring_groups"]).found;
    if let Some(mapping) = numbers.and_then(|field| reader.mapping(field)) {
        let [update, unassign] = reader.fields(mapping, section.key.span(), ["update", "unassign"]).found;
        cap(reader, update, Capped::NumberUpdate, caps);
        cap(reader, unassign, Capped::NumberUnassign, caps);
    }
    if let Some(mapping) = groups.and_then(|field| reader.mapping(field)) {
        let fields = reader.fields(mapping, section.key.span(), ["create", "update", "delete"]);
        let [create, update, delete] = fields.found;
        cap(reader, create, Capped::GroupCreate, caps);
        cap(reader, update, Capped::GroupUpdate, caps);
        cap(reader, delete, Capped::GroupDelete, caps);
    }
}

fn cap(reader: &mut Reader, field: Option<Field<'_>>, capped: Capped, caps: &mut Caps) {
    let Some(field) = field else { return };
    let value = if super::is_off(field.value) { Some(None) } else { limits(reader, field, capped).map(Some) };
    let Some(value) = value else { return };
    if let Err(first) = caps.set(capped, Spanned { value, span: field.key.span() }) {
        reader.repeated(field.key, first);
    }
}

fn limits(reader: &mut Reader, field: Field<'_>, capped: Capped) -> Option<Cap> {
    if let View::Plain(_) | View::Quoted(_) | View::Sequence(_) = field.value.view() {
        let message = format!("`{}` must be a cap", field.name());
        reader.report(Diagnostic::new(Rule::WRONG_TYPE, Some(field.span()), message).hint(FORM));
        return None;
    }
    let mapping = reader.mapping(field)?;
    let [most, percent, floor] = reader.fields(mapping, field.key.span(), ["most", "percent", "floor"]).found;
    let mut cap = capped.default_cap();
    if let Some(most) = most {
        cap.most = Some(whole(reader, most, MOST)?);
    }
    if let Some(percent) = percent {
        cap.percent = u8::try_from(whole(reader, percent, 100)?).unwrap_or(100);
    }
    if let Some(floor) = floor {
        cap.floor = whole(reader, floor, MOST)?;
    }
    Some(cap)
}

/// A whole number from 0 to `most`, as every YAML reader sees it: digits without quotes and leading zeros.
fn whole(reader: &mut Reader, field: Field<'_>, most: u32) -> Option<u32> {
    if let View::Plain(text) = field.value.view() {
        let form = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some(number) = form.then(|| text.parse().ok()).flatten().filter(|number| *number <= most) {
            return Some(number);
        }
    }
    let message = format!("`{}` must be a whole number from 0 to {most}", field.name());
    let hint = format!("write a number without quotes and unit, such as `{}: 10`", field.name());
    reader.report(Diagnostic::new(Rule::WRONG_VALUE, Some(field.span()), message).hint(hint));
    None
}
