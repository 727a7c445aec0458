//! `policy.scope`: what the files of an account own.

use std::fmt::Display;
use std::str::FromStr;

use crate::diag::{Diagnostic, Rule};
use crate::model::{NamePattern, NameSet, NumberPattern, NumberSet, Scope};

use crate::check::reader::{Advice, Field, Reader};

const NUMBERS: &str =
    "write a number `\"+33142685300\"`, a range `\"+33142685300..+33142685399\"` or a beginning `\"+331426853*\"`";
const NAMES: &str = "write a name, or the beginning of one and `*`, such as `\"fr-*\"`";

pub(super) fn read(reader: &mut Reader, section: Field<'_>, scope: &mut Scope) {
    let Some(mapping) = reader.mapping(section) else { return };
    let [numbers, groups] = reader.fields(mapping, section.key.span(), ["numbers", "ring_groups"]).found;
    if let Some(field) = numbers
        && let Some(patterns) = patterns::<NumberPattern>(reader, field, NUMBERS)
    {
        scope.numbers.get_or_insert_with(|| (NumberSet::default(), field.key.span())).0.extend(patterns);
    }
    if let Some(field) = groups
        && let Some(patterns) = patterns::<NamePattern>(reader, field, NAMES)
    {
        scope.ring_groups.get_or_insert_with(|| (NameSet::default(), field.key.span())).0.extend(patterns);
    }
}

fn patterns<P>(reader: &mut Reader, field: Field<'_>, hint: &str) -> Option<Vec<P>>
where
    P: FromStr,
    P::Err: Display,
{
    let items = reader.sequence(field)?;
    let mut patterns = Vec::with_capacity(items.len());
    for value in items.items() {
        let item = Field { key: field.key, value };
        // Quotes alone would not make a number of digits without a `+`.
        let instead =
            value.scalar().filter(|text| text.starts_with(|first: char| first.is_ascii_digit())).map(|_| hint);
        let Some(text) = reader.text(item, Advice { empty: Some(hint), instead }) else { continue };
        match text.parse() {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => {
                let message = format!("`{text}` is not valid here: {error}");
                reader.report(Diagnostic::new(Rule::BAD_SCOPE, Some(item.span()), message).hint(hint));
            }
        }
    }
    Some(patterns)
}
