//! `policy.scope`: what the files of an account own.

use std::fmt::Display;
use std::str::FromStr;

use crate::diag::Rule;
use crate::model::{NamePattern, NameSet, NumberPattern, NumberSet, Scope};

use crate::check::reader::{Advice, Field, Reader};
use crate::check::section::section;

const NUMBERS: &str =
    "write a number `\"+33142685300\"`, a range `\"+33142685300..+33142685399\"` or a beginning `\"+331426853*\"`";
const NAMES: &str = "write a name, or the beginning of one and `*`, such as `\"fr-*\"`";

section! {
    /// What the files own, for each kind of object. A list that is not there owns everything of its kind, an empty
    /// list nothing.
    struct ScopeSection {
        /// Numbers in quotes: one, a range with both ends (`..`), or all that begin so (`*`).
        #[schemars(
            inner(regex(pattern = r"^(\+[1-9][0-9]{6,14}(\.\.\+[1-9][0-9]{6,14})?|\+[1-9][0-9]{0,14}\*)$")),
            example = ["+33142685300..+33142685399", "+331426854*", "+33142685300"]
        )]
        numbers: Option<Vec<String>>,
        /// Names of ring groups, or with `*` the beginnings of names.
        #[schemars(
            inner(
                length(min = 1, max = 129),
                regex(pattern = r"^[^*\x00-\x1f\x7f]*[^*\s\x00-\x1f\x7f][^*\x00-\x1f\x7f]*\*?$")
            ),
            example = ["fr-*", "ventes"]
        )]
        ring_groups: Option<Vec<String>>,
    }
}

pub(super) fn read(reader: &mut Reader, section: Field<'_>, scope: &mut Scope) {
    let Some(kinds) = reader.section::<ScopeSection>(section) else { return };
    if let Some(field) = kinds.numbers
        && let Some(patterns) = patterns::<NumberPattern>(reader, field, NUMBERS)
    {
        scope.numbers.get_or_insert_with(|| (NumberSet::default(), field.key.span())).0.extend(patterns);
    }
    if let Some(field) = kinds.ring_groups
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
    let items = reader.items(field)?;
    let mut patterns = Vec::with_capacity(items.len());
    for item in items {
        // Quotes alone would not make a number of digits without a `+`.
        let digits = item.value.scalar().is_some_and(|text| text.starts_with(|first: char| first.is_ascii_digit()));
        let instead = digits.then_some(hint);
        let Some(text) = reader.text(item, Advice { empty: Some(hint), instead }) else { continue };
        match text.parse() {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => {
                reader.note(Rule::BAD_SCOPE, item.span(), format!("`{text}` is not valid here: {error}"), hint);
            }
        }
    }
    Some(patterns)
}
