//! `policy.protect`: numbers and ring groups that keep where they lead.

use crate::diag::Rule;
use crate::model::{E164, Kind, Protected, Spanned};

use crate::check::document::View;
use crate::check::phone;
use crate::check::reader::{Advice, Field, Reader};
use crate::check::references;
use crate::check::settings::Country;
use crate::check::yaml_scalar::{ScalarKind, kind};

const FORM: &str = "write numbers in quotes and ring groups, such as `[\"+33142685300\", ring_group/ventes]`";

pub(super) fn read(reader: &mut Reader, section: Field<'_>, country: Option<Country>, protected: &mut Protected) {
    for item in reader.items(section).unwrap_or_default() {
        entry(reader, item, country, protected);
    }
}

fn entry(reader: &mut Reader, field: Field<'_>, country: Option<Country>, protected: &mut Protected) {
    let span = field.value.span();
    let meant = field.value.scalar().and_then(|text| match text.parse::<E164>() {
        Ok(number) => Some(number),
        Err(_) => phone::normalize(text, country),
    });
    let unquoted = matches!(field.value.view(), View::Plain(text) if kind(text) != ScalarKind::Text);
    let hint = meant.map_or_else(|| FORM.to_owned(), |number| format!("write `\"{number}\"`"));
    let instead = (unquoted || meant.is_none()).then_some(hint.as_str());
    let Some(text) = reader.text(field, Advice { empty: Some(FORM), instead }) else { return };
    if let Ok(number) = text.parse() {
        protected.numbers.entry(number).or_insert(span);
    } else if meant.is_some() || text.starts_with('+') {
        reader.note(Rule::NOT_E164, field.span(), format!("`{text}` is not an E.164 number"), hint);
    } else if let Some(value) = references::required(reader, field, text, &[Kind::RingGroup]) {
        protected.groups.entry(value.selector.key()).or_insert(Spanned { value, span });
    }
}
