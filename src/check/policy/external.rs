//! `policy.external`: the countries and the numbers outside of the account that calls may be sent to.

use crate::diag::Rule;
use crate::model::{E164, ExternalPolicy};

use crate::check::document::View;
use crate::check::phone;
use crate::check::reader::{Advice, Field, Reader};
use crate::check::settings::Country;
use crate::check::yaml_scalar::{ScalarKind, kind};

const FORM: &str = "write countries and numbers in quotes, such as `[\"FR\", \"+441632960123\"]`";

/// Reads the list.
pub(super) fn read(reader: &mut Reader, section: Field<'_>, country: Option<Country>, external: &mut ExternalPolicy) {
    for item in reader.items(section).unwrap_or_default() {
        entry(reader, item, country, external);
    }
}

fn entry(reader: &mut Reader, field: Field<'_>, country: Option<Country>, external: &mut ExternalPolicy) {
    let number = |text: &str| text.parse::<E164>().ok().or_else(|| phone::normalize(text, country));
    let quoted = field.value.scalar().and_then(number).map(|number| format!("write `\"{number}\"`"));
    // `NO` is Norway only in quotes.
    let unquoted = matches!(field.value.view(), View::Plain(text) if kind(text) != ScalarKind::Text);
    let hint = quoted.as_deref().unwrap_or(FORM);
    let Some(text) = reader.text(field, Advice { empty: Some(FORM), instead: unquoted.then_some(hint) }) else {
        return;
    };
    if let Ok(number) = text.parse() {
        external.numbers.insert(number);
    } else if Country::parse(text).is_some() {
        external.countries.insert(text.into());
    } else if quoted.is_some() || text.starts_with('+') {
        reader.note(Rule::NOT_E164, field.span(), format!("`{text}` is not an E.164 number"), hint.to_owned());
    } else {
        let message = format!("`{text}` is not an ISO 3166-1 country code in capitals, or an E.164 number");
        reader.note(Rule::WRONG_VALUE, field.span(), message, FORM.to_owned());
    }
}
