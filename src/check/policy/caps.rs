//! `policy.caps`: how many objects one plan may touch.

use schemars::{JsonSchema, Schema};
use serde_json::json;

use crate::diag::Rule;
use crate::model::{self, Capped, Caps, Spanned};

use crate::check::document::View;
use crate::check::reader::{Field, Reader};
use crate::check::section::section;

use super::Off;

/// The most that `most` and `floor` can be: more objects than any account has.
const MOST: u32 = 10_000_000;
const FORM: &str = "write `{ most: 100, percent: 30, floor: 10 }`, some of these, or `off`";

section! {
    /// Caps, for each kind of object.
    struct CapsSection {
        /// Caps on numbers.
        numbers: Option<NumberCaps>,
        /// Caps on ring groups.
        ring_groups: Option<RingGroupCaps>,
    }
}

section! {
    /// Caps on numbers.
    struct NumberCaps {
        /// Numbers that are changed in any way.
        #[schemars(transform = default_of(Capped::NumberUpdate))]
        update: Option<Cap>,
        /// Numbers that lose their destination.
        #[schemars(transform = default_of(Capped::NumberUnassign))]
        unassign: Option<Cap>,
    }
}

section! {
    /// Caps on ring groups.
    struct RingGroupCaps {
        /// Groups that are made.
        #[schemars(transform = default_of(Capped::GroupCreate))]
        create: Option<Cap>,
        /// Groups that are changed.
        #[schemars(transform = default_of(Capped::GroupUpdate))]
        update: Option<Cap>,
        /// Groups that are deleted.
        #[schemars(transform = default_of(Capped::GroupDelete))]
        delete: Option<Cap>,
    }
}

/// A cap, or none.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "for the schema")]
enum Cap {
    /// The most objects that one plan may touch: the larger of `percent` and `floor`, and never above `most`.
    Limits(CapLimits),
    /// No cap.
    Off(Off),
}

section! {
    /// The most objects that one plan may touch. What is left out has the default of its cap.
    struct CapLimits {
        /// Never more than this, however large the account. Without it there is no such limit.
        #[schemars(range(min = 0, max = MOST), example = 100)]
        most: Option<u32>,
        /// This share of the account's objects of the kind, in percent.
        #[schemars(range(min = 0, max = 100), example = 30)]
        percent: Option<u8>,
        /// At least this many, so that a small account is not held up by arithmetic.
        #[schemars(range(min = 0, max = MOST), example = 10)]
        floor: Option<u32>,
    }
}

fn default_of(capped: Capped) -> impl Fn(&mut Schema) {
    let cap = capped.default_cap();
    move |schema| {
        schema.insert("default".to_owned(), json!({"percent": cap.percent, "floor": cap.floor}));
    }
}

pub(super) fn read(reader: &mut Reader, section: Field<'_>, caps: &mut Caps) {
    let Some(kinds) = reader.section::<CapsSection>(section) else { return };
    if let Some(numbers) = kinds.numbers.and_then(|field| reader.section::<NumberCaps>(field)) {
        cap(reader, numbers.update, Capped::NumberUpdate, caps);
        cap(reader, numbers.unassign, Capped::NumberUnassign, caps);
    }
    if let Some(groups) = kinds.ring_groups.and_then(|field| reader.section::<RingGroupCaps>(field)) {
        cap(reader, groups.create, Capped::GroupCreate, caps);
        cap(reader, groups.update, Capped::GroupUpdate, caps);
        cap(reader, groups.delete, Capped::GroupDelete, caps);
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

fn limits(reader: &mut Reader, field: Field<'_>, capped: Capped) -> Option<model::Cap> {
    if let View::Plain(_) | View::Quoted(_) | View::Sequence(_) = field.value.view() {
        let message = format!("`{}` must be a cap", field.name());
        return reader.refuse(Rule::WRONG_TYPE, field.span(), message, FORM);
    }
    let limits = reader.section::<CapLimits>(field)?;
    let mut cap = capped.default_cap();
    if let Some(most) = limits.most {
        cap.most = Some(whole(reader, most, MOST)?);
    }
    if let Some(percent) = limits.percent {
        cap.percent = u8::try_from(whole(reader, percent, 100)?).unwrap_or(100);
    }
    if let Some(floor) = limits.floor {
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
    reader.refuse(Rule::WRONG_VALUE, field.span(), message, hint)
}
