//! `policy.protect`: numbers and ring groups that keep where they lead.

use crate::diag::Rule;
use crate::model::{Kind, Protected, Spanned};

use crate::check::phone;
use crate::check::reader::{Advice, Field, Reader};
use crate::check::references;
use crate::check::settings::Country;

const FORM: &str = "write numbers in quotes and ring groups, such as `[\"+33142685300\", ring_group/ventes]`";

pub(super) fn read(reader: &mut Reader, section: Field<'_>, country: Option<Country>, protected: &mut Protected) {
    for item in reader.items(section).unwrap_or_default() {
        entry(reader, item, country, protected);
    }
}

fn entry(reader: &mut Reader, field: Field<'_>, country: Option<Country>, protected: &mut Protected) {
    let span = field.value.span();
    let meant = field.value.scalar().and_then(|text| phone::meant(text, country));
    let hint = meant.map_or_else(|| FORM.to_owned(), |number| format!("write `\"{number}\"`"));
    let Some(text) = reader.text(field, Advice { empty: Some(FORM), instead: Some(&hint) }) else { return };
    if let Ok(number) = text.parse() {
        protected.numbers.entry(number).or_insert(span);
    } else if meant.is_some() || text.starts_with('+') {
        reader.note(Rule::NOT_E164, field.span(), format!("`{text}` is not an E.164 number"), hint);
    } else if let Some(value) = references::required(reader, field, text, &[Kind::RingGroup]) {
        protected.groups.entry(value.selector.key()).or_insert(Spanned { value, span });
    }
}
