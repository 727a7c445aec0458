//! `policy.external`: the countries and the numbers outside of the account that calls may be sent to.

use crate::diag::Rule;
use crate::model::ExternalPolicy;

use crate::check::phone;
use crate::check::reader::{Advice, Field, Reader};
use crate::check::settings::Country;

const FORM: &str = "write countries and numbers in quotes, such as `[\"FR\", \"+441632960123\"]`";

/// Reads the list.
pub(super) fn read(reader: &mut Reader, section: Field<'_>, country: Option<Country>, external: &mut ExternalPolicy) {
    for item in reader.items(section).unwrap_or_default() {
        entry(reader, item, country, external);
    }
}

fn entry(reader: &mut Reader, field: Field<'_>, country: Option<Country>, external: &mut ExternalPolicy) {
    let meant = field.value.scalar().and_then(|text| phone::meant(text, country));
    // Also for `NO`, which is Norway only in quotes.
    let hint = meant.map_or_else(|| FORM.to_owned(), |number| format!("write `\"{number}\"`"));
    let Some(text) = reader.text(field, Advice { empty: Some(FORM), instead: Some(&hint) }) else { return };
    if let Ok(number) = text.parse() {
        external.numbers.insert(number);
    } else if Country::parse(text).is_some() {
        external.countries.insert(text.into());
    } else if meant.is_some() || text.starts_with('+') {
        reader.note(Rule::NOT_E164, field.span(), format!("`{text}` is not an E.164 number"), hint);
    } else {
        let message = format!("`{text}` is not an ISO 3166-1 country code in capitals, or an E.164 number");
        reader.note(Rule::WRONG_VALUE, field.span(), message, FORM);
    }
}
